// Each layer at its arithmetic intensity (FLOPs a byte, each operand moved once) and achieved FLOP/s, under
// the ceilings min(peak, intensity x bandwidth) measured on the device (Williams, Waterman, Patterson 2009).
#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view roofline_template = R"json({
  "autosize": "none",
  "height": 360,
  "padding": {"left": 62, "top": 12, "right": 18, "bottom": 46},
  "signals": [{"name": "x_domain", "value": [1, 10]}, {"name": "y_domain", "value": [1, 10]},
              {"name": "x_zoom", "value": null}, {"name": "y_zoom", "value": null}, {"name": "peak", "value": 1}, {"name": "peak_text", "value": ""}],
  "data": [{"name": "roof"}, {"name": "layers"}],
  "scales": [
    {"name": "x", "type": "log", "domain": {"signal": "x_domain"}, "domainRaw": {"signal": "x_zoom"}, "range": "width"},
    {"name": "y", "type": "log", "domain": {"signal": "y_domain"}, "domainRaw": {"signal": "y_zoom"}, "range": "height"},
    {"name": "size", "type": "linear", "domain": [0, 1], "range": [24, 900], "zero": true},
    {"name": "colour", "type": "ordinal", "domain": ["base", "hacscale"], "range": ["var(--base)", "var(--hacscale)"]},
    {"name": "shape", "type": "ordinal", "domain": ["base", "hacscale"], "range": ["square", "circle"]}
  ],
  "axes": [
    {"orient": "bottom", "scale": "x", "grid": true, "tickCount": {"signal": "max(3, floor(width / 70))"},
     "format": ".3~f", "labelOverlap": true, "title": "Arithmetic intensity, FLOPs/byte"},
    {"orient": "left", "scale": "y", "grid": true, "tickCount": 6, "format": "~s", "labelOverlap": true,
     "title": "Achieved FLOP/s"}
  ],
  "marks": [
    {"type": "line", "clip": true, "from": {"data": "roof"}, "encode": {"update": {
      "x": {"scale": "x", "field": "x"}, "y": {"scale": "y", "field": "y"},
      "stroke": {"value": "var(--ink)"}, "strokeWidth": {"value": 2}}}},
    {"type": "text", "clip": {"signal": "x_zoom !== null || y_zoom !== null"}, "encode": {"update": {
      "x": {"signal": "width"}, "y": {"scale": "y", "signal": "peak", "offset": -7}, "align": {"value": "right"},
      "text": {"signal": "peak_text"}, "fontWeight": {"value": "bold"},
      "fill": {"value": "var(--ink)"}, "stroke": {"value": "var(--page)"}, "strokeWidth": {"value": 3}}}},
    {"type": "symbol", "clip": {"signal": "x_zoom !== null || y_zoom !== null"}, "from": {"data": "layers"}, "encode": {"update": {
      "x": {"scale": "x", "field": "intensity"}, "y": {"scale": "y", "field": "rate"},
      "size": {"scale": "size", "field": "share"}, "shape": {"scale": "shape", "field": "spec"},
      "fill": {"scale": "colour", "field": "spec"}, "fillOpacity": {"value": 0.35},
      "stroke": {"scale": "colour", "field": "spec"}, "strokeWidth": {"value": 1.25}, "tooltip": {"field": "tip"}}}}
  ]
})json";

struct Bounds {
    double low;
    double high;
    void include(double value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
};

}  // namespace

Chart roofline_chart(const records::ComparisonRecord& comparison) {
    const PeakRecord& peak = *comparison.peak;
    const double ridge = peak.flops_per_s / peak.bytes_per_s;
    Bounds x{ridge, ridge};
    Bounds y{peak.flops_per_s, peak.flops_per_s};
    double base_us = 0.0;
    double choice_us = 0.0;
    for (const records::LayerRow& layer : comparison.layers) {
        (layer.spec == "base" ? base_us : choice_us) += layer.latency_us().value_or(0.0);
    }
    Json layers = Json::array();
    int without_work = 0;
    for (const records::LayerRow& layer : comparison.layers) {
        if (!layer.latency_us()) continue;
        if (layer.macs <= 0) {
            ++without_work;
            continue;
        }
        const double flops = 2.0 * static_cast<double>(layer.macs);
        const double intensity = flops / static_cast<double>(layer.bytes);
        const double rate = flops / (*layer.latency_us() * 1e-6);
        const double share = *layer.latency_us() / (layer.spec == "base" ? base_us : choice_us);
        x.include(intensity);
        y.include(rate);
        std::vector<std::string> lines{fmt::format("{}: {}", layer.spec, layer.name),
                                       latency(*layer.latency_us()) + ", " + percent(share) + " of the time",
                                       scaled(rate, "FLOP/s"), significant(intensity) + " FLOPs/byte"};
        if (layer.roofline_efficiency) lines.push_back(percent(*layer.roofline_efficiency) + " of the roof");
        layers.push_back({{"spec", layer.spec},
                          {"intensity", intensity},
                          {"rate", rate},
                          {"share", share},
                          {"tip", tip(lines)}});
    }
    // Half a binary order of room around; the slope of the roof starts at the left edge.
    const double left = x.low / 1.5;
    const double right = x.high * 1.5;
    const double top = y.high * 1.8;
    const double bottom = std::min(y.low, peak.bytes_per_s * left) / 1.5;
    Json spec = Json::parse(roofline_template);
    set_signal(spec, "x_domain", {left, right});
    set_signal(spec, "y_domain", {bottom, top});
    set_signal(spec, "peak", peak.flops_per_s);
    set_signal(spec, "peak_text", "measured peak " + scaled(peak.flops_per_s, "FLOP/s"));
    set_data(spec, "roof",
             Json::array({Json{{"x", left}, {"y", peak.bytes_per_s * left}},
                          Json{{"x", ridge}, {"y", peak.flops_per_s}},
                          Json{{"x", right}, {"y", peak.flops_per_s}}}));
    set_data(spec, "layers", std::move(layers));

    Chart chart;
    chart.title = "Layers under the roof";
    chart.summary = fmt::format(
        "The roof is the measured peak of {} and, left of {} FLOPs/byte, the measured bandwidth of {}. The "
        "area of a mark is "
        "the layer’s share of its network’s time; the closer to the roof, the better the hardware is used.",
        scaled(peak.flops_per_s, "FLOP/s"), significant(ridge), scaled(peak.bytes_per_s, "B/s"));
    if (without_work > 0) {
        chart.summary += fmt::format(" {} layers without MACs (pooling) are not drawn.", without_work);
    }
    chart.legend = {{"square base", "base"}, {"dot hacscale", "HACScale"}, {"line ink", "measured roof"}};
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
