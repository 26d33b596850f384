#include "kernels/runtimes/regions.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string_view>
#include <unordered_map>

namespace hacscale::runtimes {
namespace {

constexpr int no_layer = -1;

using LayersByText = std::unordered_map<std::string_view, int>;

// Runtimes make "conv1_nchwc" of the node "conv1", and "conv1/WithoutBiases"; "conv10" is another node.
bool ends_a_name(std::string_view rest) {
    return rest.empty() || std::isalnum(static_cast<unsigned char>(rest.front())) == 0;
}

// The layer of the longest known text that the name begins with.
int layer_at_the_front(const LayersByText& known, std::string_view name) {
    for (std::size_t length = name.size(); length > 0; --length) {
        if (!ends_a_name(name.substr(length))) continue;
        const auto found = known.find(name.substr(0, length));
        if (found != known.end()) return found->second;
    }
    return no_layer;
}
// "conv1_acdb_abcd_conv2/WithoutBiases" brings what "conv1" wrote into the form that "conv2" reads.
int layer_behind_another(const LayersByText& known, std::string_view name) {
    for (std::size_t begin = name.find('_'); begin != std::string_view::npos;
         begin = name.find('_', begin + 1)) {
        const int layer = layer_at_the_front(known, name.substr(begin + 1));
        if (layer != no_layer) return layer;
    }
    return no_layer;
}

std::vector<double> macs_of(const Graph& graph) {
    std::vector<double> macs;
    for (const Node& node : graph.nodes) {
        macs.push_back(static_cast<double>(cost_of(node.layer, 1, DataType::f32).macs));
    }
    return macs;
}

bool is_product(const Operation& operation) {
    constexpr std::array<std::string_view, 4> kinds{"Conv", "Gemm", "MatMul", "FullyConnected"};
    return std::ranges::any_of(
        kinds, [&](std::string_view kind) { return operation.kind.find(kind) != std::string::npos; });
}

class Assignment {
public:
    Assignment(const Graph& graph, const ExportedNetwork& exported, const std::vector<Operation>& operations)
        : graph_(graph), operations_(operations), layers_(operations.size(), no_layer) {
        LayersByText nodes;
        LayersByText values;
        for (const ExportedNode& node : exported.nodes) {
            nodes.emplace(node.name, node.layer);
            for (const std::string& value : node.outputs) values.emplace(value, node.layer);
        }
        for (std::size_t i = 0; i < operations.size(); ++i) {
            layers_[i] = by_name(operations[i], nodes, values);
            for (const std::string& value : operations[i].outputs) writers_.emplace(value, i);
        }
        for (std::size_t i = 0; i < operations.size(); ++i) {
            if (layers_[i] == no_layer) layers_[i] = by_values(operations[i], values);
        }
        by_neighbours();
        by_running_order(graph.nodes.size());
        products_to_multiplying_layers();
    }

    const std::vector<int>& layers() const { return layers_; }

private:
    static int by_name(const Operation& operation, const LayersByText& nodes, const LayersByText& values) {
        if (operation.prepares_input) return layer_behind_another(nodes, operation.name);
        const int layer = layer_at_the_front(nodes, operation.name);
        return layer != no_layer ? layer : layer_at_the_front(values, operation.name);
    }

    static int by_values(const Operation& operation, const LayersByText& values) {
        for (const std::string& value : operation.outputs) {
            const auto found = values.find(value);
            if (found != values.end() && !operation.prepares_input) return found->second;
        }
        return no_layer;
    }

    // What has no name of ours is next to something that has: what prepares an input in front of it, all else behind it.
    void by_neighbours() {
        for (bool changed = true; changed;) {
            changed = false;
            for (std::size_t i = 0; i < operations_.size(); ++i) {
                if (layers_[i] != no_layer) continue;
                layers_[i] = operations_[i].prepares_input ? reader_of(i) : writer_for(i);
                changed = changed || layers_[i] != no_layer;
            }
        }
    }

    // Where not even the values are known, operations run in about the order of the layers: those between two layers are of the
    // layers between them that have none.
    void by_running_order(std::size_t layer_count) {
        std::vector<bool> has_operation(layer_count, false);
        for (const int layer : layers_) {
            if (layer != no_layer) has_operation[layer] = true;
        }
        for (std::size_t begin = 0; begin < layers_.size();) {
            if (layers_[begin] != no_layer) {
                ++begin;
                continue;
            }
            std::size_t end = begin;
            while (end < layers_.size() && layers_[end] == no_layer) ++end;
            const int before = begin > 0 ? layers_[begin - 1] : no_layer;
            std::vector<int> between;
            for (std::size_t layer = before + 1; layer < layer_count && !has_operation[layer]; ++layer) {
                between.push_back(static_cast<int>(layer));
            }
            if (between.empty()) between.push_back(before != no_layer ? before : layers_[end]);
            for (std::size_t i = begin; i < end; ++i) {
                layers_[i] = between[(i - begin) * between.size() / (end - begin)];
                has_operation[layers_[i]] = true;
            }
            begin = end;
        }
    }

    // A conv that a norm is folded into is named after the norm, and is still the conv.
    void products_to_multiplying_layers() {
        const std::vector<double> macs = macs_of(graph_);
        std::vector<bool> has_product(macs.size(), false);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            if (is_product(operations_[i])) has_product[layers_[i]] = true;
        }
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            if (!is_product(operations_[i])) continue;
            int layer = layers_[i];
            while (layer != no_node && macs[layer] == 0.0) layer = graph_.producer_of(graph_.nodes[layer]);
            if (layer == no_node || has_product[layer]) continue;
            layers_[i] = layer;
            has_product[layer] = true;
        }
    }

    int writer_for(std::size_t operation) const {
        for (const std::string& value : operations_[operation].inputs) {
            const auto found = writers_.find(value);
            if (found != writers_.end() && layers_[found->second] != no_layer) return layers_[found->second];
        }
        return no_layer;
    }

    int reader_of(std::size_t operation) const {
        for (std::size_t i = 0; i < operations_.size(); ++i) {
            if (layers_[i] == no_layer) continue;
            for (const std::string& value : operations_[operation].outputs) {
                const auto& inputs = operations_[i].inputs;
                if (std::find(inputs.begin(), inputs.end(), value) != inputs.end()) return layers_[i];
            }
        }
        return no_layer;
    }

    const Graph& graph_;
    const std::vector<Operation>& operations_;
    std::vector<int> layers_;
    std::unordered_map<std::string_view, std::size_t> writers_;
};

// The layer whose operations compute this one: of what it reads, as activations and adds are fused, or else of what reads it, as
// pads and reshapes are.
int host_of(const Graph& graph, const std::vector<int>& operations, int layer) {
    int at = layer;
    while (operations[at] == 0) {
        int before = no_node;
        for (std::size_t i = 0; i < graph.nodes[at].inputs.size() && before == no_node; ++i) {
            before = graph.producer_of(graph.nodes[at], i);
        }
        if (before == no_node) break;
        at = before;
    }
    if (operations[at] > 0) return at;
    for (std::size_t i = static_cast<std::size_t>(layer) + 1; i < graph.nodes.size(); ++i) {
        if (operations[i] > 0) return static_cast<int>(i);
    }
    return layer;
}

}  // namespace

Regions::Regions(const Graph& graph, const ExportedNetwork& exported,
                 const std::vector<Operation>& operations)
    : layer_of_operation_(Assignment(graph, exported, operations).layers()),
      operations_(graph.nodes.size(), 0),
      shares_(graph.nodes.size(), 0.0),
      hosts_(graph.nodes.size()),
      implementations_(graph.nodes.size()) {
    for (std::size_t i = 0; i < operations.size(); ++i) {
        const int layer = layer_of_operation_[i];
        ++operations_[layer];
        std::string& text = implementations_[layer];
        if (!text.empty()) text += " + ";
        text += operations[i].kind;
    }
    const std::vector<double> macs = macs_of(graph);
    std::vector<double> macs_of_host(graph.nodes.size(),
                                     0.0);  // its own and those of what it computes as well
    for (std::size_t layer = 0; layer < graph.nodes.size(); ++layer) {
        hosts_[layer] = host_of(graph, operations_, static_cast<int>(layer));
        macs_of_host[hosts_[layer]] += macs[layer];
    }
    for (std::size_t layer = 0; layer < graph.nodes.size(); ++layer) {
        const int host = hosts_[layer];
        const bool own = host == static_cast<int>(layer);
        shares_[layer] = macs[host] > 0.0 ? macs[layer] / macs_of_host[host] : own ? 1.0 : 0.0;
        if (!own) implementations_[layer] = "within " + graph.nodes[host].name;
    }
}

std::vector<double> Regions::layer_us(std::span<const double> operation_us) const {
    std::vector<double> own_us(hosts_.size(), 0.0);
    for (std::size_t i = 0; i < layer_of_operation_.size(); ++i) {
        own_us[layer_of_operation_[i]] += operation_us[i];
    }
    std::vector<double> times_us;
    for (std::size_t layer = 0; layer < hosts_.size(); ++layer) {
        times_us.push_back(shares_[layer] * own_us[hosts_[layer]]);
    }
    return times_us;
}

}  // namespace hacscale::runtimes
