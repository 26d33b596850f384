// What HACScale chose on each device, and what that gained there.
#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "report/document/document.hpp"
#include "report/sections/phrases.hpp"
#include "report/side_by_side/side_by_side.hpp"
#include "report/text/numbers.hpp"

namespace hacscale::report {

namespace {

struct Choice {
    std::string letter;  // of the run
    const records::ComparisonRecord& comparison;
    const records::StrategyRow& own;
};

// By network and budget; the runs of one budget in their order.
using Choices = std::multimap<std::pair<std::string, double>, Choice>;

Choices choices_of(const Runs& runs) {
    Choices choices;
    for (std::size_t i = 0; i < runs.size(); ++i) {
        for (const records::ComparisonRecord& comparison : runs[i].comparisons) {
            const records::StrategyRow* own = comparison.hacscale();
            if (own == nullptr) continue;
            choices.emplace(std::pair(comparison.model, comparison.budget),
                            Choice{letter_of(i), comparison, *own});
        }
    }
    return choices;
}

TableRow row_of(const Choice& choice) {
    const records::StrategyRow& own = choice.own;
    const records::StrategyRow& base = choice.comparison.base;
    const auto change = [](double value) { return signed_percent(value - 1.0); };
    const auto points = [](double value) { return fmt::format("{:.2f} %", value); };
    const auto budget = [](double value) { return with_sign(value - 1.0, short_percent); };
    TableRow row;
    row.mark = own.ok() ? RowMark::none : RowMark::excluded;
    row.cells = {text_cell(choice.comparison.model),
                 number_cell(choice.comparison.budget, budget),
                 text_cell(choice.letter),
                 status_cell(own.status),
                 number_cell(own.latency_ratio, change),
                 number_cell(own.utilization_ratio, ratio),
                 number_cell(over(own.macs, base.macs), ratio),
                 number_cell(over(own.params, base.params), ratio),
                 number_cell(own.gain, [](double value) { return significant(value); }),
                 number_cell(own.mean_accuracy(), points),
                 depths_cell(own.choice),
                 widths_cell(own.choice),
                 resolution_cell(own.choice)};
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
    const Choices choices = choices_of(runs);
    const bool any_accuracy = std::any_of(choices.begin(), choices.end(), [](const auto& choice) {
        return choice.second.own.accuracy.has_value();
    });
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
    for (const auto& [question, choice] : choices) table.rows.push_back(row_of(choice));
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
