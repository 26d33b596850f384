import copy

import hacscale as hs
import pytest
import torch
from conftest import Bottleneck, Halves, Stages, with_statistics
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


class Named(Stages):
    """The same blocks where no container has them one after another."""

    def __init__(self):
        super().__init__()
        self.first, self.second, self.third = self.late
        del self.late

    def forward(self, x):
        return self.head(self.third(self.second(self.first(self.features(x)))).mean((2, 3)))


class Branches(nn.Module):
    """RepVGG's blocks: two convs and a norm, each of the block's input, in one sum."""

    narrow_first = False

    class Block(nn.Module):
        def __init__(self, width, narrow_first):
            super().__init__()
            self.narrow_first = narrow_first
            self.identity = nn.BatchNorm2d(width)
            self.wide = nn.Sequential(nn.Conv2d(width, width, 3, padding=1, bias=False), nn.BatchNorm2d(width))
            self.narrow = nn.Sequential(nn.Conv2d(width, width, 1, bias=False), nn.BatchNorm2d(width))

        def forward(self, x):
            if self.narrow_first:
                return torch.relu(self.narrow(x) + self.identity(x) + self.wide(x))
            return torch.relu(self.identity(x) + self.wide(x) + self.narrow(x))

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 32, 3, 2, 1)
        self.blocks = nn.Sequential(*(self.Block(32, self.narrow_first) for _ in range(3)))
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.blocks(torch.relu(self.stem(x))).mean((2, 3)))


class NarrowFirst(Branches):
    narrow_first = True


class OwnLoop(Stages):
    """Late blocks are the children of a module that runs them in a loop, as timm's RegNet has them."""

    class Stage(nn.Module):
        def __init__(self):
            super().__init__()
            for index in range(3):
                self.add_module(f"b{index + 1}", Bottleneck(64))

        def forward(self, x):
            for block in self.children():
                x = block(x)
            return x

    def __init__(self):
        super().__init__()
        self.late = self.Stage()

    def forward(self, x):
        return self.head(self.late(self.features(x)).mean((2, 3)))


def planned(kind, budget, example, folder, **settings):
    torch.manual_seed(0)
    module = with_statistics(kind())
    net = hs.from_torch(module, example)
    table = hs.profile(net, folder / "t.db", widths=(0.5, 2), seconds=0.05, progress=False)
    return module, hs.scale(net, table, budget, change_depth=True, **settings)


def equals_the_exported(module, plan, example, folder):
    onnxruntime = pytest.importorskip("onnxruntime")
    assert plan.network.macs == plan.macs  # params are fewer: batch-norms are folded
    plan.to_onnx(folder / "plan.onnx")
    session = onnxruntime.InferenceSession(str(folder / "plan.onnx"), providers=["CPUExecutionProvider"])
    (expected,) = session.run(None, {session.get_inputs()[0].name: example.numpy()})
    return torch.allclose(run(module, example), torch.from_numpy(expected).reshape(1, -1), atol=1e-4)


@pytest.mark.parametrize("settings", [{"widths": (1.0, 1.0)}, {}], ids=["depths", "depths and widths"])
@pytest.mark.parametrize("budget", [0.7, 0.85])
def test_blocks_are_left_out(budget, settings, example, tmp_path):
    module, plan = planned(Stages, budget, example, tmp_path, **settings)
    smaller = plan.apply(module)
    assert plan.depths
    blocks = [part for part in smaller.modules() if isinstance(part, Bottleneck)]
    assert len(blocks) == 7 - sum(old - new for old, new in plan.depths.values()) < 7
    assert list(smaller.features._modules) == [str(i) for i in range(len(smaller.features))]
    assert equals_the_exported(smaller, plan, example, tmp_path)


@pytest.mark.parametrize("settings", [{"widths": (1.0, 1.0)}, {"widths": (1.0, 2.0)}], ids=["depths", "depths and widths"])
def test_new_blocks_keep_the_function_and_learn(settings, example, tmp_path):
    module, plan = planned(Stages, 3.0, example, tmp_path, **settings)
    larger = plan.apply(module)
    assert sum(new - old for old, new in plan.depths.values()) > 0
    assert torch.allclose(run(larger, example), run(module, example), atol=1e-4)
    assert equals_the_exported(larger, plan, example, tmp_path)
    larger.train()(torch.cat([example, example])).square().sum().backward()
    for name, parameter in larger.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize("kind", [Branches, NarrowFirst])
@pytest.mark.parametrize("budget", [0.75, 3.0])
def test_a_branch_of_a_new_block_passes_its_input_on(budget, kind, example, tmp_path):
    module, plan = planned(kind, budget, example, tmp_path, widths=(1.0, 1.0))
    resized = plan.apply(module)
    assert len(resized.blocks) != 3
    assert equals_the_exported(resized, plan, example, tmp_path)
    if budget > 1:
        assert torch.allclose(run(resized, example), run(module, example), atol=1e-4)


@pytest.mark.parametrize("budget", [0.7, 3.0])
def test_blocks_may_be_children_that_a_module_runs_in_a_loop(budget, example, tmp_path):
    module, plan = planned(OwnLoop, budget, example, tmp_path, widths=(1.0, 1.0))
    resized = plan.apply(module)
    assert len(list(resized.late.children())) != 3
    assert equals_the_exported(resized, plan, example, tmp_path)


@pytest.mark.parametrize("budget", [0.75, 3.0])
def test_blocks_in_no_container_are_refused_by_name(budget, example, tmp_path):
    module, plan = planned(Named, budget, example, tmp_path, widths=(1.0, 1.0))
    with pytest.raises(hs.BadInput, match="Sequential or ModuleList") as raised:
        plan.apply(module)
    assert "first" in str(raised.value)


@pytest.mark.parametrize("budget", [0.6, 3.0])
def test_equal_parts_of_channels_stay_equal(budget, example, tmp_path):
    module, plan = planned(Halves, budget, example, tmp_path)
    resized = plan.apply(module)
    assert resized.stem.out_channels != 64
    assert equals_the_exported(resized, plan, example, tmp_path)
