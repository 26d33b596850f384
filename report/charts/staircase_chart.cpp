// One stage: latency above, utilization below, over the same widths. The span from the base width to the free
// width is shaded: more channels for the same time.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view staircase_template = R"json({
  "autosize": "none",
  "height": 250,
  "padding": {"left": 64, "top": 22, "right": 14, "bottom": 44},
  "signals": [
    {"name": "base_width", "value": 0}, {"name": "free_width", "value": 0}, {"name": "has_free", "value": false},
    {"name": "unit", "value": "ms"}, {"name": "x_zoom", "value": null},
    {"name": "split", "value": 148}, {"name": "lower", "value": 172},
    {"name": "base_x", "update": "scale('x', base_width)"}, {"name": "free_x", "update": "scale('x', free_width)"},
    {"name": "base_seen", "update": "base_x >= 0 && base_x <= width"}, {"name": "free_seen", "update": "free_x >= 0 && free_x <= width"}
  ],
  "data": [{"name": "points"}],
  "scales": [
    {"name": "x", "domain": {"data": "points", "field": "width"}, "domainRaw": {"signal": "x_zoom"}, "zero": false, "padding": 8,
     "range": "width"},
    {"name": "latency", "domain": {"data": "points", "field": "latency"}, "zero": true, "nice": true,
     "range": [{"signal": "split"}, 0]},
    {"name": "utilization", "domain": {"data": "points", "field": "utilization"}, "zero": true, "nice": true,
     "range": [{"signal": "height"}, {"signal": "lower"}]}
  ],
  "axes": [
    {"orient": "bottom", "scale": "x", "tickCount": {"signal": "max(3, floor(width / 60))"}, "format": "d",
     "title": "Width, channels"},
    {"orient": "left", "scale": "latency", "grid": true, "tickCount": 4, "title": {"signal": "'Latency, ' + unit"}},
    {"orient": "left", "scale": "utilization", "grid": true, "tickCount": 3, "format": "~%", "title": "Utilization"}
  ],
  "marks": [
    {"type": "rect", "clip": true, "encode": {"update": {
      "x": {"signal": "base_x"}, "x2": {"signal": "has_free ? free_x : base_x"},
      "y": {"value": 0}, "y2": {"signal": "height"}, "fill": {"value": "var(--free)"}, "fillOpacity": {"value": 0.13}}}},
    {"type": "rule", "encode": {"update": {
      "x": {"signal": "base_x"}, "y": {"value": -4}, "y2": {"signal": "height"}, "opacity": {"signal": "base_seen ? 1 : 0"},
      "stroke": {"value": "var(--base)"}, "strokeDash": {"value": [4, 3]}}}},
    {"type": "rule", "encode": {"update": {
      "x": {"signal": "free_x"}, "y": {"value": -4}, "y2": {"signal": "height"},
      "opacity": {"signal": "has_free && free_width !== base_width && free_seen ? 1 : 0"},
      "stroke": {"value": "var(--free)"}, "strokeWidth": {"value": 1.5}}}},
    {"type": "text", "encode": {"update": {
      "x": {"signal": "base_x"}, "y": {"value": -8}, "fontSize": {"value": 11.5}, "opacity": {"signal": "base_seen ? 1 : 0"},
      "align": {"signal": "base_x < 42 ? (free_x - base_x > 110 || !has_free || free_width === base_width ? 'left' : 'center') : 'right'"},
      "dx": {"signal": "base_x < 42 ? 0 : 3"},
      "text": {"signal": "has_free && free_width === base_width ? 'base ' + base_width + ', no free step' : 'base ' + base_width"}}}},
    {"type": "text", "encode": {"update": {
      "x": {"signal": "free_x"}, "y": {"value": -8}, "fontSize": {"value": 11.5}, "fontWeight": {"value": "bold"},
      "align": {"signal": "free_x > width - 50 ? 'right' : 'left'"}, "dx": {"signal": "free_x > width - 50 ? 3 : -3"},
      "opacity": {"signal": "has_free && free_width !== base_width && free_seen ? 1 : 0"},
      "fill": {"value": "var(--free)"}, "text": {"signal": "'free ' + free_width"}}}},
    {"type": "line", "clip": true, "from": {"data": "points"}, "encode": {"update": {
      "x": {"scale": "x", "field": "width"}, "y": {"scale": "latency", "field": "latency"},
      "stroke": {"value": "var(--hacscale)"}, "strokeWidth": {"value": 1.25}}}},
    {"type": "symbol", "clip": {"signal": "x_zoom !== null"}, "from": {"data": "points"}, "encode": {"update": {
      "x": {"scale": "x", "field": "width"}, "y": {"scale": "latency", "field": "latency"}, "size": {"value": 34},
      "fill": {"signal": "datum.measured ? 'var(--hacscale)' : 'var(--page)'"}, "stroke": {"value": "var(--hacscale)"},
      "strokeWidth": {"value": 1.25}, "tooltip": {"field": "tip"}}}},
    {"type": "line", "clip": true, "from": {"data": "points"}, "encode": {"update": {
      "x": {"scale": "x", "field": "width"}, "y": {"scale": "utilization", "field": "utilization"},
      "defined": {"signal": "datum.utilization !== null"},
      "stroke": {"value": "var(--second)"}, "strokeWidth": {"value": 1.25}}}},
    {"type": "symbol", "clip": {"signal": "x_zoom !== null"}, "from": {"data": "points"}, "encode": {"update": {
      "x": {"scale": "x", "field": "width"}, "y": {"scale": "utilization", "field": "utilization"},
      "size": {"value": 30}, "opacity": {"signal": "datum.utilization === null ? 0 : 1"},
      "fill": {"signal": "datum.measured ? 'var(--second)' : 'var(--page)'"}, "stroke": {"value": "var(--second)"},
      "strokeWidth": {"value": 1.25}, "tooltip": {"field": "tip"}}}}
  ]
})json";

}  // namespace

Chart staircase_chart(const records::StaircaseRow& staircase) {
    const std::vector<records::StaircaseStep> known = staircase.known_points();
    const auto slowest = std::max_element(
        known.begin(), known.end(), [](const records::StaircaseStep& a, const records::StaircaseStep& b) {
            return a.latency.latency_us < b.latency.latency_us;
        });
    const bool in_ms = slowest->latency.latency_us >= 1000.0;
    Json points = Json::array();
    for (const records::StaircaseStep& point : known) {
        std::vector<std::string> lines{fmt::format("{} channels", point.width),
                                       latency(point.latency.latency_us)};
        if (point.utilization) lines.push_back("utilization " + percent(*point.utilization));
        if (point.params) lines.push_back(scaled(static_cast<double>(*point.params)) + " parameters");
        lines.emplace_back(name_of(point.latency.kind));
        points.push_back({{"width", point.width},
                          {"latency", point.latency.latency_us / (in_ms ? 1000.0 : 1.0)},
                          {"utilization", point.utilization ? Json(*point.utilization) : Json()},
                          {"measured", point.latency.kind == EstimateKind::measured},
                          {"tip", tip(lines)}});
    }
    Json spec = Json::parse(staircase_template);
    set_signal(spec, "base_width", staircase.base_width);
    set_signal(spec, "free_width", staircase.free_width.value_or(staircase.base_width));
    set_signal(spec, "has_free", staircase.free_width.has_value());
    set_signal(spec, "unit", in_ms ? "ms" : "µs");
    set_data(spec, "points", std::move(points));

    Chart chart;
    chart.size = ChartSize::panel;
    chart.title = staircase.stage_name();
    const std::string free_step = !staircase.free_width ? "no free width is known"
                                  : *staircase.free_width > staircase.base_width
                                      ? fmt::format("up to {} at the same latency", *staircase.free_width)
                                      : std::string("no wider step is free");
    chart.summary = fmt::format("{} widths from {} to {}; the base has {}, {}.", known.size(),
                                known.front().width, known.back().width, staircase.base_width, free_step);
    chart.legend = {{"dot hacscale", "latency"},
                    {"dot second", "utilization"},
                    {"ring", "interpolated"},
                    {"area free", "free step"}};
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
