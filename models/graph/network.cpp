#include "models/graph/network.hpp"

#include <algorithm>

namespace hacscale {
namespace {

LayerCost cost_at_batch_1(const NetworkNode& node) {
    return cost_of(node.layer, 1, DataType::f32);
}

}  // namespace

std::int64_t Network::params() const {
    std::int64_t sum = 0;
    for (const NetworkNode& node : nodes) sum += node.learned_params;
    return sum;
}

std::int64_t Network::macs() const {
    std::int64_t sum = 0;
    for (const NetworkNode& node : nodes) sum += cost_at_batch_1(node).macs;
    return sum;
}

std::int64_t Network::activations() const {
    std::int64_t sum = 0;
    for (const NetworkNode& node : nodes) sum += cost_at_batch_1(node).activations;
    return sum;
}

std::int64_t Network::bytes(int batch, DataType type) const {
    std::int64_t sum = 0;
    for (const NetworkNode& node : nodes) sum += cost_of(node.layer, batch, type).bytes;
    return sum;
}

std::int64_t Network::weight_bytes(DataType type) const {
    std::int64_t sum = 0;
    for (const NetworkNode& node : nodes) sum += cost_at_batch_1(node).params;
    return sum * static_cast<std::int64_t>(size_of(type));
}

std::vector<std::int64_t> Network::alive_activations() const {
    const std::int64_t image_elements = std::int64_t{in_channels} * resolution * resolution;
    // Position 0 stands for the network's input, position i + 1 for the output of node i.
    std::vector<std::int64_t> elements{image_elements};
    std::vector<std::size_t> last_reader{0};
    std::vector<std::int64_t> freed_after;  // elements, by the node that reads them last
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        elements.push_back(cost_at_batch_1(nodes[i]).activations);
        last_reader.push_back(i);  // an output that nobody reads is alive while it is written
        freed_after.push_back(0);
        last_reader[nodes[i].input + 1] = i;
        // A second input of the network (models/graph/single_layer.hpp) is not among the outputs.
        if (nodes[i].layer.residual && nodes[i].residual >= network_input) {
            last_reader[nodes[i].residual + 1] = i;
        }
    }
    for (std::size_t position = 0; position < elements.size() && !nodes.empty(); ++position) {
        freed_after[last_reader[position]] += elements[position];
    }
    std::int64_t alive = image_elements;
    std::vector<std::int64_t> while_running;
    for (std::size_t i = 0; i < nodes.size(); ++i) {
        alive += elements[i + 1];
        while_running.push_back(alive);
        alive -= freed_after[i];
    }
    return while_running;
}

std::int64_t Network::peak_activation_bytes(int batch, DataType type) const {
    std::int64_t peak = std::int64_t{in_channels} * resolution * resolution;
    for (const std::int64_t alive : alive_activations()) peak = std::max(peak, alive);
    return peak * batch * static_cast<std::int64_t>(size_of(type));
}

}  // namespace hacscale
