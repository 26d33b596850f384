// Four panels that share their rows: latency, utilization, MACs and parameters, each relative to the base.
// Side by side where there is room, one below the other with a label above each row where there is not.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view strategies_template = R"json({
  "autosize": "none",
  "padding": {"left": 4, "top": 34, "right": 10, "bottom": 30},
  "signals": [
    {"name": "rows", "value": 0},
    {"name": "budget", "value": 1},
    {"name": "wide", "update": "width >= 640"},
    {"name": "label_width", "update": "wide ? 178 : 0"},
    {"name": "gap", "value": 26},
    {"name": "row_height", "update": "wide ? 25 : 36"},
    {"name": "panel_width", "update": "wide ? (width - label_width - 3 * gap) / 4 : width"},
    {"name": "panel_height", "update": "rows * row_height"},
    {"name": "panel_step", "update": "panel_height + 68"},
    {"name": "height", "update": "wide ? panel_height : 4 * panel_step - 68"}
  ],
  "data": [{"name": "panels"}, {"name": "values"}, {"name": "missing"}, {"name": "labels"}],
  "scales": [
    {"name": "colour", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["var(--base)", "var(--hacscale)", "var(--baseline)", "var(--excluded)"]},
    {"name": "shape", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["square", "circle", "circle", "cross"]}
  ],
  "marks": [
    {"type": "text", "from": {"data": "labels"}, "encode": {"update": {
      "x": {"signal": "label_width - 14"}, "y": {"signal": "(datum.row + 0.5) * row_height"},
      "align": {"value": "right"}, "baseline": {"value": "middle"}, "limit": {"signal": "label_width - 16"},
      "text": {"field": "strategy"}, "opacity": {"signal": "wide ? 1 : 0"},
      "fontWeight": {"signal": "datum.kind === 'hacscale' ? 'bold' : 'normal'"}}}},
    {"type": "group", "from": {"data": "panels"},
     "encode": {"update": {
       "x": {"signal": "wide ? label_width + datum.index * (panel_width + gap) : 0"},
       "y": {"signal": "wide ? 0 : datum.index * panel_step"},
       "width": {"signal": "panel_width"}, "height": {"signal": "panel_height"}}},
     "signals": [{"name": "width", "update": "panel_width"}, {"name": "height", "update": "panel_height"}],
     "data": [{"name": "here", "source": "values",
               "transform": [{"type": "filter", "expr": "datum.panel === parent.index"}]},
              {"name": "absent", "source": "missing",
               "transform": [{"type": "filter", "expr": "datum.panel === parent.index"}]}],
     "scales": [{"name": "x", "domain": {"signal": "[parent.low, parent.high]"}, "zero": false,
                 "range": {"signal": "[8, panel_width - 52]"}}],
     "axes": [{"orient": "bottom", "scale": "x", "grid": true, "domain": false, "ticks": false,
               "tickCount": {"signal": "max(2, floor(panel_width / 70))"}, "format": ".3~f", "zindex": 0}],
     "marks": [
       {"type": "text", "encode": {"update": {
         "x": {"value": 0}, "y": {"value": -14}, "text": {"signal": "parent.title"}, "fontWeight": {"value": "bold"},
         "baseline": {"value": "bottom"}, "limit": {"signal": "panel_width"}}}},
       {"type": "rule", "encode": {"update": {
         "x": {"scale": "x", "value": 1}, "y": {"value": -6}, "y2": {"signal": "panel_height"},
         "stroke": {"value": "var(--base)"}, "strokeWidth": {"value": 1}}}},
       {"type": "rule", "encode": {"update": {
         "x": {"scale": "x", "signal": "budget"}, "y": {"value": -6}, "y2": {"signal": "panel_height"},
         "opacity": {"signal": "parent.index === 0 ? 1 : 0"},
         "stroke": {"value": "var(--limit)"}, "strokeWidth": {"value": 1.5}, "strokeDash": {"value": [5, 3]}}}},
       {"type": "text", "from": {"data": "labels"}, "encode": {"update": {
         "x": {"value": 0}, "y": {"signal": "datum.row * row_height + 3"}, "baseline": {"value": "top"},
         "text": {"field": "strategy"}, "fontSize": {"value": 11.5},
         "fill": {"value": "var(--ink)"}, "stroke": {"value": "var(--page)"}, "strokeWidth": {"value": 4}, "opacity": {"signal": "wide ? 0 : 1"},
         "limit": {"signal": "panel_width - 56"},
         "fontWeight": {"signal": "datum.kind === 'hacscale' ? 'bold' : 'normal'"}}}},
       {"type": "text", "from": {"data": "absent"}, "encode": {"update": {
         "x": {"signal": "panel_width"}, "y": {"signal": "(datum.row + (wide ? 0.5 : 0.74)) * row_height"},
         "align": {"value": "right"}, "baseline": {"value": "middle"}, "text": {"value": "no figure"},
         "fill": {"value": "var(--ink-2)"}}}},
       {"type": "rule", "from": {"data": "here"}, "encode": {"update": {
         "x": {"scale": "x", "value": 1}, "x2": {"scale": "x", "field": "value"},
         "y": {"signal": "(datum.row + (wide ? 0.5 : 0.74)) * row_height"},
         "stroke": {"scale": "colour", "field": "kind"}, "strokeWidth": {"value": 2}, "strokeOpacity": {"value": 0.45}}}},
       {"type": "symbol", "from": {"data": "here"}, "encode": {"update": {
         "x": {"scale": "x", "field": "value"}, "y": {"signal": "(datum.row + (wide ? 0.5 : 0.74)) * row_height"},
         "shape": {"scale": "shape", "field": "kind"}, "size": {"value": 78},
         "fill": {"scale": "colour", "field": "kind"}, "tooltip": {"field": "tip"}}}},
       {"type": "text", "from": {"data": "here"}, "encode": {"update": {
         "x": {"signal": "panel_width"}, "y": {"signal": "(datum.row + (wide ? 0.5 : 0.74)) * row_height"},
         "align": {"value": "right"}, "baseline": {"value": "middle"}, "text": {"field": "text"},
         "fontWeight": {"signal": "datum.kind === 'hacscale' ? 'bold' : 'normal'"}}}}
     ]}
  ]
})json";

struct StrategyPanel {
    const char* title;
    std::optional<double> (*value)(const records::StrategyRow& base, const records::StrategyRow& row);
    bool as_change;  // "+0.6 %" rather than "×1.006"
};

std::optional<double> over_base(const std::optional<double>& value, const std::optional<double>& base) {
    if (!value || !base || *base <= 0.0) return std::nullopt;
    return *value / *base;
}

constexpr std::array<StrategyPanel, 4> strategy_panels{{
    {"Latency, × base",
     [](const records::StrategyRow& base, const records::StrategyRow& row) {
         return row.latency_ratio ? row.latency_ratio : over_base(row.latency_us(), base.latency_us());
     },
     true},
    {"Utilization, × base",
     [](const records::StrategyRow& base, const records::StrategyRow& row) {
         return row.utilization_ratio ? row.utilization_ratio : over_base(row.utilization, base.utilization);
     },
     false},
    {"MACs, × base",
     [](const records::StrategyRow& base, const records::StrategyRow& row) {
         return over_base(row.macs, base.macs);
     },
     false},
    {"Parameters, × base",
     [](const records::StrategyRow& base, const records::StrategyRow& row) {
         return over_base(row.params, base.params);
     },
     false},
}};

// The base first, then by utilization; what is not a candidate comes last.
std::vector<DistinctNetwork> drawn_networks(const records::ComparisonRecord& comparison) {
    std::vector<DistinctNetwork> networks = distinct_networks(comparison);
    std::stable_sort(networks.begin() + 1, networks.end(),
                     [&](const DistinctNetwork& a, const DistinctNetwork& b) {
                         if (a.row().ok() != b.row().ok()) return a.row().ok();
                         const auto utilization = [&](const records::StrategyRow& row) {
                             return strategy_panels[1].value(comparison.base, row).value_or(0);
                         };
                         return utilization(a.row()) > utilization(b.row());
                     });
    return networks;
}

}  // namespace

Chart strategies_chart(const records::ComparisonRecord& comparison) {
    const std::vector<DistinctNetwork> networks = drawn_networks(comparison);
    Json panel_values = Json::array();
    Json values = Json::array();
    Json labels = Json::array();
    Json missing = Json::array();
    for (std::size_t p = 0; p < strategy_panels.size(); ++p) {
        double low = 1.0;
        double high = p == 0 ? std::max(1.0, comparison.budget) : 1.0;
        for (std::size_t r = 0; r < networks.size(); ++r) {
            const records::StrategyRow& row = networks[r].row();
            const bool base = &row == &comparison.base;
            const std::optional<double> value =
                base ? std::optional<double>(1.0) : strategy_panels[p].value(comparison.base, row);
            if (!value) {
                missing.push_back({{"panel", p}, {"row", r}, {"strategy", row.strategy}});
                continue;
            }
            low = std::min(low, *value);
            high = std::max(high, *value);
            const bool unmeasured = p == 0 && !row.latency_ratio && !base;
            const std::string text =
                strategy_panels[p].as_change ? signed_percent(*value - 1.0) : ratio(*value);
            values.push_back({{"panel", p},
                              {"row", r},
                              {"strategy", row.strategy},
                              {"kind", kind_of(comparison, row)},
                              {"value", *value},
                              {"text", base ? "1" : text},
                              {"tip", tip({all_names(comparison, networks[r]),
                                           fmt::format("{}: {}", strategy_panels[p].title, ratio(*value)),
                                           unmeasured ? "predicted, not measured"
                                                      : fmt::format("status: {}", name_of(row.status))})}});
        }
        const double margin = std::max((high - low) * 0.06, 0.01);
        panel_values.push_back({{"index", p},
                                {"title", strategy_panels[p].title},
                                {"low", low - margin},
                                {"high", high + margin}});
    }
    for (std::size_t r = 0; r < networks.size(); ++r) {
        labels.push_back({{"row", r},
                          {"strategy", label_of(comparison, networks[r])},
                          {"kind", kind_of(comparison, networks[r].row())}});
    }
    Json spec = Json::parse(strategies_template);
    set_signal(spec, "rows", networks.size());
    set_signal(spec, "budget", comparison.budget);
    set_data(spec, "panels", std::move(panel_values));
    set_data(spec, "values", std::move(values));
    set_data(spec, "missing", std::move(missing));
    set_data(spec, "labels", std::move(labels));

    Chart chart;
    chart.title = "Networks relative to the base";
    chart.summary = fmt::format(
        "What {} strategies chose, {} different network{} besides the base, by utilization. Each line runs "
        "from "
        "the base (1). Latency is measured where it was, else predicted; the dashed line is the budget, {} "
        "of "
        "the base’s latency.",
        comparison.strategies.size(), networks.size() - 1, networks.size() == 2 ? "" : "s",
        short_percent(comparison.budget));
    chart.legend = legend_of_kinds(comparison);
    chart.legend.push_back({"dash limit", "latency budget"});
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
