"""The other side of the paired comparison: the same network in ONNX Runtime. See time_network.cpp for the protocol.

usage: onnxruntime_network.py HACSCALE MODEL THREADS
"""
import json
import statistics
import subprocess
import sys
import time

import numpy as np
import onnxruntime

from onnx_from_graph import build


def main():
    hacscale, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    shown = json.loads(subprocess.check_output([hacscale, "models", "show", name, "--json"]))
    model = build(shown["graph"], shown["in_channels"], shown["resolution"], 1)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    image = np.random.default_rng(1).random((1, shown["in_channels"], shown["resolution"], shown["resolution"]))
    binding = session.io_binding()  # no copies in or out: only the network is timed
    binding.bind_cpu_input("input", image.astype(np.float32))
    binding.bind_output(session.get_outputs()[0].name, "cpu")
    for _ in range(5):
        session.run_with_iobinding(binding)
    print("ready", flush=True)
    for line in sys.stdin:
        times, end = [], time.perf_counter() + float(line)
        session.run_with_iobinding(binding)
        while time.perf_counter() < end or not times:
            begin = time.perf_counter()
            session.run_with_iobinding(binding)
            times.append(time.perf_counter() - begin)
        print(f"{statistics.median(times) * 1e6:.3f} {len(times)}", flush=True)


main()
