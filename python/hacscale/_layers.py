"""What a plan says of a PyTorch module's layers, by their names."""

from __future__ import annotations

from typing import Any, Optional

from torch import nn

CONVS = (nn.Conv1d, nn.Conv2d, nn.ConvTranspose2d)
BATCH_NORMS = (nn.modules.batchnorm._BatchNorm,)


def joined(path: str, name: str) -> str:
    return f"{path}.{name}" if path and name else path or name


class Layers:
    """What the plan says of each module of the base, or of the `copy`-th copies of these."""

    def __init__(self, modules: dict[str, Any], copy_number: int = 0):
        self._modules = modules
        self._ending = f".copy{copy_number}" if copy_number else ""

    def of_copy(self, number: int) -> Layers:
        return Layers(self._modules, number)

    def names(self) -> list[str]:
        return [name.removesuffix(self._ending) for name in self._modules if name.endswith(self._ending)]

    def has(self, name: str) -> bool:
        return name + self._ending in self._modules

    def _of(self, name: str, what: str) -> Any:
        return self._modules.get(name + self._ending, {}).get(what)

    def parameters(self, name: str) -> list[str]:
        """Those that are part of the layer and belong to other modules."""
        return self._of(name, "parameters") or []

    def kind(self, name: str) -> Optional[str]:
        return self._of(name, "kind")

    def outputs(self, name: str) -> Optional[list[int]]:
        """For each channel that it writes, the base's; None where nothing changes."""
        return self._of(name, "out_from")

    def inputs(self, name: str) -> Optional[list[int]]:
        return self._of(name, "in_from")

    def base_inputs(self, name: str) -> Optional[int]:
        """How many channels it reads in the base."""
        return (self._of(name, "in_channels") or [None])[0]

    def base_outputs(self, name: str) -> Optional[int]:
        return (self._of(name, "out_channels") or [None])[0]

    def groups(self, name: str) -> Optional[int]:
        return (self._of(name, "groups") or [None, None])[1]

    def starts_as(self, name: str) -> Optional[str]:
        """"zero" for the last layer of what a new block adds to its input, "identity" for one that passes its input on."""
        return self._of(name, "starts_as")
