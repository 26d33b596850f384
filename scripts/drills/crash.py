"""Failures at every write of a table: the tests' disk that fails (tests/profiler/faulty_files.hpp)."""
import os
import subprocess

from drills import common


def crash_at_every_write(drill):
    tests = drill.program.parent / "tests/profiler_tests"
    if not tests.exists():
        raise common.Unable(f"{tests} is not built; build the target profiler_tests")
    memory = {"TMPDIR": "/dev/shm"} if os.path.isdir("/dev/shm") else {}  # the disk is the tests' model
    done = subprocess.run([str(tests), "--gtest_filter=*TableFaults*:TableOnAFullDisk*", "--gtest_brief=1"], capture_output=True,
                          text=True, env={**drill.environment, **memory}, cwd=drill.work, check=False)
    for line in done.stdout.splitlines():
        if line.startswith("drill: "):
            drill.say("crash-at-every-write " + line.removeprefix("drill: "))
            drill.count("failures", int(line.rsplit(" ", 2)[-2]))
    drill.require(done.returncode == 0, f"{tests.name} ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
