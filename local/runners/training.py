"""Script-mode training, as the sagemaker-training toolkit runs it inside the XGBoost and scikit-learn images."""
import json
import os
import runpy
import sys
import traceback

import code_directory
import job

HOST = "algo-1"


def load(root, name):
    with open(os.path.join(root, "input", "config", name), encoding="utf-8") as file:
        return json.load(file)


def decoded(value):
    """Hyperparameters are strings on the wire; the toolkit reads each as JSON where it is JSON."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def as_text(value):
    if value is None:
        return ""
    if isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def arguments(hyperparameters):
    found = []
    for name in sorted(hyperparameters):
        value = hyperparameters[name]
        if hasattr(value, "items"):
            value = ",".join("%s=%s" % pair for pair in sorted(value.items()))
        found += ["--%s" % name if len(name) > 1 else "-%s" % name, "" if value is None else str(value)]
    return found


def of_framework(name):
    """A tuning job adds its metric: the toolkit keeps it from the script."""
    return name.startswith("sagemaker_") or name in ("_tuning_objective_metric", "default_user_module_name")


def script_environment(root, order):
    everything = {name: decoded(value) for name, value in load(root, "hyperparameters.json").items()}
    user = {name: value for name, value in everything.items() if not of_framework(name)}
    framework = {name: value for name, value in everything.items() if of_framework(name)}
    channels = load(root, "inputdataconfig.json")
    resources = load(root, "resourceconfig.json")
    program = str(everything["sagemaker_program"])
    module = program[:-3] if program.endswith(".py") else program
    directory = {name: os.path.join(root, "input", "data", name) for name in channels}
    values = {
        "hosts": resources["hosts"],
        "current_host": HOST,
        "network_interface_name": resources["network_interface_name"],
        "hps": user,
        "user_entry_point": program,
        "framework_params": framework,
        "resource_config": resources,
        "input_data_config": channels,
        "output_data_dir": os.path.join(root, "output", "data"),
        "channels": sorted(channels),
        "current_instance_type": resources["current_instance_type"],
        "module_name": module,
        "log_level": everything.get("sagemaker_container_log_level", 20),
        "input_dir": os.path.join(root, "input"),
        "input_config_dir": os.path.join(root, "input", "config"),
        "output_dir": os.path.join(root, "output"),
        "output_intermediate_dir": os.path.join(root, "output", "intermediate"),
        "num_cpus": order["cpus"],
        "num_gpus": 0,
        "num_neurons": 0,
        "model_dir": os.path.join(root, "model"),
        "module_dir": str(everything.get("sagemaker_submit_directory", "")),
        "user_args": arguments(user),
    }
    values["training_env"] = {
        "channel_input_dirs": directory,
        "hyperparameters": user,
        "job_name": os.environ["TRAINING_JOB_NAME"],
        "is_master": True,
        **{name: values[name] for name in values if name not in ("hps", "user_args", "framework_params", "channels")},
    }
    values.update({"channel_%s" % name: path for name, path in directory.items()})
    values.update({"hp_%s" % name: value for name, value in user.items()})
    return program, user, {"SM_%s" % name.upper(): as_text(value) for name, value in values.items()}


def fail(root, command, code, message):
    file = os.path.join(root, "output", "failure")
    if not os.path.exists(file):
        # The last line of a traceback is its cause: where all of it does not fit, the beginning goes.
        room = 1024 - len(command) - 80
        text = message.strip()[-room:] if room > 200 else message.strip()[-400:]
        with open(file, "w", encoding="utf-8") as failure:
            failure.write('ExecuteUserScriptError:\nExitCode %d\nErrorMessage "%s"\nCommand "%s"' % (code, text, command))


class LastWords:
    """Standard error that remembers its end: a script that exits without a traceback has said there what went wrong."""

    def __init__(self, stream):
        self.stream = stream
        self.tail = ""

    def write(self, text):
        self.tail = (self.tail + text)[-1000:]
        return self.stream.write(text)

    def __getattr__(self, name):
        return getattr(self.stream, name)


def run(order):
    root = order["root"]
    code = os.path.join(root, "code")
    program, user, environment = script_environment(root, order)
    os.environ.update(environment)
    line = arguments(user)
    command = " ".join(["python3", program, *line])
    script = os.path.join(code, program)
    if not os.path.isfile(script):
        fail(root, command, 1, "the code archive holds no %s" % program)
        return 1
    unmet = code_directory.unmet_requirements(code)
    if unmet:
        fail(root, command, 1, "requirements.txt asks for what the local engine does not install: %s" % ", ".join(unmet))
        return 1

    job.confine(order)
    os.chdir(code)
    sys.argv = [script, *line]
    sys.path.insert(0, os.path.dirname(script))
    print("Invoking script with the following command:\n\n%s\n" % command, flush=True)
    words = sys.stderr = LastWords(sys.stderr)
    try:
        runpy.run_path(script, run_name="__main__")
        return 0
    except SystemExit as stop:
        if stop.code is None or stop.code == 0:
            return 0
        status = stop.code if isinstance(stop.code, int) else 1
        said = words.tail.strip() or "the script ended with exit code %d and no word on standard error" % status
        text = said if isinstance(stop.code, int) else str(stop.code)
        if not isinstance(stop.code, int):
            print(text, file=sys.stderr, flush=True)
        fail(root, command, status, text)
        return status
    except BaseException:  # whatever the script raises is its failure, also KeyboardInterrupt
        trace = own_frames_dropped(traceback.format_exc())
        print(trace, file=sys.stderr, flush=True)
        fail(root, command, 1, trace)
        return 1


def own_frames_dropped(trace):
    """The frames of this runner and of runpy say nothing about the script."""
    lines = trace.split("\n")
    kept = []
    skipping = False
    for line in lines:
        if line.startswith('  File "'):
            skipping = "/runners/training.py" in line or "<frozen runpy>" in line
        elif not line.startswith("    "):
            skipping = False
        if not skipping:
            kept.append(line)
    return "\n".join(kept)
