// Whole networks: measured over predicted, both logarithmic, with bands of 3 % and 8 % around the diagonal.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view prediction_template = R"json({
  "autosize": "none",
  "height": 340,
  "padding": {"left": 60, "top": 10, "right": 16, "bottom": 46},
  "signals": [{"name": "span", "value": [1, 10]}],
  "data": [{"name": "bands"}, {"name": "networks"}],
  "scales": [
    {"name": "x", "type": "log", "domain": {"signal": "span"}, "range": "width"},
    {"name": "y", "type": "log", "domain": {"signal": "span"}, "range": "height"},
    {"name": "colour", "type": "ordinal", "domain": ["network", "warm", "cold"],
     "range": ["var(--hacscale)", "var(--second)", "var(--baseline)"]},
    {"name": "shape", "type": "ordinal", "domain": ["network", "warm", "cold"],
     "range": ["circle", "triangle-up", "square"]}
  ],
  "axes": [
    {"orient": "bottom", "scale": "x", "grid": true, "format": "~r", "labelOverlap": true,
     "tickCount": {"signal": "max(3, floor(width / 80))"}, "title": "Predicted latency, ms"},
    {"orient": "left", "scale": "y", "grid": true, "format": "~r", "labelOverlap": true, "tickCount": 6,
     "title": "Measured latency, ms"}
  ],
  "marks": [
    {"type": "area", "from": {"data": "bands"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "at"}, "y": {"scale": "y", "field": "low8"}, "y2": {"scale": "y", "field": "high8"},
      "fill": {"value": "var(--band)"}, "fillOpacity": {"value": 0.55}}}},
    {"type": "area", "from": {"data": "bands"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "at"}, "y": {"scale": "y", "field": "low3"}, "y2": {"scale": "y", "field": "high3"},
      "fill": {"value": "var(--band-inner)"}}}},
    {"type": "line", "from": {"data": "bands"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "at"}, "y": {"scale": "y", "field": "at"}, "stroke": {"value": "var(--base)"},
      "strokeWidth": {"value": 1}}}},
    {"type": "symbol", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"scale": "x", "field": "predicted"}, "y": {"scale": "y", "field": "measured"}, "size": {"value": 64},
      "shape": {"scale": "shape", "field": "cache"}, "fill": {"scale": "colour", "field": "cache"},
      "fillOpacity": {"value": 0.75}, "stroke": {"value": "var(--page)"}, "tooltip": {"field": "tip"}}}}
  ]
})json";

Json band_at(double at) {
    return {{"at", at}, {"low3", at / 1.03}, {"high3", at / 0.97}, {"low8", at / 1.08}, {"high8", at / 0.92}};
}

}  // namespace

Chart prediction_chart(const std::vector<records::VerifiedModel>& all) {
    double low = all.front().record.measured_us;
    double high = low;
    Json networks = Json::array();
    for (const records::VerifiedModel& network : all) {
        low = std::min({low, network.record.measured_us, network.record.predicted_us});
        high = std::max({high, network.record.measured_us, network.record.predicted_us});
        networks.push_back(
            {{"predicted", network.record.predicted_us / 1000.0},
             {"measured", network.record.measured_us / 1000.0},
             {"cache", name_of(network.record.cache)},
             {"tip", tip({network.record.model, "predicted " + latency(network.record.predicted_us),
                          "measured " + latency(network.record.measured_us, interval_of(network)),
                          "error " + signed_percent(records::error_share(network.record))})}});
    }
    const double left = low / 1000.0 / 1.25;
    const double right = high / 1000.0 * 1.25;
    Json spec = Json::parse(prediction_template);
    set_signal(spec, "span", {left, right});
    set_data(spec, "bands", Json::array({band_at(left), band_at(right)}));
    set_data(spec, "networks", std::move(networks));

    Chart chart;
    chart.title = "Measured over predicted";
    chart.summary = fmt::format(
        "{} networks from {} to {}. On the diagonal the sum of the layers in the table is the latency of the "
        "whole network; "
        "the bands are errors of 3 % and 8 %.",
        all.size(), latency(low), latency(high));
    chart.legend = {{"dot hacscale", "network state"},
                    {"triangle second", "warm"},
                    {"square baseline", "cold"},
                    {"area band-inner", "±3 %"},
                    {"area band", "±8 %"}};
    std::erase_if(chart.legend, [&](const LegendEntry& entry) {
        const auto has = [&](CacheState cache) {
            return std::any_of(all.begin(), all.end(), [&](const records::VerifiedModel& network) {
                return network.record.cache == cache;
            });
        };
        return (entry.text == "warm" && !has(CacheState::warm)) ||
               (entry.text == "cold" && !has(CacheState::cold)) ||
               (entry.text == "network state" && !has(CacheState::network));
    });
    chart.size = ChartSize::half;
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
