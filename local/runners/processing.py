"""A container that runs a command of its own and ends with its exit code: processing jobs, and images of one's own."""
import os
import re
import runpy
import subprocess
import sys
import traceback

import job

PYTHONS = ("python", "python3")
# A container has a /tmp of its own too; here its name is followed in commands only.
PLACES = re.compile(r"(?<![\w./~-])/(opt/ml|tmp)(?=$|[/\s\"';)&|])")


def led(word, root):
    return PLACES.sub(lambda found: root + ("/tmp" if found.group(1) == "tmp" else ""), word)


def run(order):
    root = order["root"]
    # A program of this machine is named as it is; what a request says is meant for the inside of its container.
    words = [order["program"]] if order.get("program") else [led(word, root) for word in order["command"]]
    if not order.get("program"):
        os.environ.update({name: led(value, root) for name, value in order["environment"].items()})
    for directory in ("output", "tmp"):
        os.makedirs(os.path.join(root, directory), exist_ok=True)
    os.chdir(root)
    job.confine(order)
    if os.path.basename(words[0]) not in PYTHONS:
        return other_program(words)
    return python(words[1:])


def other_program(words):
    try:
        return subprocess.run(words, check=False).returncode
    except OSError as error:
        print("exec %s: %s" % (words[0], error.strerror), file=sys.stderr, flush=True)
        return 127


def python(words):
    """As the interpreter would, without starting it anew; -m for modules, other options are passed over."""
    while words and words[0].startswith("-") and words[0] not in ("-m", "-c"):
        words = words[1:]
    if not words or words[0] == "-c" or (words[0] == "-m" and len(words) < 2):
        print("the entry point names no script", file=sys.stderr, flush=True)
        return 2
    module = words[0] == "-m"
    sys.argv = words[1:] if module else words
    try:
        if module:
            sys.path.insert(0, os.getcwd())
            runpy.run_module(words[1], run_name="__main__", alter_sys=True)
        else:
            if not os.path.isfile(words[0]):
                print("can't open file '%s': No such file or directory" % words[0], file=sys.stderr, flush=True)
                return 2
            sys.path.insert(0, os.path.dirname(os.path.abspath(words[0])))
            runpy.run_path(words[0], run_name="__main__")
        return 0
    except SystemExit as stop:
        if stop.code is None or isinstance(stop.code, int):
            return stop.code or 0
        print(stop.code, file=sys.stderr, flush=True)
        return 1
    except BaseException:  # whatever the script raises is its failure, also KeyboardInterrupt
        traceback.print_exc()
        sys.stderr.flush()
        return 1
