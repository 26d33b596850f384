"""Runs a job in a process of its own (_worker.py) and shows what it tells meanwhile."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import sys
import warnings
from typing import Any

from hacscale import _core
from hacscale._progress import Progress

class NoisyResult(UserWarning):
    """Times are less sure than they should be; the text says why, and what to do."""


_ERRORS = {kind.__name__: kind for kind in (_core.BadInput, _core.DeviceMissing, _core.WorkFailed, _core.Error)}


def _environment() -> dict[str, str]:
    package = str(pathlib.Path(__file__).parent.parent)
    paths = [package, os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def request_from(settings: dict[str, Any]) -> _core.ComparisonRequest:
    """What a comparison is asked for, as the native half takes it."""
    request = _core.ComparisonRequest()
    for name, value in settings.items():
        setattr(request, name, value)
    return request


def run(job: str, *, progress: bool, **settings: Any) -> Any:
    """The job's answer, read from JSON. Ctrl-C ends the job between two measurements: then what was measured is kept, and
    KeyboardInterrupt is raised once it is."""
    process = subprocess.Popen(
        [sys.executable, "-m", "hacscale._worker"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env=_environment(),
        start_new_session=True,  # a Ctrl-C in the terminal comes here alone, and is passed on below
    )
    assert process.stdin is not None and process.stdout is not None
    answer: str | None = None
    error: _core.Error | None = None
    interrupted = False
    with process, Progress(enabled=progress) as shown:
        json.dump({"job": job, **settings}, process.stdin)
        process.stdin.close()
        while True:
            try:
                line = process.stdout.readline()
                if not line:
                    break
                message = json.loads(line)
                event = message["event"]
                if event == "answer":
                    answer = message["text"]
                elif event == "error":
                    error = _ERRORS[message["kind"]](message["text"])
                elif event == "warn":
                    shown.clear()
                    warnings.warn(message["text"], NoisyResult, stacklevel=3)
                elif event == "note":
                    shown.note(message["text"])
                elif event == "progress":
                    shown.set(message["done"], message["total"], message["what"])
                else:
                    shown.clear()
            except KeyboardInterrupt:
                interrupted = True
                process.send_signal(signal.SIGINT)
            except Warning:  # the caller made warnings errors: the job ends as by Ctrl-C
                process.send_signal(signal.SIGINT)
                raise
    if interrupted:
        raise KeyboardInterrupt
    if error is not None:
        raise error
    if answer is None:
        raise _core.WorkFailed(
            f"the process that measures ended with status {process.returncode} and no answer; what it printed is above"
        )
    return json.loads(answer)
