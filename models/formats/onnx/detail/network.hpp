// The graph between the passes of simplify().
#pragma once

#include <functional>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "models/formats/onnx/detail/step.hpp"

namespace hacscale::onnx::detail {

// The domain of nodes that stand for several of a file.
constexpr std::string_view own_domain = "hacscale";

struct Network {
    std::vector<Node> nodes;  // in running order
    Values values;            // types of all values, constants
    std::unordered_set<std::string> outputs;
    std::unordered_map<std::string, std::string>
        origins;  // of constants that are made of the file's: the file's name
    std::unordered_map<std::string, std::string>
        moved_from;  // of constants that are one of the file's in another shape or order: its name
    std::unordered_map<std::string, int> numbered;  // the last number after a name that was in use
};

// Who writes and who reads the values of a network. Indices refer to Network::nodes, and hold until nodes are added or removed; nodes
// that are rewritten in place stay where they are. What is counted as read is never too low after a rewrite.
class Edges {
public:
    explicit Edges(Network& network);

    Network& network;

    // Null for inputs of the network and constants.
    Node* producer(const std::string& value) const;
    // The producer where it is the operator and nobody else reads the value; else null.
    Node* only_producer(const std::string& value, std::string_view op_type) const;
    // Reads of a value; being an output of the network counts as one.
    std::size_t reads(const std::string& value) const;
    // The node that alone reads the value; null where there are several, or the value is an output.
    Node* only_reader(const std::string& value) const;

    const Tensor* constant(const std::string& value) const { return network.values.constant(value); }
    // The number of a constant with one element.
    std::optional<float> scalar(const std::string& value) const;
    const Ints& dims(const std::string& value) const;

    // Makes `root` one node of the domain "hacscale" in place of itself and the absorbed ones, which cleaning removes later.
    static void become(Node& root, std::string op_type, std::vector<std::string> inputs,
                       std::map<std::string, Attribute, std::less<>> attributes,
                       const std::vector<const Node*>& absorbed);

private:
    std::unordered_map<std::string, std::size_t> producers_;
    std::unordered_map<std::string, std::vector<std::size_t>> readers_;
};

// Adds a constant under a name that is not used yet; returns the name.
std::string add_constant(Network& network, const std::string& wanted, Tensor tensor);
// Adds a constant that is made of another one. Where it is the same as the file's constant that `from` was made of, returns that one's
// name, else a name of that one's and `suffix`.
std::string add_derived(Network& network, const std::string& from, const std::string& suffix, Tensor tensor);
std::string unused_name(Network& network, const std::string& wanted);
// The names that `node` and the nodes that it stands for have in the file.
std::vector<std::string> sources_of(const Node& node);

// Removes nodes whose outputs nobody reads.
void drop_unused(Network& network);

// Multiplies the batch that the inputs' first sizes have. Throws InputError, with the node, where the batch is not outermost.
void change_batch(Network& network, const std::vector<ValueInfo>& inputs, std::int64_t batch);

bool is_near(float value, double expected);

// The passes, in their order.
void merge_pads(Network& network);
void recognise_activations(Network& network);
void recognise_normalization(Network& network);
void move_channels_first(Network& network);
void recognise_shuffles(Network& network);
void tidy(Network& network);
void recognise_channel_ops(Network& network);

}  // namespace hacscale::onnx::detail
