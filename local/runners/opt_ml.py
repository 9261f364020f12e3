"""Paths below /opt/ml lead to the job's own directory: jobs run side by side here, where on AWS each has a machine of its own.

What Python opens goes through here, also in Python processes that a job starts. Libraries that open files in native code, and other programs, see
the paths as they are.
"""
import builtins
import io
import os

PREFIX = "/opt/ml"
ONE_PATH = (
    "open", "stat", "lstat", "listdir", "scandir", "mkdir", "rmdir", "remove", "unlink", "access", "chdir", "chmod", "utime", "truncate", "readlink",
)
TWO_PATHS = ("rename", "replace", "link", "symlink")


def led(path, root):
    if isinstance(path, os.PathLike):
        path = os.fspath(path)
    if isinstance(path, str) and (path == PREFIX or path.startswith(PREFIX + "/")):
        return root + path[len(PREFIX):]
    return path


def redirect(root):
    def wrapped(original, paths):
        def call(*arguments, **options):
            first = [led(argument, root) for argument in arguments[:paths]]
            return original(*first, *arguments[paths:], **options)

        return call

    for name in ONE_PATH:
        setattr(os, name, wrapped(getattr(os, name), 1))
    for name in TWO_PATHS:
        setattr(os, name, wrapped(getattr(os, name), 2))
    builtins.open = io.open = wrapped(builtins.open, 1)
