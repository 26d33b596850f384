#include "cli/printing/printing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

#include "harness/compare/describe.hpp"

namespace hacscale::cli {

namespace {

std::vector<const records::StrategyRow*> rows_of(const records::ComparisonRecord& record) {
    std::vector<const records::StrategyRow*> rows{&record.base};
    for (const records::StrategyRow& row : record.strategies) {
        rows.push_back(&row);
    }
    return rows;
}

// What was not measured leaves its cell empty.
template <typename Number>
std::string verdict_cell(const std::optional<Number>& number, const char* format, double scale = 1.0) {
    return number ? fmt::format(fmt::runtime(format), scale * static_cast<double>(*number)) : "";
}

std::vector<std::string> cells_of(const records::StrategyRow& row) {
    constexpr double mebi = 1.0 / (1 << 20);
    const std::optional<records::AccuracyFigures>& accuracy = row.accuracy;
    return {row.strategy,
            verdict_cell(row.measured_us, "{:.1f}"),
            verdict_cell(row.ci95_us, "{:.1f}"),
            verdict_cell(row.latency_ratio, "{:.3f}"),
            verdict_cell(row.latency_ratio_ci95, "{:.3f}"),
            verdict_cell(row.utilization, "{:.1f}", 100.0),
            verdict_cell(row.utilization_ratio, "{:.2f}"),
            verdict_cell(row.params, "{:.2f}", 1e-6),
            verdict_cell(row.macs, "{:.2f}", 1e-6),
            verdict_cell(row.memory_bytes, "{:.2f}", mebi),
            verdict_cell(row.gain, "{:.3f}"),
            accuracy ? fmt::format("{:.2f}", accuracy->mean) : "",
            accuracy ? verdict_cell(accuracy->deviation, "{:.2f}") : "",
            accuracy ? std::to_string(accuracy->seeds) : ""};
}

// Each pair of equals once, with the one that comes first in the table.
std::vector<std::string> later_equals(const std::vector<const records::StrategyRow*>& rows,
                                      std::size_t index) {
    std::vector<std::string> names;
    for (std::size_t i = index + 1; i < rows.size(); ++i) {
        const std::vector<std::string>& equals = rows[index]->equal_to;
        if (std::find(equals.begin(), equals.end(), rows[i]->strategy) != equals.end()) {
            names.push_back(rows[i]->strategy);
        }
    }
    return names;
}

// What was measured and is dominated by nothing.
std::vector<std::string> leaders_of(const std::vector<const records::StrategyRow*>& rows) {
    std::vector<std::string> leaders;
    for (const records::StrategyRow* row : rows) {
        const bool dominated = std::any_of(rows.begin(), rows.end(), [&](const records::StrategyRow* other) {
            return std::find(other->dominates.begin(), other->dominates.end(), row->strategy) !=
                   other->dominates.end();
        });
        if (row->measured_us && !dominated) {
            leaders.push_back(row->strategy);
        }
    }
    return leaders;
}

// In what one row leads another that it is said to dominate. Capacity is not accuracy: where accuracies are
// not known and the gain is capacity, no more is claimed than that.
std::string lead_of(const records::ComparisonRecord& record, const records::StrategyRow& row,
                    const records::StrategyRow& other) {
    const bool by_capacity = record.gain_is_of_size() && !(row.accuracy && other.accuracy);
    if (!by_capacity) {
        return "dominates";
    }
    const bool more = *row.gain > *other.gain;
    const bool less_latency = harness::latency_leads(row, other);
    const char* word = record.gain_origin == "balanced" ? "gain" : "capacity";
    return more && less_latency ? fmt::format("has more {} at less latency than", word)
           : more               ? fmt::format("has more {} at no more latency than", word)
                                : fmt::format("has less latency at no less {} than", word);
}

void print_leads(std::ostream& out, const records::ComparisonRecord& record,
                 const std::vector<const records::StrategyRow*>& rows, const records::StrategyRow& row) {
    std::map<std::string, std::vector<std::string>> names;
    for (const records::StrategyRow* other : rows) {
        const std::vector<std::string>& dominated = row.dominates;
        if (std::find(dominated.begin(), dominated.end(), other->strategy) != dominated.end()) {
            names[lead_of(record, row, *other)].push_back(other->strategy);
        }
    }
    for (const auto& [lead, others] : names) {
        out << fmt::format("{} {} {}\n", row.strategy, lead, fmt::join(others, ", "));
    }
}

void print_relations(std::ostream& out, const records::ComparisonRecord& record,
                     const std::vector<const records::StrategyRow*>& rows) {
    for (const records::StrategyRow* row : rows) {
        print_leads(out, record, rows, *row);
    }
    const std::vector<std::string> leaders = leaders_of(rows);
    if (!leaders.empty()) {
        out << fmt::format("dominated by no other: {}\n", fmt::join(leaders, ", "));
    }
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::vector<std::string> equals = later_equals(rows, i);
        if (!equals.empty()) {
            out << fmt::format("{} equals, within noise, {}\n", rows[i]->strategy, fmt::join(equals, ", "));
        }
    }
}

}  // namespace

void print_verdict(std::ostream& out, const records::ComparisonRecord& record) {
    const std::vector<const records::StrategyRow*> rows = rows_of(record);
    out << "verdict";
    if (record.accuracies && !record.accuracies->given_by.empty()) {
        out << ", accuracies as given by " << record.accuracies->given_by;
    } else if (record.accuracies && !record.accuracies->data_hash.empty()) {
        out << ", accuracies with the recipe " << record.accuracies->recipe;
    }
    out << '\n';
    std::vector<TextColumn> columns{{"strategy", Align::left}};
    for (const char* const title : {"measured us", "+-", "latency x", "+-", "util. %", "util. x", "Mparams",
                                    "MMACs", "MiB", "gain", "accuracy %", "+-", "seeds"}) {
        columns.push_back({title});
    }
    TextTable table(std::move(columns));
    for (const records::StrategyRow* row : rows) {
        table.add(cells_of(*row));
    }
    table.print(out);
    if (std::none_of(rows.begin(), rows.end(),
                     [](const records::StrategyRow* row) { return row->measured_us; })) {
        out << "nothing was measured, so no strategy is said to be better than another\n";
    }
    print_relations(out, record, rows);
}

}  // namespace hacscale::cli
