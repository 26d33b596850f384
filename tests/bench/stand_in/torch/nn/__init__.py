import types

from . import functional

init = types.SimpleNamespace(normal_=lambda tensor, std: None)


class Module:
    def __call__(self, image):
        import torch
        torch.cuda.count_inference()
        return image

    def eval(self):
        return self

    def to(self, dtype, **settings):
        import torch
        torch.note(f"network in {dtype}, tf32 {torch.backends.cudnn.allow_tf32}, benchmark {torch.backends.cudnn.benchmark}")
        return self


class Layer(Module):
    def __init__(self, *sizes, **settings):
        self.weight = self.bias = None


Conv2d = MaxPool2d = AdaptiveAvgPool2d = Linear = Flatten = Sequential = Layer


def Parameter(tensor):
    return tensor


def ModuleList(modules):
    return list(modules)
