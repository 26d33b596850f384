// Each layer as a dot: its latency in the first run, and the ratio of the other run's to it.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/vega.hpp"
#include "report/side_by_side/side_by_side.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// More dots hide each other and make the page slow; the largest changes come first.
constexpr std::size_t drawn_ratios = 1500;

constexpr std::string_view ratios_template = R"json({
  "autosize": "none",
  "height": 320,
  "padding": {"left": 62, "top": 12, "right": 18, "bottom": 46},
  "signals": [{"name": "x_domain", "value": [1, 10]}, {"name": "y_domain", "value": [0.5, 2]},
              {"name": "x_zoom", "value": null}, {"name": "y_zoom", "value": null}, {"name": "y_title", "value": ""}],
  "data": [{"name": "layers"}],
  "scales": [
    {"name": "x", "type": "log", "domain": {"signal": "x_domain"}, "domainRaw": {"signal": "x_zoom"}, "range": "width"},
    {"name": "y", "type": "log", "domain": {"signal": "y_domain"}, "domainRaw": {"signal": "y_zoom"}, "range": "height"},
    {"name": "colour", "type": "ordinal", "domain": ["slower", "faster", "noise"],
     "range": ["var(--limit)", "var(--free)", "var(--ink-3)"]}
  ],
  "axes": [
    {"orient": "bottom", "scale": "x", "grid": true, "tickCount": {"signal": "max(3, floor(width / 70))"},
     "format": "~s", "labelOverlap": true, "title": "Latency in A, µs"},
    {"orient": "left", "scale": "y", "grid": true, "tickCount": 6, "format": ".3~f", "labelOverlap": true,
     "title": {"signal": "y_title"}}
  ],
  "marks": [
    {"type": "rule", "clip": true, "encode": {"update": {
      "x": {"value": 0}, "x2": {"signal": "width"}, "y": {"scale": "y", "value": 1}, "stroke": {"value": "var(--ink-2)"}}}},
    {"type": "symbol", "clip": {"signal": "x_zoom !== null || y_zoom !== null"}, "from": {"data": "layers"}, "encode": {"update": {
      "x": {"scale": "x", "field": "a"}, "y": {"scale": "y", "field": "ratio"}, "size": {"value": 46},
      "fill": [{"test": "datum.kind === 'noise'", "value": "var(--page)"}, {"scale": "colour", "field": "kind"}],
      "fillOpacity": {"value": 0.6},
      "stroke": {"scale": "colour", "field": "kind"}, "strokeWidth": {"value": 1.25}, "tooltip": {"field": "tip"}}}}
  ]
})json";

const char* kind_of(const LayerRatio& one) {
    if (!one.significant || !one.certain) return "noise";
    return one.ratio > 1.0 ? "slower" : "faster";
}

}  // namespace

Chart ratios_chart(const std::vector<LayerRatio>& ratios, const std::string& letter, bool of_networks) {
    const std::size_t drawn = std::min(ratios.size(), drawn_ratios);
    Json layers = Json::array();
    double fastest = ratios.front().a_us;
    double slowest = fastest;
    double low = 1.0;
    double high = 1.0;
    for (std::size_t i = 0; i < drawn; ++i) {
        const LayerRatio& one = ratios[i];
        fastest = std::min(fastest, one.a_us);
        slowest = std::max(slowest, one.a_us);
        low = std::min(low, one.ratio);
        high = std::max(high, one.ratio);
        std::vector<std::string> lines{one.network.empty() ? one.name : one.network + ", " + one.name,
                                       latency(one.a_us) + " → " + latency(one.b_us),
                                       ratio_text(one, one.certain), one.key};
        layers.push_back(
            {{"a", one.a_us}, {"ratio", one.ratio}, {"kind", kind_of(one)}, {"tip", tip(lines)}});
    }
    Json spec = Json::parse(ratios_template);
    set_signal(spec, "x_domain", Json{fastest / 1.2, slowest * 1.2});
    set_signal(spec, "y_domain", Json{low / 1.05, high * 1.05});
    set_signal(spec, "y_title", "Latency, " + letter + " over A");
    set_data(spec, "layers", std::move(layers));

    Chart chart;
    chart.title = fmt::format("{}, {} over A", of_networks ? "Layers" : "Rows", letter);
    chart.summary = fmt::format(
        "{}{} over their latency in A; above the line at 1 {} is slower. Hollow dots are within noise, or "
        "have no "
        "interval.",
        drawn == ratios.size() ? ""
                               : fmt::format("The {} largest changes of ", whole(static_cast<double>(drawn))),
        whole(static_cast<double>(ratios.size())) + (of_networks ? " layers" : " rows"), letter);
    chart.legend = {
        {"dot limit", letter + " slower"}, {"dot gained", letter + " faster"}, {"ring", "within noise"}};
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
