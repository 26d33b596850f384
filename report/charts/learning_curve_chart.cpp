// Accuracy on the validation set after each epoch, a line for each network that was trained.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view learning_curve_template = R"json({
  "autosize": "none",
  "height": 300,
  "padding": {"left": 54, "top": 12, "right": 20, "bottom": 46},
  "signals": [{"name": "x_zoom", "value": null}, {"name": "y_zoom", "value": null}],
  "data": [{"name": "epochs"},
           {"name": "last_epochs", "source": "epochs", "transform": [{"type": "filter", "expr": "datum.last"}]}],
  "scales": [
    {"name": "x", "domain": {"data": "epochs", "field": "epoch"}, "domainRaw": {"signal": "x_zoom"}, "zero": false, "range": "width"},
    {"name": "y", "domain": {"data": "epochs", "field": "accuracy"}, "domainRaw": {"signal": "y_zoom"}, "zero": false, "nice": true,
     "range": "height"},
    {"name": "colour", "type": "ordinal", "domain": ["base", "hacscale", "baseline", "excluded"],
     "range": ["var(--base)", "var(--hacscale)", "var(--baseline)", "var(--excluded)"]}
  ],
  "axes": [
    {"orient": "bottom", "scale": "x", "grid": true, "tickCount": {"signal": "max(3, floor(width / 90))"}, "tickMinStep": 1, "format": "d",
     "title": "Epoch"},
    {"orient": "left", "scale": "y", "grid": true, "tickCount": 6, "title": "Validation accuracy, top-1, %"}
  ],
  "marks": [
    {"type": "group", "from": {"facet": {"name": "curve", "data": "epochs", "groupby": "strategy"}},
     "encode": {"update": {"width": {"signal": "width"}, "height": {"signal": "height"}}}, "clip": true,
     "marks": [{"type": "line", "from": {"data": "curve"}, "encode": {"update": {
       "x": {"scale": "x", "field": "epoch"}, "y": {"scale": "y", "field": "accuracy"},
       "stroke": {"scale": "colour", "field": "kind"},
       "strokeWidth": {"signal": "datum.kind === 'hacscale' ? 2.5 : 1.5"},
       "strokeDash": {"signal": "datum.matched ? [5, 3] : [1, 0]"}}}}]},
    {"type": "symbol", "from": {"data": "epochs"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "epoch"}, "y": {"scale": "y", "field": "accuracy"}, "size": {"value": 30},
      "fill": {"scale": "colour", "field": "kind"}, "fillOpacity": {"signal": "datum.last ? 1 : 0.35"}, "tooltip": {"field": "tip"}}}},
    {"type": "symbol", "name": "ends", "from": {"data": "last_epochs"}, "clip": true, "encode": {"update": {
      "x": {"scale": "x", "field": "epoch"}, "y": {"scale": "y", "field": "accuracy"}, "size": {"value": 60},
      "fill": {"scale": "colour", "field": "kind"}, "tooltip": {"field": "tip"}}}},
    {"type": "text", "clip": {"signal": "x_zoom !== null || y_zoom !== null"}, "from": {"data": "ends"}, "encode": {"update": {
      "text": {"field": "datum.strategy"}, "tooltip": {"field": "datum.tip"},
      "fill": {"value": "var(--ink)"}, "stroke": {"value": "var(--page)"}, "strokeWidth": {"value": 3},
      "fontWeight": {"signal": "datum.datum.kind === 'hacscale' ? 'bold' : 'normal'"}}},
     "transform": [{"type": "label", "size": {"signal": "[width, height]"}, "padding": 0,
                    "anchor": ["bottom-left", "top-left", "left", "bottom", "top"], "offset": [7, 22, 37, 52, 67, 82]}]}
  ]
})json";

// A network's line; `matched`: the base's, trained for as many FLOPs.
void add_curve(Json& epochs, const std::string& strategy, const std::string& names, const std::string& kind,
               const records::AccuracyFigures& accuracy, bool matched) {
    for (std::size_t epoch = 0; epoch < accuracy.learning_curve.size(); ++epoch) {
        const double percent = accuracy.learning_curve[epoch];
        epochs.push_back({{"epoch", epoch + 1},
                          {"accuracy", percent},
                          {"strategy", strategy},
                          {"kind", kind},
                          {"matched", matched},
                          {"last", epoch + 1 == accuracy.learning_curve.size()},
                          {"tip", tip({names, fmt::format("epoch {}: {:.2f} %", epoch + 1, percent)})}});
    }
}

}  // namespace

bool has_learning_curves(const records::ComparisonRecord& comparison) {
    const auto has_one = [](const records::StrategyRow& row) {
        return row.accuracy && row.accuracy->learning_curve.size() > 1;
    };
    return has_one(comparison.base) ||
           std::any_of(comparison.strategies.begin(), comparison.strategies.end(), has_one);
}

Chart learning_curve_chart(const records::ComparisonRecord& comparison) {
    Json epochs = Json::array();
    bool any_matched = false;
    int networks = 0;
    for (const DistinctNetwork& network : distinct_networks(comparison)) {
        const records::StrategyRow* const trained = network.trained_row();
        if (trained == nullptr || trained->accuracy->learning_curve.empty()) continue;
        const records::StrategyRow& row = *trained;
        const std::string label = label_of(comparison, network);
        const std::string kind = kind_of(comparison, row);
        add_curve(epochs, label, all_names(comparison, network), kind, *row.accuracy, false);
        ++networks;
        if (kind != "hacscale" || !row.matched_base || row.matched_base->learning_curve.empty() ||
            row.matched_base == comparison.base.accuracy) {
            continue;
        }
        any_matched = true;
        add_curve(epochs, "base, as many FLOPs", "The base, trained for as many FLOPs as " + label, "base",
                  *row.matched_base, true);
    }
    Json spec = Json::parse(learning_curve_template);
    set_data(spec, "epochs", std::move(epochs));

    Chart chart;
    chart.title = "How they learned";
    chart.summary = fmt::format(
        "Accuracy of {} networks on the validation set after each epoch, means over seeds.{} The last points "
        "differ a little "
        "from the accuracies above, which are of the test set.",
        networks,
        any_matched ? " The dashed line is the base with as many training FLOPs as HACScale’s choice." : "");
    chart.legend = legend_of_kinds(comparison);
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
