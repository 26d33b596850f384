// What one step in each dimension adds: why the planner chose what it chose.
#include <fmt/format.h>

#include <algorithm>
#include <functional>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

// Params tell inner widths apart, which widths and depths do not.
bool same_network(const records::ContributionsRow& a, const records::ContributionsRow& b) {
    const Evaluation& one = a.network.network;
    const Evaluation& other = b.network.network;
    return one.usage.params == other.usage.params && one.choice.widths == other.choice.widths &&
           one.choice.depths == other.choice.depths && one.choice.resolution == other.choice.resolution;
}

std::string title_of(const records::ContributionsRow& network) {
    return network.spec == "base" ? "the base" : "HACScale’s choice";
}

Cell change_cell(const std::optional<double>& value, const std::function<std::string(double)>& format) {
    return number_cell(value, [&format](double number) { return with_sign(number, format); });
}

Cell gain_per_latency_cell(const Contribution& step) {
    if (is_free(step)) return {"free", std::monostate{}, false};
    return number_cell(figure_of(step, &StepFigures::gain_per_percent),
                       [](double value) { return significant(value); });
}

Table table_of(const records::ComparisonRecord& comparison, const records::ContributionsRow& network) {
    Table table;
    table.caption =
        network.network.down
            ? fmt::format(
                  "One step down from {}: what it saves and costs, and whether the budget is met then",
                  title_of(network))
            : fmt::format("One step from {}: what it adds, and whether the network could take it",
                          title_of(network));
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
    for (const Contribution& step : network.network.steps) {
        TableRow row;
        row.mark = step.outcome == StepOutcome::fits ? RowMark::own_choice : RowMark::none;
        row.cells = {
            model_cell(comparison),
            budget_cell(comparison),
            text_cell(comparison.name_of_step(step)),
            text_cell(network.spec),
            integer_cell(step.base),
            integer_cell(step.from),
            integer_cell(step.to),
            change_cell(figure_of(step, &StepFigures::latency_us), [](double us) { return latency(us); }),
            change_cell(figure_of(step, &StepFigures::latency_percent),
                        [](double pct) { return significant(pct); }),
            change_cell(figure_of(step, &StepFigures::utilization), points),
            change_cell(figure_of(step, &StepFigures::params), [](double count) { return scaled(count); }),
            change_cell(figure_of(step, &StepFigures::macs), [](double count) { return scaled(count); }),
            change_cell(figure_of(step, &StepFigures::gain), [](double gain) { return significant(gain); }),
            gain_per_latency_cell(step),
            text_cell(step.estimate ? std::string(name_of(*step.estimate)) : std::string()),
            text_cell(status_text(name_of(step.outcome)), std::string(name_of(step.outcome))),
            text_cell(step.reason)};
        table.rows.push_back(std::move(row));
    }
    return table;
}

std::string verdict_of(const records::ContributionsRow& choice) {
    const auto fitting =
        std::count_if(choice.network.steps.begin(), choice.network.steps.end(),
                      [](const Contribution& step) { return step.outcome == StepOutcome::fits; });
    if (choice.network.down) {
        return fmt::format(
            "HACScale’s choice exceeds the budget; {} of the steps down from it would meet it.", fitting);
    }
    if (fitting == 0) {
        return "From HACScale’s choice no single step both gains and fits.";
    }
    return fmt::format("From HACScale’s choice {} of the steps gain and would still fit by prediction.",
                       fitting);
}

}  // namespace

Section contributions_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    if (comparison.contributions.empty() && !comparison.width_names.empty()) {
        return graph_section("Contributions", "steps from the base or the choice");
    }
    if (comparison.contributions.empty()) {
        return absent_section("Contributions", "contributions in " + comparison.file,
                              "hacscale compare MODEL --table TABLE --json");
    }
    Section section;
    section.heading = "Contributions: what one step in each dimension adds";
    const records::ContributionsRow& base = comparison.contributions.front();
    for (const records::ContributionsRow& network : comparison.contributions) {
        const bool kept = &network != &base && same_network(network, base);
        if (kept) {
            section.parts.push_back(Paragraph{"HACScale keeps the base, so its steps are the base’s."});
        } else {
            section.parts.push_back(contributions_chart(comparison, network));
            section.parts.push_back(table_of(comparison, network));
        }
        if (&network != &base) section.parts.push_back(Paragraph{verdict_of(network)});
    }
    return section;
}

}  // namespace hacscale::report
