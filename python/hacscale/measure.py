"""What runs networks on a device: profiling, checking, and which devices there are."""

from __future__ import annotations

import os
import pathlib
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Optional, Union

from hacscale import _jobs
from hacscale._jobs import NoisyResult
from hacscale.networks import Network
from hacscale.tables import Table

if TYPE_CHECKING:
    from hacscale.planning import Plan


def _list(networks: Union[Network, Sequence[Network]]) -> list[Network]:
    return [networks] if isinstance(networks, Network) else list(networks)


def devices() -> list[dict[str, Any]]:
    """The devices that can measure here: id ("cpu", "cuda:0"), name, fingerprint, properties, and warnings about times there."""
    return _jobs.run("devices", progress=False)


def profile(
    networks: Union[Network, Sequence[Network]],
    table: str | os.PathLike,
    *,
    device: str = "cpu",
    widths: Optional[tuple[float, float]] = None,
    nearby_widths: int = 0,
    grid: int = 8,
    batch: int = 1,
    dtype: str = "f32",
    threads: int = 0,
    seconds: float = 10.0,
    minutes: float = 10.0,
    progress: bool = True,
) -> Table:
    """Measures the networks' layers on the device, into the table's file, which is made if it is not there.

    widths: also at other widths, all together, between these ratios of their own: (0.5, 1) is what `scale` needs for budgets below 1,
        (0.5, 2) for both. They are measured for at most `minutes` a network.
    nearby_widths: also each width alone, at so many counts above and below its own: what `advise` needs.
    grid: other widths are multiples of it.
    threads: of a CPU; 0: one a core.
    seconds: one network is timed for at most this long.

    What the table has is not measured again, so the same call goes on where another was interrupted: Ctrl-C keeps what there is. Rows
    that stay noisy are kept, and a NoisyResult is warned of.
    """
    answer = _jobs.run(
        "profile",
        progress=progress,
        networks=[network._source() for network in _list(networks)],
        file=str(table),
        device_id=device,
        threads=threads,
        batch=batch,
        dtype=dtype,
        seconds=seconds,
        minutes=minutes,
        widths=list(widths) if widths else None,
        nearby_widths=nearby_widths,
        grid=grid,
    )
    if answer["noisy"]:
        warnings.warn(
            f"{answer['noisy']} of {answer['measured']} rows are noisy: other work took time from them; "
            "measure on an idle machine, or with more seconds",
            NoisyResult,
            stacklevel=2,
        )
    return Table(pathlib.Path(table))


def verify(
    networks: Union[Network, Plan, Sequence[Union[Network, Plan]]],
    table: Table,
    *,
    device: str = "cpu",
    batch: int = 1,
    dtype: str = "f32",
    threads: int = 0,
    seconds: float = 10.0,
    progress: bool = True,
) -> list[dict[str, Any]]:
    """Times whole networks beside the table's prediction of them: for each its model, predicted_us, measured_us, ci95_us and
    error_pct.

    Raises BadInput where the table is of another device, or lacks layers of all networks.
    """
    given = list(networks) if isinstance(networks, Sequence) else [networks]
    sources = [one if isinstance(one, Network) else one.network for one in given]
    answer = _jobs.run(
        "verify",
        progress=progress,
        networks=[network._source() for network in sources],
        table=str(table.file),
        device_id=device,
        threads=threads,
        batch=batch,
        dtype=dtype,
        cache="network",
        seconds=seconds,
    )
    for skipped in answer["skipped"]:
        warnings.warn(f"{skipped['model']}: skipped: {skipped['reason']}", NoisyResult, stacklevel=2)
    return answer["models"]


__all__ = ["NoisyResult", "devices", "profile", "verify"]
