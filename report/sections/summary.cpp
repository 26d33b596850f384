// All comparisons of the run in one table: what HACScale reached, and the best of the other strategies beside
// it. "Best" is the most gain among those within the budget, variants of HACScale left out.
#include <fmt/format.h>

#include "report/document/document.hpp"
#include "report/networks.hpp"
#include "report/sections/phrases.hpp"
#include "report/sections/sections.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

bool is_other(const records::StrategyRow& row) {
    return !row.strategy.starts_with("hacscale");
}

const records::StrategyRow* best_other(const records::ComparisonRecord& comparison) {
    const records::StrategyRow* best = nullptr;
    for (const records::StrategyRow& row : comparison.strategies) {
        if (!is_other(row) || !row.ok() || !row.gain) continue;
        if (best == nullptr || *row.gain > *best->gain) best = &row;
    }
    return best;
}

std::vector<Column> columns(bool any_accuracy) {
    const Show where = any_accuracy ? Show::everywhere : Show::csv_only;
    return {{"Network", "model", false},
            {"Budget", "budget"},
            {"Base’s latency", "base_us"},
            {"HACScale: status", "status", false},
            {"Latency", "latency_ratio"},
            {"Utilization", "utilization_ratio"},
            {"MACs", "macs_ratio"},
            {"Parameters", "params_ratio"},
            {"Gain", "gain"},
            {"Accuracy, top-1", "accuracy_pct", true, where},
            {"Best other strategy", "best_other", false},
            {"Its latency", "best_other_latency_ratio"},
            {"Its utilization", "best_other_utilization_ratio"},
            {"Its gain", "best_other_gain"},
            {"Its accuracy, top-1", "best_other_accuracy_pct", true, where}};
}

// Its name; that it keeps the base, where it does.
Cell other_cell(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    return keeps_base(comparison, row) ? text_cell("all keep the base", row.strategy)
                                       : text_cell(row.strategy);
}

TableRow summary_row(const records::ComparisonRecord& comparison, const records::StrategyRow& own) {
    const records::StrategyRow& base = comparison.base;
    const records::StrategyRow* other = best_other(comparison);
    const records::StrategyRow nobody;
    const records::StrategyRow& rival = other != nullptr ? *other : nobody;
    const auto time = [&base](double us) { return latency(us, base.ci95_us); };
    const auto change = [](double value) { return signed_percent(value - 1.0); };
    const auto budget = [](double value) { return with_sign(value - 1.0, short_percent); };
    const auto three = [](double value) { return significant(value); };
    const auto points = [](double value) { return fmt::format("{:.2f} %", value); };
    TableRow row;
    row.mark = own.ok() ? RowMark::none : RowMark::excluded;
    row.cells = {text_cell(comparison.model),
                 number_cell(comparison.budget, budget),
                 number_cell(base.latency_us(), time),
                 status_cell(own.status),
                 number_cell(own.latency_ratio, change),
                 number_cell(own.utilization_ratio, ratio),
                 number_cell(over(own.macs, base.macs), ratio),
                 number_cell(over(own.params, base.params), ratio),
                 number_cell(own.gain, three),
                 number_cell(own.mean_accuracy(), points),
                 other_cell(comparison, rival),
                 number_cell(rival.latency_ratio, change),
                 number_cell(rival.utilization_ratio, ratio),
                 number_cell(rival.gain, three),
                 number_cell(rival.mean_accuracy(), points)};
    return row;
}

}  // namespace

Section summary_section(const Scene& scene) {
    Section section{.id = {}, .heading = "Summary", .parts = {}, .sections = {}};
    Table table;
    table.caption =
        "HACScale’s choice in each comparison, relative to the base, beside the other strategy of most gain "
        "within "
        "the budget (its variants left out).";
    table.csv_file = "summary.csv";
    bool any_accuracy = false;
    for (const records::ComparisonRecord& comparison : scene.records.comparisons) {
        const records::StrategyRow* own = comparison.hacscale();
        if (own == nullptr) continue;
        table.rows.push_back(summary_row(comparison, *own));
        any_accuracy = any_accuracy || own->accuracy.has_value();
    }
    table.columns = columns(any_accuracy);
    if (table.rows.empty()) {
        section.parts.push_back(
            Paragraph{"This run holds no HACScale choice; a suite with it makes one:", "hacscale run SUITE"});
    } else {
        section.parts.push_back(std::move(table));
    }
    return section;
}

}  // namespace hacscale::report
