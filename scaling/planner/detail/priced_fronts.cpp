#include "scaling/planner/detail/priced_fronts.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

namespace hacscale::planner {
namespace {

constexpr double gain_range = 0x1p50;  // what all usage together may cost: sums stay exact

struct UsagePrices {
    double params = 0.0;
    double macs = 0.0;
    bool operator==(const UsagePrices&) const = default;

    double of(const ResourceUsage& usage) const {
        return params * static_cast<double>(usage.params) + macs * static_cast<double>(usage.macs);
    }
};

std::vector<UsagePrices> spread(const GraphProblem& problem, std::int64_t max_cost, std::size_t count,
                                const std::vector<Tangent>& tangents) {
    const ResourceUsage most = most_usage(problem);
    std::vector<UsagePrices> all;
    for (const Tangent& tangent : tangents) {
        const UsagePrices prices{tangent.params_price, tangent.macs_price};
        if (!tangent.touches || tangent.touches->cost > max_cost || prices.of(most) >= gain_range) continue;
        if (prices == UsagePrices{} || (!all.empty() && all.back() == prices)) continue;
        all.push_back(prices);
    }
    if (all.size() <= count) return all;
    // From the largest costs on, which matter most.
    std::vector<UsagePrices> some;
    for (std::size_t i = 0; i < count; ++i) some.push_back(all[all.size() - 1 - i * all.size() / count]);
    return some;
}

}  // namespace

ResourceUsage most_usage(const GraphProblem& problem) {
    std::vector<ResourceUsage> of_table;
    for (const FactorTable& table : problem.tables) {
        ResourceUsage& most = of_table.emplace_back();
        for (const BlockOption& entry : table) {
            if (!entry.feasible()) continue;
            most.params = std::max(most.params, entry.usage.params);
            most.macs = std::max(most.macs, entry.usage.macs);
        }
    }
    ResourceUsage sum = problem.usage_offset;
    for (const Factor& factor : problem.factors) sum.add(of_table[static_cast<std::size_t>(factor.table)]);
    return sum;
}

void search_priced(const GraphProblem& problem, const FrontLimits& limits, std::size_t count,
                   const std::vector<Tangent>& tangents, const SolveFront& solve, Archive& archive) {
    GraphProblem priced = problem;
    FrontLimits uncapped = limits;
    uncapped.caps = {};
    for (const UsagePrices& prices : spread(problem, limits.max_cost, count, tangents)) {
        for (std::size_t t = 0; t < problem.tables.size(); ++t) {
            for (std::size_t i = 0; i < problem.tables[t].size(); ++i) {
                const BlockOption& entry = problem.tables[t][i];
                priced.tables[t][i].gain = entry.gain - std::llround(prices.of(entry.usage));
            }
        }
        std::vector<Archive::Point> points;
        for (Assignment& choice : solve(priced, uncapped)) {
            const ChainTotals totals = *totals_of(problem, choice);
            points.push_back({totals.cost, totals.gain, totals.usage, std::move(choice)});
        }
        archive.add(std::move(points));
    }
}

}  // namespace hacscale::planner
