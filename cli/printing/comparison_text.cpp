#include "cli/printing/printing.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/text/wording.hpp"

namespace hacscale::cli {

namespace {

template <typename Number>
std::string cell(const std::optional<Number>& number, const char* format) {
    return number ? fmt::format(fmt::runtime(format), *number) : "-";
}

// "24/40x2" for 24, 40, 40; "-" where they follow.
std::string inner_text(const std::vector<int>& inner_widths) {
    std::string text;
    for (auto at = inner_widths.begin(); at != inner_widths.end();) {
        const auto end = std::find_if(at, inner_widths.end(), [&](int width) { return width != *at; });
        text += fmt::format("{}{}", text.empty() ? "" : "/", *at);
        if (end - at > 1) {
            text += fmt::format("x{}", end - at);
        }
        at = end;
    }
    return text.empty() ? "-" : text;
}

bool any_inner(const records::ComparisonRecord& record) {
    return std::any_of(
        record.strategies.begin(), record.strategies.end(),
        [](const records::StrategyRow& row) { return row.choice && !row.choice->inner_widths.empty(); });
}

std::vector<std::string> cells_of(const records::StrategyRow& row, bool with_inner) {
    const auto millions = [](const std::optional<std::int64_t>& count) {
        return count ? fmt::format("{:.2f}", static_cast<double>(*count) * 1e-6) : "-";
    };
    std::vector<std::string> cells{
        row.strategy,
        std::string(name_of(row.status)),
        cell(row.predicted_us, "{:.1f}"),
        cell(row.measured_us, "{:.1f}"),
        cell(row.latency_ratio, "{:.3f}"),
        cell(row.utilization ? std::optional(100.0 * *row.utilization) : std::nullopt, "{:.1f}"),
        cell(row.utilization_ratio, "{:.2f}"),
        millions(row.params),
        millions(row.macs),
        cell(row.gain, "{:.3f}"),
        row.choice ? fmt::format("{}", fmt::join(row.choice->widths, ",")) : "-",
        row.choice ? fmt::format("{}", fmt::join(row.choice->depths, ",")) : "-",
        row.choice ? std::to_string(row.choice->resolution) : "-"};
    if (with_inner) {
        cells.push_back(row.choice ? inner_widths_text(*row.choice) : "-");
    }
    for (const records::OtherLatency& other : row.elsewhere) {
        cells.push_back(cell(other.latency_ratio, "{:.3f}"));
    }
    return cells;
}

}  // namespace

std::string inner_widths_text(const ScalingChoice& choice) {
    std::vector<std::string> stages;
    for (const std::vector<int>& stage : choice.inner_widths) {
        stages.push_back(inner_text(stage));
    }
    return stages.empty() ? "-" : fmt::format("{}", fmt::join(stages, ","));
}

void print_comparison(std::ostream& out, const records::ComparisonRecord& record) {
    const std::string given = record.budget_given.empty() ? "" : record.budget_given + ", ";
    out << fmt::format("{} on {}, latency budget {}{:.6g} x the base's, batch {}, {}, gain by {}\n\n",
                       record.model, record.device, given, record.budget, record.batch,
                       hacscale::name_of(record.type), record.gain_origin);
    const bool with_inner = any_inner(record);
    std::vector<TextColumn> columns{{"strategy", Align::left},
                                    {"status", Align::left},
                                    {"predicted us"},
                                    {"measured us"},
                                    {"latency x"},
                                    {"util. %"},
                                    {"util. x"},
                                    {"Mparams"},
                                    {"MMACs"},
                                    {"gain"},
                                    {"widths", Align::left},
                                    {"depths", Align::left},
                                    {"pixels"}};
    if (with_inner) {
        columns.push_back({"inner widths", Align::left});
    }
    for (const records::OtherLatency& other : record.base.elsewhere) {
        columns.push_back({"x in " + other.runtime});
    }
    TextTable table(std::move(columns));
    table.add(cells_of(record.base, with_inner));
    for (const records::StrategyRow& row : record.strategies) {
        table.add(cells_of(row, with_inner));
    }
    table.print(out);
    for (const records::StrategyRow& row : record.strategies) {
        if (!row.reason.empty()) {
            out << row.strategy << ": " << row.reason << '\n';
        }
    }
    if (record.gain_gap > 0.0) {
        out << fmt::format(
            "plans are bounded: no network within the budget gains more than {} above HACScale's plan\n",
            plain_number(record.gain_gap, 2));
    } else if (record.gain_bound > 0.0) {
        out << fmt::format("plans are bounded: no network within the budget less {} % gains more\n",
                           plain_number(100.0 * record.gain_bound));
    }
    out << '\n';
    print_verdict(out, record);
}

}  // namespace hacscale::cli
