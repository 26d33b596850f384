"""A network of the zoo, or of an ONNX file, in ONNX Runtime, for compare_cpu_runtimes.py.
usage: onnxruntime_network.py HACSCALE MODEL THREADS"""
import sys

import numpy
import onnxruntime

from onnx_from_graph import model_and_image
from timed_turns import answer_turns


def main():
    hacscale, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if name.endswith(".onnx"):
        model = name
        images = None
    else:
        made, image = model_and_image(hacscale, name)
        model = made.SerializeToString()
        images = {"input": image}
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    if images is None:
        random = numpy.random.default_rng(0)
        images = {}
        for given in session.get_inputs():
            shape = [size if isinstance(size, int) else 1 for size in given.shape]  # an open batch is one
            images[given.name] = random.standard_normal(shape, dtype=numpy.float32)
    binding = session.io_binding()  # no copies in or out: only the network is timed
    for given, image in images.items():
        binding.bind_cpu_input(given, image)
    for output in session.get_outputs():
        binding.bind_output(output.name, "cpu")
    answer_turns(lambda: session.run_with_iobinding(binding))


main()
