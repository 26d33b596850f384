#include "report/sections/folding.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace hacscale::report {

namespace {

constexpr std::size_t max_shown_names = 2;  // besides the first; more open on request

FoldedNames folded_names(const Comparison& comparison, const DistinctNetwork& network) {
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

void fold_rows(Table& table, const std::vector<const StrategyRow*>& rows, const Comparison& comparison) {
    table.page_rows.clear();
    for (DistinctNetwork network : distinct_networks(comparison)) {
        std::erase_if(network.rows, [&](const StrategyRow* row) {
            return std::find(rows.begin(), rows.end(), row) == rows.end();
        });
        if (network.rows.empty()) continue;
        const auto place = std::find(rows.begin(), rows.end(), network.rows.front()) - rows.begin();
        table.page_rows.push_back(static_cast<std::size_t>(place));
        table.rows[table.page_rows.back()].folded = folded_names(comparison, network);
    }
    std::sort(table.page_rows.begin(), table.page_rows.end());
}

std::size_t count_keeping_base(const Comparison& comparison) {
    return static_cast<std::size_t>(
        std::count_if(comparison.strategies.begin(), comparison.strategies.end(),
                      [&](const StrategyRow& row) { return keeps_base(comparison, row); }));
}

}  // namespace hacscale::report
