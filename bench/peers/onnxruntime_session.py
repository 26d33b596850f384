"""A network in ONNX Runtime, for the programs here that time it."""
import numpy
import onnxruntime


def session_of(model, threads, gpu=None):
    """model: an ONNX file's name, or its bytes. threads: 0 is as many as ONNX Runtime likes. gpu: a CUDA device's number; where CUDA does
    not work, ONNX Runtime takes the CPU, as the session's providers say."""
    if gpu is not None:
        onnxruntime.preload_dlls()  # CUDA and cuDNN of Python's packages
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 4 if gpu is not None else 3
    on_gpu = [] if gpu is None else [("CUDAExecutionProvider", {"device_id": gpu})]
    return onnxruntime.InferenceSession(model, options, providers=[*on_gpu, "CPUExecutionProvider"])


def random_images(session, batch=1):
    """An array for each input by its name; open sizes are the batch."""
    draw = numpy.random.default_rng(0)
    return {given.name: draw.standard_normal([size if isinstance(size, int) else batch for size in given.shape], dtype=numpy.float32)
            for given in session.get_inputs()}


def on_gpu(session, images, gpu):
    """One pass as a function: inputs and outputs stay in that GPU's memory, and it returns when the outputs are there."""
    binding = session.io_binding()
    for name, image in images.items():
        binding.bind_ortvalue_input(name, onnxruntime.OrtValue.ortvalue_from_numpy(image, "cuda", gpu))
    for output in session.get_outputs():
        binding.bind_output(output.name, "cuda", gpu)

    def one_pass():
        session.run_with_iobinding(binding)
        binding.synchronize_outputs()

    return one_pass
