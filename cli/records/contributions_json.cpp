#include "cli/records/contributions_json.hpp"

#include "cli/records/comparison.hpp"
#include "cli/records/optional_json.hpp"

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

}  // namespace

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
                        {"params", before.needs.params},
                        {"macs", before.needs.macs},
                        {"gain", value_or_null(before.gain)},
                        {"widths", before.choice.widths},
                        {"depths", before.choice.depths},
                        {"resolution", before.choice.resolution},
                        {"steps", std::move(steps)}});
    }
    return list;
}

}  // namespace hacscale::cli
