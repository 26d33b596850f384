#include "report/records/networks.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>

namespace hacscale::report {

namespace {

bool has_answer(const StrategyRow& row) {
    return row.status != "infeasible" && row.status != "failed";
}

bool share_entry(const StrategyRow& a, const StrategyRow& b) {
    if (a.status != b.status) return false;
    return has_answer(a) ? same_network(a, b) : a.reason == b.reason && !a.reason.empty();
}

}  // namespace

std::string setting_of(const Records& records, const std::string& name) {
    for (const auto& [key, value] : records.provenance.settings) {
        if (key == name) return value;
    }
    return {};
}

bool same_network(const StrategyRow& a, const StrategyRow& b) {
    return a.widths == b.widths && a.depths == b.depths && a.inner_widths == b.inner_widths &&
           a.resolution == b.resolution && a.params == b.params;
}

bool keeps_base(const Comparison& comparison, const StrategyRow& row) {
    return has_answer(row) && same_network(comparison.base, row);
}

bool DistinctNetwork::has(const std::string& strategy) const {
    return std::any_of(rows.begin(), rows.end(),
                       [&](const StrategyRow* row) { return row->strategy == strategy; });
}

std::vector<DistinctNetwork> distinct_networks(const Comparison& comparison) {
    std::vector<DistinctNetwork> networks{{{&comparison.base}}};
    for (const StrategyRow& row : comparison.strategies) {
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
    for (const StrategyRow* row : network.rows) {
        if (row != network.rows.front()) names.push_back(row->strategy);
    }
    return fmt::format("{}", fmt::join(names, ", "));
}

std::vector<VerifiedNetwork> checked_networks(const Records& records) {
    if (records.verified && !records.verified->empty()) return *records.verified;
    std::vector<VerifiedNetwork> networks;
    for (const Comparison& comparison : records.comparisons) {
        for (const DistinctNetwork& network : distinct_networks(comparison)) {
            const StrategyRow& row = network.row();
            if (!row.predicted_us || !row.measured_us) continue;
            const bool base = &row == &comparison.base;
            VerifiedNetwork checked;
            checked.model =
                base ? comparison.model
                     : fmt::format("{} {} at {}", comparison.model, row.strategy, comparison.budget);
            checked.role = base ? "base" : "strategy";
            checked.cache = setting_of(records, "cache");
            checked.dtype = setting_of(records, "dtype");
            checked.batch = std::max(1L, std::atol(setting_of(records, "batch").c_str()));
            checked.predicted_us = *row.predicted_us;
            checked.measured_us = *row.measured_us;
            checked.ci95_us = row.ci95_us;
            networks.push_back(std::move(checked));
        }
    }
    return networks;
}

}  // namespace hacscale::report
