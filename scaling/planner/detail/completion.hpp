// The extremes that the rest of a chain can add to a partial choice.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/candidates.hpp"

namespace hacscale::planner {

constexpr std::int64_t unreachable = std::numeric_limits<std::int64_t>::max();

// Each resource's extreme on its own: no single completion has to reach all of them. The peak is the larger of
// the parts before and after, so its extremes are those of the rest alone.
struct UsageRange {
    bool reachable = false;
    ResourceUsage min;
    ResourceUsage max;
};

struct Completion {
    std::vector<std::vector<UsageRange>> after;        // leaving a stage [stage][width]
    std::vector<std::vector<ResourceUsage>> body_max;  // blocks after the first of a stage [stage][width]
    std::int64_t min_cost = unreachable;               // of whole choices, offsets included
    UsageRange total;                                  // of whole choices, offsets included
};

Completion complete(const Chain& chain);
// By candidates alone, and usage is left 0; going through all options takes time.
Completion complete(const Chain& chain, const Candidates& options);

// A tree over a list that ascends in cost: each node knows a corner that none of its items gets past, the
// least cost and the most gain. Where even two corners together come to nothing, no pair of their items needs
// to be looked at.

struct Corner {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
};

class CornerTree {
public:
    static constexpr std::size_t leaf_items = 3;

    // `corner_of(i)` for i below `count`,
    template <typename CornerOf>
    CornerTree(std::size_t count, const CornerOf& corner_of) : count_(count) {
        while (leaves_ * leaf_items < count) leaves_ *= 2;
        nodes_.resize(2 * leaves_, {0, std::numeric_limits<std::int64_t>::min()});
        for (std::size_t leaf = 0; leaf * leaf_items < count; ++leaf) {
            Corner& corner = nodes_[leaves_ + leaf];
            corner.cost = corner_of(leaf * leaf_items).cost;
            for (std::size_t i = leaf * leaf_items; i < std::min(count, (leaf + 1) * leaf_items); ++i) {
                corner.gain = std::max(corner.gain, corner_of(i).gain);
            }
        }
        for (std::size_t node = leaves_ - 1; node > 0; --node) {
            nodes_[node] = {nodes_[2 * node].cost,
                            std::max(nodes_[2 * node].gain, nodes_[2 * node + 1].gain)};
        }
    }

    static constexpr std::size_t root = 1;  // the children of a node are 2 x node and 2 x node + 1
    bool is_leaf(std::size_t node) const { return node >= leaves_; }
    // False for a node past the end of the list.
    bool has_items(std::size_t node) const {
        return nodes_[node].gain != std::numeric_limits<std::int64_t>::min();
    }
    const Corner& corner(std::size_t node) const { return nodes_[node]; }
    std::size_t first_item(std::size_t leaf) const { return (leaf - leaves_) * leaf_items; }
    std::size_t end_item(std::size_t leaf) const { return std::min(count_, first_item(leaf) + leaf_items); }

private:
    std::size_t count_;
    std::size_t leaves_ = 1;
    std::vector<Corner> nodes_;  // node 0 is not used
};

}  // namespace hacscale::planner
