"""The same network in PyTorch, from the answer of `hacscale models show NAME --json`.

The layers are the fused ones (batch-norm folded into the convolutions), so that the peer starts from the best form of the
network; weights are random.
"""
import torch
from torch import nn
from torch.nn import functional as F

ACTIVATIONS = {
    "none": lambda x: x,
    "relu": F.relu,
    "relu6": F.relu6,
    "silu": F.silu,
    "hard_swish": F.hardswish,
    "sigmoid": torch.sigmoid,
    "hard_sigmoid": F.hardsigmoid,
}


def scaled(module, fan_in):
    """Random weights whose outputs neither die out nor blow up."""
    nn.init.normal_(module.weight, std=(2.0 / fan_in) ** 0.5)
    if module.bias is not None:
        nn.init.normal_(module.bias, std=0.1)
    return module


def conv(in_channels, out_channels, kernel=1, stride=1, padding=0, groups=1, bias=True):
    module = nn.Conv2d(in_channels, out_channels, kernel, stride, padding, groups=groups, bias=bias)
    return scaled(module, in_channels // groups * kernel * kernel)


class SqueezeExcite(nn.Module):
    def __init__(self, layer):
        super().__init__()
        channels, squeeze = layer["in_channels"], layer["squeeze_channels"]
        self.reduce, self.expand = conv(channels, squeeze), conv(squeeze, channels)
        self.activation, self.gate = ACTIVATIONS[layer["activation"]], ACTIVATIONS[layer["gate"]]

    def forward(self, x):
        mean = x.mean((2, 3), keepdim=True)
        return x * self.gate(self.expand(self.activation(self.reduce(mean))))


class ScaleShift(nn.Module):
    def __init__(self, layer):
        super().__init__()
        shape = (1, layer["in_channels"], 1, 1)
        self.scale, self.shift = nn.Parameter(torch.ones(shape)), nn.Parameter(torch.zeros(shape))

    def forward(self, x):
        return x * self.scale + self.shift


def make_module(layer):
    kind = layer["kind"]
    if kind == "conv":
        return conv(layer["in_channels"], layer["out_channels"], layer["kernel"], layer["stride"], layer["padding"],
                    layer["groups"], layer["bias"])
    if kind == "max_pool":
        return nn.MaxPool2d(layer["kernel"], layer["stride"], layer["padding"])
    if kind == "global_avg_pool":
        return nn.AdaptiveAvgPool2d(1)
    if kind == "linear":
        features = layer["in_channels"] * layer["in_height"] * layer["in_width"]
        return nn.Sequential(nn.Flatten(), scaled(nn.Linear(features, layer["out_channels"], bias=layer["bias"]), features))
    if kind == "squeeze_excite":
        return SqueezeExcite(layer)
    if kind == "scale_shift":
        return ScaleShift(layer)
    raise ValueError(f"no PyTorch form of a layer of kind {kind}")


class TorchNetwork(nn.Module):
    """`graph` as in the JSON answer: nodes in running order, each naming the nodes that it reads (-1: the input)."""

    def __init__(self, graph):
        super().__init__()
        self.graph = graph
        self.layers = nn.ModuleList(make_module(layer) for layer in graph)

    def forward(self, x):
        values = {-1: x}
        for index, (layer, module) in enumerate(zip(self.graph, self.layers)):
            value = module(values[layer["input"]])
            if layer["residual"] is not None:
                value = value + values[layer["residual"]]
            # A squeeze-excite has its activation inside.
            if layer["kind"] != "squeeze_excite":
                value = ACTIVATIONS[layer["activation"]](value)
            values[index] = value
        return values[len(self.graph) - 1]
