#include "models/formats/onnx/detail/network.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

Edges::Edges(Network& of) : network(of) {
    for (std::size_t i = 0; i < of.nodes.size(); ++i) {
        for (const std::string& output : of.nodes[i].outputs) {
            producers_[output] = i;
        }
        for (const std::string& input : of.nodes[i].inputs) {
            readers_[input].push_back(i);
        }
    }
}

Node* Edges::producer(const std::string& value) const {
    const auto found = producers_.find(value);
    return found == producers_.end() || value.empty() ? nullptr : &network.nodes[found->second];
}

Node* Edges::only_producer(const std::string& value, std::string_view op_type) const {
    Node* node = producer(value);
    return node != nullptr && node->op_type == op_type && reads(value) == 1 ? node : nullptr;
}

std::size_t Edges::reads(const std::string& value) const {
    const auto found = readers_.find(value);
    return (found == readers_.end() ? 0 : found->second.size()) + network.outputs.count(value);
}

Node* Edges::only_reader(const std::string& value) const {
    return reads(value) == 1 && network.outputs.count(value) == 0 ? &network.nodes[readers_.at(value).front()]
                                                                  : nullptr;
}

std::optional<float> Edges::scalar(const std::string& value) const {
    const Tensor* tensor = constant(value);
    if (tensor == nullptr || tensor->count() != 1) {
        return std::nullopt;
    }
    return tensor->floats().front();
}

const Ints& Edges::dims(const std::string& value) const {
    const ValueType* type = network.values.type(value);
    if (type == nullptr) {
        throw InputError("the value \"" + readable(value) + "\" has no known shape");
    }
    return type->dims;
}

void Edges::become(Node& root, std::string op_type, std::vector<std::string> inputs,
                   std::map<std::string, Attribute, std::less<>> attributes,
                   const std::vector<const Node*>& absorbed) {
    std::vector<std::string> sources;
    for (const Node* node : absorbed) {
        for (std::string& source : sources_of(*node)) {
            sources.push_back(std::move(source));
        }
    }
    for (std::string& source : sources_of(root)) {
        sources.push_back(std::move(source));
    }
    root.op_type = std::move(op_type);
    root.domain = own_domain;
    root.inputs = std::move(inputs);
    root.attributes = std::move(attributes);
    root.sources = std::move(sources);
}

std::vector<std::string> sources_of(const Node& node) {
    return node.sources.empty() ? std::vector<std::string>{node.name} : node.sources;
}

std::string unused_name(Network& network, const std::string& wanted) {
    if (network.values.type(wanted) == nullptr) {
        return wanted;
    }
    int& last = network.numbered.try_emplace(wanted, 1).first->second;
    std::string name;
    do {
        name = wanted + "_" + std::to_string(++last);
    } while (network.values.type(name) != nullptr);
    return name;
}

std::string add_constant(Network& network, const std::string& wanted, Tensor tensor) {
    std::string name = unused_name(network, wanted);
    network.values.set_constant(name, std::move(tensor));
    return name;
}

std::string add_derived(Network& network, const std::string& from, const std::string& suffix, Tensor tensor) {
    const auto known = network.origins.find(from);
    std::string origin = known == network.origins.end() ? from : known->second;
    // The file's own, or what another node that reads it has made of it.
    for (const std::string& candidate : {origin, origin + suffix}) {
        const Tensor* known_tensor = network.values.constant(candidate);
        tensor.name = candidate;
        if (known_tensor != nullptr && *known_tensor == tensor) {
            return candidate;
        }
    }
    std::string name = add_constant(network, origin + suffix, std::move(tensor));
    network.origins[name] = origin;
    return name;
}

void drop_unused(Network& network) {
    std::unordered_set<std::string> read(network.outputs.begin(), network.outputs.end());
    std::vector<bool> kept(network.nodes.size(), false);
    for (std::size_t i = network.nodes.size(); i-- > 0;) {
        const Node& node = network.nodes[i];
        kept[i] = std::any_of(node.outputs.begin(), node.outputs.end(),
                              [&read](const std::string& output) { return read.contains(output); });
        if (kept[i]) {
            read.insert(node.inputs.begin(), node.inputs.end());
        }
    }
    std::size_t i = 0;
    std::erase_if(network.nodes, [&kept, &i](const Node&) { return !kept[i++]; });
}

bool is_near(float value, double expected) {
    return std::fabs(value - expected) <= 1e-4 * std::max(1.0, std::fabs(expected));
}

}  // namespace hacscale::onnx::detail
