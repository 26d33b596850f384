"""Tables of measured layers, as pandas reads them and as search loops ask them."""

from __future__ import annotations

import json
import os
import pathlib
from typing import TYPE_CHECKING, Any, Mapping, Sequence, Union

from hacscale import _core
from hacscale.networks import Network

if TYPE_CHECKING:
    import numpy as np
    import optuna
    import pandas as pd
    import polars as pl


class Table:
    """A file of measured layers. `profile` returns it; one that is there is opened by its path."""

    def __init__(self, file: str | os.PathLike):
        """Raises BadInput where the file is no table."""
        self.file = pathlib.Path(file)
        self._native = _core.open_table(self.file)

    @property
    def device(self) -> dict[str, Any]:
        """Where it was measured: id, name, fingerprint, and properties as the backend tells them."""
        device = dict(self._native.device())
        device["properties"] = json.loads(device["properties"] or "{}")
        return device

    def __len__(self) -> int:
        """Rows."""
        return len(self._native)

    def to_dict(self) -> list[dict[str, Any]]:
        """All rows, with what follows from them; docs/formats.md, "Exported columns", says what each column is."""
        return json.loads(self._native.rows_json())

    def to_frame(self) -> Union[pd.DataFrame, pl.DataFrame]:
        """The rows as a pandas data frame, or as one of polars where there is no pandas.

        Libraries that read Arrow need neither: `pyarrow.table(table)`, `polars.DataFrame(table)`, `duckdb.from_arrow(table)`.
        """
        try:
            import pandas as pd
        except ImportError:
            import polars as pl

            return pl.DataFrame(self)
        return pd.DataFrame(self.to_dict())

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The rows as Arrow's PyCapsule interface hands them over; another schema is the reader's to make."""
        return self._native.arrow_stream()

    def latency(self, network: Network, batch: int = 1, dtype: str = "f32") -> float:
        """Microseconds of one inference of the network: the sum of its layers, measured or interpolated.

        Raises BadInput where the table lacks a layer.
        """
        estimate = self._native.latency(network._native, batch, dtype, "network")
        if estimate["missing_layers"]:
            raise _core.BadInput(
                f"{self.file} lacks {estimate['missing_layers']} layers of {network.name}, the first: {estimate['first_missing']}; "
                "measure them with hacscale.profile(network, table=...)"
            )
        return estimate["latency_us"]

    def candidates(
        self,
        network: Network,
        min_ratio: float = 0.5,
        max_ratio: float = 1.0,
        grid: int = 8,
        batch: int = 1,
        dtype: str = "f32",
        change_depth: bool = False,
    ) -> Candidates:
        """The networks that differ from this one in widths, and with change_depth in numbers of blocks, for a search: ratios are of
        its own."""
        return Candidates(self, network, min_ratio, max_ratio, grid, batch, dtype, change_depth)

    def __repr__(self) -> str:
        return f"<hacscale.Table {self.file}: {len(self):,} rows of {self._native.device()['name']}>"


class Candidates:
    """A space of networks around one, whose latencies a table tells by the million.

    A candidate is one row of whole numbers, one for each of `names`: the widths of the channel groups, by the first layer of each, and
    where depths change the numbers of blocks, as "layer1.1.conv1 blocks". The width of a block that a candidate lacks plays no part.
    """

    def __init__(
        self,
        table: Table,
        network: Network,
        min_ratio: float,
        max_ratio: float,
        grid: int,
        batch: int,
        dtype: str,
        change_depth: bool = False,
    ):
        self._native = _core.Candidates(
            table._native, network._native, batch, dtype, "network", min_ratio, max_ratio, grid, change_depth, network._equal_slices
        )
        dimensions = self._native.dimensions()
        self.names: list[str] = [name for name, _, _ in dimensions]
        self.base: list[int] = [base for _, base, _ in dimensions]
        self.values: list[list[int]] = [list(values) for _, _, values in dimensions]  # that each may have, ascending

    def sample(self, count: int, seed: int = 0) -> np.ndarray:
        """Candidates drawn at random, count x dimensions."""
        import numpy as np

        random = np.random.default_rng(seed)
        drawn = [np.asarray(values, dtype=np.int32)[random.integers(len(values), size=count)] for values in self.values]
        return np.stack(drawn, axis=1)

    def suggest(self, trial: optuna.Trial) -> dict[str, int]:
        """One candidate as a trial of Optuna draws it: each number by its name.

        Where the values of one are equally far apart they are numbers to the sampler, so that it learns what wider brings.
        """
        candidate = {}
        for name, values in zip(self.names, self.values):
            steps = {after - before for before, after in zip(values, values[1:])}
            if len(steps) == 1:
                candidate[name] = trial.suggest_int(name, values[0], values[-1], step=steps.pop())
            else:
                candidate[name] = trial.suggest_categorical(name, values)
        return candidate

    def search_space(self) -> dict[str, dict[str, Any]]:
        """The values as NNI's search spaces have them: {name: {"_type": "choice", "_value": values}}."""
        return {name: {"_type": "choice", "_value": list(values)} for name, values in zip(self.names, self.values)}

    def array(self, candidates: Sequence[Mapping[str, int]]) -> np.ndarray:
        """Candidates from their names and values; what a candidate does not name is the base's."""
        import numpy as np

        place = {name: index for index, name in enumerate(self.names)}
        rows = np.tile(np.asarray(self.base, dtype=np.int32), (len(candidates), 1))
        for row, candidate in zip(rows, candidates):
            for name, value in candidate.items():
                if name not in place:
                    raise _core.BadInput(f"there is no {name!r} to choose; there are {', '.join(self.names[:8])}, ...")
                row[place[name]] = value
        return rows

    def latency(self, candidates: np.ndarray | Sequence[Mapping[str, int]]) -> np.ndarray:
        """Microseconds of each candidate; NaN where the table lacks a layer of it, or it is no network."""
        return self.latency_and_interpolated(candidates)[0]

    def latency_and_interpolated(
        self, candidates: np.ndarray | Sequence[Mapping[str, int]]
    ) -> tuple[np.ndarray, np.ndarray]:
        """Microseconds of each candidate, and how many of its layers were not measured but interpolated."""
        import numpy as np

        rows = candidates if isinstance(candidates, np.ndarray) else self.array(candidates)
        return self._native.latency(np.ascontiguousarray(rows, dtype=np.int32))
