import hacscale as hs
import pytest


def test_advice_is_at_most_ten_lines(net, table):
    advice = hs.advise(net, table)
    assert 0 < len(advice.lines) <= 10
    assert str(advice) == "\n".join(advice.lines)
    assert advice.to_dict()["layers"]


def test_answers_are_shown_in_notebooks(net, table):
    advice = hs.advise(net, table)
    slowest = max(advice.to_dict()["nodes"], key=lambda node: node["latency_us"])
    assert slowest["name"] in advice._repr_html_() and len(advice.to_frame()) == len(net.layers)
    comparison = hs.compare(net, table, 0.7, strategies=["width-only", "hacscale"])
    page = comparison._repr_html_()
    assert "width-only" in page and "hacscale" in page
    plan = comparison.plans["hacscale"]
    for name, (before, now) in plan.widths.items():
        assert f"<td style='text-align:left'>{name}</td>" in plan._repr_html_()
    assert plan.macs == plan.network.macs


def test_what_a_network_is_called_is_no_markup(table, module, example):
    plan = hs.scale(hs.from_torch(module, example, name="a&b"), table, 0.7)
    assert "a&amp;b" in plan._repr_html_() and "a&b" not in plan._repr_html_()


def test_a_plan_of_a_network_without_weights_runs(tmp_path):
    net = hs.zoo("resnet20-cifar")
    table = hs.profile(net, tmp_path / "t.db", widths=(0.5, 1), seconds=0.05, progress=False)
    plan = hs.scale(net, table, 0.8)
    assert not net._native.has_weights and plan.network.macs == plan.macs
    assert len(hs.verify([net, plan], table, seconds=0.05, progress=False)) == 2


@pytest.mark.parametrize("budget", [0.6, 0.8, 1.2])
def test_a_plan_keeps_its_budget_and_changes_widths(net, table, budget):
    plan = hs.scale(net, table, budget)
    assert plan.latency_ratio <= budget * 1.0001
    assert plan.widths and not plan.depths
    assert plan.strategy == "hacscale" and plan.status == "unverified"
    shrinks = plan.network.macs < net.macs
    assert shrinks == (budget < 1)
    assert "Small" in plan.explain()


def test_budgets_in_time_and_bad_ones(net, table):
    base = table.latency(net)
    assert hs.scale(net, table, f"{0.8 * base:.3f}us").latency_us <= 0.8 * base * 1.0001
    for bad in ("8 bananas", 0.0, 0.001, 99):
        with pytest.raises(hs.BadInput):
            hs.scale(net, table, bad)


def test_frozen_layers_and_limits_hold(net, table):
    plan = hs.scale(net, table, 0.8, freeze=["right"], limits={"block.conv1": (56, 64)})
    assert "right" not in plan.widths
    assert plan.widths.get("block.conv1", (64, 64))[1] >= 56
    with pytest.raises(hs.BadInput, match="nothing"):
        hs.scale(net, table, 0.8, freeze=["nothing"])


def test_a_comparison_has_a_row_a_strategy_and_a_page(net, table, tmp_path):
    comparison = hs.compare(net, table, 0.7, strategies=["width-only", "l1-pruning", "hacscale"])
    assert list(comparison.plans) == ["width-only", "l1-pruning", "hacscale"]
    comparison.report(tmp_path / "page.html")
    assert "Small" in (tmp_path / "page.html").read_text()
    assert set(comparison.plans) <= set(hs.strategies())


def test_plans_are_verified_on_the_device(net, table):
    plan = hs.scale(net, table, 0.7, verify=True, seconds=0.05, progress=False)
    assert plan.status == "ok"
    assert plan.latency_ratio <= 0.71
    (base, scaled) = hs.verify([net, plan], table, seconds=0.05, progress=False)
    assert scaled["measured_us"] < base["measured_us"]


def test_a_device_that_is_not_here_is_named(net, tmp_path):
    with pytest.raises(hs.DeviceMissing, match="cuda:7"):
        hs.profile(net, tmp_path / "t.db", device="cuda:7", progress=False)
