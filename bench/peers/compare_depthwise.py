#!/usr/bin/env python3
"""PyTorch's depthwise convolutions beside this project's, layer by layer over the zoo.

First `cuda_layers --out FILE`, then this: it times the same layers in PyTorch (channels_last, cudnn.benchmark), each run
with caches cleared as there, by reading a large buffer, which leaves nothing to be written back, and prints the ratio of
PyTorch's time to ours and the shares that both have of a copy of the same bytes (files of before have no copy). PyTorch's
bias is fused by whatever it chooses; its activation is left out, so the comparison favours it.

usage: compare_depthwise.py FILE
"""
import json
import pathlib
import re
import statistics
import sys

import torch
from torch.nn import functional as F

TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "tf32": torch.float32, "f32": torch.float32}
KEY = re.compile(r"conv_i(\d+)x(\d+)x(\d+)_o(\d+)_k(\d+)_s(\d+)_p(\d+)_g(\d+)")
RUNS = 15


@torch.inference_mode()
def time_us(row, flush):
    channels, height, width, _, kernel, stride, padding, groups = map(int, KEY.match(row["layer"]).groups())
    settings = {"device": "cuda", "dtype": TYPES[row["dtype"]]}
    x = torch.randn(row["batch"], channels, height, width, **settings).to(memory_format=torch.channels_last)
    weight = torch.randn(channels, 1, kernel, kernel, **settings).to(memory_format=torch.channels_last)
    bias = torch.randn(channels, **settings)
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    times = []
    for _ in range(RUNS + 3):
        flush.sum()
        begin.record()
        F.conv2d(x, weight, bias, stride, padding, groups=groups)
        end.record()
        end.synchronize()
        times.append(begin.elapsed_time(end) * 1e3)
    return statistics.median(times[3:])


def main():
    rows = [json.loads(line) for line in pathlib.Path(sys.argv[1]).read_text().splitlines()]
    torch.backends.cudnn.benchmark = True
    flush = torch.ones(64 << 20, dtype=torch.float32, device="cuda")
    ratios, own_shares, peer_shares = [], [], []
    print(f"{'layer':<46}{'batch':>6}{'ours us':>10}{'PyTorch us':>12}{'ratio':>8}{'ours/copy':>11}{'PyTorch/copy':>14}")
    for row in rows:
        if row["ours_us"] is None:
            continue
        peer_us = time_us(row, flush)
        ratios.append(peer_us / row["ours_us"])
        shares = ["-", "-"]
        if copy_us := row.get("copy_us"):
            own_shares.append(copy_us / row["ours_us"])
            peer_shares.append(copy_us / peer_us)
            shares = [f"{own_shares[-1]:.2f}", f"{peer_shares[-1]:.2f}"]
        print(f"{row['layer']:<46}{row['batch']:>6}{row['ours_us']:>10.2f}{peer_us:>12.2f}{ratios[-1]:>8.2f}"
              f"{shares[0]:>11}{shares[1]:>14}", flush=True)
    if ratios:
        slower = sum(ratio < 1 for ratio in ratios)
        print(f"PyTorch's time over ours: median {statistics.median(ratios):.2f}, least {min(ratios):.2f}; "
              f"PyTorch is faster on {slower} of {len(ratios)} layers")
    if own_shares:
        print(f"a copy of the same bytes over the layer: ours {statistics.median(own_shares):.2f}, "
              f"PyTorch {statistics.median(peer_shares):.2f} in the median")


main()
