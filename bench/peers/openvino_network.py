"""A network of the zoo in OpenVINO, for compare_cpu_runtimes.py. usage: openvino_network.py HACSCALE MODEL THREADS"""
import sys

import openvino

from onnx_from_graph import model_and_image
from timed_turns import answer_turns


def main():
    hacscale, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    model, image = model_and_image(hacscale, name)
    core = openvino.Core()
    # f32, as the others compute: where the processor has bf16, OpenVINO would take that by itself.
    settings = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads, "INFERENCE_PRECISION_HINT": "f32"}
    network = core.compile_model(core.read_model(model.SerializeToString()), "CPU", settings)
    request = network.create_infer_request()
    request.set_input_tensor(openvino.Tensor(image))  # set once: no copies in or out, only the network is timed
    answer_turns(request.infer)


main()
