# Runs files that `hacscale models export` wrote: python3 check_pytorch_code.py JOBS ANSWERS, both JSON. A job is
# {"file", "class", "input": [channels, height, width]}, and with numbers to compute with also
# {"weights": safetensors file, "values": file of f32, "output": file of f32 to write}.
import importlib.util
import json
import struct
import sys

import torch
from torch import nn


def network_class(job):
    spec = importlib.util.spec_from_file_location("written_network", job["file"])
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, job["class"])


def safetensors(path):
    data = open(path, "rb").read()
    length = struct.unpack("<Q", data[:8])[0]
    tensors = {}
    for name, entry in json.loads(data[8:8 + length]).items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = torch.frombuffer(bytearray(data[8 + length + begin:8 + length + end]), dtype=torch.float32)
            tensors[name] = values.reshape(entry["shape"])
    return tensors


# MACs as the layers' outputs show them, while the network runs.
def count_macs(net, images):
    macs = 0

    def seen(module, inputs, output):
        nonlocal macs
        per_output = module.weight[0].numel()
        macs += per_output * output[0].numel()

    hooks = [m.register_forward_hook(seen) for m in net.modules() if isinstance(m, (nn.Conv2d, nn.Linear))]
    output = net(images)
    for hook in hooks:
        hook.remove()
    return macs, output


# All outputs of a network in one tensor.
def joined(output):
    return torch.cat([part.flatten(1) for part in output], 1) if isinstance(output, tuple) else output


# What the other form's tensors are refused with; empty where both forms have the same.
def refusal(net, other):
    if net.state_dict().keys() == other.state_dict().keys():
        return ""
    try:
        net.load_state_dict(other.state_dict())
    except RuntimeError as error:
        return str(error)
    return ""


# The folded tensors that compute what `net` does in evaluation mode.
def folded(net):
    tensors = dict(net.state_dict())
    for name, norm in list(net.named_modules()):
        if not isinstance(norm, nn.BatchNorm2d):
            continue
        scale = norm.weight / (norm.running_var + norm.eps).sqrt()
        for part in ("weight", "bias", "running_mean", "running_var", "num_batches_tracked"):
            del tensors[name + "." + part]
        if name.endswith("_bn"):
            conv = name[:-len("_bn")]
            bias = tensors.get(conv + ".bias", torch.zeros_like(scale))
            tensors[conv + ".weight"] = tensors[conv + ".weight"] * scale[:, None, None, None]
            tensors[conv + ".bias"] = norm.bias + scale * (bias - norm.running_mean)
        else:
            tensors[name + ".scale"] = scale
            tensors[name + ".shift"] = norm.bias - scale * norm.running_mean
    return tensors


def randomize(net):
    for tensor in net.state_dict().values():
        if tensor.is_floating_point():
            tensor.uniform_(0.5, 1.5) if tensor.dim() == 1 else tensor.normal_(std=tensor[0].numel() ** -0.5)


def check(job):
    network = network_class(job)
    net = network().eval()
    deployed = network(folded=True).eval()
    if "weights" not in job:
        # Shapes are enough: nothing is computed.
        images = torch.empty(1, *job["input"], device="meta")
        macs, output = count_macs(net.to("meta"), images)
    else:
        images = torch.randn(2, *job["input"])
        randomize(net)
        macs, output = count_macs(net, images)
        deployed.load_state_dict(folded(net))
        expected = joined(output).double()
        difference = (joined(deployed(images)).double() - expected).norm() / expected.norm()
        assert difference < 1e-4, "folding changes the output by %g" % difference
        deployed.load_state_dict(safetensors(job["weights"]))
        values = torch.frombuffer(bytearray(open(job["values"], "rb").read()), dtype=torch.float32)
        result = joined(deployed(values.reshape(1, *job["input"])))
        open(job["output"], "wb").write(result.contiguous().numpy().tobytes())
    return {
        "params": sum(p.numel() for p in net.parameters()),
        "macs": macs,
        "output": list(joined(output).shape[1:]),
        "epsilons": sorted({m.eps for m in net.modules() if isinstance(m, nn.BatchNorm2d)}),
        "refusal": refusal(deployed, net),
        "folded": {name: list(tensor.shape) for name, tensor in deployed.state_dict().items()},
    }


# Random numbers of large networks take longer than all else, and are not looked at.
def leave_unset():
    for name in ("kaiming_uniform_", "uniform_", "normal_"):
        setattr(nn.init, name, lambda tensor, *arguments, **named: tensor)


with torch.no_grad():
    torch.manual_seed(1)
    jobs = json.load(open(sys.argv[1]))
    if not any("weights" in job for job in jobs):
        leave_unset()
    json.dump([check(job) for job in jobs], open(sys.argv[2], "w"))
