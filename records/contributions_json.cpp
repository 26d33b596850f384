#include "records/contributions_json.hpp"

#include <cmath>

#include "records/choice_json.hpp"
#include "records/comparison.hpp"
#include "records/optional_json.hpp"

namespace hacscale::cli {

namespace {

Json step_json(const Contribution& step, const std::vector<std::string>& stages) {
    const auto figure = [&step](auto figure_of) {
        return step.added ? Json(figure_of(*step.added)) : Json(nullptr);
    };
    return {
        {"dimension", name_of(step.dimension)},
        {"stage", value_or_null(step.stage)},
        {"name", step.stage ? Json(stages.at(static_cast<std::size_t>(*step.stage))) : Json(nullptr)},
        {"block", value_or_null(step.block)},
        {"base", step.base},
        {"from", step.from},
        {"to", value_or_null(step.to)},
        {"estimate", step.estimate ? Json(name_of(*step.estimate)) : Json(nullptr)},
        {"latency_us", figure([](const StepFigures& added) { return added.latency_us; })},
        {"latency_pct", figure([](const StepFigures& added) { return added.latency_percent; })},
        {"utilization", figure([](const StepFigures& added) { return value_or_null(added.utilization); })},
        {"params", figure([](const StepFigures& added) { return added.params; })},
        {"macs", figure([](const StepFigures& added) { return added.macs; })},
        {"gain", figure([](const StepFigures& added) { return added.gain; })},
        {"gain_per_pct",
         figure([](const StepFigures& added) { return value_or_null(added.gain_per_percent); })},
        {"outcome", name_of(step.outcome)},
        {"reason", step.reason}};
}

std::optional<StepFigures> figures_in(const Json& json) {
    if (json.at("latency_us").is_null()) {
        return std::nullopt;
    }
    return StepFigures{json.at("latency_us"),
                       json.at("latency_pct"),
                       value_in<double>(json, "utilization"),
                       json.at("params"),
                       json.at("macs"),
                       json.at("gain"),
                       value_in<double>(json, "gain_per_pct")};
}

Contribution step_in(const Json& json) {
    Contribution step;
    step.dimension = named_in(
        json, "dimension",
        {StepDimension::width, StepDimension::depth, StepDimension::inner_width, StepDimension::resolution});
    step.stage = value_in<int>(json, "stage");
    step.block = value_in<int>(json, "block");
    step.base = json.at("base");
    step.from = json.at("from");
    step.to = value_in<int>(json, "to");
    if (!json.at("estimate").is_null()) {
        step.estimate = named_in(json, "estimate",
                                 {EstimateKind::measured, EstimateKind::interpolated, EstimateKind::missing});
    }
    step.added = figures_in(json);
    step.outcome =
        named_in(json, "outcome",
                 {StepOutcome::space_end, StepOutcome::invalid, StepOutcome::missing, StepOutcome::no_gain,
                  StepOutcome::over_budget, StepOutcome::over_cap, StepOutcome::fits});
    step.reason = json.at("reason");
    return step;
}

}  // namespace

ContributionsRow contributions_in(const Json& json) {
    ContributionsRow row;
    row.spec = json.at("spec");
    Evaluation& before = row.network.network;
    before.choice = choice_in(json).value();
    before.latency_ps = std::llround(json.at("latency_us").get<double>() * picoseconds_per_us);
    before.gain = value_in<double>(json, "gain");
    before.usage.params = json.at("params");
    before.usage.macs = json.at("macs");
    row.network.budget_us = json.at("budget_us");
    row.network.utilization = value_in<double>(json, "utilization");
    row.network.steps = list_in(json, "steps", step_in);
    return row;
}

Json contributions_json(const std::vector<ContributionsRow>& rows, const std::vector<std::string>& stages) {
    Json list = Json::array();
    for (const auto& [spec, network] : rows) {
        Json steps = Json::array();
        for (const Contribution& step : network.steps) {
            steps.push_back(step_json(step, stages));
        }
        const Evaluation& before = network.network;
        list.push_back({{"spec", spec},
                        {"latency_us", before.latency_us()},
                        {"budget_us", network.budget_us},
                        {"utilization", value_or_null(network.utilization)},
                        {"params", before.usage.params},
                        {"macs", before.usage.macs},
                        {"gain", value_or_null(before.gain)},
                        {"widths", before.choice.widths},
                        {"depths", before.choice.depths},
                        {"inner_widths", inner_widths_json(before.choice)},
                        {"resolution", before.choice.resolution},
                        {"steps", std::move(steps)}});
    }
    return list;
}

}  // namespace hacscale::cli
