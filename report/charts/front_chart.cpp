#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// So many points are a line already; both ends and an even selection between them stay.
constexpr std::size_t drawn_points = 160;

constexpr std::string_view front_template = R"json({
  "autosize": "none",
  "height": 330,
  "padding": {"left": 54, "top": 20, "right": 16, "bottom": 46},
  "signals": [{"name": "budget", "value": 1},
              {"name": "budget_seen", "update": "scale('x', budget) >= 0 && scale('x', budget) <= width"}, {"name": "low", "value": 1}, {"name": "high", "value": 1},
              {"name": "x_zoom", "value": null}, {"name": "y_zoom", "value": null}],
  "data": [{"name": "front"}, {"name": "strategies"}],
  "scales": [
    {"name": "x", "domain": {"signal": "[low, high]"}, "domainRaw": {"signal": "x_zoom"}, "zero": false, "range": "width"},
    {"name": "y", "domain": {"fields": [{"data": "front", "field": "gain"}, {"data": "strategies", "field": "gain"}]},
     "domainRaw": {"signal": "y_zoom"}, "zero": false, "nice": true, "range": "height"},
    {"name": "colour", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["var(--base)", "var(--hacscale)", "var(--baseline)", "var(--excluded)"]},
    {"name": "shape", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["square", "circle", "circle", "cross"]}
  ],
  "axes": [
    {"orient": "bottom", "scale": "x", "grid": true, "tickCount": {"signal": "max(3, floor(width / 90))"},
     "format": ".3~f", "title": "Latency, × base"},
    {"orient": "left", "scale": "y", "grid": true, "tickCount": 6, "title": "Gain"}
  ],
  "marks": [
    {"type": "rule", "encode": {"update": {
      "x": {"scale": "x", "signal": "budget"}, "y": {"value": 0}, "y2": {"signal": "height"},
      "opacity": {"signal": "budget_seen ? 1 : 0"},
      "stroke": {"value": "var(--limit)"}, "strokeWidth": {"value": 1.5}, "strokeDash": {"value": [5, 3]}}}},
    {"type": "text", "encode": {"update": {
      "x": {"scale": "x", "signal": "budget"}, "y": {"value": -6}, "opacity": {"signal": "budget_seen ? 1 : 0"}, "text": {"value": "budget"},
      "align": {"signal": "scale('x', budget) > width - 30 ? 'right' : 'center'"}, "fill": {"value": "var(--limit)"}}}},
    {"type": "line", "name": "front_line", "from": {"data": "front"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "gain"}, "interpolate": {"value": "step-after"},
      "stroke": {"value": "var(--hacscale)"}, "strokeWidth": {"value": 1.75}, "strokeOpacity": {"value": 0.6}}}},
    {"type": "symbol", "name": "front_points", "from": {"data": "front"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "gain"}, "size": {"value": 14},
      "fill": {"value": "var(--hacscale)"}, "fillOpacity": {"value": 0.6}, "tooltip": {"field": "tip"}}}},
    {"type": "symbol", "name": "strategy_points", "clip": {"signal": "x_zoom !== null || y_zoom !== null"}, "from": {"data": "strategies"}, "encode": {"update": {
      "x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "gain"},
      "shape": {"scale": "shape", "field": "kind"},
      "size": {"signal": "datum.kind === 'hacscale' ? 150 : 84"},
      "fill": [{"test": "datum.measured", "scale": "colour", "field": "kind"}, {"value": "var(--page)"}],
      "stroke": {"scale": "colour", "field": "kind"}, "strokeWidth": {"value": 1.75},
      "tooltip": {"field": "tip"}}}},
    {"type": "text", "clip": {"signal": "x_zoom !== null || y_zoom !== null"}, "from": {"data": "strategy_points"}, "encode": {"update": {
      "text": {"field": "datum.strategy"}, "tooltip": {"field": "datum.tip"},
      "fill": {"value": "var(--ink)"}, "stroke": {"value": "var(--page)"}, "strokeWidth": {"value": 3},
      "fontWeight": {"signal": "datum.datum.kind === 'hacscale' ? 'bold' : 'normal'"}}},
     "transform": [{"type": "label", "size": {"signal": "[width, height]"}, "padding": 0,
                    "anchor": ["right", "left", "top", "bottom", "top-right", "bottom-right", "top-left", "bottom-left"],
                    "offset": [7], "avoidMarks": ["front_line"], "sort": {"field": "datum.datum.rank", "order": "ascending"}}]}
  ]
})json";

struct Relative {
    double value;
    bool measured;
};

// Measured points over the measured base, predicted ones over the predicted base: like over like.
std::optional<Relative> relative_latency(const records::ComparisonRecord& comparison,
                                         const records::StrategyRow& row) {
    if (&row == &comparison.base) return Relative{1.0, row.measured_us.has_value()};
    if (row.latency_ratio) return Relative{*row.latency_ratio, true};
    if (row.predicted_us && comparison.base.predicted_us) {
        return Relative{*row.predicted_us / *comparison.base.predicted_us, false};
    }
    return std::nullopt;
}

Json strategy_point(const records::ComparisonRecord& comparison, const DistinctNetwork& network,
                    const Relative& at) {
    const records::StrategyRow& row = network.row();
    const std::string kind = kind_of(comparison, row);
    const double gain = row.gain.value_or(0.0);
    const int rank = kind == "hacscale" ? 0 : kind == "base" ? 1 : 2;
    return {
        {"x", at.value},
        {"gain", gain},
        {"strategy", label_of(comparison, network)},
        {"kind", kind},
        {"measured", at.measured},
        {"rank", rank},
        {"tip", tip({all_names(comparison, network),
                     fmt::format("latency {} ({})", ratio(at.value), at.measured ? "measured" : "predicted"),
                     "gain " + significant(gain), fmt::format("status: {}", name_of(row.status))})}};
}

}  // namespace

Chart front_chart(const records::ComparisonRecord& comparison) {
    const double base_us = comparison.base.predicted_us.value_or(
        comparison.base.latency_us().value_or(comparison.front.front().latency_us));
    double low = std::min(1.0, comparison.budget);
    double high = std::max(1.0, comparison.budget);
    const auto widen = [&](double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    };
    Json front = Json::array();
    const std::size_t count = comparison.front.size();
    const std::size_t drawn = std::min(count, drawn_points);
    for (std::size_t i = 0; i < drawn; ++i) {
        const records::FrontPoint& point =
            comparison.front[drawn == count ? i : i * (count - 1) / (drawn - 1)];
        widen(point.latency_us / base_us);
        front.push_back(
            {{"x", point.latency_us / base_us},
             {"gain", point.gain},
             {"tip", tip({fmt::format("{} predicted ({})", latency(point.latency_us),
                                      ratio(point.latency_us / base_us)),
                          "gain " + significant(point.gain), "widths " + join(point.choice.widths, " / "),
                          "depths " + join(point.choice.depths, " / ")})}});
    }
    Json strategies = Json::array();
    for (const DistinctNetwork& network : distinct_networks(comparison)) {
        const records::StrategyRow& row = network.row();
        const auto at = relative_latency(comparison, row);
        if (!at || (!row.gain && &row != &comparison.base)) continue;
        widen(at->value);
        strategies.push_back(strategy_point(comparison, network, *at));
    }
    const double margin = std::max((high - low) * 0.04, 0.005);
    Json spec = Json::parse(front_template);
    set_signal(spec, "budget", comparison.budget);
    set_signal(spec, "low", low - margin);
    set_signal(spec, "high", high + margin);
    set_data(spec, "front", std::move(front));
    set_data(spec, "strategies", std::move(strategies));

    Chart chart;
    chart.title = "The best gain at each latency";
    chart.summary = fmt::format(
        "The front has {} networks from {} to {} (predicted). A strategy below the line leaves gain on the "
        "table. Filled "
        "points are measured on the device, hollow ones predicted.",
        whole(static_cast<double>(count)), ratio(comparison.front.front().latency_us / base_us),
        ratio(comparison.front.back().latency_us / base_us));
    chart.legend = legend_of_kinds(comparison);
    chart.legend.insert(chart.legend.begin(), {"line hacscale", "Pareto front"});
    chart.legend.push_back({"dash limit", "latency budget"});
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
