// A tree over a list that ascends in cost: each node knows a corner that none of its items gets past, the
// least cost and the most gain. Where even two corners together come to nothing, no pair of their items needs
// to be looked at.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace hacscale::planner {

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
