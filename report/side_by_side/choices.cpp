// What HACScale chose on each device, and what that gained there.
#include <fmt/format.h>

#include <set>

#include "report/document/cells.hpp"
#include "report/sections/phrases.hpp"
#include "report/side_by_side/side_by_side.hpp"

namespace hacscale::report {

namespace {

TableRow choice_row(const std::string& letter, const Comparison& comparison, const StrategyRow& own) {
    const StrategyRow& base = comparison.base;
    const auto change = [](double value) { return signed_percent(value - 1.0); };
    const auto points = [](double value) { return fmt::format("{:.2f} %", value); };
    const auto budget = [](double value) { return with_sign(value - 1.0, short_percent); };
    TableRow row;
    row.mark = own.ok() ? RowMark::none : RowMark::excluded;
    row.cells = {text_cell(comparison.model),
                 number_cell(comparison.budget, budget),
                 text_cell(letter),
                 text_cell(status_text(own.status), own.status),
                 number_cell(own.latency_ratio, change),
                 number_cell(own.utilization_ratio, ratio),
                 number_cell(over(own.macs, base.macs), ratio),
                 number_cell(over(own.params, base.params), ratio),
                 number_cell(own.gain, [](double value) { return significant(value); }),
                 number_cell(own.accuracy, points),
                 text_cell(join(own.depths, " / "), join(own.depths, " ")),
                 text_cell(join(own.widths, " / "), join(own.widths, " ")),
                 integer_cell(own.resolution)};
    return row;
}

}  // namespace

Section choices_section(const Runs& runs) {
    Section section{.id = "choices", .heading = "What HACScale chose", .parts = {}, .sections = {}};
    Table table;
    table.caption =
        "HACScale’s choice on each device, relative to the base on that device. Gains of different runs "
        "compare "
        "where the same file of gains, or none, was given.";
    table.csv_file = "choices.csv";
    bool any_accuracy = false;
    for (const Records& run : runs) {
        for (const Comparison& comparison : run.comparisons) {
            const StrategyRow* own = comparison.hacscale();
            any_accuracy = any_accuracy || (own != nullptr && own->accuracy);
        }
    }
    table.columns = {
        {"Network", "model", false},
        {"Budget", "budget"},
        {"Run", "run", false},
        {"Status", "status", false},
        {"Latency", "latency_ratio"},
        {"Utilization", "utilization_ratio"},
        {"MACs", "macs_ratio"},
        {"Parameters", "params_ratio"},
        {"Gain", "gain"},
        {"Accuracy, top-1", "accuracy_pct", true, any_accuracy ? Show::everywhere : Show::csv_only},
        {"Depths", "depths", false},
        {"Widths", "widths", false},
        {"Resolution", "resolution_px"}};
    std::set<std::pair<std::string, double>> questions;
    for (const Records& run : runs) {
        for (const Comparison& comparison : run.comparisons) {
            questions.emplace(comparison.model, comparison.budget);
        }
    }
    for (const auto& [model, budget] : questions) {
        for (std::size_t i = 0; i < runs.size(); ++i) {
            for (const Comparison& comparison : runs[i].comparisons) {
                const StrategyRow* own = comparison.hacscale();
                const bool asked = comparison.model == model && comparison.budget == budget;
                if (asked && own != nullptr) table.rows.push_back(choice_row(letter_of(i), comparison, *own));
            }
        }
    }
    if (table.rows.empty()) {
        section.parts.push_back(
            Paragraph{"Left out: no run holds a choice of HACScale. The command that makes one:",
                      "hacscale run SUITE"});
    } else {
        section.parts.push_back(std::move(table));
    }
    return section;
}

}  // namespace hacscale::report
