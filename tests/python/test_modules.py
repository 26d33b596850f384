import copy

import hacscale as hs
import pytest
import torch
from torch import nn


def run(module, example):
    with torch.no_grad():
        return module.eval()(example)


def widths(module):
    return {name: part.out_channels for name, part in module.named_modules() if isinstance(part, nn.Conv2d)}


def test_growing_keeps_the_function(net, table, module, example):
    plan = hs.scale(net, table, 1.4)
    larger = plan.apply(module)
    assert type(larger) is type(module)
    assert widths(larger) != widths(module)
    assert torch.allclose(run(larger, example), run(module, example), atol=1e-4)


def test_shrinking_equals_the_exported_network(net, table, module, example, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    plan = hs.scale(net, table, 0.7)
    smaller = plan.apply(module)
    plan.to_onnx(tmp_path / "smaller.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "smaller.onnx"), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {session.get_inputs()[0].name: example.numpy()})
    assert torch.allclose(run(smaller, example), torch.from_numpy(expected).reshape(1, -1), atol=1e-4)
    assert sum(p.numel() for p in smaller.parameters()) < sum(p.numel() for p in module.parameters())


def test_the_module_stays_as_it_was_and_both_can_be_trained(net, table, module, example):
    before = copy.deepcopy(module.state_dict())
    smaller = hs.scale(net, table, 0.7).apply(module)
    smaller.train()
    smaller(torch.cat([example, example])).sum().backward()
    for name, value in module.state_dict().items():
        assert torch.equal(value, before[name]), name


def test_every_planned_width_is_the_modules(net, table, module):
    plan = hs.scale(net, table, 0.6)
    resized = widths(plan.apply(module))
    for name, (_, new) in plan.widths.items():
        if name in resized:
            assert resized[name] == new, name


class ScaledBlocks(nn.Module):
    """Blocks whose scales are their own parameters, as ConvNeXt's: one with the channels' shape, one without."""

    class Block(nn.Module):
        def __init__(self, width, shape):
            super().__init__()
            self.fc1 = nn.Conv2d(width, 2 * width, 1)
            self.fc2 = nn.Conv2d(2 * width, width, 1)
            self.gamma = nn.Parameter(0.5 * torch.ones(shape))  # equal in all blocks, as before training

        def forward(self, x):
            return x + self.fc2(torch.relu(self.fc1(x))) * self.gamma.reshape(1, -1, 1, 1)

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 4, 4)
        self.blocks = nn.Sequential(self.Block(64, (64, 1, 1)), self.Block(64, (64,)))
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        return self.head(self.blocks(self.stem(x)).mean((2, 3)))


@pytest.mark.parametrize("budget", [0.8, 1.5])
def test_scales_of_blocks_are_resized_with_them(budget, example, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    torch.manual_seed(0)
    module = ScaledBlocks().eval()
    net = hs.from_torch(module, example)
    assert net.params == sum(parameter.numel() for parameter in module.parameters())
    table = hs.profile(net, tmp_path / "t.db", widths=(0.5, 2), seconds=0.05, progress=False)
    plan = hs.scale(net, table, budget, freeze=["blocks.0.fc1", "blocks.1.fc1"])
    resized = plan.apply(module)
    assert resized.blocks[1].gamma.shape[0] == resized.stem.out_channels != 64
    plan.to_onnx(tmp_path / "resized.onnx")
    session = onnxruntime.InferenceSession(str(tmp_path / "resized.onnx"), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {session.get_inputs()[0].name: example.numpy()})
    assert torch.allclose(run(resized, example), torch.from_numpy(expected).reshape(1, -1), atol=1e-4)


def test_another_module_is_refused(net, table):
    plan = hs.scale(net, table, 0.7)
    with pytest.raises(hs.BadInput, match="does not have"):
        plan.apply(nn.Sequential(nn.Conv2d(3, 8, 1)))


class Twice(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(3, 64, 3, padding=1)
        self.again = nn.Conv2d(64, 64, 3, padding=1)
        self.last = nn.Conv2d(64, 10, 1)

    def forward(self, x):
        x = self.again(torch.relu(self.first(x)))
        return self.last(self.again(torch.relu(x)))


class Shared(Twice):
    def __init__(self):
        super().__init__()
        self.other = nn.Conv2d(64, 64, 3, padding=1)
        self.other.weight = self.again.weight

    def forward(self, x):
        x = self.again(torch.relu(self.first(x)))
        return self.last(self.other(torch.relu(x)))


@pytest.mark.parametrize("kind, words", [(Twice, "called twice"), (Shared, "one tensor")])
def test_modules_used_twice_are_refused_by_name(kind, words, example, tmp_path):
    module = kind()
    net = hs.from_torch(module, example)
    table = hs.profile(net, tmp_path / "t.db", widths=(0.5, 1), seconds=0.05, progress=False)
    plan = hs.scale(net, table, 0.8)
    with pytest.raises(hs.BadInput, match=words) as raised:
        plan.apply(module)
    assert "again" in str(raised.value)
