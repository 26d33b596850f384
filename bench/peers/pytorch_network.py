"""The other side of the paired comparison on a GPU: the same network in PyTorch. See paired_sides.py for the protocol.

usage: pytorch_network.py HACSCALE MODEL BATCH DTYPE WAY

WAY is `graph` (channels_last, cudnn.benchmark, one CUDA graph) or `compile` (torch.compile with max-autotune, which captures
CUDA graphs itself). DTYPE is f16, bf16, tf32 or f32. Times are between CUDA events around several inferences in a row, so
that neither side pays for the start of each one.
"""
import json
import statistics
import subprocess
import sys
import time

import torch

from torch_network import TorchNetwork

SAMPLE_US = 2000.0
TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "tf32": torch.float32, "f32": torch.float32}


def captured(model, image):
    """The network as one CUDA graph."""
    stream = torch.cuda.Stream()
    with torch.cuda.stream(stream):
        for _ in range(3):
            model(image)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        model(image)
    return graph.replay


def compiled(model, image):
    optimized = torch.compile(model, mode="max-autotune")
    for _ in range(4):
        optimized(image)
    return lambda: optimized(image)


@torch.inference_mode()
def main():
    hacscale, name, batch, dtype, way = sys.argv[1:6]
    shown = json.loads(subprocess.check_output([hacscale, "models", "show", name, "--json"]))
    torch.manual_seed(1)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = dtype == "tf32"
    settings = {"device": "cuda", "dtype": TYPES[dtype]}
    model = TorchNetwork(shown["graph"]).eval().to(**settings, memory_format=torch.channels_last)
    image = torch.randn(int(batch), shown["in_channels"], shown["resolution"], shown["resolution"])
    image = image.to(**settings, memory_format=torch.channels_last)
    run = {"graph": captured, "compile": compiled}[way](model, image)
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    print("ready", flush=True)
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def mean_us(runs):
        begin.record()
        for _ in range(runs):
            run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) * 1e3 / runs

    for line in sys.stdin:
        times, until = [], time.perf_counter() + float(line)
        runs = max(1, round(SAMPLE_US / mean_us(10)))
        while time.perf_counter() < until or not times:
            times.append(mean_us(runs))
        print(f"{statistics.median(times):.3f} {len(times)}", flush=True)


main()
