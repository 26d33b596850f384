"""Two programs that time the same network, taking turns, so that drift of the machine hits both.

Each side prints "ready" when its network is loaded, and then answers each line "SECONDS" on its standard input by a line
"MEDIAN_US RUNS". While one runs, the other is stopped, because idle worker threads spin.
"""
import signal
import statistics
import subprocess


class SideFailed(Exception):
    pass


class Side:
    def __init__(self, command):
        self.command = command
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.answer(until="ready")
        self.stop()

    def answer(self, until=None):
        for line in self.process.stdout:
            if until is None or line.strip() == until:
                return line
        raise SideFailed(f"{' '.join(self.command)} ended with status {self.process.wait()}")

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def turn(self, seconds):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        median_us = float(self.answer().split()[0])
        self.stop()
        return median_us

    def end(self):
        self.process.kill()
        self.process.wait()


def compare(commands, rounds, seconds):
    """Medians in microseconds, one a command, and for each command after the first the ratios to the first, sorted."""
    sides = []
    try:
        for command in commands:
            sides.append(Side(command))
        turns = [[side.turn(seconds) for side in sides] for _ in range(rounds)]
    finally:
        for side in sides:
            side.end()
    medians = [statistics.median(turn[i] for turn in turns) for i in range(len(commands))]
    ratios = [sorted(turn[i] / turn[0] for turn in turns) for i in range(1, len(commands))]
    return medians, ratios
