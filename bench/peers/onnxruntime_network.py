"""A network of the zoo in ONNX Runtime, for compare_cpu_runtimes.py. usage: onnxruntime_network.py HACSCALE MODEL THREADS"""
import sys

import onnxruntime

from onnx_from_graph import model_and_image
from timed_turns import answer_turns


def main():
    hacscale, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model, image = model_and_image(hacscale, name)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    binding = session.io_binding()  # no copies in or out: only the network is timed
    binding.bind_cpu_input("input", image)
    binding.bind_output(session.get_outputs()[0].name, "cpu")
    answer_turns(lambda: session.run_with_iobinding(binding))


main()
