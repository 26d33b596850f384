#!/usr/bin/env python3
"""Turns a public CIFAR-10 ResNet's weights into a start for `hacscale train resnetN-cifar --start FILE`.

The weights are those of github.com/akamaster/pytorch_resnet_cifar10 (pretrained_models/resnetN-*.th; ResNet-56: 93.4 % on the test set), whose
shortcuts take every second pixel and add channels of zeros. Our networks have a projection with a batch-norm there, so a shortcut becomes a
1 x 1 conv of ones and zeros, and its batch-norm gets the statistics that the shortcut has over training images and the scale and shift that undo
them: the same function at inference, and nearly so while training. Its pixels are normalized with ImageNet's mean and deviation, ours with
the data's own; the first conv takes the ratio in, and its batch-norm the difference, which is exact but for the border.

  public_resnet.py resnet56-4bfd9763.th data/cifar-10 resnet56.safetensors          # says its accuracy on the test set

Needs torch and safetensors. Exit status: 0 done; 2 bad usage or bad input.
"""
import argparse
import pathlib
import sys

import numpy
import safetensors.torch
import torch
import torch.nn.functional as F

IMAGENET = torch.tensor([[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]])  # what the public weights were trained with


def images(file):
    """Pixels as bytes [n, 3, 32, 32], and labels, of a file in CIFAR-10's binary form."""
    records = torch.from_numpy(numpy.fromfile(file, dtype=numpy.uint8).reshape(-1, 3073))
    return records[:, 1:].reshape(-1, 3, 32, 32), records[:, 0].long()


class Network:
    """Its weights under our names, and its function."""

    def __init__(self, theirs):
        self.tensors = {}
        self.depth = 1 + max(int(name.split(".")[1]) for name in theirs if name.startswith("layer1."))
        self.shortcut_inputs = {}
        self._norm("stem.conv1", theirs, "conv1", "bn1")
        for stage in (1, 2, 3):
            for block in range(self.depth):
                for conv in (1, 2):
                    self._norm(f"stage{stage}.block{block + 1}.conv{conv}", theirs, f"layer{stage}.{block}.conv{conv}",
                               f"layer{stage}.{block}.bn{conv}")
        for what in ("weight", "bias"):
            self.tensors[f"head.linear2.{what}"] = theirs[f"linear.{what}"].clone()
        for stage, width in ((2, 32), (3, 64)):
            ones = torch.zeros(width, width // 2, 1, 1)
            ones[torch.arange(width // 2) + width // 4, torch.arange(width // 2)] = 1.0
            name = f"stage{stage}.block1.shortcut"
            self.tensors[f"{name}.weight"] = ones
            self._plain_norm(name, torch.zeros(width), torch.ones(width))

    def _norm(self, name, theirs, conv, norm):
        self.tensors[f"{name}.weight"] = theirs[f"{conv}.weight"].clone()
        for what in ("weight", "bias", "running_mean", "running_var"):
            self.tensors[f"{name}_bn.{what}"] = theirs[f"{norm}.{what}"].clone()

    def _plain_norm(self, name, mean, variance):
        """A batch-norm that does nothing to channels of this mean and variance; channels that are constant stay 0."""
        values = {"weight": (variance + 1e-5).sqrt() * (variance > 0), "bias": mean, "running_mean": mean, "running_var": variance}
        self.tensors.update({f"{name}_bn.{what}": value.clone() for what, value in values.items()})

    def conv(self, name, x, stride=1):
        weight = self.tensors[f"{name}.weight"]
        x = F.conv2d(x, weight, stride=stride, padding=weight.shape[2] // 2)
        if name.endswith("shortcut"):
            self.shortcut_inputs.setdefault(name, []).append(x)
        norm = {what: self.tensors[f"{name}_bn.{what}"] for what in ("running_mean", "running_var", "weight", "bias")}
        return F.batch_norm(x, **norm, eps=1e-5)

    @torch.no_grad()
    def __call__(self, x):
        x = F.relu(self.conv("stem.conv1", x))
        for stage in (1, 2, 3):
            for block in range(1, self.depth + 1):
                name = f"stage{stage}.block{block}"
                stride = 2 if stage > 1 and block == 1 else 1
                y = F.relu(self.conv(f"{name}.conv1", x, stride))
                x = F.relu(self.conv(f"{name}.conv2", y) + (self.conv(f"{name}.shortcut", x, stride) if stride == 2 else x))
        return F.linear(x.mean((2, 3)), self.tensors["head.linear2.weight"], self.tensors["head.linear2.bias"])

    def take_pixels_of(self, mean, deviation):
        """Makes it a network of pixels that were normalized with these instead of ImageNet's."""
        their_mean, their_deviation = IMAGENET
        weight = self.tensors["stem.conv1.weight"]
        shift = ((mean - their_mean) / their_deviation).view(1, 3, 1, 1)
        self.tensors["stem.conv1_bn.running_mean"] -= (weight * shift).sum((1, 2, 3))
        self.tensors["stem.conv1.weight"] = weight * (deviation / their_deviation).view(1, 3, 1, 1)

    def measure_shortcuts(self, x):
        """Gives the shortcuts' batch-norms the statistics over these images."""
        self.shortcut_inputs.clear()
        self(x)
        for name, seen in self.shortcut_inputs.items():
            values = torch.cat(seen).transpose(0, 1).flatten(1)
            self._plain_norm(name, values.mean(1), values.var(1, unbiased=False))
        self.shortcut_inputs.clear()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("public", type=pathlib.Path, help="the public weights (.th)")
    parser.add_argument("data", type=pathlib.Path, help="folder of CIFAR-10's binary files")
    parser.add_argument("out", type=pathlib.Path, help="the file to write (.safetensors)")
    options = parser.parse_args()
    state = torch.load(options.public, map_location="cpu", weights_only=True)["state_dict"]
    network = Network({name.removeprefix("module."): value for name, value in state.items()})

    training = torch.cat([images(options.data / f"data_batch_{i}.bin")[0] for i in range(1, 6)])
    pixels = training[::5].float() / 255
    mean, deviation = pixels.mean((0, 2, 3)), pixels.std((0, 2, 3))

    def normalized(x):
        return (x.float() / 255 - mean.view(1, 3, 1, 1)) / deviation.view(1, 3, 1, 1)

    network.take_pixels_of(mean, deviation)
    network.measure_shortcuts(normalized(training[::25]))
    test, labels = images(options.data / "test_batch.bin")
    right = 0
    for x, y in zip(test.split(500), labels.split(500)):
        right += (network(normalized(x)).argmax(1) == y).sum().item()
        network.shortcut_inputs.clear()
    safetensors.torch.save_file({name: value.contiguous() for name, value in network.tensors.items()}, options.out, {"format": "pt"})
    print(f"{options.out}: {100 * right / len(labels):.2f} % on the test set")
    return 0


sys.exit(main())
