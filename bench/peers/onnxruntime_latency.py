#!/usr/bin/env python3
"""Times the network of an ONNX file in ONNX Runtime on the CPU, and prints the microseconds of one pass: for `hacscale compare --verify-on`.

  onnxruntime_latency.py FILE.onnx

HACSCALE_BATCH, HACSCALE_THREADS and HACSCALE_SECONDS say what is compared. Exit status: 0 done; 1 it cannot be run.
"""
import os
import statistics
import sys
import time

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = int(os.environ.get("HACSCALE_THREADS", "0"))
options.log_severity_level = 3
session = onnxruntime.InferenceSession(sys.argv[1], options, providers=["CPUExecutionProvider"])
batch = int(os.environ.get("HACSCALE_BATCH", "1"))
draw = numpy.random.default_rng(1)
feeds = {one.name: draw.standard_normal([size if isinstance(size, int) else batch for size in one.shape]).astype(numpy.float32)
         for one in session.get_inputs()}
for _ in range(3):
    session.run(None, feeds)
passes = []
end = time.perf_counter() + float(os.environ.get("HACSCALE_SECONDS", "2"))
while not passes or time.perf_counter() < end:
    begin = time.perf_counter()
    session.run(None, feeds)
    passes.append(time.perf_counter() - begin)
print(f"{1e6 * statistics.median(passes):.2f}")
