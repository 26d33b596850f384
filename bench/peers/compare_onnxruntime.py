#!/usr/bin/env python3
"""Whole-network latency at batch 1 in f32, same threads: HACScale's CPU backend against ONNX Runtime, pairwise.

Both sides are loaded once and take turns of a fraction of a second (paired_sides.py). Prints for each network the medians
over the rounds and the median of the rounds' ratios, with its range.

usage: compare_onnxruntime.py [--build BUILD] [--rounds N] [--seconds S] [MODEL...]
"""
import argparse
import math
import os
import pathlib
import statistics
import sys

from paired_sides import compare

MODELS = ["resnet18", "resnet50", "mobilenetv2-1.0", "efficientnet-b0", "resnet20-cifar"]


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
    medians_of_ratios = []
    for model in options.models:
        ours = [str(build / "bench" / "time_network"), model]
        theirs = [sys.executable, str(here / "onnxruntime_network.py"), str(build / "hacscale"), model, str(threads)]
        medians, (ratios,) = compare([ours, theirs], options.rounds, options.seconds)
        medians_of_ratios.append(statistics.median(ratios))
        print(f"{model:<20}{medians[0]:>12.1f}{medians[1]:>16.1f}{medians_of_ratios[-1]:>8.3f}"
              f"   {ratios[0]:.3f} to {ratios[-1]:.3f}", flush=True)
    print(f"geometric mean of the ratios: {math.exp(statistics.fmean(map(math.log, medians_of_ratios))):.3f}")


main()
