// What one step in each dimension adds: why the planner chose what it chose.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "report/charts/charts.hpp"
#include "report/document/cells.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"

namespace hacscale::report {

namespace {

std::string name_of(const NetworkSteps& network) {
    return network.spec == "base" ? "the base" : "HACScale’s choice";
}

Cell change_cell(const std::optional<double>& value, const std::function<std::string(double)>& format) {
    return number_cell(value, [&format](double number) { return with_sign(number, format); });
}

Cell gain_per_latency_cell(const StepRecord& step) {
    if (step.free()) return {"free", std::monostate{}, false};
    return number_cell(step.gain_per_pct, [](double value) { return significant(value); });
}

Table table_of(const Comparison& comparison, const NetworkSteps& network) {
    Table table;
    table.caption = fmt::format("One step from {}: what it adds, and whether the network could take it",
                                name_of(network));
    table.csv_file = "contributions.csv";
    table.columns = {model_column(),
                     budget_column(),
                     {"Step", "step", false},
                     {"Network", "network", false, Show::csv_only},
                     {"Base", "base"},
                     {"Now", "from"},
                     {"Next", "to"},
                     {"Latency", "latency_us"},
                     {"Latency, %\u00a0of\u00a0base", "latency_pct"},
                     {"Utilization, points", "utilization"},
                     {"Parameters", "params"},
                     {"MACs", "macs"},
                     {"Gain", "gain"},
                     {"Gain per %\u00a0of\u00a0latency", "gain_per_pct"},
                     {"Latencies", "estimate", false},
                     {"Outcome", "outcome", false},
                     {"In words", "reason", false}};
    for (const StepRecord& step : network.steps) {
        TableRow row;
        row.mark = step.outcome == "fits" ? RowMark::own_choice : RowMark::none;
        row.cells = {model_cell(comparison),
                     budget_cell(comparison),
                     text_cell(step.name()),
                     text_cell(network.spec),
                     integer_cell(step.base),
                     integer_cell(step.from),
                     integer_cell(step.to),
                     change_cell(step.latency_us, [](double us) { return latency(us); }),
                     change_cell(step.latency_pct, [](double pct) { return significant(pct); }),
                     change_cell(step.utilization, points),
                     change_cell(step.params, [](double count) { return scaled(count); }),
                     change_cell(step.macs, [](double count) { return scaled(count); }),
                     change_cell(step.gain, [](double gain) { return significant(gain); }),
                     gain_per_latency_cell(step),
                     text_cell(step.estimate),
                     text_cell(status_text(step.outcome), step.outcome),
                     text_cell(step.reason)};
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string verdict_of(const NetworkSteps& choice) {
    const auto fitting = std::count_if(choice.steps.begin(), choice.steps.end(),
                                       [](const StepRecord& step) { return step.outcome == "fits"; });
    if (fitting == 0) {
        return "From HACScale’s choice no single step both gains and fits.";
    }
    return fmt::format("From HACScale’s choice {} of the steps gain and would still fit by prediction.",
                       fitting);
}

}  // namespace

Section contributions_section(const Scene& scene) {
    const Comparison& comparison = *scene.comparison;
    if (comparison.contributions.empty()) {
        return absent_section("Contributions", "contributions in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = "Contributions: what one step in each dimension adds";
    const NetworkSteps& base = comparison.contributions.front();
    for (const NetworkSteps& network : comparison.contributions) {
        const bool kept = &network != &base && network.same_network(base);
        if (kept) {
            section.parts.push_back(Paragraph{"HACScale keeps the base, so its steps are the base’s."});
        } else {
            section.parts.push_back(contributions_chart(network, base.latency_us));
            section.parts.push_back(table_of(comparison, network));
        }
        if (&network != &base) section.parts.push_back(Paragraph{verdict_of(network)});
    }
    return section;
}

}  // namespace hacscale::report
