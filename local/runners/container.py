"""One container of the local engine: a Python interpreter that becomes a training or a serving process.

The parent writes one JSON line to stdin: {"runner": "training" | "serving" | "processing" | "algorithm"…, "framework": ..., "root": ..., "environment": {...}}.
Standard input stays open as a life line: when it closes, the service is gone and this process ends with all its children.
"""
import importlib
import json
import os
import signal
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))


def read_line(descriptor):
    """Reads byte by byte: a buffered reader would swallow what follows."""
    line = bytearray()
    while True:
        byte = os.read(descriptor, 1)
        if not byte:
            return None
        if byte == b"\n":
            return line.decode("utf-8")
        line += byte


def watch(descriptor):
    while os.read(descriptor, 4096):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def warm():
    """Importing the frameworks costs about a second: done before there is anything to do, it costs no job anything."""
    for module in ("numpy", "pandas", "sklearn.base", "xgboost"):
        try:
            importlib.import_module(module)
        except ImportError:
            # Not every Python has a wheel of every package; the service has refused the image before it comes to this.
            pass


def is_own(module):
    return os.path.dirname(getattr(module, "__file__", None) or "") == HERE


def main():
    if "--warm" in sys.argv:
        warm()
    os.write(3, b'{"ready": true}\n')
    line = read_line(0)
    if line is None:
        return 0
    order = json.loads(line)

    life_line = os.dup(0)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    threading.Thread(target=watch, args=(life_line,), daemon=True).start()

    os.environ.update(order["environment"])
    if order["framework"] == "scikit-learn":
        # The scikit-learn image has no XGBoost: a script that imports it must fail here as it would there.
        for name in [name for name in sys.modules if name == "xgboost" or name.startswith("xgboost.")]:
            del sys.modules[name]
        sys.modules["xgboost"] = None

    sys.path = [entry for entry in sys.path if os.path.abspath(entry or ".") != HERE]
    sys.path.insert(0, HERE)
    runner = importlib.import_module(order["runner"])
    sys.path.remove(HERE)
    # A script may call its own modules as it likes.
    for name in [name for name, module in sys.modules.items() if is_own(module) and name != "__main__"]:
        del sys.modules[name]
    return runner.run(order)


if __name__ == "__main__":
    sys.exit(main())
