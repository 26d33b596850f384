// One layer while it becomes nodes of an ONNX graph, and the rules by which it does, a function a kind of layer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "models/formats/onnx/model.hpp"
#include "models/graph/graph.hpp"
#include "models/ops/layer_weights.hpp"

namespace hacscale::detail {

using OnnxInts = std::vector<std::int64_t>;
using OnnxAttributes = std::map<std::string, onnx::Attribute, std::less<>>;

// The graph that is written, with names that nothing else in it has.
class OnnxWriter {
public:
    OnnxWriter(onnx::Graph& graph, std::int64_t opset) : graph_(graph), opset_(opset) {}

    std::int64_t opset() const { return opset_; }
    // The name, or one with a number where something else has it; from now on it is taken.
    std::string value_name(const std::string& wanted);
    std::string node_name(const std::string& wanted);

    // Adds a node with one output; returns the output's name. The node's name must be its own (node_name()).
    std::string add(std::string name, std::string_view op_type, std::vector<std::string> inputs,
                    OnnxAttributes attributes);
    // The output of the last node gets this name, which value_name() gave.
    void rename_last(const std::string& value) { graph_.nodes.back().outputs.front() = value; }

    // A tensor that refers to these numbers.
    std::string tensor(const std::string& name, const OnnxInts& dims, const std::vector<float>& values);
    // The tensor `first` where it is there and equals this one, else one of this name.
    std::string shared_tensor(const std::string& name, const std::string& first, const OnnxInts& dims,
                              const std::vector<float>& values);
    // A tensor of numbers that are made here.
    std::string own_tensor(const std::string& name, const OnnxInts& dims, const std::vector<float>& values);
    // Constants; equal ones are one.
    std::string scalar(float value);
    std::string integers(const OnnxInts& values);

private:
    std::string add_initializer(onnx::Tensor tensor);

    onnx::Graph& graph_;
    std::int64_t opset_;
    std::unordered_set<std::string> values_;
    std::unordered_set<std::string> nodes_;
    std::unordered_map<std::string, std::size_t> initializers_;  // by name: index into graph_.initializers
    std::map<float, std::string> scalars_;
    std::map<OnnxInts, std::string> integers_;
};

struct LayerExport {
    OnnxWriter& writer;
    const Node& node;
    const LayerWeights& weights;
    std::string name;
    std::vector<std::string> inputs;  // N C H W, or N C where `vector`; of a linear layer always N x features
    bool vector = false;

    const LayerSpec& layer() const { return node.layer; }
    const std::string& input() const { return inputs.front(); }
    std::int64_t opset() const { return writer.opset(); }
    // Throws InputError where the file's opset is lower; `what` is the operator with what it lacks.
    void needs_opset(std::int64_t least, std::string_view what) const;

    // The node that the import names the layer after, where no weights do.
    std::string add(std::string_view op_type, std::vector<std::string> operands,
                    OnnxAttributes attributes = {});
    // A further node.
    std::string add_part(std::string_view op_type, std::vector<std::string> operands,
                         OnnxAttributes attributes = {});
    // One of both.
    std::string add_as(bool is_layer, std::string_view op_type, std::vector<std::string> operands,
                       OnnxAttributes attributes = {});
    // A tensor of the layer: NAME.part.
    std::string weight(std::string_view part, const OnnxInts& dims, const std::vector<float>& values);
    // Mean or norm over these axes, which stay with size 1. The axes are an input since opset 18.
    std::string reduced(std::string_view op_type, const std::string& x, const OnnxInts& axes);
    // With 0 for a size that stays, which keeps the batch open.
    std::string reshaped(const std::string& x, const OnnxInts& shape);
    // One number a channel next to the layer's inputs: C, or C 1 1.
    OnnxInts per_channel() const;
};

// The activation of `x`. `is_layer`: it is the layer itself, not fused into one.
std::string write_curve(LayerExport& out, Activation activation, Parameter alpha, const std::string& x,
                        bool is_layer = false);

// Each adds the layer's nodes without its fused activation, the last of them writing the value that is returned.
using LayerRule = std::string (*)(LayerExport&);

std::string write_conv(LayerExport& out);
std::string write_transposed_conv(LayerExport& out);
std::string write_linear(LayerExport& out);
std::string write_scale_shift(LayerExport& out);
std::string write_prelu(LayerExport& out);

std::string write_squeeze_excite(LayerExport& out);
std::string write_eca(LayerExport& out);
std::string write_layer_norm(LayerExport& out);
std::string write_group_norm(LayerExport& out);
std::string write_grn(LayerExport& out);

std::string write_max_pool(LayerExport& out);
std::string write_avg_pool(LayerExport& out);
std::string write_global_avg_pool(LayerExport& out);
std::string write_standalone_activation(LayerExport& out);
std::string write_add(LayerExport& out);
std::string write_multiply(LayerExport& out);
std::string write_concat(LayerExport& out);
std::string write_slice(LayerExport& out);
std::string write_pad(LayerExport& out);
std::string write_resize(LayerExport& out);
std::string write_channel_shuffle(LayerExport& out);
std::string write_pixel_shuffle(LayerExport& out);
std::string write_space_to_depth(LayerExport& out);

std::string write_reshape(LayerExport& out);
std::string write_permute(LayerExport& out);
std::string write_matmul(LayerExport& out);
std::string write_softmax(LayerExport& out);
std::string write_map_bias(LayerExport& out);
std::string write_map_scale(LayerExport& out);

}  // namespace hacscale::detail
