#include <fmt/format.h>

#include <algorithm>

#include "report/records/json_reader.hpp"
#include "report/records/loaders.hpp"

namespace hacscale::report {

namespace {

// The stage of a layer; of a stage without a name, layers are called "stage3.block1.conv1".
std::string stage_of(const JsonPlace& layer) {
    std::string stage = layer.label_or_empty("stage");
    if (!stage.empty()) return stage;
    const std::string name = layer.text("name");
    constexpr std::string_view word = "stage";
    const std::size_t end = name.find_first_not_of("0123456789", word.size());
    const bool numbered = name.starts_with(word) && end != std::string::npos && end > word.size();
    return numbered && name[end] == '.' ? "stage " + name.substr(word.size(), end - word.size()) : stage;
}

std::string estimate_of(const JsonPlace& place) {
    return one_of(place, "estimate", {"measured", "interpolated", "missing"});
}

StrategyRow row_of(const JsonPlace& place) {
    StrategyRow row;
    row.strategy = place.text("strategy");
    row.status =
        one_of(place, "status", {"ok", "over_budget", "noisy", "infeasible", "unverified", "failed"});
    row.reason = place.text_or_empty("reason");
    row.predicted_us = place.positive_or_null("predicted_us");
    row.measured_us = place.positive_or_null("measured_us");
    row.ci95_us = place.number_or_null("ci95_us");
    row.images_per_s = place.positive_or_null("images_per_s");
    row.p95_us = place.positive_or_null("p95_us");
    row.p99_us = place.positive_or_null("p99_us");
    row.latency_ratio = place.positive_or_null("latency_ratio");
    row.latency_ratio_ci95 = place.number_or_null("latency_ratio_ci95");
    row.utilization = place.number_or_null("utilization");
    row.utilization_ratio = place.positive_or_null("utilization_ratio");
    row.params = place.positive_or_null("params");
    row.macs = place.positive_or_null("macs");
    row.memory_bytes = place.positive_or_null("memory_bytes");
    row.gain = place.number_or_null("gain");
    row.widths = place.integers_or_empty("widths");
    row.depths = place.integers_or_empty("depths");
    row.inner_widths = place.integer_lists_or_empty("inner_widths");
    row.resolution = place.integer_or_null("resolution");
    row.accuracy = place.number_or_null("accuracy");
    row.accuracy_deviation = place.number_or_null("accuracy_deviation");
    row.accuracy_seeds = place.integer_or_null("accuracy_seeds").value_or(0);
    row.dominates = place.texts_or_empty("dominates");
    row.equal_to = place.texts_or_empty("equal_to");
    row.spec = place.text_or_empty("spec");
    return row;
}

StrategyLayers strategy_layers_of(const JsonPlace& place) {
    StrategyLayers strategy;
    strategy.strategies = place.texts("strategies");
    if (strategy.strategies.empty()) place.fail("strategies", "a list of at least one name");
    for (const JsonPlace& entry : place.objects("layers")) {
        strategy.layers.push_back(
            {entry.text("name"), entry.text("key"), stage_of(entry), entry.positive_or_null("latency_us")});
    }
    return strategy;
}

FrontPoint front_point_of(const JsonPlace& place) {
    return {.latency_us = place.positive("latency_us"),
            .gain = place.number("gain"),
            .params = place.number_or_null("params"),
            .widths = place.integers_or_empty("widths"),
            .depths = place.integers_or_empty("depths"),
            .resolution = place.integer_or_null("resolution")};
}

LayerRecord layer_of(const JsonPlace& place) {
    LayerRecord layer;
    layer.spec = one_of(place, "spec", {"base", "hacscale"});
    layer.name = place.text("name");
    layer.key = place.text("key");
    layer.stage = stage_of(place);
    layer.estimate = estimate_of(place);
    layer.macs = place.number("macs");
    layer.bytes = place.positive("bytes");
    layer.utilization = place.number_or_null("utilization");
    layer.roofline_efficiency = place.number_or_null("roofline_efficiency");
    layer.implementation = place.text_or_empty("implementation");
    // A missing estimate is written as null or as 0; either way there is no latency to show.
    if (layer.estimate != "missing") layer.latency_us = place.positive("latency_us");
    return layer;
}

Staircase staircase_of(const JsonPlace& place) {
    Staircase staircase;
    staircase.name = place.text_or_empty("name");
    if (staircase.name.empty()) {
        const std::optional<int> stage = place.integer_or_null("stage");
        staircase.name = stage ? name_of_stage(*stage) : std::string();
    }
    staircase.base_width = place.integer("base_width");
    staircase.free_width = place.integer_or_null("free_width");
    for (const JsonPlace& entry : place.objects("points")) {
        std::string estimate = estimate_of(entry);
        if (estimate == "missing") continue;  // a width without a latency has no place on the staircase
        staircase.points.push_back({.width = entry.integer("width"),
                                    .latency_us = entry.positive("latency_us"),
                                    .utilization = entry.number_or_null("utilization"),
                                    .params = entry.number_or_null("params"),
                                    .estimate = std::move(estimate)});
    }
    std::sort(staircase.points.begin(), staircase.points.end(),
              [](const StaircasePoint& a, const StaircasePoint& b) { return a.width < b.width; });
    return staircase;
}

}  // namespace

std::string name_of_stage(int index) {
    return fmt::format("stage {}", index + 1);
}

const StrategyRow* Comparison::hacscale() const {
    const auto found = std::find_if(strategies.begin(), strategies.end(),
                                    [](const StrategyRow& row) { return row.strategy == "hacscale"; });
    return found == strategies.end() ? nullptr : &*found;
}

Comparison load_comparison(const std::filesystem::path& file) {
    const JsonPlace root = JsonPlace::open(file);
    Comparison comparison;
    comparison.file = file.filename().string();
    comparison.model = root.text("model");
    comparison.budget = root.positive("budget");
    comparison.gain_origin = root.text_or_empty("gain_origin");
    if (const auto accuracies = root.object_or_null("accuracies")) {
        comparison.accuracy_recipe = accuracies->text("recipe");
    }
    comparison.base = row_of(root.object("base"));
    comparison.judged = root.object("base").has("dominates");
    for (const JsonPlace& entry : root.objects("strategies")) {
        StrategyRow row = row_of(entry);
        if (row.strategy != comparison.base.strategy) comparison.strategies.push_back(std::move(row));
    }
    if (const auto peak = root.object_or_null("peak")) {
        comparison.peak = Peak{.flops_per_s = peak->positive("flops_per_s"),
                               .bytes_per_s = peak->positive("bytes_per_s"),
                               .nominal_flops_per_s = peak->positive_or_null("nominal_flops_per_s"),
                               .nominal_bytes_per_s = peak->positive_or_null("nominal_bytes_per_s")};
    }
    for (const JsonPlace& entry : root.objects_or_empty("front")) {
        comparison.front.push_back(front_point_of(entry));
    }
    std::sort(comparison.front.begin(), comparison.front.end(),
              [](const FrontPoint& a, const FrontPoint& b) { return a.latency_us < b.latency_us; });
    comparison.stages = root.texts_or_empty("stages");
    for (std::size_t i = 0; i < comparison.stages.size(); ++i) {
        if (comparison.stages[i].empty()) comparison.stages[i] = name_of_stage(static_cast<int>(i));
    }
    for (const JsonPlace& entry : root.objects_or_empty("layers")) {
        comparison.layers.push_back(layer_of(entry));
    }
    for (const JsonPlace& entry : root.objects_or_empty("strategy_layers")) {
        comparison.strategy_layers.push_back(strategy_layers_of(entry));
    }
    for (const JsonPlace& entry : root.objects_or_empty("staircases")) {
        comparison.staircases.push_back(staircase_of(entry));
    }
    for (const JsonPlace& entry : root.objects_or_empty("contributions")) {
        comparison.contributions.push_back(load_network_steps(entry));
    }
    return comparison;
}

}  // namespace hacscale::report
