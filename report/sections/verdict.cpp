// The verdict at one budget: what each choice costs and what it is worth, with intervals, and which
// strategies dominate which (docs/method.md, "Verdict"). The comparison's record says who dominates whom;
// nothing is judged here.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "report/document/cells.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"

namespace hacscale::report {

namespace {

std::vector<const StrategyRow*> verdict_rows(const Comparison& comparison) {
    std::vector<const StrategyRow*> rows{&comparison.base};
    for (const StrategyRow& row : comparison.strategies) rows.push_back(&row);
    return rows;
}

std::vector<Column> columns() {
    return {model_column(),
            budget_column(),
            {"Strategy", "strategy", false},
            {"Latency", "measured_us"},
            {"Its 95 % interval, half", "ci95_us", true, Show::csv_only},
            {"Against base", "latency_ratio"},
            {"Its 95 % interval, half", "latency_ratio_ci95", true, Show::csv_only},
            {"Utilization", "utilization"},
            {"Utilization, ×\u00a0base", "utilization_ratio"},
            {"Parameters", "params"},
            {"MACs", "macs"},
            {"Memory", "memory_bytes"},
            {"Gain", "gain"},
            {"Accuracy, top-1", "accuracy_pct"},
            {"Its standard deviation, points", "accuracy_deviation_points", true, Show::csv_only},
            {"Seeds", "accuracy_seeds", true, Show::csv_only},
            {"Dominates", "dominates", false},
            {"Equals, within noise", "equal_to", false}};
}

// "92.34 ± 0.12 % (3)"; hundredths of a point, since seeds differ by tenths.
std::string accuracy_text(const StrategyRow& row) {
    const std::string spread =
        row.accuracy_deviation ? fmt::format(" ± {:.2f}", *row.accuracy_deviation) : std::string();
    return fmt::format("{:.2f}{} % ({})", *row.accuracy, spread, row.accuracy_seeds);
}

std::optional<int> seeds_of(const StrategyRow& row) {
    return row.accuracy ? std::optional(row.accuracy_seeds) : std::nullopt;
}

Cell names_cell(const std::vector<std::string>& names) {
    if (names.empty()) return text_cell("");
    return text_cell(fmt::format("{}", fmt::join(names, ", ")), fmt::format("{}", fmt::join(names, " ")));
}

TableRow verdict_row(const Comparison& comparison, const StrategyRow& row) {
    const auto measured = [&row](double us) { return latency(us, row.ci95_us); };
    const auto half_width = [](double us) { return latency(us); };
    // The base, and what is the same network, has no interval.
    const auto against = [&row](double value) { return percent_change(value - 1.0, row.latency_ratio_ci95); };
    const auto count = [](double value) { return scaled(value); };
    const auto bytes = [](double value) { return scaled(value, "B"); };
    const auto three = [](double value) { return significant(value); };
    const auto accuracy = [&row](double) { return accuracy_text(row); };
    TableRow out;
    out.mark = &row == &comparison.base     ? RowMark::base
               : !row.ok()                  ? RowMark::excluded
               : row.strategy == "hacscale" ? RowMark::own_choice
                                            : RowMark::none;
    out.cells = {model_cell(comparison),
                 budget_cell(comparison),
                 text_cell(row.strategy),
                 number_cell(row.measured_us, measured),
                 number_cell(row.ci95_us, half_width),
                 number_cell(row.latency_ratio, against),
                 number_cell(row.latency_ratio_ci95, percent),
                 number_cell(row.utilization, percent),
                 number_cell(row.utilization_ratio, ratio),
                 number_cell(row.params, count),
                 number_cell(row.macs, count),
                 number_cell(row.memory_bytes, bytes),
                 number_cell(row.gain, three),
                 number_cell(row.accuracy, accuracy),
                 number_cell(row.accuracy_deviation, three),
                 integer_cell(seeds_of(row)),
                 names_cell(row.dominates),
                 names_cell(row.equal_to)};
    return out;
}

// What is measured and dominated by nothing.
std::string leaders_of(const std::vector<const StrategyRow*>& rows) {
    std::vector<std::string> leaders;
    for (const StrategyRow* row : rows) {
        const bool dominated = std::any_of(rows.begin(), rows.end(), [&](const StrategyRow* other) {
            return std::find(other->dominates.begin(), other->dominates.end(), row->strategy) !=
                   other->dominates.end();
        });
        if (row->measured_us && !dominated) leaders.push_back(row->strategy);
    }
    return fmt::format("{}", fmt::join(leaders, ", "));
}

Paragraph standing_of(const Comparison& comparison, const std::vector<const StrategyRow*>& rows) {
    if (!comparison.judged) {
        return {
            "This record does not say which strategies dominate which. The command that makes one that does:",
            "hacscale compare MODEL --table TABLE --json"};
    }
    const std::string leaders = leaders_of(rows);
    if (leaders.empty()) return {"Nothing was measured, so no strategy is said to dominate another."};
    return {"Dominated by no other: " + leaders + "."};
}

}  // namespace

Section verdict_section(const Scene& scene) {
    const Comparison& comparison = *scene.comparison;
    const std::vector<const StrategyRow*> rows = verdict_rows(comparison);
    Section section;
    section.heading = "Verdict";
    section.parts.push_back(standing_of(comparison, rows));
    Table table;
    table.caption = fmt::format(
        "{} {}. A strategy dominates another when it is better in latency, gain or accuracy by more than "
        "noise, and worse in none of them. Memory: weights, and the activations alive together at most.",
        comparison.model, at_budget(comparison.budget));
    table.csv_file = "verdict.csv";
    table.columns = columns();
    for (const StrategyRow* row : rows) table.rows.push_back(verdict_row(comparison, *row));
    section.parts.push_back(std::move(table));
    const bool any_accuracy = std::any_of(rows.begin(), rows.end(),
                                          [](const StrategyRow* row) { return row->accuracy.has_value(); });
    if (any_accuracy) {
        section.parts.push_back(Paragraph{fmt::format(
            "Accuracies are means over seeds ± the standard deviation (number of seeds), on the test set{}.",
            comparison.accuracy_recipe.empty()
                ? std::string()
                : ", after training with the recipe " + comparison.accuracy_recipe)});
    }
    return section;
}

}  // namespace hacscale::report
