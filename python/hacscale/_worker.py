"""The process that measures: one job, read from standard input; events and the answer, a JSON line each, on standard output.

Measuring has a process of its own because whatever the caller did before would be in the times: threads of PyTorch that spin,
memory that is fragmented, an OpenMP that was started with other threads.
"""

import json
import os
import sys

from hacscale import _core
from hacscale._jobs import request_from


class _Pipe:
    """Events as lines. Whoever reads may be gone: then writing raises, and the work ends."""

    def __init__(self, stream):
        self._stream = stream

    def _send(self, **message):
        self._stream.write(json.dumps(message) + "\n")
        self._stream.flush()

    def note(self, text):
        self._send(event="note", text=text)

    def warn(self, text):
        self._send(event="warn", text=text)

    def progress(self, done, total, what):
        self._send(event="progress", done=done, total=total, what=what)

    def progress_ended(self):
        self._send(event="progress_ended")

    def answer(self, text):
        self._send(event="answer", text=text)

    def error(self, kind, text):
        self._send(event="error", kind=kind, text=text)


def _networks(sources):
    return [_core.read_network(source["name_or_file"], source["shapes"]) for source in sources]


def _profile(job, events):
    networks = _networks(job.pop("networks"))
    widths = job.pop("widths")
    return _core.profile(networks, widths=tuple(widths) if widths else None, events=events, **job)


def _verify(job, events):
    networks = _networks(job.pop("networks"))
    table = _core.open_table(job.pop("table"))
    return _core.verify(networks, table, events=events, **job)


def _compare(job, events):
    (network,) = _networks([job.pop("network")])
    table = _core.open_table(job.pop("table"))
    request = request_from(job.pop("request"))
    return _core.compare_measured(table, network, request, events=events, **job)


def _devices(job, events):
    return json.dumps(_core.devices())


_JOBS = {"profile": _profile, "verify": _verify, "compare": _compare, "devices": _devices}


def main():
    # Libraries may print; what they print is not the answer.
    pipe = _Pipe(os.fdopen(os.dup(1), "w", encoding="utf-8"))
    os.dup2(2, 1)
    job = json.load(sys.stdin)
    try:
        pipe.answer(_JOBS[job.pop("job")](job, pipe))
    except _core.Error as error:
        pipe.error(type(error).__name__, str(error))


if __name__ == "__main__":
    main()
