#include "records/contributions.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "records/json.hpp"

namespace hacscale::records {

namespace {

// Records of older programs may lack the names.
Json name_of_stage(const Contribution& step, const std::vector<std::string>& stages) {
    const auto index = static_cast<std::size_t>(step.stage.value_or(0));
    return step.stage && index < stages.size() ? Json(stages[index]) : Json(nullptr);
}

Json contribution_json(const Contribution& step, const std::vector<std::string>& stages) {
    const auto figure = [&step](auto figure_of) {
        return step.added ? Json(figure_of(*step.added)) : Json(nullptr);
    };
    return {
        {"dimension", name_of(step.dimension)},
        {"stage", value_or_null(step.stage)},
        {"name", name_of_stage(step, stages)},
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

std::optional<StepFigures> figures_in(const JsonPlace& place) {
    const std::optional<double> latency_us = place.number_or_null("latency_us");
    if (!latency_us) {
        return std::nullopt;
    }
    return StepFigures{*latency_us,
                       place.number("latency_pct"),
                       place.number_or_null("utilization"),
                       place.count("params"),
                       place.count("macs"),
                       place.number("gain"),
                       place.number_or_null("gain_per_pct")};
}

Contribution contribution_in(const JsonPlace& place) {
    static constexpr std::array dimensions{StepDimension::width, StepDimension::depth,
                                           StepDimension::inner_width, StepDimension::resolution};
    static constexpr std::array outcomes{
        StepOutcome::fits,      StepOutcome::over_budget, StepOutcome::over_cap, StepOutcome::no_gain,
        StepOutcome::no_saving, StepOutcome::space_end,   StepOutcome::invalid,  StepOutcome::missing};
    Contribution step;
    step.dimension = place.named<StepDimension>("dimension", dimensions);
    step.stage = place.index_or_null("stage");
    step.block = place.index_or_null("block");
    step.base = place.integer("base");
    step.from = place.integer("from");
    step.to = place.integer_or_null("to");
    if (!place.text_or_empty("estimate").empty()) {
        step.estimate = place.named<EstimateKind>("estimate", estimate_kinds);
    }
    step.added = figures_in(place);
    step.outcome = place.named<StepOutcome>("outcome", outcomes);
    step.reason = place.text_or_empty("reason");
    return step;
}

// Of which picoseconds are whole numbers that a double holds.
double latency_in_picoseconds(const JsonPlace& place) {
    constexpr double max_us = 9e9;
    const double picoseconds = place.positive("latency_us") * picoseconds_per_us;
    if (picoseconds < 1.0 || picoseconds > max_us * picoseconds_per_us) {
        place.fail("latency_us", "a time from 1e-6 us to 9e9 us");
    }
    return picoseconds;
}

}  // namespace

ContributionsRow contributions_in(const JsonPlace& place) {
    ContributionsRow row;
    row.spec = place.one_of("spec", {"base", "hacscale"});
    Evaluation& before = row.network.network;
    before.choice = required_choice_in(place);
    before.latency_ps = std::llround(latency_in_picoseconds(place));
    before.gain = place.number_or_null("gain");
    before.usage.params = place.count("params");
    before.usage.macs = place.count_or_null("macs").value_or(0);
    row.network.budget_us = place.positive("budget_us");
    row.network.utilization = place.number_or_null("utilization");
    row.network.down = place.text_or_empty("direction") == "down";
    row.network.steps = read_all(place.objects("steps"), contribution_in);
    return row;
}

Json contributions_json(const std::vector<ContributionsRow>& rows, const std::vector<std::string>& stages) {
    Json list = Json::array();
    for (const auto& [spec, network] : rows) {
        Json steps = Json::array();
        for (const Contribution& step : network.steps) {
            steps.push_back(contribution_json(step, stages));
        }
        const Evaluation& before = network.network;
        list.push_back({{"spec", spec},
                        {"latency_us", before.latency_us()},
                        {"budget_us", network.budget_us},
                        {"utilization", value_or_null(network.utilization)},
                        {"params", before.usage.params},
                        {"macs", before.usage.macs},
                        {"gain", value_or_null(before.gain)}});
        if (network.down) {
            list.back()["direction"] = "down";
        }
        add_choice(list.back(), before.choice);
        list.back()["steps"] = std::move(steps);
    }
    return list;
}

bool Explanation::has_missing() const {
    return std::any_of(contributions.begin(), contributions.end(),
                       [](const ContributionsRow& row) { return row.network.has_missing(); });
}

std::vector<std::string> Explanation::step_names() const {
    std::vector<std::string> names = stages;
    names.insert(names.end(), width_names.begin(), width_names.end());
    names.insert(names.end(), depth_names.begin(), depth_names.end());
    return names;
}

std::string to_json(const Explanation& explanation) {
    Json json{{"model", explanation.model},
              {"device", explanation.device},
              {"budget", explanation.budget},
              {"batch", explanation.state.batch},
              {"dtype", name_of(explanation.state.type)},
              {"cache", name_of(explanation.state.cache)},
              {"gain_origin", explanation.gain_origin},
              {"gain_unit", explanation.gain_unit},
              {"stages", explanation.stages},
              {"contributions", contributions_json(explanation.contributions, explanation.step_names())},
              {"reason", explanation.reason}};
    if (!explanation.width_names.empty()) {
        json["width_names"] = explanation.width_names;
        json["depth_names"] = explanation.depth_names;
    }
    if (!explanation.budget_given.empty()) json["budget_given"] = explanation.budget_given;
    return text_of(json);
}

}  // namespace hacscale::records
