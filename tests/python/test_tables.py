import sys

import hacscale as hs
import numpy as np
import pytest


def test_rows_are_those_of_the_export(table):
    pandas = pytest.importorskip("pandas")
    frame = table.to_frame()
    assert isinstance(frame, pandas.DataFrame)
    assert len(frame) == len(table) > 0
    assert {"layer", "latency_us", "ci95_us", "status"} <= set(frame.columns)
    assert table.device["name"] == "A made-up device"


def test_arrow_readers_see_the_same_rows(table):
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(table)
    assert frame.height == len(table)
    for read, written in zip(frame.to_dicts(), table.to_dict()):
        plain = {name: value for name, value in written.items() if not isinstance(value, (dict, list))}
        assert {name: read[name] for name in plain} == plain
    table.__arrow_c_stream__()  # a capsule that nobody reads is released


def test_without_pandas_a_frame_is_of_polars(table, monkeypatch):
    polars = pytest.importorskip("polars")
    monkeypatch.setitem(sys.modules, "pandas", None)
    assert isinstance(table.to_frame(), polars.DataFrame)


def test_a_file_that_is_no_table_is_refused(tmp_path):
    with pytest.raises(hs.BadInput, match="gone.db"):
        hs.Table(tmp_path / "gone.db")


def test_profiling_again_measures_nothing(net, table):
    rows = len(table)
    assert len(hs.profile(net, table.file, seconds=0.05, progress=False)) == rows


def test_candidates_equal_the_networks_that_they_stand_for(net, table):
    space = table.candidates(net, 0.5, 2.0)
    drawn = space.sample(200, seed=3)
    assert drawn.shape == (200, len(space.names))
    latency, interpolated = space.latency_and_interpolated(drawn)
    assert np.isfinite(latency).mean() > 0.9  # the table lacks layers at some corners
    assert (latency[np.isfinite(latency)] > 0).all()
    assert (interpolated >= 0).all() and (interpolated <= len(net.layers)).all()
    (base,) = space.latency([{}])
    assert base == pytest.approx(table.latency(net), rel=1e-6)  # rounded to picoseconds a layer
    wider = space.latency([{"block.conv1": 128}])[0]
    assert wider > base


def test_optuna_draws_candidates_of_the_space(net, table):
    optuna = pytest.importorskip("optuna")
    space = table.candidates(net, 0.5, 2.0)
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0))
    for _ in range(20):
        candidate = space.suggest(study.ask())
        assert list(candidate) == space.names
        assert all(candidate[name] in values for name, values in zip(space.names, space.values))
        assert space.latency([candidate]).shape == (1,)
    spaces = space.search_space()
    assert [spaces[name]["_value"] for name in space.names] == space.values


def test_widths_that_are_unevenly_apart_are_choices(net, table):
    class Trial:
        def suggest_int(self, name, low, high, step):
            raise AssertionError(f"{name} is not evenly spaced")

        def suggest_categorical(self, name, values):
            return values[-1]

    space = table.candidates(net)
    space.values = [[8, 16, 40] for _ in space.names]
    assert set(space.suggest(Trial()).values()) == {40}


def test_a_plan_is_as_fast_as_its_candidate(net, table):
    plan = hs.scale(net, table, 0.7)
    space = table.candidates(net, 0.1, 2.0)
    (latency,) = space.latency([{name: new for name, (_, new) in plan.widths.items()}])
    assert latency == pytest.approx(plan.latency_us, rel=1e-6)


@pytest.mark.parametrize("change_depth", [False, True])
def test_candidates_have_the_bases_depths_or_their_own(deep_net, deep_table, change_depth):
    space = deep_table.candidates(deep_net, 0.5, 2.0, change_depth=change_depth)
    depths = [name for name in space.names if name.endswith(" blocks")]
    assert len(depths) == (2 if change_depth else 0)
    (base,) = space.latency([{}])
    assert base == pytest.approx(deep_table.latency(deep_net), rel=1e-6)
    for name in depths:
        fewer, more = space.latency([{name: 2}, {name: 5}])
        assert fewer < base < more


def test_a_plan_of_other_depths_is_as_fast_as_its_candidate(deep_net, deep_table):
    plan = hs.scale(deep_net, deep_table, 0.6, change_depth=True)
    space = deep_table.candidates(deep_net, 0.1, 2.0, change_depth=True)
    widths = {name: new for name, (_, new) in plan.widths.items()}
    depths = {f"{name} blocks": new for name, (_, new) in plan.depths.items()}
    assert depths
    (latency,) = space.latency([{**widths, **depths}])
    assert latency == pytest.approx(plan.latency_us, rel=1e-6)


def test_values_outside_of_the_space_are_named(net, table):
    space = table.candidates(net)
    with pytest.raises(hs.BadInput, match="block.conv1"):
        space.latency([{"block.conv1": 63}])
    with pytest.raises(hs.BadInput, match="nothing"):
        space.latency([{"nothing": 8}])
    with pytest.raises(hs.BadInput, match="one for each dimension"):
        space.latency(np.zeros((2, 1), dtype=np.int32))


def test_a_table_that_lacks_layers_says_what_to_do(table):
    with pytest.raises(hs.BadInput, match="profile"):
        table.latency(hs.zoo("resnet18"))
