// Accuracy of each network that was trained, best first, with one standard deviation to either side.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view accuracy_template = R"json({
  "autosize": "none",
  "padding": {"left": 8, "top": 8, "right": 20, "bottom": 46},
  "signals": [
    {"name": "rows", "value": 0}, {"name": "domain", "value": [0, 1]},
    {"name": "label_width", "update": "min(178, width / 2)"},
    {"name": "row_height", "value": 27},
    {"name": "height", "update": "rows * row_height"}
  ],
  "data": [{"name": "networks"}],
  "scales": [
    {"name": "x", "domain": {"signal": "domain"}, "zero": false, "range": {"signal": "[label_width, width]"}},
    {"name": "colour", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["var(--base)", "var(--hacscale)", "var(--baseline)", "var(--excluded)"]},
    {"name": "shape", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["square", "circle", "circle", "cross"]}
  ],
  "axes": [{"orient": "bottom", "scale": "x", "grid": true, "tickCount": {"signal": "max(3, floor((width - label_width) / 70))"},
            "title": "Accuracy, top-1, %"}],
  "marks": [
    {"type": "text", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"signal": "label_width - 14"}, "y": {"signal": "(datum.row + 0.5) * row_height"}, "align": {"value": "right"},
      "baseline": {"value": "middle"}, "limit": {"signal": "label_width - 16"}, "text": {"field": "strategy"},
      "fontWeight": {"signal": "datum.kind === 'hacscale' ? 'bold' : 'normal'"}}}},
    {"type": "rule", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"scale": "x", "field": "low"}, "x2": {"scale": "x", "field": "high"},
      "y": {"signal": "(datum.row + 0.5) * row_height"},
      "stroke": {"scale": "colour", "field": "kind"}, "strokeWidth": {"value": 3}, "strokeOpacity": {"value": 0.5}}}},
    {"type": "symbol", "from": {"data": "networks"}, "encode": {"update": {
      "x": {"scale": "x", "field": "accuracy"}, "y": {"signal": "(datum.row + 0.5) * row_height"},
      "shape": {"scale": "shape", "field": "kind"}, "size": {"value": 84}, "fill": {"scale": "colour", "field": "kind"},
      "tooltip": {"field": "tip"}}}}
  ]
})json";

}  // namespace

Chart accuracy_chart(const records::ComparisonRecord& comparison) {
    std::vector<DistinctNetwork> trained = distinct_networks(comparison);
    std::erase_if(trained, [](const DistinctNetwork& network) { return network.trained_row() == nullptr; });
    std::stable_sort(trained.begin(), trained.end(), [](const DistinctNetwork& a, const DistinctNetwork& b) {
        return a.trained_row()->accuracy->mean > b.trained_row()->accuracy->mean;
    });
    double least = trained.front().trained_row()->accuracy->mean;
    double most = least;
    Json networks = Json::array();
    for (const DistinctNetwork& network : trained) {
        const records::StrategyRow* row = network.trained_row();
        const records::AccuracyFigures& accuracy = *row->accuracy;
        const double deviation = accuracy.deviation.value_or(0.0);
        const double low = accuracy.mean - deviation;
        const double high = accuracy.mean + deviation;
        least = std::min(least, low);
        most = std::max(most, high);
        std::vector<std::string> lines{all_names(comparison, network),
                                       fmt::format("{:.2f} %", accuracy.mean)};
        if (accuracy.deviation) lines.back() += fmt::format(" ± {:.2f}", deviation);
        lines.push_back(fmt::format("{} seed{}", accuracy.seeds, accuracy.seeds == 1 ? "" : "s"));
        networks.push_back({{"row", networks.size()},
                            {"strategy", label_of(comparison, network)},
                            {"kind", kind_of(comparison, *row)},
                            {"accuracy", accuracy.mean},
                            {"low", low},
                            {"high", high},
                            {"tip", tip(lines)}});
    }
    const double margin = std::max(0.1, 0.06 * (most - least));
    Json spec = Json::parse(accuracy_template);
    set_signal(spec, "rows", networks.size());
    set_signal(spec, "domain", Json{least - margin, most + margin});
    set_data(spec, "networks", std::move(networks));

    Chart chart;
    chart.size = ChartSize::half;
    chart.title = "Accuracy after training";
    chart.summary =
        fmt::format("{} networks, best first. Lines are one standard deviation over seeds to either side.",
                    trained.size());
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
