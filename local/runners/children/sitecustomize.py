"""Python processes that a job starts by itself find its directory and its limits as the job's own process does."""
import os
import sys

if os.environ.get("MLOPS_JOB_ROOT"):
    RUNNERS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    sys.path.insert(0, RUNNERS)
    import job

    sys.path.remove(RUNNERS)
    job.confine_from_environment()
    # A script may call its own modules as it likes.
    for name in ("job", "opt_ml", "network"):
        sys.modules.pop(name, None)
