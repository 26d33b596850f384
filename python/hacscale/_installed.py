"""Where a wheel has the program, the backends, the zoo and the GPU profiles: the folder native/ beside this file.

The native half looks beside the running program, which is Python here, so it is told by environment variables; those that are
set already win. A checkout has no such folder: its build folder is looked at instead.
"""

import os
import pathlib
import sys

NATIVE = pathlib.Path(__file__).parent / "native"


def _tell_native_half() -> None:
    beside = pathlib.Path(__file__).parent
    build = beside.parent.parent  # of a checkout: build/python/hacscale
    for variable, folders in {
        "HACSCALE_BACKENDS": (NATIVE / "lib/hacscale/backends", build / "backends"),
        "HACSCALE_MODELS": (NATIVE / "share/hacscale/models",),
    }.items():
        for folder in folders:
            if folder.is_dir():
                os.environ.setdefault(variable, str(folder))


def program() -> None:
    """The command `hacscale` of a wheel: the same program as without Python."""
    executable = NATIVE / "bin/hacscale"
    os.execv(executable, [str(executable), *sys.argv[1:]])


_tell_native_half()
