#!/usr/bin/env python3
"""Whole-network latency at batch 1 in f32, same threads: HACScale's CPU backend against ONNX Runtime and OpenVINO.

A MODEL is a name of the zoo or an ONNX file; of files, ONNX Runtime is the only peer here (--peers onnxruntime).
All are loaded once and take turns of a fraction of a second (paired_sides.py). Prints for each network the medians over the
rounds, and for each peer the median of the rounds' ratios, its time over ours, with their range. The last lines compare with
the faster peer of each network. ONEDNN_MAX_CPU_ISA holds for HACScale and OpenVINO; ONNX Runtime has no such setting.

usage: compare_cpu_runtimes.py [--build BUILD] [--rounds N] [--seconds S] [--threads N] [--peers NAME,...] [MODEL...]
"""
import argparse
import math
import os
import pathlib
import statistics
import sys

from paired_sides import SideFailed, compare

MODELS = ["resnet18", "resnet50", "mobilenetv2-1.0", "efficientnet-b0", "resnet20-cifar", "wrn-16-4-cifar", "vgg16-bn",
          "regnetx-400mf", "mobilenetv3-large-1.0"]
PEERS = ["onnxruntime", "openvino"]


def geometric_mean(values):
    return math.exp(statistics.fmean(map(math.log, values)))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--build", default="build")
    parser.add_argument("--rounds", type=int, default=11)
    parser.add_argument("--seconds", type=float, default=0.5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--peers", type=lambda text: text.split(","), default=PEERS)
    options = parser.parse_args()
    here, build = pathlib.Path(__file__).parent, pathlib.Path(options.build)
    os.environ["OMP_NUM_THREADS"] = str(options.threads)
    print(f"threads: {options.threads}; {options.rounds} rounds of {options.seconds} s a side; "
          f"ONEDNN_MAX_CPU_ISA={os.environ.get('ONEDNN_MAX_CPU_ISA', 'not set')}")
    print(f"{'model':<22}{'hacscale us':>12}" + "".join(f"{peer + ' us':>16}{'ratio':>8}{'range':>15}" for peer in options.peers))
    ratios_to = {peer: [] for peer in options.peers}
    for model in options.models:
        if model.endswith(".onnx") and options.peers != ["onnxruntime"]:
            sys.exit(f"compare_cpu_runtimes.py: {model}: ONNX files run in ONNX Runtime alone: give --peers onnxruntime")
        ours = [str(build / "bench" / "time_network"), model]
        theirs = [[sys.executable, str(here / f"{peer}_network.py"), str(build / "hacscale"), model, str(options.threads)]
                  for peer in options.peers]
        try:
            medians, ratios = compare([ours, *theirs], options.rounds, options.seconds)
        except SideFailed as failure:
            sys.exit(f"compare_cpu_runtimes.py: {failure}")
        line = f"{pathlib.Path(model).name.removesuffix('.onnx'):<22}{medians[0]:>12.1f}"
        for peer, median_us, rounds in zip(options.peers, medians[1:], ratios):
            ratios_to[peer].append(statistics.median(rounds))
            line += f"{median_us:>16.1f}{ratios_to[peer][-1]:>8.3f}{f'{rounds[0]:.2f} to {rounds[-1]:.2f}':>15}"
        print(line, flush=True)
    for peer, ratios in ratios_to.items():
        print(f"geometric mean of the ratios to {peer}: {geometric_mean(ratios):.3f}")
    faster = [min(ratios) for ratios in zip(*ratios_to.values())]
    print(f"to the faster peer: geometric mean {geometric_mean(faster):.3f}, smallest {min(faster):.3f}")


main()
