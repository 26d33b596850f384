// What the networks are worth: accuracies after training, beside the gain that the planner foresaw.
#include <fmt/format.h>

#include <algorithm>

#include "report/charts/charts.hpp"
#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

std::vector<const records::StrategyRow*> trained_rows(const records::ComparisonRecord& comparison) {
    std::vector<const records::StrategyRow*> rows;
    if (comparison.base.accuracy) rows.push_back(&comparison.base);
    for (const records::StrategyRow& row : comparison.strategies) {
        if (row.accuracy) rows.push_back(&row);
    }
    std::stable_sort(rows.begin(), rows.end(),
                     [](const records::StrategyRow* a, const records::StrategyRow* b) {
                         return a->accuracy->mean > b->accuracy->mean;
                     });
    return rows;
}

// What a network has over the base that was trained for as many FLOPs.
std::optional<double> over_matched_base(const records::StrategyRow& row) {
    return row.matched_base ? std::optional(row.accuracy->mean - row.matched_base->mean) : std::nullopt;
}

TableRow accuracy_row(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    const records::StrategyRow& base = comparison.base;
    std::optional<double> over_base;
    if (base.accuracy && &row != &base) over_base = row.accuracy->mean - base.accuracy->mean;
    const auto hundredths = [](double value) { return fmt::format("{:.2f}", value); };
    TableRow out;
    out.mark = row_mark(comparison, row);
    out.cells = {
        model_cell(comparison),
        budget_cell(comparison),
        text_cell(row.strategy),
        number_cell(row.mean_accuracy(), [](double value) { return fmt::format("{:.2f} %", value); }),
        number_cell(row.accuracy->deviation, hundredths),
        integer_cell(row.accuracy->seeds),
        number_cell(over_base, [&](double points) { return with_sign(points, hundredths); }),
        number_cell(over_matched_base(row), [&](double points) { return with_sign(points, hundredths); }),
        number_cell(row.matched_base ? std::optional(row.matched_base->mean) : std::nullopt, hundredths),
        integer_cell(row.matched_base ? std::optional(row.matched_base->seeds) : std::nullopt),
        number_cell(row.gain, [](double value) { return significant(value); }),
        number_cell(row.latency_ratio, [](double value) { return signed_percent(value - 1.0); })};
    return out;
}

}  // namespace

Section accuracy_section(const Scene& scene) {
    const records::ComparisonRecord& comparison = *scene.comparison;
    const std::vector<const records::StrategyRow*> rows = trained_rows(comparison);
    Section section;
    section.heading = "Accuracy";
    if (rows.empty()) {
        section.parts.push_back(
            Paragraph{"Accuracy was not measured in this run; gain is the planner’s estimate of it. The "
                      "command that measures it:",
                      "hacscale compare MODEL --table TABLE --train PLAN.yaml"});
        return section;
    }
    // Of a network with the base's FLOPs that is the base itself, which another column has.
    const bool any_matched = std::any_of(rows.begin(), rows.end(), [&](const auto* row) {
        return row->matched_base && row->matched_base != comparison.base.accuracy;
    });
    Table table;
    table.caption = fmt::format("Top-1 on the test set{}, best first: means over seeds.",
                                records::origin_text(comparison.accuracies));
    table.csv_file = "accuracy.csv";
    table.columns = {model_column(),
                     budget_column(),
                     {"Strategy", "strategy", false},
                     {"Accuracy", "accuracy_pct"},
                     {"Standard deviation, points", "accuracy_deviation_points"},
                     {"Seeds", "accuracy_seeds"},
                     {"Over base, points", "over_base_points"},
                     {"Over base with as many training FLOPs", "over_matched_base_points", true,
                      any_matched ? Show::everywhere : Show::csv_only},
                     {"That base's accuracy", "matched_base_accuracy_pct", true, Show::csv_only},
                     {"Its seeds", "matched_base_seeds", true, Show::csv_only},
                     {"Gain, foreseen", "gain"},
                     {"Latency", "latency_ratio"}};
    for (const records::StrategyRow* row : rows) table.rows.push_back(accuracy_row(comparison, *row));
    fold_rows(table, rows, comparison);
    section.parts.push_back(accuracy_chart(comparison));
    section.parts.push_back(std::move(table));
    if (has_learning_curves(comparison)) {
        section.parts.push_back(learning_curve_chart(comparison));
    }
    return section;
}

}  // namespace hacscale::report
