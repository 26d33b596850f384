#include "records/comparison.hpp"

#include <algorithm>

#include "records/choice_json.hpp"
#include "records/contributions_json.hpp"
#include "records/made_from_json.hpp"
#include "records/optional_json.hpp"
#include "records/throughput_json.hpp"

namespace hacscale::cli {

namespace {

Json latency_json(const LatencyEstimate& estimate) {
    return estimate.kind == EstimateKind::missing ? Json(nullptr) : Json(estimate.latency_us);
}

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
    json["accuracy"] = row.accuracy ? Json(row.accuracy->mean) : Json(nullptr);
    json["accuracy_deviation"] = row.accuracy ? value_or_null(row.accuracy->deviation) : Json(nullptr);
    json["accuracy_seeds"] = row.accuracy ? row.accuracy->seeds : 0;
    json["spec"] = row.spec;
    json["model_hash"] = row.model_hash;
    json["dominates"] = row.dominates;
    json["equal_to"] = row.equal_to;
    add_throughput(json, batch, row.measured_us, row.upper);
    return json;
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

Json origin_json(const std::optional<AccuracyOrigin>& origin) {
    if (!origin) {
        return nullptr;
    }
    return {{"record", origin->record},
            {"recipe", origin->recipe},
            {"recipe_hash", origin->recipe_hash},
            {"data_hash", origin->data_hash}};
}

Json point_json(const FrontPoint& point) {
    Json json{{"latency_us", point.latency_us}, {"gain", point.gain}, {"params", point.params}};
    add_choice(json, point.choice);
    return json;
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

Json step_json(const StaircaseStep& step) {
    return {{"width", step.width},
            {"latency_us", latency_json(step.latency)},
            {"utilization", value_or_null(step.utilization)},
            {"estimate", name_of(step.latency.kind)},
            {"params", step.params}};
}

Json staircase_json(const StaircaseRow& staircase) {
    return {{"stage", staircase.stage},
            {"name", staircase.name},
            {"base_width", staircase.base_width},
            {"points", list_json(staircase.points, step_json)},
            {"free_width", value_or_null(staircase.free_width)}};
}

}  // namespace

int untimed_rows(const ComparisonRecord& record) {
    return static_cast<int>(
        std::count_if(record.strategies.begin(), record.strategies.end(),
                      [](const StrategyRow& row) { return row.status == StrategyStatus::unverified; }));
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

std::string to_json(const ComparisonRecord& record) {
    Json strategies = Json::array();
    for (const StrategyRow& row : record.strategies) {
        strategies.push_back(row_json(row, record.batch));
    }
    Json json{{"model", record.model},
              {"device", record.device},
              {"budget", record.budget},
              {"batch", record.batch},
              {"dtype", hacscale::name_of(record.type)},
              {"cache", hacscale::name_of(record.cache)},
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
    if (record.made_from) {
        json["measured_at"] = record.measured_at;
        json["made_from"] = made_from_json(*record.made_from);
    }
    return text_of(json);
}

}  // namespace hacscale::cli
