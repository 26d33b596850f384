"""Builds an ONNX model from the answer of `hacscale models show NAME --json --graph`.

The graph has the same fused layers (batch-norm folded into the convolutions), so a peer starts from the best form of the
network; weights are random.
"""
import json
import subprocess

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "hard_swish": "HardSwish"}


class Builder:
    def __init__(self, seed=0):
        self.nodes, self.constants, self.random = [], [], np.random.default_rng(seed)

    def constant(self, name, array):
        self.constants.append(numpy_helper.from_array(np.asarray(array), name))
        return name

    def weights(self, name, shape, fan_in):
        return self.constant(name, (self.random.standard_normal(shape) * np.sqrt(2.0 / fan_in)).astype(np.float32))

    def add(self, op, inputs, name, **attributes):
        self.nodes.append(helper.make_node(op, inputs, [name], name=name, **attributes))
        return name

    def activate(self, value, activation, name):
        if activation == "none":
            return value
        if activation == "relu6":
            low = self.constant(name + "_low", np.float32(0))
            high = self.constant(name + "_high", np.float32(6))
            return self.add("Clip", [value, low, high], name + "_relu6")
        if activation == "silu":
            gate = self.add("Sigmoid", [value], name + "_gate")
            return self.add("Mul", [value, gate], name + "_silu")
        if activation == "hard_sigmoid":
            return self.add("HardSigmoid", [value], name + "_hard_sigmoid", alpha=1.0 / 6.0, beta=0.5)
        return self.add(ACTIVATIONS[activation], [value], name + "_" + activation)

    def conv(self, value, name, cin, cout, layer, bias=True):
        k, g = layer["kernel"], layer["groups"]
        inputs = [value, self.weights(name + "_w", (cout, cin // g, k, k), cin // g * k * k)]
        if bias:
            inputs.append(self.weights(name + "_b", (cout,), 100.0))
        return self.add("Conv", inputs, name + "_conv", kernel_shape=[k, k], strides=[layer["stride"]] * 2,
                        pads=[layer["padding"]] * 4, group=g)


def build(graph, channels, resolution, batch):
    b, values = Builder(), {-1: "input"}
    point = {"kernel": 1, "stride": 1, "padding": 0, "groups": 1}
    for index, node in enumerate(graph):
        layer, name, value = node, f"n{index}", values[node["input"]]
        kind, cin, cout = layer["kind"], layer["in_channels"], layer["out_channels"]
        activation = layer["activation"]
        if kind == "conv":
            out = b.conv(value, name, cin, cout, layer, layer["bias"])
            if layer["residual"]:
                out = b.add("Add", [out, values[node["residual"]]], name + "_add")
            out = b.activate(out, activation, name)
        elif kind == "max_pool":
            k = layer["kernel"]
            out = b.add("MaxPool", [value], name, kernel_shape=[k, k], strides=[layer["stride"]] * 2,
                        pads=[layer["padding"]] * 4)
        elif kind == "global_avg_pool":
            out = b.add("GlobalAveragePool", [value], name)
        elif kind == "linear":
            features = cin * layer["in_height"] * layer["in_width"]
            flat = b.add("Flatten", [value], name + "_flat", axis=1)
            inputs = [flat, b.weights(name + "_w", (cout, features), features)]
            if layer["bias"]:
                inputs.append(b.weights(name + "_b", (cout,), 100.0))
            out = b.activate(b.add("Gemm", inputs, name + "_gemm", transB=1), activation, name)
        elif kind == "squeeze_excite":
            squeeze = layer["squeeze_channels"]
            gate = b.add("GlobalAveragePool", [value], name + "_mean")
            gate = b.activate(b.conv(gate, name + "_reduce", cin, squeeze, point), activation, name + "_reduce")
            gate = b.activate(b.conv(gate, name + "_expand", squeeze, cin, point), layer["gate"], name + "_expand")
            out = b.add("Mul", [value, gate], name + "_scale")
        else:  # scale_shift
            scale = b.constant(name + "_s", b.random.uniform(0.8, 1.2, (1, cin, 1, 1)).astype(np.float32))
            shift = b.constant(name + "_t", b.random.uniform(-0.1, 0.1, (1, cin, 1, 1)).astype(np.float32))
            out = b.add("Add", [b.add("Mul", [value, scale], name + "_mul"), shift], name + "_shift")
            out = b.activate(out, activation, name)
        values[index] = out
    last = values[len(graph) - 1]
    classes = graph[-1]["out_channels"]
    model = helper.make_model(
        helper.make_graph(
            b.nodes, "network",
            [helper.make_tensor_value_info("input", TensorProto.FLOAT, [batch, channels, resolution, resolution])],
            [helper.make_tensor_value_info(last, TensorProto.FLOAT, [batch, classes])], b.constants),
        opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    checker.check_model(model)
    return model


def model_and_image(hacscale, name, batch=1):
    """A network of the zoo as an ONNX model, and an input for it."""
    shown = json.loads(subprocess.check_output([hacscale, "models", "show", name, "--json"]))
    channels, resolution = shown["in_channels"], shown["resolution"]
    image = np.random.default_rng(1).random((batch, channels, resolution, resolution)).astype(np.float32)
    return build(shown["graph"], channels, resolution, batch), image
