#!/usr/bin/env python3
"""Whole-network latency at batch 1 in f32, same threads: HACScale's CPU backend against ONNX Runtime, pairwise.

Both sides are loaded once and take turns of a fraction of a second, so that drift of the machine hits both; while one
runs, the other is stopped, because idle worker threads spin. Prints for each network the medians over the rounds and the
median of the rounds' ratios, with its range.

usage: compare_onnxruntime.py [--build BUILD] [--rounds N] [--seconds S] [MODEL...]
"""
import argparse
import math
import os
import pathlib
import signal
import statistics
import subprocess
import sys

MODELS = ["resnet18", "resnet50", "mobilenetv2-1.0", "efficientnet-b0", "resnet20-cifar"]


class Side:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.process.stdout.readline().strip() != "ready":
            sys.exit(f"{command[0]} did not start")
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGSTOP)

    def turn(self, seconds):
        self.process.send_signal(signal.SIGCONT)
        self.process.stdin.write(f"{seconds}\n")
        self.process.stdin.flush()
        median_us = float(self.process.stdout.readline().split()[0])
        self.stop()
        return median_us

    def end(self):
        self.process.kill()
        self.process.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5)
    options = parser.parse_args()
    here, build = pathlib.Path(__file__).parent, pathlib.Path(options.build)
    threads = len(os.sched_getaffinity(0))
    print(f"threads: {threads}; {options.rounds} rounds of {options.seconds} s a side")
    print(f"{'model':<20}{'hacscale us':>12}{'onnxruntime us':>16}{'ratio':>8}   range over rounds")
    ratios = []
    for model in options.models:
        ours = Side([str(build / "bench" / "time_network"), model])
        theirs = Side([sys.executable, str(here / "onnxruntime_network.py"), str(build / "hacscale"), model, str(threads)])
        rounds = [(ours.turn(options.seconds), theirs.turn(options.seconds)) for _ in range(options.rounds)]
        ours.end()
        theirs.end()
        each = sorted(b / a for a, b in rounds)
        ratios.append(statistics.median(each))
        print(f"{model:<20}{statistics.median(a for a, _ in rounds):>12.1f}{statistics.median(b for _, b in rounds):>16.1f}"
              f"{ratios[-1]:>8.3f}   {each[0]:.3f} to {each[-1]:.3f}", flush=True)
    print(f"geometric mean of the ratios: {math.exp(statistics.fmean(map(math.log, ratios))):.3f}")


main()
