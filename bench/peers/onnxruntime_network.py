"""A network of the zoo, or of an ONNX file, in ONNX Runtime, for compare_cpu_runtimes.py.
usage: onnxruntime_network.py HACSCALE MODEL THREADS"""
import sys

from onnx_from_graph import model_and_image
from onnxruntime_session import random_images, session_of
from timed_turns import answer_turns


def main():
    hacscale, name, threads = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if name.endswith(".onnx"):
        session = session_of(name, threads)
        images = random_images(session)
    else:
        made, image = model_and_image(hacscale, name)
        session = session_of(made.SerializeToString(), threads)
        images = {"input": image}
    binding = session.io_binding()  # no copies in or out: only the network is timed
    for given, image in images.items():
        binding.bind_cpu_input(given, image)
    for output in session.get_outputs():
        binding.bind_output(output.name, "cpu")
    answer_turns(lambda: session.run_with_iobinding(binding))


main()
