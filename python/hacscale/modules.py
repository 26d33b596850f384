"""A plan applied to a PyTorch module: convs, norms and linear layers resized, blocks left out and added in a copy, by the names of modules."""

from __future__ import annotations

import collections
import copy
from typing import TYPE_CHECKING, Any, Optional, Sequence

import torch
from torch import nn

from hacscale import _core
from hacscale._blocks import Run, changes
from hacscale._layers import BATCH_NORMS, CONVS, Layers, joined

if TYPE_CHECKING:
    from hacscale.planning import Plan

# Whose parameters are resized with the module.
_RESIZED = (*CONVS, nn.Linear, *BATCH_NORMS, nn.LayerNorm, nn.GroupNorm, nn.PReLU)

# Copies of a channel are read by weights that are up to this share larger or smaller than equal ones: equal copies would have equal
# gradients and stay equal.
_UNEVENNESS = 0.2


def resized(module: nn.Module, plan: Plan, example: Optional[Sequence[torch.Tensor]]) -> nn.Module:
    """As Plan.apply describes it. Without an example the copy is not run."""
    _check_sharing(module)
    fed_by = _producers_of_norms(module, example) if example is not None else {}
    _check_named(module, plan)
    copied = copy.deepcopy(module)
    layers = Layers(plan.channels["modules"])
    runs = [Run(copied, name, repeat) for name, repeat in plan.channels["repeats"].items() if changes(repeat)]
    for run in runs:
        if example is None and not run.surely_runs_entries():
            raise run.refusal()
        run.make_copies(layers, fed_by, _resize_all)
    _resize_all(copied, "", layers, fed_by)
    for run in reversed(runs):  # the last first: entries before it keep their places
        run.put_in()
    if example is not None:
        _check_runs(copied, example, layers, runs)
    return copied


def _resize_all(root: nn.Module, path: str, layers: Layers, fed_by: dict[str, str]) -> None:
    """Resizes `root`, which is the base's module at this path or a copy of it."""
    for name, part in root.named_modules():
        _resize(part, joined(path, name), layers, fed_by)
    for name in layers.names():
        _resize_scales(root, path, name, layers)


def _check_named(module: nn.Module, plan: Plan) -> None:
    known = {name for name, part in module.named_modules() if isinstance(part, (*CONVS, nn.Linear))}
    planned = {
        name
        for name, layer in plan.channels["modules"].items()
        if layer["kind"] in ("conv", "linear") and ("out_from" in layer or "in_from" in layer) and "new" not in layer
    }
    missing = sorted(planned - known)
    if missing:
        raise _core.BadInput(
            f"the plan resizes {missing[0]}, which {type(module).__name__} does not have: apply it to the module that the network "
            "came from"
        )


def _check_sharing(module: nn.Module) -> None:
    owners: dict[int, str] = {}
    for name, part in module.named_modules(remove_duplicate=False):
        for own, parameter in part.named_parameters(recurse=False):
            full = f"{name}.{own}" if name else own
            if id(parameter) in owners:
                raise _core.BadInput(
                    f"{owners[id(parameter)]} and {full} are one tensor: modules that share weights cannot be resized one by one"
                )
            owners[id(parameter)] = full


def _producers_of_norms(module: nn.Module, example: Sequence[torch.Tensor]) -> dict[str, str]:
    """Of each batch-norm, the conv or linear layer whose output it reads; modules with weights may be called once."""
    calls: collections.Counter[str] = collections.Counter()
    written: dict[int, tuple[str, torch.Tensor]] = {}  # the tensor is kept, so that its id stays its own
    fed_by: dict[str, str] = {}
    hooks = []

    def count(name: str, part: nn.Module):
        def hook(_part: nn.Module, inputs: Any, output: Any) -> None:
            calls[name] += 1
            if calls[name] > 1:
                raise _core.BadInput(f"{name} is called twice in one pass: a module that is cannot be resized")
            if isinstance(part, (*CONVS, nn.Linear)):
                written[id(output)] = (name, output)
            elif inputs and id(inputs[0]) in written:
                fed_by[name] = written[id(inputs[0])][0]

        return hook

    for name, part in module.named_modules():
        if any(True for _ in part.parameters(recurse=False)):
            hooks.append(part.register_forward_hook(count(name, part)))
    was_training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            module(*example)
    finally:
        for hook in hooks:
            hook.remove()
        for part, training in was_training.items():
            part.training = training
    return fed_by


def _pick(tensor: torch.Tensor, chosen: Optional[Sequence[int]], dim: int = 0) -> torch.Tensor:
    return tensor if chosen is None else tensor.index_select(dim, torch.as_tensor(chosen, device=tensor.device))


def _set_parameter(part: nn.Module, name: str, value: torch.Tensor) -> None:
    old = getattr(part, name)
    setattr(part, name, nn.Parameter(value.clone(), requires_grad=old.requires_grad))


def _shares(chosen: Sequence[int], seed: int, like: torch.Tensor) -> torch.Tensor:
    """What each copy of a channel is read by: the shares of one channel's copies add up to 1."""
    times = collections.Counter(chosen)
    generator = torch.Generator().manual_seed(seed)
    uneven = 1.0 + _UNEVENNESS * (2.0 * torch.rand(len(chosen), generator=generator, dtype=torch.float64) - 1.0)
    for index, channel in enumerate(chosen):
        if times[channel] == 1:
            uneven[index] = 1.0
    sums: dict[int, float] = collections.defaultdict(float)
    for index, channel in enumerate(chosen):
        sums[channel] += float(uneven[index])
    shares = [float(uneven[index]) / sums[channel] for index, channel in enumerate(chosen)]
    return torch.tensor(shares, dtype=like.dtype, device=like.device)


def _read(weight: torch.Tensor, chosen: Optional[Sequence[int]], channels: int, dim: int) -> torch.Tensor:
    """The weights that read these channels. Behind a flattened map each channel has several weights, next to each other."""
    if chosen is None:
        return weight
    pixels = weight.shape[dim] // channels
    shares = _shares(chosen, len(chosen), weight)
    index = torch.as_tensor(chosen, device=weight.device)
    if pixels > 1:
        index = (index[:, None] * pixels + torch.arange(pixels, device=weight.device)).flatten()
        shares = shares.repeat_interleave(pixels)
    shape = [1] * weight.dim()
    shape[dim] = -1
    return weight.index_select(dim, index) * shares.view(shape)


def _resize(part: nn.Module, name: str, layers: Layers, fed_by: dict[str, str]) -> None:
    if layers.kind(name) == "squeeze_excite":
        _resize_squeeze_excite(part, name, layers)
    elif isinstance(part, nn.ConvTranspose2d):
        _resize_transposed(part, name, layers)
    elif isinstance(part, (nn.Conv1d, nn.Conv2d)):
        _resize_conv(part, name, layers)
    elif isinstance(part, nn.Linear):
        _resize_linear(part, name, layers)
    else:
        chosen = layers.outputs(name) if layers.has(name) else layers.outputs(fed_by.get(name, ""))
        if chosen is not None:
            _resize_by_channel(part, name, chosen)


def _resize_conv(conv: nn.Conv1d | nn.Conv2d, name: str, layers: Layers) -> None:
    inputs, outputs = layers.inputs(name), layers.outputs(name)
    if inputs is None and outputs is None:
        return
    groups = layers.groups(name) or conv.groups
    weight = _pick(conv.weight.data, outputs)
    if conv.groups == 1:
        weight = _read(weight, inputs, conv.in_channels, 1)
        conv.in_channels = weight.shape[1]
    else:
        if groups == conv.groups and inputs is not None:
            raise _core.BadInput(f"{name}: the channels of its groups change, and only their number can")
        conv.in_channels = weight.shape[1] * groups
    _set_parameter(conv, "weight", weight)
    if conv.bias is not None:
        _set_parameter(conv, "bias", _pick(conv.bias.data, outputs))
    conv.out_channels = weight.shape[0]
    conv.groups = groups


def _resize_squeeze_excite(part: nn.Module, name: str, layers: Layers) -> None:
    """One layer of the network is a module of two: what squeezes reads the channels, what excites writes them."""
    chosen = layers.outputs(name)
    if chosen is None:
        return
    pair = [child for child in part.modules() if isinstance(child, (nn.Conv2d, nn.Linear))]
    if len(pair) != 2 or any(getattr(child, "groups", 1) != 1 for child in pair):
        raise _core.BadInput(
            f"{name}: a squeeze-excite of two convs or linear layers can be resized, and this {type(part).__name__} has {len(pair)}"
        )
    squeeze, excite = pair
    for layer, read, written in ((squeeze, chosen, None), (excite, None, chosen)):
        weight = _pick(layer.weight.data, written)
        weight = _read(weight, read, weight.shape[1], 1)
        _set_parameter(layer, "weight", weight)
        if layer.bias is not None:
            _set_parameter(layer, "bias", _pick(layer.bias.data, written))
        sizes = ("in_channels", "out_channels") if isinstance(layer, nn.Conv2d) else ("in_features", "out_features")
        setattr(layer, sizes[0], weight.shape[1])
        setattr(layer, sizes[1], weight.shape[0])


def _resize_transposed(conv: nn.ConvTranspose2d, name: str, layers: Layers) -> None:
    inputs, outputs = layers.inputs(name), layers.outputs(name)
    if inputs is None and outputs is None:
        return
    if conv.groups != 1:
        raise _core.BadInput(f"{name}: a transposed conv with groups cannot be resized")
    weight = _pick(_read(conv.weight.data, inputs, conv.in_channels, 0), outputs, 1)
    _set_parameter(conv, "weight", weight)
    if conv.bias is not None:
        _set_parameter(conv, "bias", _pick(conv.bias.data, outputs))
    conv.in_channels, conv.out_channels = weight.shape[:2]


def _resize_linear(linear: nn.Linear, name: str, layers: Layers) -> None:
    inputs, outputs = layers.inputs(name), layers.outputs(name)
    if inputs is None and outputs is None:
        return
    weight = _pick(linear.weight.data, outputs)
    weight = _read(weight, inputs, layers.base_inputs(name) or linear.in_features, 1)
    _set_parameter(linear, "weight", weight)
    if linear.bias is not None:
        _set_parameter(linear, "bias", _pick(linear.bias.data, outputs))
    linear.out_features, linear.in_features = weight.shape


def _resize_by_channel(part: nn.Module, name: str, chosen: Sequence[int]) -> None:
    """Norms and activations with a number a channel."""
    if isinstance(part, BATCH_NORMS):
        for statistics in ("running_mean", "running_var"):
            if getattr(part, statistics) is not None:
                setattr(part, statistics, _pick(getattr(part, statistics), chosen).clone())
        part.num_features = len(chosen)
    elif isinstance(part, nn.LayerNorm):
        part.normalized_shape = (len(chosen),)
    elif isinstance(part, nn.GroupNorm):
        if len(chosen) % part.num_groups:
            raise _core.BadInput(f"{name}: {len(chosen)} channels cannot be divided into its {part.num_groups} groups")
        part.num_channels = len(chosen)
    elif isinstance(part, nn.PReLU):
        if part.num_parameters == 1:
            return
        part.num_parameters = len(chosen)
    for own, parameter in list(part.named_parameters(recurse=False)):
        dims = [dim for dim, size in enumerate(parameter.shape) if size > 1]
        if len(dims) == 1:  # one number a channel, whatever the shape around it
            _set_parameter(part, own, _pick(parameter.data, chosen, dims[0]))


def _resize_scales(module: nn.Module, path: str, name: str, layers: Layers) -> None:
    """Numbers a channel that a block has as its own parameters, as ConvNeXt's scales of what a block adds."""
    chosen = layers.outputs(name)
    if chosen is None:
        return
    for parameter_name in layers.parameters(name):
        owner_name, _, own = parameter_name.rpartition(".")
        if path and owner_name != path and not owner_name.startswith(path + "."):
            continue
        try:
            owner = module.get_submodule(owner_name.removeprefix(path).removeprefix("."))
            parameter = owner.get_parameter(own)
        except AttributeError:
            continue
        if isinstance(owner, _RESIZED) or layers.has(owner_name):
            continue
        dims = [dim for dim, size in enumerate(parameter.shape) if size > 1]
        if len(dims) == 1 and parameter.shape[dims[0]] == layers.base_outputs(name):
            _set_parameter(owner, own, _pick(parameter.data, chosen, dims[0]))


def _loose_parameters(module: nn.Module, layers: Layers) -> list[str]:
    """Parameters of modules that are no layer of the plan, as the scales of whole blocks: nobody resizes them."""
    return [
        f"{name}.{own}" if name else own
        for name, part in module.named_modules()
        for own, _ in part.named_parameters(recurse=False)
        if not isinstance(part, _RESIZED) and not layers.has(name)
    ]


def _check_runs(module: nn.Module, example: Sequence[torch.Tensor], layers: Layers, runs: Sequence[Run]) -> None:
    calls: collections.Counter[nn.Module] = collections.Counter()
    hooks = [
        block.register_forward_hook(lambda part, _inputs, _output: calls.update([part])) for run in runs for block in run.blocks()
    ]
    was_training = {part: part.training for part in module.modules()}
    module.eval()
    try:
        with torch.no_grad():
            module(*example)
    except AttributeError as error:  # code that names a block which is gone
        doubtful = [run for run in runs if not run.surely_runs_entries()]
        raise (doubtful[0].refusal() if doubtful else error) from error
    except RuntimeError as error:
        first = str(error).strip().splitlines()[0]
        loose = _loose_parameters(module, layers)
        reason = (
            f"{loose[0]} belongs to no layer that can be resized"
            if loose
            else "its code has a width written into it, or splits channels into equal parts"
        )
        raise _core.BadInput(
            f"the resized {type(module).__name__} does not run ({first}): {reason}; freeze these layers, or take plan.to_onnx()"
        ) from error
    finally:
        for hook in hooks:
            hook.remove()
        for part, training in was_training.items():
            part.training = training
    for run in runs:
        if any(calls[block] != 1 for block in run.blocks()):
            raise run.refusal()
