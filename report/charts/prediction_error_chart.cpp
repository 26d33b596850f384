// The error of each network's prediction, one row a network, all cache states on its row, with the interval
// of the measurement as a line.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view prediction_error_template = R"json({
  "autosize": "none",
  "padding": {"left": 4, "top": 8, "right": 14, "bottom": 46},
  "signals": [
    {"name": "rows", "value": 0}, {"name": "reach", "value": 0.1}, {"name": "name_room", "value": 210},
    {"name": "wide", "update": "width >= 460"},
    {"name": "label_width", "update": "wide ? min(name_room, 0.32 * width) : 0"},
    {"name": "row_height", "update": "wide ? 22 : 36"},
    {"name": "place", "update": "wide ? 0.5 : 0.72"},
    {"name": "height", "update": "rows * row_height"}
  ],
  "data": [{"name": "networks"}, {"name": "errors"}],
  "scales": [
    {"name": "x", "domain": {"signal": "[-reach, reach]"}, "range": {"signal": "[label_width, width]"}},
    {"name": "colour", "type": "ordinal", "domain": ["network", "warm", "cold"],
     "range": ["var(--hacscale)", "var(--second)", "var(--baseline)"]},
    {"name": "shape", "type": "ordinal", "domain": ["network", "warm", "cold"],
     "range": ["circle", "triangle-up", "square"]}
  ],
  "axes": [{"orient": "bottom", "scale": "x", "grid": true, "labelOverlap": true,
            "encode": {"labels": {"update": {"text": {"signal": "datum.value === 0 ? '0' : format(datum.value, '+~%')"}}}},
            "tickCount": {"signal": "max(3, floor((width - label_width) / 70))"},
            "title": "Error: predicted / measured − 1"}],
  "marks": [
    {"type": "rect", "encode": {"update": {
      "x": {"scale": "x", "value": -0.08}, "x2": {"scale": "x", "value": 0.08}, "y": {"value": 0},
      "y2": {"signal": "height"}, "fill": {"value": "var(--band)"}, "fillOpacity": {"value": 0.55}}}},
    {"type": "rect", "encode": {"update": {
      "x": {"scale": "x", "value": -0.03}, "x2": {"scale": "x", "value": 0.03}, "y": {"value": 0},
      "y2": {"signal": "height"}, "fill": {"value": "var(--band-inner)"}}}},
    {"type": "rule", "encode": {"update": {
      "x": {"scale": "x", "value": 0}, "y": {"value": 0}, "y2": {"signal": "height"}, "stroke": {"value": "var(--base)"}}}},
    {"type": "text", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"signal": "wide ? label_width - 12 : 0"},
      "y": {"signal": "wide ? (datum.row + 0.5) * row_height : datum.row * row_height + 9"},
      "align": {"signal": "wide ? 'right' : 'left'"}, "baseline": {"value": "middle"},
      "limit": {"signal": "wide ? label_width - 16 : width"}, "text": {"field": "name"},
      "fill": {"value": "var(--ink)"}, "stroke": {"value": "var(--page)"},
      "strokeWidth": {"signal": "wide ? 0 : 3"}, "strokeOpacity": {"value": 0.8}}}},
    {"type": "rule", "from": {"data": "errors"}, "encode": {"update": {
      "x": {"scale": "x", "field": "low"}, "x2": {"scale": "x", "field": "high"},
      "y": {"signal": "(datum.row + place) * row_height"},
      "stroke": {"scale": "colour", "field": "cache"}, "strokeWidth": {"value": 1.5}}}},
    {"type": "symbol", "from": {"data": "errors"}, "encode": {"update": {
      "x": {"scale": "x", "field": "error"}, "y": {"signal": "(datum.row + place) * row_height"}, "size": {"value": 56},
      "shape": {"scale": "shape", "field": "cache"}, "fill": {"scale": "colour", "field": "cache"},
      "stroke": {"value": "var(--page)"}, "strokeWidth": {"value": 0.75}, "tooltip": {"field": "tip"}}}}
  ]
})json";

constexpr std::size_t max_beside = 24;  // the other chart of predictions

std::string row_name(const records::VerifiedModel& network) {
    return network.record.batch == 1
               ? network.record.model
               : fmt::format("{}, batch {}", network.record.model, network.record.batch);
}

}  // namespace

Chart prediction_error_chart(const std::vector<records::VerifiedModel>& all) {
    std::vector<std::string> names;
    Json errors = Json::array();
    double reach = 0.1;
    double worst = 0.0;
    for (const records::VerifiedModel& network : all) {
        const std::string name = row_name(network);
        auto found = std::find(names.begin(), names.end(), name);
        if (found == names.end()) found = names.insert(names.end(), name);
        const double spread = interval_of(network).value_or(0.0) / network.record.measured_us;
        const double low = network.record.predicted_us / (network.record.measured_us * (1.0 + spread)) - 1.0;
        const double high =
            network.record.predicted_us / (network.record.measured_us * std::max(1.0 - spread, 0.05)) - 1.0;
        reach = std::max({reach, std::abs(low) * 1.08, std::abs(high) * 1.08,
                          std::abs(records::error_share(network.record)) * 1.08});
        worst = std::max(worst, std::abs(records::error_share(network.record)));
        errors.push_back(
            {{"row", found - names.begin()},
             {"error", records::error_share(network.record)},
             {"low", low},
             {"high", high},
             {"cache", name_of(network.record.cache)},
             {"tip", tip({name, "error " + signed_percent(records::error_share(network.record)),
                          fmt::format("cache state: {}", name_of(network.record.cache)),
                          "measured " + latency(network.record.measured_us, interval_of(network))})}});
    }
    Json rows = Json::array();
    for (std::size_t i = 0; i < names.size(); ++i) rows.push_back({{"row", i}, {"name", names[i]}});
    Json spec = Json::parse(prediction_error_template);
    set_signal(spec, "rows", names.size());
    set_signal(spec, "reach", reach);
    set_signal(spec, "name_room", room_for(names, 120.0));
    set_data(spec, "networks", std::move(rows));
    set_data(spec, "errors", std::move(errors));

    Chart chart;
    chart.title = "The error of each network";
    chart.summary = fmt::format(
        "Right of zero the table predicts too much, left too little; the worst is {} off. Lines are the "
        "measurement’s 95 % "
        "interval, the bands are 3 % and 8 %.",
        percent(worst));
    // Of many networks most are strategies', with long names, which half a row would cut off.
    chart.size = names.size() > max_beside ? ChartSize::full : ChartSize::half;
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
