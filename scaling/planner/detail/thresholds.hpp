// What a partial choice must have gained to matter: for each stage, width and cost bucket, the least gain
// with which some completion could still match the incumbents. Costs of the completion are rounded down, so
// nothing that belongs to the front is ever below its threshold.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/cost_grid.hpp"

namespace hacscale::planner {

class Thresholds {
public:
    // `required` is what a complete choice must have in each bucket: gain - price x params.
    Thresholds(const Chain& chain, const CostGrid& grid, const std::vector<double>& required,
               std::int64_t price);

    std::int64_t price() const { return price_; }
    // Rows of one value a bucket, for a choice that has entered a stage, and for one that has left it.
    const double* entered(std::size_t stage, int width) const { return row(entered_, stage, width); }
    const double* left(std::size_t stage, int width) const { return row(left_, stage, width); }
    std::size_t bytes() const { return (entered_.size() + left_.size()) * sizeof(double); }

private:
    const double* row(const std::vector<double>& rows, std::size_t stage, int width) const {
        return rows.data() + (first_row_[stage] + static_cast<std::size_t>(width)) * buckets_;
    }

    std::size_t buckets_;
    std::int64_t price_;
    std::vector<std::size_t> first_row_;  // of each stage
    std::vector<double> entered_;
    std::vector<double> left_;
};

}  // namespace hacscale::planner
