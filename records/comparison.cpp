#include "records/comparison.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "records/json.hpp"
#include "scaling/budget.hpp"

namespace hacscale::records {

namespace {

constexpr std::array strategy_statuses{StrategyStatus::ok,         StrategyStatus::over_budget,
                                       StrategyStatus::noisy,      StrategyStatus::infeasible,
                                       StrategyStatus::unverified, StrategyStatus::failed};

std::string numbered_stage(std::size_t index) {
    return fmt::format("stage {}", index + 1);
}

Json latency_json(const LatencyEstimate& estimate) {
    return estimate.kind == EstimateKind::missing ? Json(nullptr) : Json(estimate.latency_us);
}

LatencyEstimate latency_in(const JsonPlace& place) {
    LatencyEstimate latency;
    latency.kind = place.named<EstimateKind>("estimate", estimate_kinds);
    // A missing one is written as null or as 0.
    if (latency.kind != EstimateKind::missing) {
        latency.latency_us = place.positive("latency_us");
    }
    return latency;
}

Json elsewhere_json(const OtherLatency& latency) {
    return {{"runtime", latency.runtime},
            {"latency_us", value_or_null(latency.latency_us)},
            {"latency_ratio", value_or_null(latency.latency_ratio)},
            {"reason", latency.reason}};
}

OtherLatency elsewhere_in(const JsonPlace& place) {
    return {place.text("runtime"), place.positive_or_null("latency_us"),
            place.positive_or_null("latency_ratio"), place.text_or_empty("reason")};
}

// The keys of both accuracies; `prefix` tells them apart.
void add_accuracy(Json& json, const std::string& prefix, const std::optional<AccuracyFigures>& figures) {
    json[prefix + "accuracy"] = figures ? Json(figures->mean) : Json(nullptr);
    json[prefix + "accuracy_deviation"] = figures ? value_or_null(figures->deviation) : Json(nullptr);
    json[prefix + "accuracy_seeds"] = figures ? figures->seeds : 0;
    if (figures && !figures->learning_curve.empty()) {
        json[prefix + "learning_curve"] = figures->learning_curve;
    }
}

std::optional<AccuracyFigures> accuracy_in(const JsonPlace& place, const std::string& prefix) {
    const auto key = [&prefix](const char* name) { return prefix + name; };
    const std::optional<double> mean = place.number_or_null(key("accuracy").c_str());
    if (!mean) {
        return std::nullopt;
    }
    return AccuracyFigures{*mean, place.number_or_null(key("accuracy_deviation").c_str()),
                           place.integer_or_null(key("accuracy_seeds").c_str()).value_or(0),
                           place.numbers_or_empty(key("learning_curve").c_str())};
}

constexpr const char* matched_base_prefix = "matched_base_";

Json row_json(const StrategyRow& row, int batch) {
    Json json{{"strategy", row.strategy},
              {"status", name_of(row.status)},
              {"reason", row.reason},
              {"noisy", row.noisy},
              {"predicted_us", value_or_null(row.predicted_us)},
              {"interpolated_share", value_or_null(row.interpolated_share)},
              {"measured_us", value_or_null(row.measured_us)},
              {"prediction_error_pct", value_or_null(prediction_error_pct(row))},
              {"ci95_us", value_or_null(row.ci95_us)},
              {"latency_ratio", value_or_null(row.latency_ratio)},
              {"latency_ratio_ci95", value_or_null(row.latency_ratio_ci95)},
              {"utilization", value_or_null(row.utilization)},
              {"utilization_ratio", value_or_null(row.utilization_ratio)},
              {"params", value_or_null(row.params)},
              {"macs", value_or_null(row.macs)},
              {"memory_bytes", value_or_null(row.memory_bytes)},
              {"gain", value_or_null(row.gain)}};
    add_choice(json, row.choice);
    add_accuracy(json, "", row.accuracy);
    if (row.matched_base) {
        add_accuracy(json, matched_base_prefix, row.matched_base);
    }
    if (!row.elsewhere.empty()) {
        json["elsewhere"] = list_json(row.elsewhere, elsewhere_json);
    }
    json["spec"] = row.spec;
    json["model_hash"] = row.model_hash;
    json["dominates"] = row.dominates;
    json["equal_to"] = row.equal_to;
    add_throughput(json, batch, row.measured_us, row.upper);
    return json;
}

StrategyRow row_in(const JsonPlace& place) {
    StrategyRow row;
    row.strategy = place.text("strategy");
    row.status = place.named<StrategyStatus>("status", strategy_statuses);
    row.reason = place.text_or_empty("reason");
    row.noisy = place.flag_or_false("noisy");
    row.predicted_us = place.positive_or_null("predicted_us");
    row.interpolated_share = place.number_or_null("interpolated_share");
    row.measured_us = place.positive_or_null("measured_us");
    row.ci95_us = place.number_or_null("ci95_us");
    row.latency_ratio = place.positive_or_null("latency_ratio");
    row.latency_ratio_ci95 = place.number_or_null("latency_ratio_ci95");
    row.utilization = place.number_or_null("utilization");
    row.utilization_ratio = place.positive_or_null("utilization_ratio");
    row.params = place.positive_count_or_null("params");
    row.macs = place.positive_count_or_null("macs");
    row.memory_bytes = place.positive_count_or_null("memory_bytes");
    row.gain = place.number_or_null("gain");
    row.choice = choice_in(place);
    row.accuracy = accuracy_in(place, "");
    row.matched_base = accuracy_in(place, matched_base_prefix);
    row.elsewhere = read_all(place.objects_or_empty("elsewhere"), elsewhere_in);
    row.spec = place.text_or_empty("spec");
    row.model_hash = place.text_or_empty("model_hash");
    row.dominates = place.texts_or_empty("dominates");
    row.equal_to = place.texts_or_empty("equal_to");
    row.upper = percentiles_in(place);
    return row;
}

Json peak_json(const std::optional<PeakRecord>& peak) {
    if (!peak) {
        return nullptr;
    }
    return {{"flops_per_s", peak->flops_per_s},
            {"bytes_per_s", peak->bytes_per_s},
            {"nominal_flops_per_s", value_or_null(peak->nominal_flops_per_s)},
            {"nominal_bytes_per_s", value_or_null(peak->nominal_bytes_per_s)}};
}

std::optional<PeakRecord> peak_in(const std::optional<JsonPlace>& place, DataType type) {
    if (!place) {
        return std::nullopt;
    }
    return PeakRecord{type, place->positive("flops_per_s"), place->positive("bytes_per_s"),
                      place->positive_or_null("nominal_flops_per_s"),
                      place->positive_or_null("nominal_bytes_per_s")};
}

Json origin_json(const std::optional<AccuracyOrigin>& origin) {
    if (!origin) {
        return nullptr;
    }
    Json json{{"record", origin->record},
              {"recipe", origin->recipe},
              {"recipe_hash", origin->recipe_hash},
              {"data_hash", origin->data_hash}};
    if (!origin->given_by.empty()) {
        json["given_by"] = origin->given_by;
    }
    return json;
}

std::optional<AccuracyOrigin> origin_in(const std::optional<JsonPlace>& place) {
    if (!place) {
        return std::nullopt;
    }
    const std::string given_by = place->text_or_empty("given_by");
    return AccuracyOrigin{place->text_or_empty("record"),
                          given_by.empty() ? place->text("recipe") : place->text_or_empty("recipe"),
                          place->text_or_empty("recipe_hash"), place->text_or_empty("data_hash"), given_by};
}

Json point_json(const FrontPoint& point) {
    Json json{
        {"latency_us", point.latency_us}, {"gain", point.gain}, {"params", value_or_null(point.params)}};
    add_choice(json, point.choice);
    return json;
}

FrontPoint point_in(const JsonPlace& place) {
    return {place.positive("latency_us"), place.number("gain"), place.count_or_null("params"),
            required_choice_in(place)};
}

Json layer_json(const LayerRow& layer) {
    return {{"spec", layer.spec},
            {"name", layer.name},
            {"key", layer.key},
            {"stage", layer.stage},
            {"block", layer.block},
            {"latency_us", latency_json(layer.latency)},
            {"estimate", name_of(layer.latency.kind)},
            {"macs", layer.macs},
            {"bytes", layer.bytes},
            {"utilization", value_or_null(layer.utilization)},
            {"roofline_efficiency", value_or_null(layer.roofline_efficiency)},
            {"implementation", layer.implementation}};
}

LayerRow layer_in(const JsonPlace& place) {
    LayerRow layer;
    layer.spec = place.one_of("spec", {"base", "hacscale"});
    layer.name = place.text("name");
    layer.key = place.text("key");
    layer.stage = place.label_or_empty("stage");
    layer.block = place.integer_or_null("block").value_or(0);
    layer.latency = latency_in(place);
    layer.macs = place.count("macs");
    layer.bytes = place.positive_count("bytes");
    layer.utilization = place.number_or_null("utilization");
    layer.roofline_efficiency = place.number_or_null("roofline_efficiency");
    layer.implementation = place.text_or_empty("implementation");
    return layer;
}

Json strategy_layers_json(const StrategyLayers& strategy) {
    Json layers = Json::array();
    for (const LayerRow& layer : strategy.layers) {
        layers.push_back({{"name", layer.name},
                          {"key", layer.key},
                          {"stage", layer.stage},
                          {"latency_us", latency_json(layer.latency)},
                          {"estimate", name_of(layer.latency.kind)}});
    }
    return {{"strategies", strategy.strategies}, {"layers", std::move(layers)}};
}

LayerRow strategy_layer_in(const JsonPlace& place) {
    LayerRow layer;
    layer.name = place.text("name");
    layer.key = place.text("key");
    layer.stage = place.label_or_empty("stage");
    layer.latency = latency_in(place);
    return layer;
}

StrategyLayers strategy_layers_in(const JsonPlace& place) {
    StrategyLayers strategy{place.texts("strategies"), read_all(place.objects("layers"), strategy_layer_in)};
    if (strategy.strategies.empty()) {
        place.fail("strategies", "a list of at least one name");
    }
    return strategy;
}

Json step_json(const StaircaseStep& step) {
    return {{"width", step.width},
            {"latency_us", latency_json(step.latency)},
            {"utilization", value_or_null(step.utilization)},
            {"estimate", name_of(step.latency.kind)},
            {"params", value_or_null(step.params)}};
}

StaircaseStep step_in(const JsonPlace& place) {
    return {place.integer("width"), latency_in(place), place.number_or_null("utilization"),
            place.count_or_null("params")};
}

Json staircase_json(const StaircaseRow& staircase) {
    return {{"stage", staircase.stage},
            {"name", staircase.name},
            {"base_width", staircase.base_width},
            {"points", list_json(staircase.points, step_json)},
            {"free_width", value_or_null(staircase.free_width)}};
}

StaircaseRow staircase_in(const JsonPlace& place) {
    StaircaseRow staircase{place.index_or_null("stage").value_or(0), place.text_or_empty("name"),
                           place.integer("base_width"), read_all(place.objects("points"), step_in),
                           place.integer_or_null("free_width")};
    std::stable_sort(staircase.points.begin(), staircase.points.end(),
                     [](const StaircaseStep& a, const StaircaseStep& b) { return a.width < b.width; });
    return staircase;
}

// A budget as it was asked for, which names of files repeat.
std::string budget_given_in(const JsonPlace& place) {
    std::string given = place.text_or_empty("budget_given");
    if (!given.empty() && !unless_unreadable([&] { return parse_budget(given); })) {
        place.fail("budget_given", "a budget, such as 8ms or 120/s");
    }
    return given;
}

}  // namespace

bool keeps_budget_there(const ComparisonRecord& record, const OtherLatency& there) {
    constexpr double noise = 0.01;
    return there.latency_ratio && *there.latency_ratio <= record.budget + noise;
}

int untimed_rows(const ComparisonRecord& record) {
    return static_cast<int>(
        std::count_if(record.strategies.begin(), record.strategies.end(),
                      [](const StrategyRow& row) { return row.status == StrategyStatus::unverified; }));
}

bool same_network(const StrategyRow& a, const StrategyRow& b) {
    return a.choice == b.choice && a.params == b.params;
}

std::string LayerRow::stage_name() const {
    constexpr std::string_view word = "stage";
    if (!stage.empty() || !name.starts_with(word)) {
        return stage;
    }
    const std::size_t end = name.find_first_not_of("0123456789", word.size());
    const bool numbered = end != std::string::npos && end > word.size() && name[end] == '.';
    return numbered ? "stage " + name.substr(word.size(), end - word.size()) : stage;
}

std::vector<StaircaseStep> StaircaseRow::known_points() const {
    std::vector<StaircaseStep> known;
    std::copy_if(points.begin(), points.end(), std::back_inserter(known),
                 [](const StaircaseStep& point) { return point.latency.kind != EstimateKind::missing; });
    return known;
}

const StrategyRow* ComparisonRecord::hacscale() const {
    const auto found = std::find_if(strategies.begin(), strategies.end(),
                                    [](const StrategyRow& row) { return row.strategy == "hacscale"; });
    return found == strategies.end() ? nullptr : &*found;
}

std::string ComparisonRecord::stage_name(std::size_t index) const {
    return index < stages.size() && !stages[index].empty() ? stages[index] : numbered_stage(index);
}

std::string ComparisonRecord::name_of_step(const Contribution& step) const {
    std::string name;
    if (step.stage) {
        name = stage_name(static_cast<std::size_t>(*step.stage)) + " ";
    }
    if (step.block) {
        name += fmt::format("block {} ", *step.block + 1);
    }
    return name + (step.dimension == StepDimension::inner_width
                       ? "inner width"
                       : std::string(hacscale::name_of(step.dimension)));
}

std::string_view name_of(StrategyStatus status) {
    switch (status) {
        case StrategyStatus::ok:
            return "ok";
        case StrategyStatus::over_budget:
            return "over_budget";
        case StrategyStatus::noisy:
            return "noisy";
        case StrategyStatus::infeasible:
            return "infeasible";
        case StrategyStatus::unverified:
            return "unverified";
        case StrategyStatus::failed:
            break;
    }
    return "failed";
}

std::optional<double> prediction_error_pct(const StrategyRow& row) {
    return row.predicted_us && row.measured_us
               ? std::optional(100.0 * (*row.predicted_us / *row.measured_us - 1.0))
               : std::nullopt;
}

std::optional<double> images_per_s(const ComparisonRecord& record, const StrategyRow& row) {
    return row.measured_us && row.upper.samples > 0
               ? std::optional(images_per_s(record.batch, *row.measured_us))
               : std::nullopt;
}

bool ComparisonRecord::gain_is_of_size() const {
    return gain_origin.empty() || gain_origin == "capacity" || gain_origin == "balanced";
}

std::string ComparisonRecord::budget_in_names() const {
    return (budget_given.empty() ? Budget(budget) : parse_budget(budget_given)).file_text();
}

std::string origin_text(const std::optional<AccuracyOrigin>& origin) {
    if (!origin) {
        return "";
    }
    return origin->given_by.empty() ? " after training with the recipe " + origin->recipe
                                    : " as given by " + origin->given_by;
}

std::string to_json(const ComparisonRecord& record) {
    Json strategies = Json::array();
    for (const StrategyRow& row : record.strategies) {
        strategies.push_back(row_json(row, record.batch));
    }
    Json json{{"model", record.model},
              {"device", record.device},
              {"budget", record.budget},
              {"batch", record.batch},
              {"dtype", name_of(record.type)},
              {"cache", name_of(record.cache)},
              {"gain_origin", record.gain_origin},
              {"gain_bound", record.gain_bound},
              {"accuracies", origin_json(record.accuracies)},
              {"base", row_json(record.base, record.batch)},
              {"strategies", std::move(strategies)},
              {"peak", peak_json(record.peak)},
              {"front", list_json(record.front, point_json)},
              {"stages", record.stages},
              {"layers", list_json(record.layers, layer_json)},
              {"strategy_layers", list_json(record.strategy_layers, strategy_layers_json)},
              {"staircases", list_json(record.staircases, staircase_json)},
              {"contributions", contributions_json(record.contributions, record.stages)}};
    if (!record.budget_given.empty()) json["budget_given"] = record.budget_given;
    if (record.gain_gap > 0.0) {
        json["gain_gap"] = record.gain_gap;
    }
    if (!record.width_names.empty()) {
        json["width_names"] = record.width_names;
        json["depth_names"] = record.depth_names;
    }
    if (record.input_fingerprint) {
        json["measured_at"] = record.measured_at;
        json["made_from"] = fingerprint_json(*record.input_fingerprint);
    }
    return text_of(json);
}

ComparisonRecord read_comparison(const JsonPlace& root) {
    ComparisonRecord record;
    record.model = root.text("model");
    record.device = root.text_or_empty("device");
    record.budget = root.positive("budget");
    record.budget_given = budget_given_in(root);
    record.batch = root.integer_or_null("batch").value_or(1);
    record.type = type_in(root).value_or(DataType::f32);
    record.cache = cache_in(root).value_or(CacheState::network);
    record.gain_origin = root.text_or_empty("gain_origin");
    record.gain_bound = root.number_or_null("gain_bound").value_or(0.0);
    record.gain_gap = root.number_or_null("gain_gap").value_or(0.0);
    record.accuracies = origin_in(root.object_or_null("accuracies"));
    record.judged = root.object("base").has("dominates");
    record.base = row_in(root.object("base"));
    record.strategies = read_all(root.objects("strategies"), row_in);
    record.peak = peak_in(root.object_or_null("peak"), record.type);
    record.front = read_all(root.objects_or_empty("front"), point_in);
    std::stable_sort(record.front.begin(), record.front.end(),
                     [](const FrontPoint& a, const FrontPoint& b) { return a.latency_us < b.latency_us; });
    record.stages = root.texts_or_empty("stages");
    record.width_names = root.texts_or_empty("width_names");
    record.depth_names = root.texts_or_empty("depth_names");
    record.layers = read_all(root.objects_or_empty("layers"), layer_in);
    record.strategy_layers = read_all(root.objects_or_empty("strategy_layers"), strategy_layers_in);
    record.staircases = read_all(root.objects_or_empty("staircases"), staircase_in);
    record.contributions = read_all(root.objects_or_empty("contributions"), contributions_in);
    record.measured_at = root.text_or_empty("measured_at");
    record.input_fingerprint = fingerprint_in(root);
    return record;
}

ComparisonRecord read_comparison(const std::filesystem::path& file) {
    ComparisonRecord record = read_comparison(JsonPlace::open(file));
    record.file = file.filename().string();
    return record;
}

}  // namespace hacscale::records
