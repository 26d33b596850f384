// Nodes of an ONNX model become layers, one after another, each by the rule of its operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "models/formats/onnx_import/detail/draft.hpp"
#include "models/formats/onnx_import/detail/view.hpp"

namespace hacscale::detail {

// Why a node is no layer.
struct NoLayer {
    std::string reason;
};
[[noreturn]] void no_layer(std::string reason);

// The number as an int, which `what` names where it is none.
int small(std::int64_t number, std::string_view what);

// "layer1.0.conv1" for "layer1.0.conv1.weight"; nothing for constants that an exporter numbers.
std::optional<std::string> module_of(const std::string& initializer);

// "layer1.0.conv1" for "/layer1/layer1.0/conv1/Conv", the name that PyTorch's TorchScript exporter gives to the node of such a
// module: each part of the path is a module, and one of a sequence repeats the sequence's name. Nothing for other names.
std::optional<std::string> module_of_node(const std::string& node);

class Drafting {
public:
    explicit Drafting(const onnx::Model& model);
    Draft draft();

private:
    using Rule = void (Drafting::*)(const onnx::Node&);

    void add(const onnx::Node& node);
    void undo_beyond(std::size_t layers, std::size_t inputs);
    void leave_out(const onnx::Node& node, const std::string& reason);
    void add_input(const std::string& value);
    // Of values that no layer writes, nothing.
    void add_output(const std::string& value);

    // ---- Values ----

    // The value as channels, rows and columns of one image: N C H W, N C L and N C as they are, others with axes made one;
    // nothing where it has no axes, and for more elements than a layer may have.
    std::optional<MapSize> size_of_value(const std::string& value) const;
    const std::vector<std::int64_t>& dims_of(const std::string& value) const;
    const onnx::Tensor* constant(const onnx::Node& node, std::size_t input) const;
    std::vector<float> weights(const onnx::Node& node, std::size_t input, DraftLayer& layer);
    // Whether it is learned, by the file's name of it: a module's parameter, or one of the network itself ("pos_embed") that is more
    // than a number. Exporters' own constants are numbered or have a node's path: "onnx::Mul_123", "123", "val_12",
    // "/head/Constant_output_0".
    bool is_parameter(const onnx::Tensor& tensor) const;
    void learn(const onnx::Tensor& tensor, DraftLayer& layer);
    // A map that layers can read; where `flat`, its numbers in any sizes. What left-out nodes compute becomes an input.
    std::string data(const onnx::Node& node, std::size_t input, bool flat = false);
    const MapSize& size(const std::string& source) const { return draft_.sizes.at(source); }
    std::int64_t elements_of_value(const std::string& value) const;
    // Of a node that no layer computes.
    std::int64_t multiplies_of(const onnx::Node& node) const;

    // ---- Values whose axes are elsewhere in the tensor that has their numbers: arrange.cpp ----

    View view_of(const std::string& value) const;
    // Of an input of the node, whose tensor is there then.
    View read(const onnx::Node& node, std::size_t input);
    // The same numbers as a map of these sizes: a reshape layer, where they are others.
    std::string formed(const std::string& source, const MapSize& size);
    // The same numbers stored in this order: permute layers, where they are in another.
    View arranged(const View& given, const Order& order);
    // With the axis outermost, as a map whose channels it is.
    View with_channels(const View& view, std::size_t axis);
    std::string formed_channels(const View& view, std::int64_t channels);
    // Of each of the outermost axis' elements as the tensor has them, where they are whole channels; else 1.
    int channels_of_element(const View& view, std::int64_t count) const;
    // A layer that reads the source and has its shape; without a bias.
    DraftLayer begin_on(const onnx::Node& node, LayerKind kind, const std::string& source);
    // finish(), where the output's axes are stored as these.
    void finish(DraftLayer draft, const Axes& axes);

    // ---- What rules share ----

    // A layer of this kind that reads the node's first input and has its shape; without a bias.
    DraftLayer begin(const onnx::Node& node, LayerKind kind, bool flat = false);
    // Adds the layer, where it is sound and has as many weights as its operator says.
    void finish(DraftLayer draft);
    void set_window(const onnx::Node& node, Window& window, const std::vector<std::int64_t>& kernel) const;
    // Of a constant that is added to or multiplied with a map: a number for each channel.
    std::vector<float> per_channel(const onnx::Tensor& tensor, const MapSize& map, std::size_t rank) const;

    // ---- Layers with weights: weighted_layers.cpp ----

    void name_after_weights(const onnx::Node& node, DraftLayer& draft) const;
    void conv(const onnx::Node& node);
    // Of three axes, along one of which the kernel has one element: a conv for each place along that one.
    void conv_of_volumes(const onnx::Node& node);
    // Of images that the network makes, such as windows of its map.
    void conv_of_images(const onnx::Node& node);
    // Convs of two axes with the same weights, one for each place along a third axis, together as one conv of so many groups more.
    // `window` has the attributes of its two axes.
    void conv_at_each_place(const onnx::Node& node, const onnx::Node& window, std::size_t places,
                            const std::array<std::size_t, 2>& map);
    void transposed_conv(const onnx::Node& node);
    const std::vector<std::int64_t>& dims_of_weights(const onnx::Node& node, std::size_t rank) const;
    void add_bias(const onnx::Node& node, DraftLayer& draft);
    void linear(const onnx::Node& node);
    void batch_norm(const onnx::Node& node);
    void prelu(const onnx::Node& node);
    void norm(const onnx::Node& node);
    void conv_over_channels(const onnx::Node& node);

    // ---- Layers of maps alone: map_layers.cpp ----

    struct Curve {
        Activation activation;
        float alpha = 0.0F;
    };
    void pool(const onnx::Node& node);
    void global_pool(const onnx::Node& node);
    void scale_or_shift(const onnx::Node& node, std::size_t which);
    void arithmetic(const onnx::Node& node);
    void negative(const onnx::Node& node);
    // The sum with the second one's negative.
    void difference(const onnx::Node& node);
    // With a constant: max(x, c) = relu(x - c) + c.
    void maximum(const onnx::Node& node);
    // A square is a product with itself.
    void power(const onnx::Node& node);
    void concat(const onnx::Node& node);
    // Of values and constants: the values make place for the constants, which are added.
    void concat_with_constants(const onnx::Node& node);
    View concatenated(const onnx::Node& node, const std::vector<View>& given, std::size_t axis,
                      const std::string& output);
    void split(const onnx::Node& node);
    void slice(const onnx::Node& node);
    void pad(const onnx::Node& node);
    // More or fewer elements along one axis; `layer` has the mode.
    View padded(const onnx::Node& node, const View& view, std::size_t axis, std::array<int, 2> sides,
                Mode mode, const std::string& output);
    void resize(const onnx::Node& node);
    void shuffle(const onnx::Node& node);
    static std::optional<Curve> activation_of(const onnx::Node& node);
    void activation(const onnx::Node& node, const Curve& curve);

    // ---- Layers of attention, and moves along any axis: token_layers.cpp ----

    void reshape(const onnx::Node& node);
    void transpose(const onnx::Node& node);
    void matmul(const onnx::Node& node);
    void einsum(const onnx::Node& node);
    // Of two values with the same axes, or one element where they have none: the axes along which each product is one of its own,
    // those of the first one and of the second one that the product has too, and those that are multiplied along.
    struct ProductAxes {
        std::vector<std::size_t> batch, rows, columns;
        std::size_t inner_first, inner_second;
    };
    // `output`: the axes of the node's output, as indices of those.
    void product(const onnx::Node& node, View a, View b, const ProductAxes& of,
                 const std::vector<std::size_t>& output);
    // Each row of features times the weights, which are features x outputs: a 1x1 conv.
    void token_product(const onnx::Node& node, const onnx::Tensor& weights);
    // The weights, which are outputs x features, times each column of features: one as well.
    void column_product(const onnx::Node& node, const onnx::Tensor& weights);
    void softmax(const onnx::Node& node);
    void reduce(const onnx::Node& node);
    void sum_of_parts(const onnx::Node& node, const View& view, std::size_t axis);
    void gather(const onnx::Node& node);
    // These elements of an axis, one after another.
    View runs(const onnx::Node& node, const View& view, std::size_t axis,
              const std::vector<std::int64_t>& places);
    // Neighbours along an axis.
    View cut(const onnx::Node& node, const View& view, std::size_t axis, std::int64_t first,
             std::int64_t count, const std::string& output);
    // Every `step`th of them, from the first one.
    View strided(const onnx::Node& node, const View& view, std::size_t axis, std::int64_t step,
                 const std::string& output);
    void expand(const onnx::Node& node);
    // To these sizes, which the value can be broadcast to.
    View expanded(const onnx::Node& node, View view, const std::vector<std::int64_t>& dims);
    void tile(const onnx::Node& node);
    // Of an axis of one element, as many equal ones.
    View repeated(const onnx::Node& node, const View& given, std::size_t axis, std::int64_t count);
    // Of two values that have no axis in common.
    void outer_product(const onnx::Node& node, View first, View second);
    // A constant that differs along several axes is added, or multiplied with.
    void with_map(const onnx::Node& node, const View& view, const onnx::Tensor& tensor, bool scales);
    // One of these sizes, broadcast, as the numbers of such a layer over the view.
    static std::vector<float> map_numbers(const View& view, const std::vector<std::int64_t>& dims,
                                          const std::vector<float>& numbers);
    void take_map_numbers(std::int64_t elements);
    // Sums, products and quotients of two tensors, the smaller one with one number for several of the larger one.
    void pair(const onnx::Node& node, LayerKind kind, bool divides);

    const onnx::Graph& graph_;
    std::unordered_map<std::string, const onnx::Tensor*> constants_;
    std::unordered_map<std::string, std::vector<std::int64_t>> dims_;
    std::unordered_map<std::string, View> views_;            // values that are not their tensor row by row
    std::unordered_map<std::string, std::string> unformed_;  // what a reshape layer of formed() reads
    std::unordered_set<std::string> written_;                // by layers
    std::unordered_set<std::string> outputs_;
    std::string place_;  // the name of the node at hand
    // Of constants that differ along several axes, which have a number for each element: a small file may ask for many.
    std::int64_t map_numbers_left_ = std::int64_t{1} << 24;
    Draft draft_;
};

}  // namespace hacscale::detail
