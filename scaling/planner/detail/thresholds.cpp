#include "scaling/planner/detail/thresholds.hpp"

#include <algorithm>
#include <limits>

#include "scaling/planner/detail/bucket_loops.hpp"
#include "scaling/planner/detail/neighbours.hpp"

namespace hacscale::planner {

Thresholds::Thresholds(const Chain& chain, const UsefulWays& ways, const CostGrid& grid,
                       const std::vector<double>& required, std::int64_t price)
    : grid_(grid), buckets_(grid.buckets), price_(price) {
    std::size_t rows = 0;
    for (const ChainStage& stage : chain.stages) {
        stages_.push_back({rows, static_cast<std::size_t>(stage.most_blocks()) + 1});
        rows += static_cast<std::size_t>(stage.widths) * stages_.back().a_width;
    }
    rows_.assign(rows * buckets_, std::numeric_limits<double>::infinity());
    for (std::size_t s = chain.stages.size(); s-- > 0;) {
        leave(chain, ways, s, required);
        for (int width = 0; width < chain.stages[s].widths; ++width) build(chain.stages[s], ways, s, width);
    }
}

// A few widths at a time, so that a row of the next stage is fetched once for all of them.
void Thresholds::leave(const Chain& chain, const UsefulWays& ways, std::size_t s,
                       const std::vector<double>& required) {
    constexpr int widths_at_once = 8;
    const ChainStage& stage = chain.stages[s];
    for (int begin = 0; begin < stage.widths; begin += widths_at_once) {
        const int end = std::min(stage.widths, begin + widths_at_once);
        if (s + 1 == chain.stages.size()) {
            for (int width = begin; width < end; ++width) {
                std::copy(required.begin(), required.end(), at(s, width, 0));
            }
            continue;
        }
        const ChainStage& next = chain.stages[s + 1];
        for (const int next_width : by_closeness((begin + end) / 2, stage.widths, next.widths)) {
            for (int width = begin; width < end; ++width) {
                relax(at(s, width, 0), at(s + 1, next_width, 1),
                      ways.first(s + 1, next.first_at(width, next_width)));
            }
        }
    }
}

void Thresholds::build(const ChainStage& stage, const UsefulWays& ways, std::size_t s, int width) {
    std::size_t depth = stage.depths.size();
    for (int blocks = stage.most_blocks(); blocks >= 1; --blocks) {
        double* built = at(s, width, blocks);
        if (blocks < stage.most_blocks()) {
            relax(built, at(s, width, blocks + 1), ways.further(s, stage.further_at(width, blocks)));
        }
        if (depth == 0 || stage.depths[depth - 1] != blocks) continue;
        --depth;
        const auto gain = static_cast<double>(stage.gain[stage.gain_at(width, depth)]);
        lower(built, at(s, width, 0), buckets_, gain);
    }
}

void Thresholds::relax(double* to, const double* from, const WayList& list) const {
    if (list.empty()) return;
    const UsefulWay& corner = list.corner();
    const std::size_t least_shift = grid_.below(corner.cost);
    const auto most_value = static_cast<double>(corner.gain - price_ * corner.params);
    if (!could_lower(to, from + least_shift, buckets_ - least_shift, most_value)) return;
    for (const UsefulWay& way : list.optimistic()) {
        const std::size_t shift = grid_.below(way.cost);
        const auto value = static_cast<double>(way.gain - price_ * way.params);
        lower(to, from + shift, buckets_ - shift, value);
    }
}

}  // namespace hacscale::planner
