// A network as a directed acyclic graph: tensors, and the nodes that read and write them. A node is one fused
// layer, which runs as a unit: conv + bias + residual add + activation. A graph has any number of inputs and
// outputs, and a tensor any number of readers. lower() makes one of a ModelSpec (models/stages/lowering.hpp).
#pragma once

#include <array>
#include <initializer_list>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

using TensorId = int;  // index into Graph::tensors

constexpr int no_node = -1;

// The tensors that a node reads or writes. Most nodes have one or two, which need no memory of their own:
// planners lower thousands of networks.
class TensorIds {
public:
    TensorIds() = default;
    TensorIds(std::initializer_list<TensorId> ids) {
        for (const TensorId id : ids) push_back(id);
    }

    void push_back(TensorId id) {
        if (size_ < few_.size()) few_[size_] = id;
        if (size_ == few_.size()) many_.assign(few_.begin(), few_.end());
        if (size_ >= few_.size()) many_.push_back(id);
        ++size_;
    }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    TensorId operator[](std::size_t i) const { return begin()[i]; }
    TensorId front() const { return *begin(); }
    const TensorId* begin() const { return size_ <= few_.size() ? few_.data() : many_.data(); }
    const TensorId* end() const { return begin() + size_; }

private:
    std::size_t size_ = 0;
    std::array<TensorId, 2> few_{};
    std::vector<TensorId> many_;  // all of them, where there are more than few_ holds
};

// The shape is of one image.
struct Tensor {
    int channels = 0;
    int height = 1;
    int width = 1;
    int producer = no_node;  // the node that writes it; no_node for an input of the graph

    std::int64_t elements() const { return std::int64_t{channels} * height * width; }
};

struct Node {
    LayerSpec layer{};
    TensorIds inputs{};   // the layer's data inputs; then, of a conv with layer.residual, what is added
    TensorIds outputs{};  // one, of every layer that there is today
    std::string name{};   // for example "stage2.block1.conv2"
    int stage = 0;        // -1: stem, 0..stages-1: that stage, stages: head
    int block = 0;        // within the stage
    // Before folding: batch-norm's scale and shift counted, see docs/method.md.
    std::int64_t learned_params = 0;
    double batch_norm_epsilon = 1e-5;  // of the batch-norm that was folded in, where there was one

    // Tensors that a node with this layer reads.
    static std::size_t inputs_of(const LayerSpec& layer) { return layer.inputs + (layer.residual ? 1U : 0U); }
    // The tensor that is added; only of a node with layer.residual.
    TensorId residual_input() const { return inputs[layer.inputs]; }
};

// What a conv or linear layer learns beside its products, by how many numbers that is: a bias is one a channel, a batch-norm
// two, both together three.
struct LearnedOffsets {
    bool bias = false;
    bool batch_norm = false;
};
LearnedOffsets learned_offsets(const Node& node);

struct Graph {
    std::vector<Tensor> tensors;
    std::vector<Node> nodes;  // in running order
    std::vector<TensorId> inputs;
    std::vector<TensorId> outputs;

    // ---- Building ----

    TensorId add_input(int channels, int height, int width);
    // Appends a node that has its layer and inputs; makes its output, of the layer's output shape, and returns it.
    TensorId add_node(Node node);

    // ---- Edges ----

    // The node that writes what `node` reads as input `i`; no_node where that is an input of the graph.
    int producer_of(const Node& node, std::size_t i = 0) const { return tensors[node.inputs[i]].producer; }
    // The same in one number for records and keys: of the graph's first input -1, of its second -2, and so on.
    int source_of(const Node& node, std::size_t i = 0) const;
    const Tensor& input_of(const Node& node, std::size_t i = 0) const { return tensors[node.inputs[i]]; }

    // Gives every layer this layout.
    void set_layout(Layout layout) {
        for (Node& node : nodes) node.layer.layout = layout;
    }

    // ---- Totals ----

    std::int64_t params() const;       // learned
    std::int64_t macs() const;         // one inference at batch 1
    std::int64_t activations() const;  // batch 1
    std::int64_t bytes(int batch, DataType type) const;
    std::int64_t weight_bytes(DataType type) const;  // folded weights and biases
    // The most activation bytes alive at once, in running order.
    std::int64_t peak_activation_bytes(int batch, DataType type) const;
};

// One layer as a graph, for timing and checking it alone. It has as many inputs as the layer reads, of the shapes that
// its operator says; the last one of a conv with a residual add has the output's shape.
Graph single_layer(const LayerSpec& layer);

// What makes this no graph that can run, in a sentence that names the node: an index out of range, a node that
// reads what a later one writes (so also a cycle), a tensor with several producers or none, a shape that is not
// the layer's, a layer with a fault, no output. Nothing when it is sound.
std::optional<std::string> validate(const Graph& graph);

// Of each tensor, the node after which nobody needs it: the last one that reads it, graph.nodes.size() for an output
// of the graph. A tensor that nobody reads has its producer, an input that nobody reads no_node.
std::vector<int> last_readers(const Graph& graph);

// While each node runs: elements of the tensors that are alive at batch 1. Inputs of the graph are alive from the
// start to their last reader.
std::vector<std::int64_t> alive_activations(const Graph& graph);

}  // namespace hacscale
