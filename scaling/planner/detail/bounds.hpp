// Bounds on partial choices, by cost bucket. The incumbents are what can surely be reached; the thresholds are what a
// partial choice must have gained so that it can still match them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/candidates.hpp"
#include "scaling/planner/detail/labels.hpp"

namespace hacscale::planner {

// ---- Incumbents ----
//
// For each cost bucket, the gain of some real choice that costs no more than the bucket's lower edge and keeps the caps.

// Prices in gain quanta a parameter. A choice's value is gain - price x params: raising the price steers the
// search towards choices that fit under a cap. Without a cap the only price is 0. Params stand for the other
// resources, too, since all of them rise with width and depth.
std::vector<std::int64_t> params_prices(const ChainProblem& problem, const Caps& caps);

// `options`: of each chain. One gain a bucket, ascending; minus infinity where nothing is known.
std::vector<double> incumbent_gains(const ChainProblem& problem, const std::vector<Candidates>& options,
                                    const CostGrid& grid, const std::vector<std::int64_t>& prices,
                                    const Caps& caps);

// ---- Thresholds ----
//
// For each stage, width, number of blocks and cost bucket, the least gain with which some completion could still match
// the incumbents. Costs of the completion are rounded down, so nothing that belongs to the front is ever below its
// threshold.
class Thresholds {
public:
    // `required` is what a complete choice must have in each bucket: gain - price x params.
    Thresholds(const Chain& chain, const Candidates& options, const CostGrid& grid,
               const std::vector<double>& required, std::int64_t price);

    std::int64_t price() const { return price_; }
    // Rows of one value a bucket: for a choice that has built this many blocks of a stage, and for one that
    // has left it.
    const double* built(std::size_t stage, int width, int blocks) const {
        return rows_.data() + row(stage, width, blocks) * buckets_;
    }
    const double* left(std::size_t stage, int width) const { return built(stage, width, 0); }
    std::size_t bytes() const { return rows_.size() * sizeof(double); }

private:
    std::size_t row(std::size_t stage, int width, int blocks) const {
        const StageRows& rows = stages_[stage];
        return rows.first + static_cast<std::size_t>(width) * rows.a_width + static_cast<std::size_t>(blocks);
    }
    double* at(std::size_t stage, int width, int blocks) {
        return rows_.data() + row(stage, width, blocks) * buckets_;
    }
    // Fills the rows of a stage's widths: left() from the next stage's rows, then built() from these.
    void leave(const Chain& chain, const Candidates& options, std::size_t s,
               const std::vector<double>& required);
    void build(const ChainStage& stage, const Candidates& options, std::size_t s, int width);
    // to[b] = the minimum of to[b] and, over the options, from[b + cost] - value
    void relax(double* to, const double* from, const OptionList& list) const;

    struct StageRows {
        std::size_t first = 0;
        std::size_t a_width = 0;
    };
    CostGrid grid_;
    std::size_t buckets_;
    std::int64_t price_;
    std::vector<StageRows> stages_;
    std::vector<double> rows_;
};

}  // namespace hacscale::planner
