"""A GPU on which an inference takes 100 us, and starting a graph 5 us."""
import contextlib
import os

INFERENCE_US, START_US = 100.0, 5.0
clock_us = 0.0
capturing = None  # the graph that is being captured


def is_available():
    return os.environ.get("TORCH_NO_GPU") is None


def count_inference():
    global clock_us
    if capturing is not None:
        capturing.inferences += 1
    else:
        clock_us += INFERENCE_US


class Stream:
    def wait_stream(self, other):
        pass


def current_stream():
    return Stream()


def synchronize():
    pass


@contextlib.contextmanager
def stream(other):
    yield


class CUDAGraph:
    def __init__(self):
        self.inferences = 0

    def replay(self):
        global clock_us
        clock_us += START_US + self.inferences * INFERENCE_US


@contextlib.contextmanager
def graph(captured):
    import torch
    global capturing
    capturing = captured
    yield
    capturing = None
    torch.note(f"graph of {captured.inferences}")


class Event:
    def __init__(self, enable_timing):
        self.at_us = 0.0

    def record(self):
        self.at_us = clock_us

    def synchronize(self):
        pass

    def elapsed_time(self, end):
        return (end.at_us - self.at_us) / 1e3
