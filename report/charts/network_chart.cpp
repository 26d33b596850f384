#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr int classes = 5;  // of utilization, from light to dark

constexpr std::string_view network_template = R"json({
  "autosize": "none",
  "height": 150,
  "padding": {"left": 4, "top": 6, "right": 14, "bottom": 44},
  "signals": [{"name": "unit", "value": "ms"}, {"name": "class_step", "value": 0.1}, {"name": "x_zoom", "value": null}],
  "data": [{"name": "layers"}, {"name": "stages"}, {"name": "networks"}],
  "scales": [
    {"name": "x", "domain": {"data": "networks", "field": "total"}, "domainRaw": {"signal": "x_zoom"}, "zero": true, "range": "width"},
    {"name": "y", "type": "ordinal", "domain": ["base", "hacscale"], "range": [20, 94]},
    {"name": "fill", "type": "threshold",
     "domain": {"signal": "[class_step, 2 * class_step, 3 * class_step, 4 * class_step]"},
     "range": ["var(--u1)", "var(--u2)", "var(--u3)", "var(--u4)", "var(--u5)"]}
  ],
  "axes": [{"orient": "bottom", "scale": "x", "tickCount": {"signal": "max(3, floor(width / 90))"},
            "title": {"signal": "'Time, ' + unit"}}],
  "marks": [
    {"type": "text", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"value": 0}, "y": {"scale": "y", "field": "spec", "offset": -4}, "text": {"field": "text"},
      "limit": {"signal": "width"}, "fontWeight": {"value": "bold"}}}},
    {"type": "rect", "clip": true, "from": {"data": "layers"}, "encode": {"update": {
      "x": {"scale": "x", "field": "start"}, "x2": {"scale": "x", "field": "end"},
      "y": {"scale": "y", "field": "spec"}, "height": {"value": 34},
      "fill": [{"test": "datum.figure === null", "value": "var(--rule)"}, {"scale": "fill", "field": "figure"}],
      "stroke": {"value": "var(--page)"}, "strokeWidth": {"value": 0.6}, "tooltip": {"field": "tip"}}}},
    {"type": "rule", "clip": true, "from": {"data": "stages"}, "encode": {"update": {
      "x": {"scale": "x", "field": "start"}, "y": {"scale": "y", "field": "spec", "offset": 34},
      "y2": {"scale": "y", "field": "spec", "offset": 46}, "stroke": {"value": "var(--ink-2)"}}}},
    {"type": "text", "from": {"data": "stages"}, "encode": {"update": {
      "x": {"signal": "max(0, scale('x', datum.start)) + 4"}, "y": {"scale": "y", "field": "spec", "offset": 44},
      "text": {"field": "name"}, "fontSize": {"value": 11.5},
      "limit": {"signal": "max(1, min(width, scale('x', datum.end)) - max(0, scale('x', datum.start)) - 6)"},
      "opacity": {"signal": "min(width, scale('x', datum.end)) - max(0, scale('x', datum.start)) > 34 ? 1 : 0"}}}}
  ]
})json";

// Layers say their stage by name or by number (-1 the stem, then the stages, then the head).
std::string stage_name(const records::ComparisonRecord& comparison, const std::string& stage) {
    int index = 0;
    const auto [end, error] = std::from_chars(stage.data(), stage.data() + stage.size(), index);
    if (error != std::errc() || end != stage.data() + stage.size()) return stage;
    const int stages = static_cast<int>(comparison.stages.size());
    if (index < 0) return "stem";
    return index < stages ? comparison.stage_name(static_cast<std::size_t>(index)) : "head";
}

// The smallest of 1, 2, 2.5, 4, 5, 10 x 10^k that covers `highest` in `classes` steps.
double class_step_for(double highest) {
    const double exact = std::clamp(highest, 1e-3, 1.0) / classes;
    const double decade = std::pow(10.0, std::floor(std::log10(exact)));
    for (const double factor : {1.0, 2.0, 2.5, 4.0, 5.0, 10.0}) {
        if (factor * decade >= exact * (1.0 - 1e-9)) return factor * decade;
    }
    return 10.0 * decade;
}

using Figure = std::optional<double> records::LayerRow::*;

struct Strip {
    Json layers = Json::array();
    Json stages = Json::array();
    double total = 0.0;
    double highest = 0.0;
};

Strip strip_of(const records::ComparisonRecord& comparison, Figure figure, const std::string& spec,
               double unit_us) {
    Strip strip;
    std::string stage;
    for (const records::LayerRow& layer : comparison.layers) {
        if (layer.spec != spec || !layer.latency_us()) continue;
        const double start = strip.total;
        strip.total += *layer.latency_us() / unit_us;
        const std::string name = stage_name(comparison, layer.stage_name());
        if (!name.empty() && name != stage) {
            strip.stages.push_back({{"spec", spec}, {"name", name}, {"start", start}, {"end", strip.total}});
            stage = name;
        } else if (!strip.stages.empty()) {
            strip.stages.back()["end"] = strip.total;
        }
        std::vector<std::string> lines{
            layer.name, latency(*layer.latency_us()) + fmt::format(" ({})", name_of(layer.latency.kind))};
        if (layer.utilization) lines.push_back("utilization " + percent(*layer.utilization));
        if (layer.occupancy_achieved) {
            lines.push_back("achieved occupancy " + percent(*layer.occupancy_achieved));
        }
        const std::optional<double>& shown = layer.*figure;
        strip.highest = std::max(strip.highest, shown.value_or(0.0));
        lines.push_back(layer.key);
        strip.layers.push_back({{"spec", spec},
                                {"start", start},
                                {"end", strip.total},
                                {"figure", shown ? Json(*shown) : Json()},
                                {"tip", tip(lines)}});
    }
    return strip;
}

Chart strip_chart(const records::ComparisonRecord& comparison, Figure figure) {
    double slowest_us = 0.0;
    for (const char* spec : {"base", "hacscale"}) {
        double total_us = 0.0;
        for (const records::LayerRow& layer : comparison.layers) {
            if (layer.spec == spec) total_us += layer.latency_us().value_or(0.0);
        }
        slowest_us = std::max(slowest_us, total_us);
    }
    const double unit_us = slowest_us >= 1000.0 ? 1000.0 : 1.0;
    Json layers = Json::array();
    Json stages = Json::array();
    Json networks = Json::array();
    double highest = 0.0;
    for (const char* spec : {"base", "hacscale"}) {
        Strip strip = strip_of(comparison, figure, spec, unit_us);
        if (strip.layers.empty()) continue;
        const std::string name = std::string(spec) == "base" ? "base" : "HACScale";
        networks.push_back({{"spec", spec},
                            {"total", strip.total},
                            {"text", fmt::format("{}: {} layers, {}", name, strip.layers.size(),
                                                 latency(strip.total * unit_us))}});
        layers.insert(layers.end(), strip.layers.begin(), strip.layers.end());
        stages.insert(stages.end(), strip.stages.begin(), strip.stages.end());
        highest = std::max(highest, strip.highest);
    }
    const double step = class_step_for(highest);
    Json spec = Json::parse(network_template);
    set_signal(spec, "unit", unit_us == 1000.0 ? "ms" : "µs");
    set_signal(spec, "class_step", step);
    set_data(spec, "layers", std::move(layers));
    set_data(spec, "stages", std::move(stages));
    set_data(spec, "networks", std::move(networks));

    Chart chart;
    for (int i = 0; i < classes; ++i) {
        const double low = 100.0 * step * i;
        const double high = 100.0 * step * (i + 1);
        chart.legend.push_back(
            {fmt::format("box u{}", i + 1), fmt::format("{:.3g}–{:.3g}\u00a0%", low, high)});
    }
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace

Chart network_chart(const records::ComparisonRecord& comparison) {
    Chart chart = strip_chart(comparison, &records::LayerRow::utilization);
    chart.title = "The network as a strip of time";
    chart.summary =
        "Each box is a layer in running order; its length is its latency in the table, its shade its "
        "hardware utilization. A good scaling turns light boxes dark without making the strip longer.";
    return chart;
}

Chart occupancy_chart(const records::ComparisonRecord& comparison) {
    Chart chart = strip_chart(comparison, &records::LayerRow::occupancy_achieved);
    chart.title = "The same strip by occupancy";
    chart.summary =
        "The shade is the achieved occupancy: the warps that were active, of those that the multiprocessors "
        "can "
        "hold. Layers without that figure are grey.";
    return chart;
}

}  // namespace hacscale::report
