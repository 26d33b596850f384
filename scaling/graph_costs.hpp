// The planner's problem of a network of any shape: what its layers cost at each width and depth, on a device (latency) or on paper
// (MACs, params).
//
// Every layer is a factor over what its shape depends on: the group that it reads, the one that it writes, and behind a
// concat the sum of several. Layers that are alike share a table, and each distinct layer is looked up once. The sum over a choice
// equals estimate(scaled(base, groups, repeats, choice).graph, source) to the picosecond rounding of each layer.
//
// A repeat's depth is a variable, too, and each of its blocks has another that the depth determines: how many copies of the block
// there are. The layers of a block without copies cost nothing; those of blocks beyond the base's count as copies of the
// last one. Blocks have inner widths of their own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "scaling/cost_model.hpp"
#include "scaling/graph_space.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale {

// Of a block of a repeat.
struct BlockCopies {
    int variable = -1;        // -1: the block is always there, once
    std::vector<int> copies;  // by value of the variable
};

// The same by the depth of its repeat.
struct CopiesByDepth {
    int variable = 0;
    std::size_t repeat = 0;
    std::vector<int>
        values;  // of the variable, as an index into BlockCopies::copies, by index of the repeat's depths
};

// A number of channels by the value of one variable of the problem; of no variable where it is constant.
struct ChannelAxis {
    int variable = -1;
    std::vector<int> channels;
};

struct GraphCosts {
    // Variables are first the groups, then the repeats, then those that others determine. Gains are 0 until add_gains()
    // (graph_gain.hpp).
    GraphProblem problem;
    CostCoverage coverage;
    // Of each group, the copies of the block that it is in (GraphSpace::block_of_group).
    std::vector<BlockCopies> copies_of_group;
    std::vector<CopiesByDepth>
        copies_by_depth;  // one for each block whose copies depend on its repeat's depth
    // Of each node, what it reads and what it writes.
    std::vector<ChannelAxis> read;
    std::vector<ChannelAxis> written;
};

// `source` is asked only when costs are latencies. Choices with a layer that it lacks are infeasible, and so are those with one
// that cannot run; InputError where that are all, because the layer does not change, and as `make_graph_space` does when the space
// is not one of `base`.
GraphCosts graph_costs(const Graph& base, const GraphSpace& space, const LatencySource& source,
                       const CostSettings& settings = {});

// Groups inside a block without copies have their base's width.
GraphChoice choice_from(const GraphSpace& space, const Assignment& values);

}  // namespace hacscale
