"""A network in ONNX Runtime on the CPU, for the programs here that time it."""
import numpy
import onnxruntime


def session_of(model, threads):
    """model: an ONNX file's name, or its bytes. threads: 0 is as many as ONNX Runtime likes."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def random_images(session, batch=1):
    """An array for each input by its name; open sizes are the batch."""
    draw = numpy.random.default_rng(0)
    return {given.name: draw.standard_normal([size if isinstance(size, int) else batch for size in given.shape], dtype=numpy.float32)
            for given in session.get_inputs()}
