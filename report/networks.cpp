#include "report/networks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace hacscale::report {

namespace {

bool share_entry(const records::StrategyRow& a, const records::StrategyRow& b) {
    if (a.status != b.status) return false;
    return a.has_answer() ? same_network(a, b) : a.reason == b.reason && !a.reason.empty();
}

constexpr std::size_t max_shown_names = 2;  // besides the first; more open on request

FoldedNames folded_names(const records::ComparisonRecord& comparison, const DistinctNetwork& network) {
    const std::size_t others = network.rows.size() - 1;
    FoldedNames folded{{}, other_names(network)};
    if (network.rows.front() == &comparison.base && others > 0) {
        folded.label = fmt::format("kept by {} {}", others, others == 1 ? "strategy" : "strategies");
    } else if (others > max_shown_names) {
        folded.label = fmt::format("and {} more", others);
    }
    return folded;
}

}  // namespace

std::optional<double> interval_of(const records::VerifiedModel& network) {
    return network.record.ci95_us > 0.0 ? std::optional(network.record.ci95_us) : std::nullopt;
}

bool keeps_base(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    return row.has_answer() && same_network(comparison.base, row);
}

RowMark row_mark(const records::ComparisonRecord& comparison, const records::StrategyRow& row) {
    if (&row == &comparison.base) return RowMark::base;
    return row.strategy == "hacscale" ? RowMark::own_choice : RowMark::none;
}

const records::StrategyRow* DistinctNetwork::trained_row() const {
    const auto found = std::find_if(
        rows.begin(), rows.end(), [](const records::StrategyRow* row) { return row->accuracy.has_value(); });
    return found == rows.end() ? nullptr : *found;
}

bool DistinctNetwork::has(const std::string& strategy) const {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const records::StrategyRow* row) { return row->strategy == strategy; });
}

std::vector<DistinctNetwork> distinct_networks(const records::ComparisonRecord& comparison) {
    std::vector<DistinctNetwork> networks{{{&comparison.base}}};
    for (const records::StrategyRow& row : comparison.strategies) {
        const bool base = keeps_base(comparison, row);
        const auto found =
            base ? networks.begin()
                 : std::find_if(networks.begin() + 1, networks.end(),
                                [&](const DistinctNetwork& one) { return share_entry(one.row(), row); });
        if (found == networks.end()) {
            networks.push_back({{&row}});
        } else if (row.strategy == "hacscale" && !base) {
            found->rows.insert(found->rows.begin(), &row);
        } else {
            found->rows.push_back(&row);
        }
    }
    return networks;
}

std::string other_names(const DistinctNetwork& network) {
    std::vector<std::string> names;
    for (const records::StrategyRow* row : network.rows) {
        if (row != network.rows.front()) names.push_back(row->strategy);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<records::VerifiedModel> checked_networks(const records::RunRecords& records) {
    if (records.verification && !records.verification->models.empty()) return records.verification->models;
    std::vector<records::VerifiedModel> networks;
    for (const records::ComparisonRecord& comparison : records.comparisons) {
        for (const DistinctNetwork& network : distinct_networks(comparison)) {
            const records::StrategyRow& row = network.row();
            if (!row.predicted_us || !row.measured_us) continue;
            const bool base = &row == &comparison.base;
            VerificationRecord checked;
            checked.model =
                base ? comparison.model
                     : fmt::format("{} {} at {}", comparison.model, row.strategy, comparison.budget);
            checked.cache = comparison.cache;
            checked.type = comparison.type;
            checked.batch = comparison.batch;
            checked.predicted_us = *row.predicted_us;
            checked.measured_us = *row.measured_us;
            checked.ci95_us = row.ci95_us.value_or(0.0);
            networks.push_back({std::move(checked), base ? "base" : "strategy", row.upper});
        }
    }
    return networks;
}

void fold_rows(Table& table, const std::vector<const records::StrategyRow*>& rows,
               const records::ComparisonRecord& comparison) {
    table.page_rows.clear();
    for (DistinctNetwork network : distinct_networks(comparison)) {
        std::erase_if(network.rows, [&](const records::StrategyRow* row) {
            return std::find(rows.begin(), rows.end(), row) == rows.end();
        });
        if (network.rows.empty()) continue;
        const auto place = std::find(rows.begin(), rows.end(), network.rows.front()) - rows.begin();
        table.page_rows.push_back(static_cast<std::size_t>(place));
        table.rows[table.page_rows.back()].folded = folded_names(comparison, network);
    }
    std::sort(table.page_rows.begin(), table.page_rows.end());
}

std::size_t count_keeping_base(const records::ComparisonRecord& comparison) {
    return static_cast<std::size_t>(
        std::count_if(comparison.strategies.begin(), comparison.strategies.end(),
                      [&](const records::StrategyRow& row) { return keeps_base(comparison, row); }));
}

}  // namespace hacscale::report
