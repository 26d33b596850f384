"""Networks: from PyTorch, from ONNX files, and those that come with hacscale."""

from __future__ import annotations

import contextlib
import os
import pathlib
import tempfile
import weakref
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence

from hacscale import _core

if TYPE_CHECKING:
    import torch

Shapes = Mapping[str, Sequence[int]]


class Network:
    """A network as it is profiled and scaled. Made by `from_torch`, `from_onnx` and `zoo`."""

    def __init__(self, native: _core.Network, name_or_file: str, shapes: Optional[Shapes] = None):
        self._native = native
        self._name_or_file = name_or_file
        self._shapes = {name: list(shape) for name, shape in (shapes or {}).items()}
        self._example: Any = None
        self._module_id: Optional[str] = None

    @property
    def name(self) -> str:
        return self._native.name

    @property
    def macs(self) -> int:
        """Multiplies of convs, linear layers and products, for one image."""
        return self._native.macs

    @property
    def params(self) -> int:
        """Learned numbers, batch-norms' included."""
        return self._native.params

    @property
    def inputs(self) -> dict[str, tuple[int, int, int]]:
        """Channels x height x width of each input."""
        return {name: (channels, height, width) for name, channels, height, width in self._native.inputs}

    @property
    def outputs(self) -> dict[str, tuple[int, int, int]]:
        """Channels x height x width of each output."""
        return {name: (channels, height, width) for name, channels, height, width in self._native.outputs}

    @property
    def left_out(self) -> list[str]:
        """Operators that hacscale does not compute, each with the reason: latencies are without them. Empty for most networks."""
        return self._native.left_out

    @property
    def layers(self) -> list[dict[str, Any]]:
        """Each layer's name (the module's, where it has weights), kind, MACs, params, and its key in tables."""
        return self._native.layers()

    @property
    def groups(self) -> dict[str, int]:
        """What can be scaled: the widths that may change, by the first layer that has them. Layers that an add or a depthwise
        conv ties are one group; outputs of the network are in none."""
        return {group["name"]: group["width"] for group in self._native.groups(False, self._equal_slices)}

    @property
    def _equal_slices(self) -> bool:
        """Whether parts into which channels are split stay equal: code that splits by a number of parts (chunk) needs that, files do not."""
        return self._example is not None

    def to_onnx(self, file: str | os.PathLike, opset: int = 17) -> None:
        """Writes the network with its weights. BadInput where it has none (those of the zoo), or the opset lacks an operator."""
        self._native.write_onnx(pathlib.Path(file), opset)

    def _source(self) -> dict[str, Any]:
        """As the process that measures reads it."""
        return {"name_or_file": self._name_or_file, "shapes": self._shapes}

    def __repr__(self) -> str:
        return f"<hacscale.Network {self.name}: {self.macs:,} MACs, {self.params:,} params, {len(self.groups)} widths>"


def from_onnx(file: str | os.PathLike, inputs: Optional[Shapes] = None) -> Network:
    """The network of an ONNX file (opsets 9 to 21).

    inputs: sizes of inputs that the file leaves open, as {"image": (3, 224, 224)}.

    Raises BadInput for files that cannot be read; what no layer of hacscale computes is in `left_out`.
    """
    path = os.fspath(file)
    shapes = {name: list(shape) for name, shape in (inputs or {}).items()}
    return Network(_core.read_network(str(pathlib.Path(path).absolute()), shapes), str(pathlib.Path(path).absolute()), shapes)


def zoo(name: str) -> Network:
    """A network that comes with hacscale (`zoo_names` lists them), without weights."""
    return Network(_core.read_network(name, {}), name)


def zoo_names() -> list[str]:
    """Names for `zoo`."""
    return _core.zoo_names()


def from_torch(module: torch.nn.Module, example: torch.Tensor | Sequence[torch.Tensor], name: Optional[str] = None) -> Network:
    """The network of a PyTorch module, with its weights, in inference mode.

    example: one input as the module's forward() takes it, or several; N x channels x height x width.
    name: in tables and reports; else the class's.

    The module is exported to ONNX with batch-norms as they are, so that every layer has its module's name. It is left as it was.
    """
    import torch

    examples = (example,) if isinstance(example, torch.Tensor) else tuple(example)
    folder = tempfile.TemporaryDirectory(prefix="hacscale-")
    file = pathlib.Path(folder.name) / f"{name or type(module).__name__}.onnx"
    export(module, examples, file)
    network = from_onnx(file)
    network._example = tuple(tensor.detach().clone() for tensor in examples)
    weakref.finalize(network, folder.cleanup)
    return network


def _parameters_apart() -> contextlib.AbstractContextManager[Any]:
    """While it is open, the exporter takes only parameters that are one tensor for one. It would also take those for one that have
    the same numbers, as before training: then a parameter has another one's name, and counts once with it."""
    import importlib
    import unittest.mock

    exporter: Any = importlib.import_module("torch._C")
    name = "_jit_pass_onnx_deduplicate_initializers"
    merge = getattr(exporter, name, None)
    if merge is None:
        return contextlib.nullcontext()
    return unittest.mock.patch.object(exporter, name, lambda graph, parameters, _training: merge(graph, parameters, True))


def export(module: torch.nn.Module, examples: tuple[torch.Tensor, ...], file: pathlib.Path) -> None:
    """Writes the module as ONNX, names of parameters kept and nothing folded."""
    import inspect
    import io
    import warnings

    import torch

    options: dict[str, Any] = {
        "opset_version": 17 if "dynamo" in inspect.signature(torch.onnx.export).parameters else 16,
        "do_constant_folding": False,
        "training": torch.onnx.TrainingMode.PRESERVE,
    }
    if "dynamo" in inspect.signature(torch.onnx.export).parameters:
        options["dynamo"] = False  # its names of parameters are those of the module
    was_training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        # The exporter warns of things that are right in most networks, and prints whole graphs where it fails.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()), torch.no_grad(), _parameters_apart():
            warnings.simplefilter("ignore")
            torch.onnx.export(module, examples, str(file), **options)
    except (RuntimeError, torch.onnx.errors.OnnxExporterError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise _core.BadInput(
            f"{type(module).__name__} cannot be exported to ONNX: {first}; what torch.onnx.export writes is what hacscale reads"
        ) from error
    finally:
        for part, training in was_training.items():
            part.training = training
