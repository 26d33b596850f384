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
        const ChainStage& stage = chain.stages[s];
        for (int width = 0; width < stage.widths; ++width) {
            double* left = at(s, width, 0);
            if (s + 1 == chain.stages.size()) {
                std::copy(required.begin(), required.end(), left);
            } else {
                const ChainStage& next = chain.stages[s + 1];
                for (const int next_width : by_closeness(width, stage.widths, next.widths))
                    relax(left, at(s + 1, next_width, 1),
                          ways.first(s + 1, next.first_at(width, next_width)));
            }
            std::size_t depth = stage.depths.size();
            for (int blocks = stage.most_blocks(); blocks >= 1; --blocks) {
                double* built = at(s, width, blocks);
                if (blocks < stage.most_blocks())
                    relax(built, at(s, width, blocks + 1), ways.further(s, stage.further_at(width, blocks)));
                if (depth == 0 || stage.depths[depth - 1] != blocks) continue;
                --depth;
                const auto gain = static_cast<double>(stage.gain[stage.gain_at(width, depth)]);
                lower(built, left, buckets_, gain);
            }
        }
    }
}

void Thresholds::relax(double* to, const double* from, const WayList& list) const {
    const auto& [ways, corner] = list;
    if (ways.empty()) return;
    const std::size_t least_shift = grid_.below(corner.cost);
    const auto most_value = static_cast<double>(corner.gain - price_ * corner.params);
    if (!could_lower(to, from + least_shift, buckets_ - least_shift, most_value)) return;
    for (const UsefulWay& way : CoarseWays::optimistic(ways)) {
        const std::size_t shift = grid_.below(way.cost);
        const auto value = static_cast<double>(way.gain - price_ * way.params);
        lower(to, from + shift, buckets_ - shift, value);
    }
}

}  // namespace hacscale::planner
