#include "scaling/planner/detail/thresholds.hpp"

#include <algorithm>
#include <limits>

namespace hacscale::planner {
namespace {

// to[b] = min(to[b], from[b + shift] - value)
void relax(double* to, const double* from, std::size_t buckets, std::size_t shift, double value) {
    if (shift >= buckets) return;
    from += shift;
    for (std::size_t b = 0; b < buckets - shift; ++b) {
        const double candidate = from[b] - value;
        to[b] = candidate < to[b] ? candidate : to[b];
    }
}

}  // namespace

Thresholds::Thresholds(const Chain& chain, const CostGrid& grid, const std::vector<double>& required,
                       std::int64_t price)
    : buckets_(grid.buckets), price_(price) {
    std::size_t rows = 0;
    for (const ChainStage& stage : chain.stages) {
        first_row_.push_back(rows);
        rows += static_cast<std::size_t>(stage.widths);
    }
    entered_.assign(rows * buckets_, std::numeric_limits<double>::infinity());
    left_ = entered_;
    const auto at = [&](std::vector<double>& table, std::size_t stage, int width) {
        return table.data() + (first_row_[stage] + static_cast<std::size_t>(width)) * buckets_;
    };
    for (std::size_t s = chain.stages.size(); s-- > 0;) {
        const ChainStage& stage = chain.stages[s];
        for (int width = 0; width < stage.widths; ++width) {
            double* left = at(left_, s, width);
            if (s + 1 == chain.stages.size()) {
                std::copy(required.begin(), required.end(), left);
            } else {
                const ChainStage& next = chain.stages[s + 1];
                for (int next_width = 0; next_width < next.widths; ++next_width) {
                    const std::size_t entry = next.entry(width, next_width);
                    if (next.entry_cost[entry] == infeasible_cost) continue;
                    relax(left, at(entered_, s + 1, next_width), buckets_, grid.below(next.entry_cost[entry]),
                          -static_cast<double>(price * next.entry_params[entry]));
                }
            }
            double* entered = at(entered_, s, width);
            for (int depth = 0; depth < stage.depths; ++depth) {
                const std::size_t body = stage.body(width, depth);
                if (stage.body_cost[body] == infeasible_cost) continue;
                relax(entered, left, buckets_, grid.below(stage.body_cost[body]),
                      static_cast<double>(stage.gain[body] - price * stage.body_params[body]));
            }
        }
    }
}

}  // namespace hacscale::planner
