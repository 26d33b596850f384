import hacscale as hs
import pytest
import torch
from torch import nn


def test_a_module_has_its_names_shapes_and_numbers(net, module):
    assert net.name == "Small"
    assert list(net.inputs.values()) == [(3, 32, 32)]
    assert list(net.outputs.values()) == [(10, 1, 1)]
    assert {layer["name"] for layer in net.layers} >= {"stem.0", "block.conv2", "left", "classifier"}
    assert net.left_out == []
    convs = {name: part for name, part in module.named_modules() if isinstance(part, (nn.Conv2d, nn.Linear))}
    weights = sum(part.weight.numel() for part in convs.values())
    assert net.params > weights
    assert net.groups["block.conv1"] == 64


def test_export_leaves_the_module_as_it_was(example):
    module = nn.Sequential(nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8), nn.Dropout())
    module.train()
    module[2].eval()
    hs.from_torch(module, example, name="training")
    assert module.training and module[1].training and not module[2].training


def test_written_onnx_is_read_again_the_same(net, tmp_path):
    file = tmp_path / "again.onnx"
    net.to_onnx(file)
    again = hs.from_onnx(file)
    assert again.macs == net.macs and again.groups == net.groups
    assert again.params < net.params  # batch-norms are part of their convs


def test_networks_of_the_zoo_have_no_weights(tmp_path):
    resnet = hs.zoo("resnet18")
    assert resnet.macs > 1e9
    assert "resnet18" in hs.zoo_names()
    with pytest.raises(hs.BadInput, match="weights"):
        resnet.to_onnx(tmp_path / "resnet18.onnx")


def test_bad_input_is_a_value_error_with_one_sentence(tmp_path):
    with pytest.raises(ValueError) as raised:
        hs.zoo("resnet181")
    assert isinstance(raised.value, hs.BadInput)
    assert "resnet18" in str(raised.value)
    file = tmp_path / "no.onnx"
    file.write_bytes(b"no network")
    with pytest.raises(hs.BadInput, match="no.onnx"):
        hs.from_onnx(file)


def test_code_that_cannot_be_exported_is_said_so(example):
    class Odd(nn.Module):
        def __init__(self):
            super().__init__()
            self.conv = nn.Conv2d(3, 8, 1)

        def forward(self, x):
            return torch.linalg.svd(self.conv(x)[0, 0])[1]

    with pytest.raises(hs.BadInput, match="Odd"):
        hs.from_torch(Odd(), example)
