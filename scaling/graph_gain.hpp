// What a choice of a network of any shape is worth:
//     gain = sum over groups of width_g x worth(width / base width) + sum over repeats of depth_r x worth(depth / base depth)
//            - imbalance x sum over pairs of neighbours of max(width_g of their groups) x max(0, |ln q| - ln 2)^2
// with worth(), imbalance and q as gain.hpp has them for stages; a group whose block is gone adds nothing, nor do its pairs. The
// base gains 0.
//
// Coefficients are those of capacity, sqrt(params x MACs) of one image: a group's is the mean slope of ln capacity over ln width
// between half and twice the base's width, a repeat's the same of its number of blocks. `balanced` saturates and prices
// imbalance, `capacity` is the plain logarithm.
//
// Neighbours are what a layer that mixes channels reads and what it writes: mostly two groups; behind a concat, or before a split,
// the sum of several, whose width is that of all together. So every pair is of two variables that the layer's latency depends on
// together anyway: the price makes no problem of the planner wider.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "models/graph/graph.hpp"
#include "scaling/detail/channel_sums.hpp"
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

struct Neighbours {
    std::size_t node = 0;  // the first layer that reads the one and writes the other
    detail::ChannelSum read;
    detail::ChannelSum written;
};
// In the order of the layers, each pair once.
std::vector<Neighbours> neighbours(const Graph& base, const std::vector<ChannelGroup>& groups);

// Sums over what widths and depths are worth, each on its own, and pairs of neighbours.
struct GraphGain {
    std::function<double(std::size_t group, int width)> width;
    std::function<double(std::size_t repeat, int depth)> depth;
    std::vector<Neighbours> pairs{};
    std::function<double(std::size_t pair, int read_channels, int written_channels)> of_pair{};

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
