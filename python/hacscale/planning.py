"""From a table to a network of another size: advice, plans, and comparisons of strategies."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile
import warnings
import weakref
from typing import TYPE_CHECKING, Any, Mapping, Optional, Sequence, Union

from hacscale import _core, _display, _jobs
from hacscale._jobs import request_from
from hacscale.networks import Network, from_onnx
from hacscale.tables import Table

if TYPE_CHECKING:
    import pandas as pd
    import torch

Budget = Union[float, str]

_layers_shown = 12  # in a notebook


def strategies() -> dict[str, str]:
    """The strategies that `compare` knows, each with what it does."""
    return dict(_core.strategies())


class Advice:
    """Where a network spends and wastes time; printed, it is ten lines."""

    def __init__(self, record: str, lines: list[str]):
        self._record = json.loads(record)
        self.lines = lines

    def to_dict(self) -> dict[str, Any]:
        """Everything, as docs/formats.md, "Advice", describes it."""
        return self._record

    def to_frame(self) -> pd.DataFrame:
        """The layers in running order: latency_us, utilization, roofline_efficiency."""
        import pandas as pd

        return pd.DataFrame(self._record["nodes"])

    def __str__(self) -> str:
        return "\n".join(self.lines)

    def _repr_html_(self) -> str:
        """The lines, and the layers that take most of the time."""
        total = self._record["latency_us"] or 1.0
        timed = [node for node in self._record["nodes"] if node["latency_us"] is not None]
        slowest = sorted(timed, key=lambda node: -node["latency_us"])[:_layers_shown]
        most = slowest[0]["latency_us"] if slowest else 1.0
        rows = [
            [
                node["name"],
                _display.Bar(f"{node['latency_us']:,.1f} us, {100 * node['latency_us'] / total:.1f} %", node["latency_us"] / most),
                _display.Bar(f"{100 * node['utilization']:.1f} %", node["utilization"]) if node["utilization"] is not None else "",
                node["key"],
            ]
            for node in slowest
        ]
        caption = f"the slowest {len(slowest)} of {len(self._record['nodes'])} layers; to_frame() has all"
        return _display.lines(str(self)) + _display.table(["layer", "latency", "utilization", "what it is"], rows, caption)

    def __repr__(self) -> str:
        return f"<hacscale.Advice of {len(self._record['layers'])} layers; print() shows it>"


def advise(
    network: Network,
    table: Table,
    *,
    batch: int = 1,
    dtype: str = "f32",
    tolerance: float = 0.02,
    grid: int = 8,
    max_width_ratio: float = 2.0,
) -> Advice:
    """Where the network's time goes, which layers waste it, and which widths are free.

    tolerance: extra latency that counts as none, over the network's. Widths looked at are multiples of `grid`, up to
    `max_width_ratio` times the network's own; the table must have them (`profile(..., nearby_widths=4)`), or the advice says
    that they are not known.
    """
    return Advice(*_core.advise(table._native, network._native, batch, dtype, "network", tolerance, grid, max_width_ratio))


class Plan:
    """A network chosen by one strategy for one budget."""

    def __init__(self, comparison: Comparison, row: dict[str, Any]):
        self._comparison = comparison
        self._row = row
        self._network: Optional[Network] = None
        self._channels: Optional[dict[str, Any]] = None

    @property
    def strategy(self) -> str:
        return self._row["strategy"]

    @property
    def status(self) -> str:
        """"ok" where it was measured within the budget, "unverified" where it is predicted; docs/formats.md has the others."""
        return self._row["status"]

    @property
    def latency_us(self) -> float:
        """Measured where the plan was verified, else predicted."""
        measured = self._row.get("measured_us")
        return measured if measured is not None else self._row["predicted_us"]

    @property
    def latency_ratio(self) -> float:
        """Over the base's."""
        measured = self._row.get("latency_ratio")
        return measured if measured is not None else self._row["predicted_us"] / self._comparison.base_latency_us

    @property
    def macs(self) -> int:
        """Multiplies of convs, linear layers and products, for one image."""
        return self._row["macs"]

    @property
    def params(self) -> int:
        """Learned numbers, batch-norms' included."""
        return self._row["params"]

    @property
    def widths(self) -> dict[str, tuple[int, int]]:
        """Of each channel group that changes, by its first layer: its width before and now."""
        record = self._comparison._record
        base, choice = record["base"]["widths"], self._row["widths"]
        return {name: (old, new) for name, old, new in zip(record["width_names"], base, choice) if old != new}

    @property
    def depths(self) -> dict[str, tuple[int, int]]:
        """Of each run of equal blocks that changes, by its first layer: how many there were and are."""
        record = self._comparison._record
        base, choice = record["base"]["depths"], self._row["depths"]
        return {name: (old, new) for name, old, new in zip(record["depth_names"], base, choice) if old != new}

    @property
    def network(self) -> Network:
        """The scaled network with its weights: those of the base that matter most, or all of them and copies; random ones where
        the base has none, as those of the zoo."""
        if self._network is None:
            self._write()
        assert self._network is not None
        return self._network

    @property
    def channels(self) -> dict[str, Any]:
        """What each tensor and module is in terms of the base's: docs/formats.md, "Channels of a scaled network"."""
        if self._channels is None:
            self._write()
        assert self._channels is not None
        return self._channels

    def to_onnx(self, file: str | os.PathLike, opset: int = 17) -> None:
        """Writes the scaled network with its weights."""
        self.network.to_onnx(file, opset)

    def apply(self, module: torch.nn.Module) -> torch.nn.Module:
        """A copy of the module with its convs, norms and linear layers resized, weights carried over; `module` stays as it is.

        It is the module that the network came from, or one with the same names and shapes. Where numbers of blocks change, entries of
        Sequentials and ModuleLists are left out or added, and those behind move up; new blocks pass on their input. Raises BadInput,
        naming it, for what cannot be resized: modules that share weights or are called twice, parameters of modules that hacscale does
        not know, blocks that are no such entries, and code that has a width written into it.
        """
        from hacscale import modules

        return modules.resized(module, self, self._comparison.network._example)

    def explain(self) -> str:
        """What was chosen and what it brings, in a few lines."""
        return self._comparison.explain()

    def report(self, file: str | os.PathLike) -> None:
        """Writes a page that shows the plan beside the base, with the table it was made from."""
        self._comparison.report(file)

    def _repr_html_(self) -> str:
        """What was chosen, and each width that changes, as a share of the widest."""
        changes = [*self.widths.items(), *((f"{name}: blocks", change) for name, change in self.depths.items())]
        rows = [
            [name, str(before), _display.Bar(f"{now} ({now / before:.2f})", now / max(before, now, 1))]
            for name, (before, now) in changes
        ]
        return _display.lines(self.explain()) + _display.table(["layer", "channels", "now"], rows)

    def _write(self) -> None:
        comparison = self._comparison
        folder = tempfile.TemporaryDirectory(prefix="hacscale-")
        onnx = pathlib.Path(folder.name) / f"{comparison.network.name}-{self.strategy}.onnx"
        channels = pathlib.Path(folder.name) / "channels.json"
        _core.write_choice(
            comparison.network._native,
            comparison._text,
            self.strategy,
            onnx,
            channels,
            comparison._scores,
            comparison._keep_groups,
            comparison.network._equal_slices,
            17,
        )
        self._network = from_onnx(onnx)
        self._channels = json.loads(channels.read_text(encoding="utf-8"))
        weakref.finalize(self, folder.cleanup)

    def __repr__(self) -> str:
        return (
            f"<hacscale.Plan {self.strategy}: {self.latency_us:,.0f} us, {self.latency_ratio:.3f} of {self._comparison.network.name}'s, "
            f"{len(self.widths)} widths changed>"
        )


class Comparison:
    """One network at one budget, every strategy a row."""

    def __init__(self, text: str, network: Network, table: Table, scores: str, keep_groups: bool):
        self._text = text
        self._record = json.loads(text)
        self._scores = scores
        self._keep_groups = keep_groups
        self.network = network
        self.table = table

    @property
    def base_latency_us(self) -> float:
        """Measured beside the choices where they were, else the table's."""
        base = self._record["base"]
        measured = base.get("measured_us")
        return measured if measured is not None else base["predicted_us"]

    @property
    def plans(self) -> dict[str, Plan]:
        """What each strategy chose; those that found nothing are left out."""
        return {row["strategy"]: Plan(self, row) for row in self._record["strategies"] if row.get("widths")}

    def to_dict(self) -> dict[str, Any]:
        """Everything, as docs/formats.md, "Records of a run", describes a comparison."""
        return self._record

    def to_frame(self) -> pd.DataFrame:
        """A row a strategy, the base first."""
        import pandas as pd

        return pd.DataFrame([self._record["base"], *self._record["strategies"]])

    def explain(self) -> str:
        """The answer in a few lines."""
        return "\n".join(_core.answer(self._text))

    def report(self, file: str | os.PathLike) -> None:
        """Writes a page that opens from disk in any browser."""
        _core.write_report(self.table._native, [self._text], pathlib.Path(file))

    def __str__(self) -> str:
        return self.explain()

    def _repr_html_(self) -> str:
        """The answer, and for each strategy its latency and what it costs and brings."""
        plans = list(self.plans.values())
        longest = max((plan.latency_ratio for plan in plans), default=1.0)
        rows = [
            [
                plan.strategy,
                _display.Bar(f"{plan.latency_us:,.0f} us ({plan.latency_ratio:.3f})", plan.latency_ratio / longest),
                f"{plan._row['gain']:+.3f}",
                plan.status,
            ]
            for plan in plans
        ]
        return _display.lines(self.explain()) + _display.table(["strategy", "latency", "gain", "status"], rows)

    def __repr__(self) -> str:
        return f"<hacscale.Comparison of {len(self._record['strategies'])} strategies for {self.network.name}; print() shows it>"


def compare(
    network: Network,
    table: Table,
    budget: Budget,
    *,
    strategies: Sequence[str] = (),
    verify: bool = False,
    device: str = "cpu",
    threads: int = 0,
    seconds: float = 10.0,
    batch: int = 1,
    dtype: str = "f32",
    grid: int = 8,
    widths: Optional[tuple[float, float]] = None,
    change_depth: bool = False,
    freeze: Sequence[str] = (),
    limits: Optional[Mapping[str, tuple[int, int]]] = None,
    max_params: Optional[int] = None,
    max_macs: Optional[int] = None,
    gain: Sequence[str] = (),
    scores: Union[str, os.PathLike, None] = None,
    keep_groups: bool = False,
    progress: bool = True,
) -> Comparison:
    """The network scaled by several strategies to one latency budget.

    budget: a ratio of the network's latency, or "8ms", "800us", "120/s". Below 1 networks shrink.
    strategies: names, as `hacscale.strategies()` lists them; all that suit the budget if empty.
    verify: times what was chosen on the device beside the network, and corrects it until it fits; else all is predicted.
    widths: ratios of the network's own between which widths are looked at; all that the budget may need if not given.
    change_depth: whether blocks may be added and left out, not widths alone.
    freeze: layers that keep their width. limits: by layer, the least and the most channels.
    max_params, max_macs: of what is chosen. gain: files of sensitivities, or "capacity".
    scores: a JSON file of how much each channel matters; else the norms of weights say it.
    keep_groups: grouped convs keep their number of groups, and not the channels of each.

    Raises BadInput for budgets that no network keeps (the least possible is said), names that there are not, and a table that lacks
    layers: `profile(network, table, widths=...)` measures them.
    """
    request = {
        "budget": budget if isinstance(budget, str) else repr(float(budget)),
        "strategies": list(strategies),
        "batch": batch,
        "dtype": dtype,
        "grid": grid,
        "freeze": list(freeze),
        "limits": [f"{name}:{least}..{most}" for name, (least, most) in (limits or {}).items()],
        "max_params": max_params,
        "max_macs": max_macs,
        "gain": list(gain),
        "scores": os.fspath(scores) if scores is not None else "",
        "keep_groups": keep_groups,
        "equal_slices": network._equal_slices,
        "change_depth": change_depth,
    }
    if widths is not None:
        request["min_width_ratio"], request["max_width_ratio"] = widths
    if verify:
        answer = _jobs.run(
            "compare",
            progress=progress,
            network=network._source(),
            table=str(table.file),
            request=request,
            device_id=device,
            threads=threads,
            seconds=seconds,
        )
        text = json.dumps(answer)
    else:
        text = _core.compare_predicted(table._native, network._native, request_from(request))
    return Comparison(text, network, table, request["scores"], keep_groups)


def scale(network: Network, table: Table, budget: Budget, *, strategy: str = "hacscale", **settings: Any) -> Plan:
    """The network scaled to a latency budget by one strategy; `settings` are those of `compare`.

    Raises BadInput where no network is predicted to keep the budget. Where none was measured within it, the plan is the closest, its
    `status` says so, and a NoisyResult is warned of.
    """
    comparison = compare(network, table, budget, strategies=[strategy], **settings)
    (row,) = comparison.to_dict()["strategies"]
    if not row.get("widths"):
        raise _core.BadInput(f"{strategy} found no network within the budget {budget}: {row['reason']}")
    plan = Plan(comparison, row)
    if plan.status not in ("ok", "unverified"):
        warnings.warn(
            f"{network.name}: no network within the budget {budget} was found; the closest has {plan.latency_ratio:.3f} of its latency "
            f"({plan.status}): measure more widths with hacscale.profile(..., widths=...), or ask for less",
            _jobs.NoisyResult,
            stacklevel=2,
        )
    return plan
