// What a network takes up to each of its layers: for each layer a graph that runs the network as far as that
// layer, with an event at either end and none inside. Layer i took what graph i took longer than graph i - 1.
//
// So no clock comes between two layers: kernels that start while the one before drains do so, as in a plain run.
// Every graph ends with the device drained, which cancels in the differences. A shorter graph would find more of
// its data in the caches than the network does, so the whole network runs before each; the order is random, so
// that drift of the clocks does not land on one layer.
#pragma once

#include <functional>
#include <random>
#include <span>
#include <vector>

#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {

class PrefixGraphs {
public:
    // `enqueue` puts one node into the stream.
    PrefixGraphs(const Stream& stream, std::size_t nodes, const std::function<void(std::size_t)>& enqueue);
    // Runs each graph once, and then the whole network, since a prefix may leave something else where the network's
    // output was. prefix_us has one entry a node: the time up to its end, microseconds.
    void time(const Stream& stream, const Graph& whole_network, std::span<double> prefix_us);

private:
    struct Prefix {
        Event begin;
        Event end;
        Graph graph;
    };
    std::vector<Prefix> prefixes_;
    std::vector<std::size_t> order_;
    std::mt19937_64 generator_{1};
};

}  // namespace hacscale::cuda
