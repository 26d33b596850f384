"""The package on a made-up device, whose times are a formula, and small modules of PyTorch.

HACSCALE_BUILD names the build folder; the package and the made-up device are found there.
"""

import os
import pathlib
import sys

import pytest

BUILD = pathlib.Path(os.environ.get("HACSCALE_BUILD", pathlib.Path(__file__).parents[2] / "build"))
os.environ["HACSCALE_BACKENDS"] = str(BUILD / "tests/made_up/cpu")
os.environ["HACSCALE_CORE_LOCKS"] = ""
os.environ["HACSCALE_PLAN_CACHE"] = ""
if (BUILD / "python").is_dir():
    sys.path.insert(0, str(BUILD / "python"))

torch = pytest.importorskip("torch")
import hacscale as hs  # noqa: E402
from torch import nn  # noqa: E402


class Block(nn.Module):
    """A residual block with a squeeze."""

    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, 2 * width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(2 * width)
        self.conv2 = nn.Conv2d(2 * width, 2 * width, 3, padding=1, groups=2 * width, bias=False)
        self.bn2 = nn.BatchNorm2d(2 * width)
        self.conv3 = nn.Conv2d(2 * width, width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(width)

    def forward(self, x):
        y = torch.relu(self.bn1(self.conv1(x)))
        y = torch.relu(self.bn2(self.conv2(y)))
        return x + self.bn3(self.conv3(y))


class Small(nn.Module):
    """Convs with batch-norms, a residual, a depthwise conv, a concat and a classifier."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32), nn.ReLU())
        self.block = Block(32)
        self.left = nn.Conv2d(32, 16, 1)
        self.right = nn.Conv2d(32, 32, 3, padding=1)
        self.last = nn.Conv2d(48, 64, 3, 2, 1)
        self.classifier = nn.Linear(64, 10)

    def forward(self, x):
        x = self.block(self.stem(x))
        x = torch.cat([torch.relu(self.left(x)), torch.relu(self.right(x))], 1)
        return self.classifier(torch.relu(self.last(x)).mean((2, 3)))


class Bottleneck(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.reduce = nn.Sequential(nn.Conv2d(width, width // 2, 1, bias=False), nn.BatchNorm2d(width // 2), nn.ReLU())
        self.expand = nn.Conv2d(width // 2, width, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(width)

    def forward(self, x):
        return torch.relu(x + self.norm(self.expand(self.reduce(x))))


class Stages(nn.Module):
    """Two runs of blocks, one among other entries of its Sequential and one in a ModuleList."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 32, 3, 2, 1), nn.ReLU(), *(Bottleneck(32) for _ in range(4)), nn.Conv2d(32, 64, 3, 2, 1), nn.ReLU()
        )
        self.late = nn.ModuleList(Bottleneck(64) for _ in range(3))
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        x = self.features(x)
        for block in self.late:
            x = block(x)
        return self.head(x.mean((2, 3)))


class Halves(nn.Module):
    """Splits channels by a number of parts, as ShuffleNet does: the code works while both parts are equal."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Conv2d(3, 64, 3, 2, 1)
        self.branch = nn.Conv2d(32, 32, 3, padding=1)
        self.head = nn.Linear(64, 10)

    def forward(self, x):
        kept, changed = torch.relu(self.stem(x)).chunk(2, dim=1)
        return self.head(torch.cat([kept, torch.relu(self.branch(changed))], 1).mean((2, 3)))


def with_statistics(module):
    """Batch-norms that do something."""
    generator = torch.Generator().manual_seed(1)
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean = torch.randn(part.num_features, generator=generator) * 0.1
            part.running_var = torch.rand(part.num_features, generator=generator) + 0.5
            part.weight.data = torch.rand(part.num_features, generator=generator) + 0.5
            part.bias.data = torch.randn(part.num_features, generator=generator) * 0.1
    return module.eval()


@pytest.fixture(scope="session")
def module():
    torch.manual_seed(0)
    return with_statistics(Small())


@pytest.fixture(scope="session")
def example():
    return torch.randn(1, 3, 32, 32, generator=torch.Generator().manual_seed(2))


@pytest.fixture(scope="session")
def net(module, example):
    return hs.from_torch(module, example)


@pytest.fixture(scope="session")
def table(net, tmp_path_factory):
    file = tmp_path_factory.mktemp("tables") / "made-up.db"
    return hs.profile(net, file, widths=(0.5, 2), nearby_widths=2, seconds=0.05, progress=False)


@pytest.fixture(scope="session")
def deep_net(example):
    torch.manual_seed(0)
    return hs.from_torch(with_statistics(Stages()), example)


@pytest.fixture(scope="session")
def deep_table(deep_net, tmp_path_factory):
    file = tmp_path_factory.mktemp("tables") / "deep.db"
    return hs.profile(deep_net, file, widths=(0.5, 2), seconds=0.05, progress=False)
