#include "kernels/cuda/prefix_graphs.hpp"

#include <algorithm>
#include <numeric>

namespace hacscale::cuda {

PrefixGraphs::PrefixGraphs(const Stream& stream, std::size_t nodes,
                           const std::function<void(std::size_t)>& enqueue)
    : prefixes_(nodes), order_(nodes) {
    for (std::size_t last = 0; last < nodes; ++last) {
        Prefix& prefix = prefixes_[last];
        prefix.graph = Graph::capture(stream, [&] {
            prefix.begin.record_in_graph(stream);
            for (std::size_t node = 0; node <= last; ++node) enqueue(node);
            prefix.end.record_in_graph(stream);
        });
    }
    std::iota(order_.begin(), order_.end(), std::size_t{0});
}

void PrefixGraphs::time(const Stream& stream, const Graph& whole_network, std::span<double> prefix_us) {
    std::shuffle(order_.begin(), order_.end(), generator_);
    // All of them are started before the first one's time is asked for: the device never waits for the host.
    for (const std::size_t index : order_) {
        whole_network.launch(stream);
        prefixes_[index].graph.launch(stream);
    }
    whole_network.launch(stream);
    stream.synchronize("running the network up to each of its layers");
    for (std::size_t i = 0; i < prefixes_.size(); ++i) {
        prefix_us[i] = elapsed_us(prefixes_[i].begin, prefixes_[i].end);
    }
}

}  // namespace hacscale::cuda
