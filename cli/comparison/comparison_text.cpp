#include "cli/comparison/comparison_text.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "cli/comparison/verdict_text.hpp"
#include "cli/text_table.hpp"

namespace hacscale::cli {

namespace {

template <typename Number>
std::string cell(const std::optional<Number>& number, const char* format) {
    return number ? fmt::format(fmt::runtime(format), *number) : "-";
}

std::vector<std::string> cells_of(const StrategyRow& row) {
    const auto millions = [](const std::optional<std::int64_t>& count) {
        return count ? fmt::format("{:.2f}", static_cast<double>(*count) * 1e-6) : "-";
    };
    return {row.strategy,
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
}

}  // namespace

void print_comparison(std::ostream& out, const ComparisonRecord& record) {
    out << fmt::format("{} on {}, latency budget {} x the base's, batch {}, {}, gain by {}\n\n", record.model,
                       record.device, record.budget, record.batch, hacscale::name_of(record.type),
                       record.gain_origin);
    TextTable table({{"strategy", Align::left},
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
                     {"pixels"}});
    table.add(cells_of(record.base));
    for (const StrategyRow& row : record.strategies) {
        table.add(cells_of(row));
    }
    table.print(out);
    for (const StrategyRow& row : record.strategies) {
        if (!row.reason.empty()) {
            out << row.strategy << ": " << row.reason << '\n';
        }
    }
    if (record.gain_bound > 0.0) {
        out << fmt::format(
            "plans with inner widths are bounded: no network within the budget less {:g} % gains more\n",
            100.0 * record.gain_bound);
    }
    out << '\n';
    print_verdict(out, record);
}

bool has_gaps(const ComparisonRecord& record) {
    const auto gap = [](const StrategyRow& row) { return row.noisy || row.status == StrategyStatus::failed; };
    return gap(record.base) || std::any_of(record.strategies.begin(), record.strategies.end(), gap);
}

}  // namespace hacscale::cli
