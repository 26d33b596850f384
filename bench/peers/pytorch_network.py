"""The other side of the paired comparison on a GPU: the same network in PyTorch. See paired_sides.py for the protocol.

usage: pytorch_network.py HACSCALE MODEL BATCH DTYPE WAY

WAY is `graph` (PyTorch eager: channels_last, cudnn.benchmark) or `compile` (torch.compile with max-autotune-no-cudagraphs).
Either is captured into an explicit CUDA graph of as many inferences as one of HACScale's has, so that neither side pays more
for starting graphs, and no Python runs between inferences. DTYPE is f16, bf16, tf32 or f32. Times are between CUDA events
around several graphs in a row.
"""
import json
import statistics
import subprocess
import sys
import time

import torch

from torch_network import TorchNetwork

SAMPLE_US = 2000.0
WARM_UP_RUNS = 4
LAYERS_A_START = 64  # as kernels/cuda/cuda_network_runner.cpp
TYPES = {"f16": torch.float16, "bf16": torch.bfloat16, "tf32": torch.float32, "f32": torch.float32}


def inferences_a_graph(layers):
    return -(-LAYERS_A_START // layers)


def captured(model, image, inferences):
    """Starts a CUDA graph that runs the network so many times."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UP_RUNS):
            model(image)
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(inferences):
            model(image)
    return graph.replay


def eager(model):
    return model


def compiled(model):
    return torch.compile(model, mode="max-autotune-no-cudagraphs")


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
    inferences = inferences_a_graph(len(shown["graph"]))
    run = captured({"graph": eager, "compile": compiled}[way](model), image, inferences)
    for _ in range(5):
        run()
    torch.cuda.synchronize()
    print("ready", flush=True)
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)

    def mean_us(graphs):
        begin.record()
        for _ in range(graphs):
            run()
        end.record()
        end.synchronize()
        return begin.elapsed_time(end) * 1e3 / (graphs * inferences)

    for line in sys.stdin:
        times, until = [], time.perf_counter() + float(line)
        graphs = max(1, round(SAMPLE_US / (inferences * mean_us(10))))
        while time.perf_counter() < until or not times:
            times.append(mean_us(graphs))
        print(f"{statistics.median(times):.3f} {len(times)}", flush=True)


main()
