# Checks and runs ONNX files that `hacscale models export` wrote: python3 check_onnx.py JOBS, JSON. A job is
# {"file", "values": file of f32 for the only input, "output": file of f32 to write}. Ends with an error where onnx.checker or
# ONNX Runtime refuses a file.
import json
import sys

import numpy
import onnx
import onnxruntime

for job in json.load(open(sys.argv[1])):
    onnx.checker.check_model(job["file"], full_check=True)
    session = onnxruntime.InferenceSession(job["file"], providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    shape = [size if isinstance(size, int) else 1 for size in image.shape]
    values = numpy.fromfile(job["values"], numpy.float32).reshape(shape)
    session.run(None, {image.name: values})[0].astype(numpy.float32).tofile(job["output"])
