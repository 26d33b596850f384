// One row a network, one dot a run at its latency over the first run's, with the interval as a line.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "report/charts/vega.hpp"
#include "report/side_by_side/side_by_side.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view networks_template = R"json({
  "autosize": "none",
  "padding": {"left": 8, "top": 8, "right": 24, "bottom": 46},
  "signals": [
    {"name": "rows", "value": 0}, {"name": "domain", "value": [0.5, 2]}, {"name": "x_zoom", "value": null},
    {"name": "wide", "update": "width >= 560"},
    {"name": "label_width", "update": "wide ? 190 : 0"},
    {"name": "row_height", "update": "wide ? 30 : 46"},
    {"name": "height", "update": "rows * row_height"}
  ],
  "data": [{"name": "networks"}, {"name": "runs"}],
  "scales": [
    {"name": "x", "type": "log", "domain": {"signal": "domain"}, "domainRaw": {"signal": "x_zoom"},
     "range": {"signal": "[label_width, width]"}},
    {"name": "colour", "type": "ordinal", "domain": [0, 1, 2, 3, 4, 5],
     "range": ["var(--base)", "var(--hacscale)", "var(--second)", "var(--free)", "var(--excluded)", "var(--baseline)"]},
    {"name": "shape", "type": "ordinal", "domain": [0, 1, 2, 3, 4, 5],
     "range": ["square", "circle", "triangle-up", "square", "cross", "circle"]}
  ],
  "axes": [{"orient": "bottom", "scale": "x", "grid": true, "tickCount": {"signal": "max(3, floor((width - label_width) / 80))"},
            "format": ".3~f", "labelOverlap": true, "title": "Latency, × A"}],
  "marks": [
    {"type": "rule", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"value": 0}, "x2": {"signal": "width"}, "y": {"signal": "(datum.row + 1) * row_height"},
      "stroke": {"value": "var(--rule)"}}}},
    {"type": "text", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"value": 0}, "y": {"signal": "datum.row * row_height + (wide ? row_height / 2 : 12)"},
      "baseline": {"value": "middle"}, "text": {"field": "name"}, "limit": {"signal": "wide ? label_width - 14 : width"}}}},
    {"type": "group", "clip": true,
     "encode": {"update": {"x": {"signal": "label_width"}, "width": {"signal": "width - label_width"}, "height": {"signal": "height"}}},
     "marks": [
       {"type": "rule", "encode": {"update": {
         "x": {"scale": "x", "value": 1, "offset": {"signal": "-label_width"}}, "y": {"value": 0}, "y2": {"signal": "height"},
         "stroke": {"value": "var(--ink-2)"}}}},
       {"type": "rule", "from": {"data": "runs"}, "encode": {"update": {
         "x": {"scale": "x", "field": "low", "offset": {"signal": "-label_width"}},
         "x2": {"scale": "x", "field": "high", "offset": {"signal": "-label_width"}},
         "y": {"signal": "(datum.row + (wide ? 0.5 : 0.68)) * row_height"},
         "stroke": {"scale": "colour", "field": "colour"}, "strokeWidth": {"value": 3}, "strokeOpacity": {"value": 0.5}}}},
       {"type": "symbol", "from": {"data": "runs"}, "encode": {"update": {
         "x": {"scale": "x", "field": "ratio", "offset": {"signal": "-label_width"}},
         "y": {"signal": "(datum.row + (wide ? 0.5 : 0.68)) * row_height"},
         "shape": {"scale": "shape", "field": "colour"}, "size": {"value": 84},
         "fill": [{"test": "datum.measured", "scale": "colour", "field": "colour"}, {"value": "var(--page)"}],
         "stroke": {"scale": "colour", "field": "colour"}, "strokeWidth": {"value": 1.5}, "tooltip": {"field": "tip"}}}}
     ]}
  ]
})json";

constexpr std::array<const char*, 6> swatches{"square base",   "dot hacscale",   "triangle second",
                                              "square gained", "cross excluded", "dot baseline"};

}  // namespace

Chart networks_chart(const Runs& runs) {
    Json networks = Json::array();
    Json dots = Json::array();
    double low = 1.0;
    double high = 1.0;
    for (const std::string& model : networks_of(runs)) {
        const std::optional<NetworkFigures> first = figures_of(runs.front(), model);
        if (!first) continue;
        const std::size_t row = networks.size();
        networks.push_back({{"row", row}, {"name", model}});
        for (std::size_t i = 0; i < runs.size(); ++i) {
            const std::optional<NetworkFigures> here = figures_of(runs[i], model);
            if (!here) continue;
            // The first run is the measure; its own uncertainty stands in the others' intervals.
            const LatencyRatio over = i == 0 ? LatencyRatio{} : ratio_of(*first, *here);
            low = std::min(low, over.ratio_low);
            high = std::max(high, over.ratio_high);
            dots.push_back({{"row", row},
                            {"colour", i % swatches.size()},
                            {"ratio", over.ratio},
                            {"low", over.ratio_low},
                            {"high", over.ratio_high},
                            {"measured", here->measured},
                            {"tip", tip({letter_of(i) + ", " + model,
                                         latency(here->latency_us, here->ci95_us) +
                                             (here->measured ? "" : " (predicted)"),
                                         i == 0 ? std::string("the measure of the others")
                                                : ratio_text(over, here->ci95_us && first->ci95_us)})}});
        }
    }
    Json spec = Json::parse(networks_template);
    set_signal(spec, "rows", networks.size());
    set_signal(spec, "domain", Json{low / 1.04, high * 1.04});
    Chart chart;
    chart.title = "Latency over the first run’s";
    chart.summary = fmt::format(
        "{} networks, one dot a run; left of the line at 1 a run is faster than A. Lines are 95 % intervals; "
        "hollow "
        "dots are predicted.",
        networks.size());
    set_data(spec, "networks", std::move(networks));
    set_data(spec, "runs", std::move(dots));
    const std::vector<std::string> names = names_of(runs);
    for (std::size_t i = 0; i < runs.size(); ++i) {
        chart.legend.push_back({swatches[i % swatches.size()], letter_of(i) + ": " + names[i]});
    }
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
