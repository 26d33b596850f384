#include "scaling/planner/detail/incumbent.hpp"

#include <algorithm>
#include <limits>

namespace hacscale::planner {
namespace {

constexpr double nothing = -std::numeric_limits<double>::infinity();

// The best value within each bucket's lower edge, and the params of the choice that has it. Doubles hold
// integers below 2^53, so they are exact, and comparing them is faster than comparing 64-bit integers.
struct Reach {
    std::vector<double> value;
    std::vector<double> params;

    explicit Reach(std::size_t buckets) : value(buckets, nothing), params(buckets, 0.0) {}

    // Takes over what `from` reaches, `shift` buckets later, with gain and params added.
    void improve(const Reach& from, std::size_t shift, double added_value, double added_params) {
        if (shift >= value.size()) return;
        const std::size_t count = value.size() - shift;
        const double* from_value = from.value.data();
        const double* from_params = from.params.data();
        double* to_value = value.data() + shift;
        double* to_params = params.data() + shift;
        for (std::size_t b = 0; b < count; ++b) {
            const double candidate = from_value[b] + added_value;
            const bool better = candidate > to_value[b];
            to_params[b] = better ? from_params[b] + added_params : to_params[b];
            to_value[b] = better ? candidate : to_value[b];
        }
    }
};

std::vector<Reach> after_stage(const ChainStage& stage, const std::vector<Reach>& before,
                               const CostGrid& grid, std::int64_t price) {
    std::vector<Reach> after;
    after.reserve(static_cast<std::size_t>(stage.widths));
    for (int width = 0; width < stage.widths; ++width) {
        Reach entered(grid.buckets);
        for (int previous = 0; previous < stage.previous_widths; ++previous) {
            const std::size_t at = stage.entry(previous, width);
            const std::int64_t params = stage.entry_params[at];
            entered.improve(before[static_cast<std::size_t>(previous)], grid.above(stage.entry_cost[at]),
                            -static_cast<double>(price * params), static_cast<double>(params));
        }
        Reach left(grid.buckets);
        for (int depth = 0; depth < stage.depths; ++depth) {
            const std::size_t at = stage.body(width, depth);
            const std::int64_t params = stage.body_params[at];
            left.improve(entered, grid.above(stage.body_cost[at]),
                         static_cast<double>(stage.gain[at] - price * params), static_cast<double>(params));
        }
        after.push_back(std::move(left));
    }
    return after;
}

void improve_with(const Chain& chain, const CostGrid& grid, std::int64_t price,
                  const std::optional<std::int64_t>& max_params, std::vector<double>& gains) {
    Reach start(grid.buckets);
    const std::size_t first = grid.above(chain.cost_offset);
    const auto value = static_cast<double>(chain.gain_offset - price * chain.params_offset);
    for (std::size_t b = first; b < grid.buckets; ++b) {
        start.value[b] = value;
        start.params[b] = static_cast<double>(chain.params_offset);
    }
    std::vector<Reach> reached{std::move(start)};
    for (const ChainStage& stage : chain.stages) reached = after_stage(stage, reached, grid, price);
    for (const Reach& reach : reached) {
        for (std::size_t b = 0; b < grid.buckets; ++b) {
            if (max_params && reach.params[b] > static_cast<double>(*max_params)) continue;
            gains[b] = std::max(gains[b], reach.value[b] + static_cast<double>(price) * reach.params[b]);
        }
    }
}

struct Range {
    std::int64_t low = 0;
    std::int64_t high = 0;
};

Range range_of(const std::vector<std::int64_t>& values, const std::vector<std::int64_t>& costs) {
    Range range{std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()};
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (costs[i] == infeasible_cost) continue;
        range.low = std::min(range.low, values[i]);
        range.high = std::max(range.high, values[i]);
    }
    return range.low <= range.high ? range : Range{};
}

}  // namespace

std::vector<std::int64_t> params_prices(const ChainProblem& problem,
                                        const std::optional<std::int64_t>& max_params) {
    std::vector<std::int64_t> prices{0};
    if (!max_params) return prices;
    double gain_span = 0;
    double params_span = 0;
    double most_params = 1;
    for (const Chain& chain : problem.chains) {
        double gain = 0;
        double span = 0;
        double most = static_cast<double>(chain.params_offset);
        for (const ChainStage& stage : chain.stages) {
            const Range gains = range_of(stage.gain, stage.body_cost);
            const Range entry = range_of(stage.entry_params, stage.entry_cost);
            const Range body = range_of(stage.body_params, stage.body_cost);
            gain += static_cast<double>(gains.high - gains.low);
            span += static_cast<double>(entry.high - entry.low + body.high - body.low);
            most += static_cast<double>(entry.high + body.high);
        }
        gain_span = std::max(gain_span, gain);
        params_span = std::max(params_span, span);
        most_params = std::max(most_params, most);
    }
    // Around the mean exchange rate of gain and params, in steps of two; no larger than keeps price x params
    // exact.
    const double exact_price = static_cast<double>(std::int64_t{1} << 50) / most_params;
    for (double factor = 1.0 / 16; factor <= 16; factor *= 2) {
        const double price = std::min(exact_price, factor * gain_span / std::max(1.0, params_span));
        if (static_cast<std::int64_t>(price) > prices.back())
            prices.push_back(static_cast<std::int64_t>(price));
    }
    return prices;
}

std::vector<double> incumbent_gains(const ChainProblem& problem, const CostGrid& grid,
                                    const std::vector<std::int64_t>& prices,
                                    const std::optional<std::int64_t>& max_params) {
    std::vector<double> gains(grid.buckets, nothing);
    for (const Chain& chain : problem.chains) {
        for (const std::int64_t price : prices) improve_with(chain, grid, price, max_params, gains);
    }
    for (std::size_t b = 1; b < gains.size(); ++b) gains[b] = std::max(gains[b], gains[b - 1]);
    return gains;
}

}  // namespace hacscale::planner
