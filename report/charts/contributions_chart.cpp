// Five panels that share their rows, one row a step: gain per latency, latency, gain, utilization,
// parameters. Side by side where there is room, else one below the other; the steps are named at the left of
// each row.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "report/charts/charts.hpp"
#include "report/charts/vega.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

constexpr std::string_view contributions_template = R"json({
  "autosize": "none",
  "padding": {"left": 4, "top": 34, "right": 6, "bottom": 30},
  "signals": [
    {"name": "rows", "value": 0},
    {"name": "room", "value": 0},
    {"name": "text_room", "value": 190}, {"name": "name_room", "value": 118},
    {"name": "wide", "update": "width >= text_room + 670"},
    {"name": "label_width", "update": "wide ? text_room : min(name_room, 0.58 * width)"},
    {"name": "gap", "value": 22},
    {"name": "row_height", "update": "wide ? 24 : 22"},
    {"name": "panel_width", "update": "wide ? (width - label_width - 4 * gap) / 5 : width - label_width"},
    {"name": "panel_height", "update": "rows * row_height"},
    {"name": "panel_step", "update": "panel_height + 68"},
    {"name": "height", "update": "wide ? panel_height : 5 * panel_step - 68"}
  ],
  "data": [
    {"name": "panels"}, {"name": "unknown"}, {"name": "labels"},
    {"name": "values", "transform": [{"type": "lookup", "from": "labels", "key": "row", "fields": ["row"],
                                      "values": ["dimension", "measured", "fits"]}]}
  ],
  "scales": [
    {"name": "colour", "type": "ordinal", "domain": ["width", "depth", "resolution", "inner_width"],
     "range": ["var(--hacscale)", "var(--second)", "var(--base)", "var(--inner)"]},
    {"name": "shape", "type": "ordinal", "domain": ["width", "depth", "resolution", "inner_width"],
     "range": ["circle", "square", "triangle", "diamond"]}
  ],
  "marks": [
    {"type": "group", "from": {"data": "panels"},
     "encode": {"update": {
       "x": {"signal": "label_width + (wide ? datum.index * (panel_width + gap) : 0)"},
       "y": {"signal": "wide ? 0 : datum.index * panel_step"},
       "width": {"signal": "panel_width"}, "height": {"signal": "panel_height"}}},
     "signals": [{"name": "width", "update": "panel_width"}, {"name": "height", "update": "panel_height"},
                 {"name": "labelled", "update": "!wide || parent.index === 0"}],
     "data": [{"name": "here", "source": "values",
               "transform": [{"type": "filter", "expr": "datum.panel === parent.index"}]},
              {"name": "absent", "source": "unknown",
               "transform": [{"type": "filter", "expr": "datum.panel === parent.index"}]}],
     "scales": [{"name": "x", "domain": {"signal": "[parent.low, parent.high]"}, "zero": false,
                 "range": {"signal": "[8, panel_width - 58]"}}],
     "axes": [{"orient": "bottom", "scale": "x", "grid": true, "domain": false, "ticks": false,
               "tickCount": {"signal": "max(2, floor(panel_width / 90))"}, "format": {"signal": "parent.format"},
               "encode": {"labels": {"update": {"text": {"signal": "datum.value === 0 ? '0' : datum.label"}}}},
               "zindex": 0}],
     "marks": [
       {"type": "text", "encode": {"update": {
         "x": {"signal": "wide ? 0 : 4 - label_width"}, "y": {"value": -12}, "text": {"signal": "parent.title"},
         "fontWeight": {"value": "bold"}, "baseline": {"value": "bottom"},
         "limit": {"signal": "wide ? panel_width : width + label_width"}}}},
       {"type": "rule", "encode": {"update": {
         "x": {"scale": "x", "value": 0}, "y": {"value": -4}, "y2": {"signal": "panel_height"},
         "stroke": {"value": "var(--ink-3)"}, "strokeWidth": {"value": 1}}}},
       {"type": "rule", "encode": {"update": {
         "x": {"scale": "x", "signal": "room"}, "y": {"value": -4}, "y2": {"signal": "panel_height"},
         "opacity": {"signal": "parent.index === 1 && room >= parent.low && room <= parent.high ? 1 : 0"},
         "stroke": {"value": "var(--limit)"}, "strokeWidth": {"value": 1.5}, "strokeDash": {"value": [5, 3]}}}},
       {"type": "text", "from": {"data": "labels"}, "encode": {"update": {
         "x": {"value": -10}, "y": {"signal": "(datum.row + 0.5) * row_height"},
         "align": {"value": "right"}, "baseline": {"value": "middle"}, "limit": {"signal": "label_width - 12"},
         "text": {"signal": "wide ? datum.text : datum.name"}, "tooltip": {"field": "tip"},
         "fontSize": {"signal": "wide ? 12 : 11.5"}, "fill": {"value": "var(--ink)"},
         "opacity": {"signal": "labelled ? 1 : 0"},
         "fontWeight": {"signal": "datum.fits ? 'bold' : 'normal'"}}}},
       {"type": "text", "from": {"data": "absent"}, "encode": {"update": {
         "x": {"signal": "panel_width"}, "y": {"signal": "(datum.row + 0.5) * row_height"},
         "align": {"value": "right"}, "baseline": {"value": "middle"}, "text": {"field": "text"},
         "tooltip": {"signal": "data('labels')[datum.row].tip"}, "fill": {"value": "var(--ink-2)"}}}},
       {"type": "rule", "from": {"data": "here"}, "encode": {"update": {
         "x": {"scale": "x", "value": 0}, "x2": {"scale": "x", "field": "drawn"},
         "y": {"signal": "(datum.row + 0.5) * row_height"},
         "stroke": {"scale": "colour", "field": "dimension"}, "strokeWidth": {"value": 2},
         "strokeOpacity": {"value": 0.45}}}},
       {"type": "symbol", "from": {"data": "here"}, "encode": {"update": {
         "x": {"scale": "x", "field": "drawn"}, "y": {"signal": "(datum.row + 0.5) * row_height"},
         "shape": [{"test": "datum.drawn !== datum.value", "value": "triangle-right"},
                   {"scale": "shape", "field": "dimension"}],
         "size": {"value": 64}, "strokeWidth": {"value": 1.75},
         "stroke": {"scale": "colour", "field": "dimension"},
         "fill": [{"test": "datum.measured", "scale": "colour", "field": "dimension"}, {"value": "var(--page)"}],
         "tooltip": {"signal": "data('labels')[datum.row].tip"}}}},
       {"type": "text", "from": {"data": "here"}, "encode": {"update": {
         "x": {"signal": "panel_width"}, "y": {"signal": "(datum.row + 0.5) * row_height"},
         "align": {"value": "right"}, "baseline": {"value": "middle"}, "text": {"field": "text"},
         "fontWeight": {"signal": "datum.fits ? 'bold' : 'normal'"},
         "tooltip": {"signal": "data('labels')[datum.row].tip"}}}}
     ]}
  ]
})json";

struct ContributionPanel {
    const char* title;
    const char* format;  // of the axis
    std::optional<double> (*value)(const Contribution& step);
    std::string (*text)(double value);
};

std::string figure(double value) {
    return with_sign(value, [](double number) { return significant(number); });
}

constexpr std::array<ContributionPanel, 5> contribution_panels{{
    {"Gain per % of latency", ".4~f",
     [](const Contribution& step) { return figure_of(step, &StepFigures::gain_per_percent); },
     [](double value) { return significant(value); }},
    {"Latency, % of base", ".4~f",
     [](const Contribution& step) { return figure_of(step, &StepFigures::latency_percent); }, figure},
    {"Gain", ".4~f", [](const Contribution& step) { return figure_of(step, &StepFigures::gain); }, figure},
    {"Utilization, points", ".4~f",
     [](const Contribution& step) {
         const std::optional<double> share = figure_of(step, &StepFigures::utilization);
         return share ? std::optional(100.0 * *share) : std::nullopt;
     },
     [](double value) { return with_sign(value / 100.0, points); }},
    {"Parameters", "~s", [](const Contribution& step) { return figure_of(step, &StepFigures::params); },
     [](double value) { return with_sign(value, [](double number) { return scaled(number); }); }},
}};

constexpr std::size_t gain_per_latency = 0;
constexpr std::size_t latency_panel = 1;

// A step that costs next to nothing has a gain per latency beyond all others; drawn in full it would leave
// nothing to see of them.
constexpr double max_over_median = 4.0;

// Free steps first, then by gain per latency, of steps down the least loss first; those without figures last.
std::vector<const Contribution*> drawn_rows(const records::ContributionsRow& network) {
    std::vector<const Contribution*> rows;
    for (const Contribution& step : network.network.steps) rows.push_back(&step);
    const auto rank = [](const Contribution& step) { return !step.added ? 2 : is_free(step) ? 0 : 1; };
    std::stable_sort(rows.begin(), rows.end(), [&](const Contribution* a, const Contribution* b) {
        if (rank(*a) != rank(*b)) return rank(*a) < rank(*b);
        const double of_a = figure_of(*a, &StepFigures::gain_per_percent).value_or(0.0);
        const double of_b = figure_of(*b, &StepFigures::gain_per_percent).value_or(0.0);
        return network.network.down ? of_a < of_b : of_a > of_b;
    });
    return rows;
}

double drawing_limit(std::vector<double> values) {
    if (values.empty()) return 0.0;
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle > 0.0 ? max_over_median * *middle : *std::max_element(values.begin(), values.end());
}

// "stage1 width 16 → 24"; without the arrow where there is no larger network.
std::string label_of(const Contribution& step, const std::string& name) {
    return step.to ? fmt::format("{} {} → {}", name, step.from, *step.to)
                   : fmt::format("{} {}", name, step.from);
}

std::string tip_of(const Contribution& step, const std::string& name) {
    std::vector<std::string> lines{step.to ? label_of(step, name) : name, step.reason};
    if (step.added) {
        lines.push_back(fmt::format("latency {} ({} % of the base’s), {}",
                                    with_sign(step.added->latency_us, [](double us) { return latency(us); }),
                                    figure(step.added->latency_percent),
                                    step.estimate ? name_of(*step.estimate) : ""));
        lines.push_back(
            fmt::format("gain {}, per % of latency {}", figure(step.added->gain),
                        step.added->gain_per_percent ? significant(*step.added->gain_per_percent) : "free"));
        lines.push_back(fmt::format("parameters {}, MACs {}",
                                    contribution_panels[4].text(static_cast<double>(step.added->params)),
                                    contribution_panels[4].text(static_cast<double>(step.added->macs))));
    }
    return tip(lines);
}

const char* absence_of(const Contribution& step, std::size_t panel) {
    if (step.added) return panel == gain_per_latency && is_free(step) ? "free" : absent;
    return step.outcome == StepOutcome::space_end ? "space ends"
           : step.outcome == StepOutcome::missing ? "not in table"
                                                  : absent;
}

}  // namespace

bool is_free(const Contribution& step) {
    return step.added && step.to > step.from && step.added->latency_us <= 0.0;
}

Chart contributions_chart(const records::ComparisonRecord& comparison,
                          const records::ContributionsRow& network) {
    const double base_us = comparison.contributions.front().network.network.latency_us();
    const double latency_us = network.network.network.latency_us();
    const std::vector<const Contribution*> rows = drawn_rows(network);
    const double room = 100.0 * (network.network.budget_us - latency_us) / base_us;
    Json panel_values = Json::array();
    Json values = Json::array();
    Json unknown = Json::array();
    Json labels = Json::array();
    for (std::size_t p = 0; p < contribution_panels.size(); ++p) {
        const auto value_of = [p](const Contribution& step) {
            return step.added ? contribution_panels[p].value(step) : std::nullopt;
        };
        std::vector<double> known;
        for (const Contribution* step : rows) {
            if (const auto value = value_of(*step)) known.push_back(*value);
        }
        const double limit = p == gain_per_latency ? drawing_limit(known) : HUGE_VAL;
        double low = 0.0;
        double high = 0.0;
        for (const double value : known) {
            low = std::min(low, value);
            high = std::max(high, std::min(value, limit));
        }
        if (p == latency_panel && room > low && room < 1.5 * high) high = std::max(high, room);
        for (std::size_t r = 0; r < rows.size(); ++r) {
            const Contribution& step = *rows[r];
            const std::optional<double> value = value_of(step);
            if (!value) {
                if (!step.added && p != gain_per_latency) continue;
                unknown.push_back({{"panel", p}, {"row", r}, {"text", absence_of(step, p)}});
                continue;
            }
            values.push_back({{"panel", p},
                              {"row", r},
                              {"value", *value},
                              {"drawn", std::min(*value, limit)},
                              {"text", contribution_panels[p].text(*value)}});
        }
        const double margin = high > low ? (high - low) * 0.06 : 1.0;
        panel_values.push_back({{"index", p},
                                {"title", contribution_panels[p].title},
                                {"format", contribution_panels[p].format},
                                {"low", low < 0.0 ? low - margin : 0.0},
                                {"high", high + margin}});
    }
    std::vector<std::string> texts;
    std::vector<std::string> names;
    for (std::size_t r = 0; r < rows.size(); ++r) {
        const Contribution& step = *rows[r];
        names.push_back(comparison.name_of_step(step));
        texts.push_back(label_of(step, names.back()));
        labels.push_back({{"row", r},
                          {"name", names.back()},
                          {"text", texts.back()},
                          {"dimension", name_of(step.dimension)},
                          {"measured", step.estimate == EstimateKind::measured},
                          {"fits", step.outcome == StepOutcome::fits},
                          {"tip", tip_of(step, names.back())}});
    }
    Json spec = Json::parse(contributions_template);
    set_signal(spec, "rows", rows.size());
    set_signal(spec, "room", room);
    set_signal(spec, "text_room", room_for(texts, 120.0));
    set_signal(spec, "name_room", room_for(names, 90.0));
    set_data(spec, "panels", std::move(panel_values));
    set_data(spec, "values", std::move(values));
    set_data(spec, "unknown", std::move(unknown));
    set_data(spec, "labels", std::move(labels));

    Chart chart;
    chart.title = fmt::format("One step {}from {}", network.network.down ? "down " : "",
                              network.spec == "base" ? "the base" : "HACScale’s choice");
    const double room_us = network.network.budget_us - latency_us;
    chart.summary = fmt::format(
        "Each row is one step, by gain per latency. {} Steps that gain and fit are set in bold. An arrow "
        "goes on beyond its "
        "panel.",
        room_us < 0.0
            ? fmt::format("The network is {} over its budget.", latency(-room_us))
            : fmt::format("The dashed line is what the budget leaves: {}, {} of the base’s latency.",
                          latency(room_us), percent(room / 100.0)));
    chart.legend = {{"dot hacscale", "width"}, {"square second", "depth"}, {"triangle base", "resolution"}};
    if (std::any_of(rows.begin(), rows.end(),
                    [](const Contribution* step) { return step->dimension == StepDimension::inner_width; })) {
        chart.legend.push_back({"diamond inner", "inner width of a block"});
    }
    chart.legend.push_back({"ring ink", "with interpolated latencies"});
    chart.legend.push_back({"dash limit", "what the budget leaves"});
    chart.spec = text_of(spec);
    return chart;
}

}  // namespace hacscale::report
