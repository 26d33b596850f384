// What a choice of a network of any shape is worth:
//     gain = sum over groups of width_g x worth(width / base width) + sum over repeats of depth_r x worth(depth / base depth)
//            - imbalance x sum over pairs of neighbouring groups of max(width_g of the two) x max(0, |ln q| - ln 2)^2
// with worth(), imbalance and q as gain.hpp has them for stages; a group whose block is gone adds nothing, nor do its pairs. The
// base gains 0.
//
// Coefficients are those of capacity, sqrt(params x MACs) of one image: a group's is the mean slope of ln capacity over ln width
// between half and twice the base's width, a repeat's the same of its number of blocks. `balanced` saturates and prices
// imbalance, `capacity` is the plain logarithm.
//
// Neighbours are two groups of which some layer reads one alone and writes the other alone. Of what is joined by a concat, no
// single group is the neighbour of what reads it. So every pair is of two variables that a layer's latency depends on together
// anyway: the price makes no problem of the planner wider.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "models/graph/graph.hpp"
#include "scaling/gain.hpp"
#include "scaling/graph_costs.hpp"
#include "scaling/graph_space.hpp"

namespace hacscale {

// Of worth(width / base width) of each group, and of worth(depth / base depth) of each repeat.
struct GraphCoefficients {
    std::vector<double> width;
    std::vector<double> depth;
};

GraphCoefficients capacity_coefficients(const Graph& base, const GraphSpace& space);
// Each has the mean of those of its kind that can change.
GraphCoefficients equal_coefficients(const GraphCoefficients& coefficients, const GraphSpace& space);

using GroupPairs = std::vector<std::pair<std::size_t, std::size_t>>;
// In the order of the layers, each once, the first group before the second.
GroupPairs neighbouring_groups(const Graph& base, const std::vector<ChannelGroup>& groups);

// Sums over what widths and depths are worth, each on its own, and pairs of groups.
struct GraphGain {
    std::function<double(std::size_t group, int width)> width;
    std::function<double(std::size_t repeat, int depth)> depth;
    GroupPairs pairs{};
    std::function<double(std::size_t pair, int first_width, int second_width)> of_pair{};

    double of(const GraphSpace& space, const GraphChoice& choice) const;
};

// InputError for an origin other than `balanced` and `capacity`.
GraphGain graph_gain(const Graph& base, const GraphSpace& space, const GraphCoefficients& coefficients,
                     GainOrigin origin);

// What load_gain() reads where a network has stages: no file is `balanced`, "capacity" is `capacity`. InputError for files, since
// they are of stages; `network` is named in it.
GainOrigin gain_of_graphs(const std::vector<std::filesystem::path>& files, const std::string& network);

// Adds the gains to the problem, in gain quanta, and joins its factors.
void add_gains(GraphCosts& costs, const GraphSpace& space, const GraphGain& gain);

}  // namespace hacscale
