#!/usr/bin/env python3
"""Whole-network latency on an NVIDIA GPU against PyTorch, eager (channels-last, cudnn.benchmark) and torch.compile
(max-autotune-no-cudagraphs), either in a CUDA graph of as many inferences as one of HACScale's has.

HACScale and one peer take turns in one run (paired_sides.py). Prints for each case the medians over the rounds, and the median of
the rounds' ratios of each peer to HACScale: above 1, HACScale is faster. With --out, each finished case is a line of JSON
in that file, and cases that are there already are not run again, so a stopped comparison goes on.

usage: compare_pytorch.py [--hacscale PROGRAM] [--ours PROGRAM] [--out FILE] [--minutes M] [--quick] [--peer WAY]
                          [--batches 1,64] [--dtypes f16,tf32] [MODEL...]

Exit status: 0 done; 3 python3 has no PyTorch that sees a GPU; 4 cases are left, the same command goes on with them.
"""
import argparse
import json
import pathlib
import statistics
import subprocess
import sys
import time

from paired_sides import SideFailed, compare

MODELS = ["resnet18", "resnet50", "mobilenetv2-1.0", "efficientnet-b0"]
PEERS = {"graph": "PyTorch eager in a CUDA graph", "compile": "torch.compile in a CUDA graph"}
NO_TORCH = 3


def cases(options):
    batches, dtypes = ([1], ["f16"]) if options.quick else (options.batches, options.dtypes)
    peers = [options.peer] if options.peer else PEERS
    return [(model, batch, dtype, peer)
            for dtype in dtypes for batch in batches for peer in peers for model in options.models]


def comma_separated(kind):
    return lambda text: [kind(part) for part in text.split(",")]


def torch_version():
    """Empty where python3 has no PyTorch that sees a GPU."""
    look = "import torch; print(torch.__version__ if torch.cuda.is_available() else '')"
    answer = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True)
    return answer.stdout.strip() if answer.returncode == 0 else ""


def read_finished(file):
    if file is None or not file.exists():
        return {}
    rows = [json.loads(line) for line in file.read_text().splitlines() if line.strip()]
    return {(row["model"], row["batch"], row["dtype"], row["peer"]): row for row in rows}


def show(row):
    name = f"{row['model']} b{row['batch']} {row['dtype']} {row['peer']}"
    if "error" in row:
        print(f"{name:<44}{row['error']}", flush=True)
        return
    print(f"{name:<44}{row['ours_us']:>12.1f}{row['peer_us']:>12.1f}{row['ratio']:>8.3f}"
          f"   {row['ratio_least']:.3f} to {row['ratio_most']:.3f}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", default=MODELS)
    parser.add_argument("--hacscale", default="hacscale", help="the program (in the PATH)")
    parser.add_argument("--ours", default="time_network", help="the program time_network (in the PATH)")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--out", type=pathlib.Path)
    parser.add_argument("--quick", action="store_true", help="batch 1 in f16 only")
    parser.add_argument("--batches", type=comma_separated(int), default=[1, 64])
    parser.add_argument("--dtypes", type=comma_separated(str), default=["f16", "tf32"])
    parser.add_argument("--peer", choices=list(PEERS), help="only this one")
    parser.add_argument("--minutes", type=float, default=1e9, help="begin no case after this time")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=float, default=0.3)
    options = parser.parse_args()
    here, until = pathlib.Path(__file__).parent, time.monotonic() + 60 * options.minutes
    version = torch_version()
    if not version:
        print("compare_pytorch.py: python3 here has no PyTorch that sees a GPU", file=sys.stderr)
        return NO_TORCH
    finished = read_finished(options.out)
    for way in [options.peer] if options.peer else PEERS:
        print(f"{way}: {PEERS[way]}, PyTorch {version}")
    print(f"{'case':<44}{'hacscale us':>12}{'peer us':>12}{'ratio':>8}   range over {options.rounds} rounds")
    left = 0
    for case in cases(options):
        model, batch, dtype, peer = case
        if case in finished:
            show(finished[case])
            continue
        if time.monotonic() > until:
            left += 1
            continue
        row = {"model": model, "batch": batch, "dtype": dtype, "peer": peer, "peer_name": PEERS[peer], "torch": version}
        ours = [options.ours, model, options.device, str(batch), dtype]
        theirs = [sys.executable, str(here / "pytorch_network.py"), options.hacscale, model, str(batch), dtype, peer]
        try:
            (ours_us, peer_us), (ratios,) = compare([ours, theirs], options.rounds, options.seconds)
            row |= {"ours_us": ours_us, "peer_us": peer_us, "ratio": statistics.median(ratios),
                    "ratio_least": ratios[0], "ratio_most": ratios[-1]}
        except SideFailed as failure:
            row["error"] = str(failure)
        show(row)
        if options.out and "error" not in row:
            with options.out.open("a") as file:
                file.write(json.dumps(row) + "\n")
    if left:
        print(f"{left} cases are left; the same command goes on with them")
        return 4
    return 0


sys.exit(main())
