#!/usr/bin/env python3
"""Times the network of an ONNX file in ONNX Runtime on the CPU, and prints the microseconds of one pass: for `hacscale compare --verify-on`.

  onnxruntime_latency.py FILE.onnx

HACSCALE_BATCH, HACSCALE_THREADS and HACSCALE_SECONDS say what is compared. Exit status: 0 done; 1 it cannot be run.
"""
import os
import statistics
import sys
import time

from onnxruntime_session import random_images, session_of

session = session_of(sys.argv[1], int(os.environ.get("HACSCALE_THREADS", "0")))
images = random_images(session, int(os.environ.get("HACSCALE_BATCH", "1")))
for _ in range(3):
    session.run(None, images)
passes = []
end = time.perf_counter() + float(os.environ.get("HACSCALE_SECONDS", "2"))
while not passes or time.perf_counter() < end:
    begin = time.perf_counter()
    session.run(None, images)
    passes.append(time.perf_counter() - begin)
print(f"{1e6 * statistics.median(passes):.2f}")
