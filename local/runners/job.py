"""What a job's process may reach: its own /opt/ml, the packages of its image, and a network only where it has one."""
import os
import sys

import network
import opt_ml

CHILDREN = os.path.join(os.path.dirname(os.path.abspath(__file__)), "children")


def confine(order):
    """For this process, and by its environment for every Python process that it starts."""
    paths = [CHILDREN, os.environ.get("PYTHONPATH", "")]
    os.environ["PYTHONPATH"] = os.pathsep.join(path for path in paths if path)
    os.environ["MLOPS_JOB_ROOT"] = order["root"]
    if order.get("isolated"):
        os.environ["MLOPS_JOB_ISOLATED"] = "1"
    if order["framework"] == "scikit-learn":
        os.environ["MLOPS_JOB_WITHOUT"] = "xgboost"
    confine_from_environment()


def confine_from_environment():
    if os.environ.get("MLOPS_JOB_WITHOUT"):
        sys.modules.setdefault(os.environ["MLOPS_JOB_WITHOUT"], None)
    if os.environ.get("MLOPS_JOB_ISOLATED"):
        network.cut_off()
    opt_ml.redirect(os.environ["MLOPS_JOB_ROOT"])
