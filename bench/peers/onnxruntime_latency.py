#!/usr/bin/env python3
"""Times the network of an ONNX file in ONNX Runtime, and prints the microseconds of one pass: for `hacscale compare --verify-on`.

  onnxruntime_latency.py [--cuda N] FILE.onnx

Without --cuda on the CPU; with it on that GPU, whose memory holds inputs and outputs, and a pass ends when the GPU has computed it (this part is not
measured yet). HACSCALE_BATCH, HACSCALE_THREADS and HACSCALE_SECONDS say what is compared. Exit status: 0 done; 1 it cannot be run.
"""
import argparse
import os
import statistics
import sys
import time

from onnxruntime_session import on_gpu, random_images, session_of

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("file")
parser.add_argument("--cuda", type=int)
options = parser.parse_args()

session = session_of(options.file, int(os.environ.get("HACSCALE_THREADS", "0")), options.cuda)
images = random_images(session, int(os.environ.get("HACSCALE_BATCH", "1")))
if options.cuda is None:
    one_pass = lambda: session.run(None, images)
elif "CUDAExecutionProvider" in session.get_providers():
    one_pass = on_gpu(session, images, options.cuda)
else:
    sys.exit("onnxruntime_latency.py: this ONNX Runtime has no CUDA that works here; pip install 'onnxruntime-gpu[cuda,cudnn]'")
for _ in range(3):
    one_pass()
passes = []
end = time.perf_counter() + float(os.environ.get("HACSCALE_SECONDS", "2"))
while not passes or time.perf_counter() < end:
    begin = time.perf_counter()
    one_pass()
    passes.append(time.perf_counter() - begin)
print(f"{1e6 * statistics.median(passes):.2f}")
