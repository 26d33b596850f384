"""Blocks that a plan leaves out of a PyTorch module, or adds to it."""

from __future__ import annotations

import collections
import copy
from typing import Any, Callable, Optional

import torch
from torch import nn

from hacscale import _core
from hacscale._layers import BATCH_NORMS, CONVS, Layers, joined

# Gives the parts of a module, which is the base's at this path or a copy of it, the widths of the plan.
Resize = Callable[[nn.Module, str, Layers, dict[str, str]], None]


def changes(repeat: dict[str, Any]) -> bool:
    return repeat["blocks"] != list(range(repeat["count"][0]))


class Run:
    """Equal blocks, entries of one module that follow one another, of which the plan has fewer or more.

    The module is a Sequential, a ModuleList, or any that runs its children one after another (timm's RegNet stages): whether it does
    shows when it is run.
    """

    def __init__(self, root: nn.Module, name: str, repeat: dict[str, Any]):
        self._name, self._counts = name, repeat["count"]
        paths = [_entry_of(root, block) for block in repeat["modules"]]
        self._paths = [path for path in paths if path is not None]
        parents = {path.rpartition(".")[0] for path in self._paths}
        if len(self._paths) < len(paths) or len(parents) != 1:
            raise self.refusal()
        self._container = root.get_submodule(parents.pop())
        keys = [key for key, _ in self._container.named_children()]
        own = [path.rpartition(".")[2] for path in self._paths]
        self._first = keys.index(own[0])
        if own != keys[self._first : self._first + len(own)]:
            raise self.refusal()
        self._blocks: list[int] = repeat["blocks"]
        self._modules: list[list[str]] = repeat["modules"]
        self._copies: dict[int, nn.Module] = {}  # by place among the new blocks

    def surely_runs_entries(self) -> bool:
        return isinstance(self._container, (nn.Sequential, nn.ModuleList))

    def refusal(self) -> _core.BadInput:
        old, new = self._counts
        return _core.BadInput(
            f"the plan changes the blocks that begin with {self._name} from {old} to {new}, and in this module they are not entries of a "
            "Sequential or ModuleList that run one after another: plan with change_depth=False, or take plan.to_onnx()"
        )

    def blocks(self) -> list[nn.Module]:
        """Those that are there after put_in()."""
        entries = [module for _, module in self._container.named_children()]
        return entries[self._first : self._first + len(self._blocks)]

    def make_copies(self, layers: Layers, fed_by: dict[str, str], resize: Resize) -> None:
        """New blocks, from those of the base, before these are resized. fed_by: of each norm, the layer that it reads."""
        seen: collections.Counter[int] = collections.Counter()
        for place, block in enumerate(self._blocks):
            number, seen[block] = seen[block], seen[block] + 1
            if number == 0:
                continue
            path, of_copy = self._paths[block], layers.of_copy(number)
            made = copy.deepcopy(self._container.get_submodule(path.rpartition(".")[2]))
            resize(made, path, of_copy, fed_by)
            for name in self._modules[block]:
                start = of_copy.starts_as(name)
                if start == "zero":
                    _zero(made, path, name, fed_by)
                elif start == "identity" and not _pass_on(made, path, name, fed_by):
                    raise self.refusal()
            self._copies[place] = made

    def put_in(self) -> None:
        entries = list(self._container.named_children())
        old = entries[self._first : self._first + len(self._paths)]
        new = [
            (f"{old[block][0]}_copy{place}", self._copies[place]) if place in self._copies else old[block]
            for place, block in enumerate(self._blocks)
        ]
        entries[self._first : self._first + len(self._paths)] = new
        if all(key.isdigit() for key, _ in self._container.named_children()):
            entries = [(str(place), module) for place, (_, module) in enumerate(entries)]
        self._container._modules.clear()
        for key, entry in entries:
            self._container.add_module(key, entry)


def _entry_of(root: nn.Module, block: list[str]) -> Optional[str]:
    """The path of the module that has exactly this block's layers; None where there is none."""
    path = block[0]
    while path:
        parent = path.rpartition(".")[0]
        try:
            entry = root.get_submodule(path)
        except AttributeError:
            return None
        own = {joined(path, name) for name, part in entry.named_modules() if isinstance(part, (*CONVS, nn.Linear))}
        if not all(any(name == layer or name.startswith(layer + ".") for layer in block) for name in own):
            return None
        if all(layer == path or layer.startswith(path + ".") for layer in block):
            return path
        path = parent
    return None


def _norms_behind(block: nn.Module, path: str, name: str, fed_by: dict[str, str]) -> list[nn.modules.batchnorm._BatchNorm]:
    """Batch-norms of the block at this path that read what the layer of this name writes."""
    return [
        part
        for part_name, part in block.named_modules()
        if isinstance(part, BATCH_NORMS) and fed_by.get(joined(path, part_name)) == name
    ]


def _zero(block: nn.Module, path: str, name: str, fed_by: dict[str, str]) -> None:
    """Makes a layer of a new block, or the norm behind it, write zeros: so the block passes on what it reads."""
    layer = block.get_submodule(name.removeprefix(path).removeprefix("."))
    with torch.no_grad():
        for part in _norms_behind(block, path, name, fed_by) or [layer]:
            for parameter in part.parameters():
                parameter.zero_()


def _pass_on(block: nn.Module, path: str, name: str, fed_by: dict[str, str]) -> bool:
    """Makes a layer of a new block that reads the block's input, as RepVGG's branches do, write what it reads. False where it cannot."""
    layer = block.get_submodule(name.removeprefix(path).removeprefix("."))
    norms = _norms_behind(block, path, name, fed_by)
    if isinstance(layer, BATCH_NORMS):
        norms = [layer]
    elif not isinstance(layer, (nn.Conv1d, nn.Conv2d)):
        return False
    with torch.no_grad():
        if isinstance(layer, (nn.Conv1d, nn.Conv2d)):
            nn.init.dirac_(layer.weight, layer.groups)
            if layer.bias is not None:
                layer.bias.zero_()
        for norm in norms:
            if norm.running_mean is None or norm.running_var is None:
                return False
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(norm.running_mean)
    return True
