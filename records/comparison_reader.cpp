#include "base/error.hpp"
#include "records/choice_json.hpp"
#include "records/comparison.hpp"
#include "records/contributions_json.hpp"
#include "records/made_from_json.hpp"
#include "records/optional_json.hpp"
#include "records/throughput_json.hpp"

namespace hacscale::cli {

namespace {

LatencyEstimate latency_in(const Json& json) {
    LatencyEstimate latency;
    latency.kind = named_in(json, "estimate",
                            {EstimateKind::measured, EstimateKind::interpolated, EstimateKind::missing});
    latency.latency_us = value_in<double>(json, "latency_us").value_or(0.0);
    return latency;
}

StrategyRow row_in(const Json& json) {
    StrategyRow row;
    row.strategy = json.at("strategy");
    row.status = named_in(json, "status",
                          {StrategyStatus::ok, StrategyStatus::over_budget, StrategyStatus::noisy,
                           StrategyStatus::infeasible, StrategyStatus::unverified, StrategyStatus::failed});
    row.reason = json.at("reason");
    row.noisy = json.at("noisy");
    row.predicted_us = value_in<double>(json, "predicted_us");
    row.interpolated_share = later_value_in<double>(json, "interpolated_share");
    row.measured_us = value_in<double>(json, "measured_us");
    row.ci95_us = value_in<double>(json, "ci95_us");
    row.latency_ratio = value_in<double>(json, "latency_ratio");
    row.latency_ratio_ci95 = value_in<double>(json, "latency_ratio_ci95");
    row.utilization = value_in<double>(json, "utilization");
    row.utilization_ratio = value_in<double>(json, "utilization_ratio");
    row.params = value_in<std::int64_t>(json, "params");
    row.macs = value_in<std::int64_t>(json, "macs");
    row.memory_bytes = value_in<std::int64_t>(json, "memory_bytes");
    row.gain = value_in<double>(json, "gain");
    row.choice = choice_in(json);
    if (const std::optional<double> mean = value_in<double>(json, "accuracy")) {
        row.accuracy = {*mean, value_in<double>(json, "accuracy_deviation"), json.at("accuracy_seeds")};
    }
    row.spec = json.at("spec");
    row.model_hash = json.at("model_hash");
    row.dominates = json.at("dominates");
    row.equal_to = json.at("equal_to");
    row.upper = percentiles_in(json);
    return row;
}

FrontPoint point_in(const Json& json) {
    return {json.at("latency_us"), json.at("gain"), json.at("params"), choice_in(json).value()};
}

LayerRow layer_in(const Json& json) {
    return {json.at("spec"),
            json.at("name"),
            json.at("key"),
            json.at("stage"),
            json.at("block"),
            latency_in(json),
            json.at("macs"),
            json.at("bytes"),
            value_in<double>(json, "utilization"),
            value_in<double>(json, "roofline_efficiency"),
            json.at("implementation")};
}

LayerRow strategy_layer_in(const Json& json) {
    LayerRow layer;
    layer.name = json.at("name");
    layer.key = json.at("key");
    layer.stage = json.at("stage");
    layer.latency = latency_in(json);
    return layer;
}

StrategyLayers strategy_layers_in(const Json& json) {
    return {json.at("strategies"), list_in(json, "layers", strategy_layer_in)};
}

StaircaseStep staircase_step_in(const Json& json) {
    return {json.at("width"), latency_in(json), value_in<double>(json, "utilization"), json.at("params")};
}

StaircaseRow staircase_in(const Json& json) {
    return {json.at("stage"), json.at("name"), json.at("base_width"),
            list_in(json, "points", staircase_step_in), value_in<int>(json, "free_width")};
}

ComparisonRecord comparison_in(const Json& json) {
    ComparisonRecord record;
    record.model = json.at("model");
    record.device = json.at("device");
    record.budget = json.at("budget");
    record.batch = json.at("batch");
    record.type = data_type_from_name(json.at("dtype").get<std::string>());
    record.cache = cache_state_from_name(json.at("cache").get<std::string>());
    record.gain_origin = json.at("gain_origin");
    record.gain_bound = json.at("gain_bound");
    if (const Json& origin = json.at("accuracies"); !origin.is_null()) {
        record.accuracies = {origin.at("record"), origin.at("recipe"), origin.at("recipe_hash"),
                             origin.at("data_hash")};
    }
    record.base = row_in(json.at("base"));
    record.strategies = list_in(json, "strategies", row_in);
    if (const Json& peak = json.at("peak"); !peak.is_null()) {
        record.peak = {record.type, peak.at("flops_per_s"), peak.at("bytes_per_s"),
                       value_in<double>(peak, "nominal_flops_per_s"),
                       value_in<double>(peak, "nominal_bytes_per_s")};
    }
    record.front = list_in(json, "front", point_in);
    record.stages = json.at("stages");
    record.layers = list_in(json, "layers", layer_in);
    record.strategy_layers = list_in(json, "strategy_layers", strategy_layers_in);
    record.staircases = list_in(json, "staircases", staircase_in);
    record.contributions = list_in(json, "contributions", contributions_in);
    if (json.contains("made_from")) {
        record.measured_at = json.at("measured_at");
        record.made_from = made_from_in(json.at("made_from"));
    }
    return record;
}

}  // namespace

std::optional<ComparisonRecord> comparison_from_json(const std::string& text) {
    try {
        return comparison_in(Json::parse(text));
    } catch (const Json::exception&) {
        return std::nullopt;
    } catch (const InputError&) {
        return std::nullopt;
    } catch (const std::bad_optional_access&) {
        return std::nullopt;
    }
}

}  // namespace hacscale::cli
