// All that is known of a kind of layer without a device, in one value; the table of operators has one entry a kind.
// Code that treats all kinds alike asks this table and has no switch. How to add an operator: README.md, here.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

class KeyReader;     // models/ops/operator_text.hpp
class KeyWriter;     // the same
class RandomValues;  // models/ops/layer_weights.hpp
struct LayerWeights;

// The shape of one image's tensor.
struct MapSize {
    int channels = 0;
    int height = 1;
    int width = 1;

    std::int64_t elements() const { return std::int64_t{channels} * height * width; }
    bool operator==(const MapSize&) const = default;
};

// ---- Heights and widths of outputs ----

using OutputSize = std::array<int, 2> (*)(const LayerSpec&);

inline std::array<int, 2> window_positions(const LayerSpec& layer) {
    return {layer.window.positions(layer.in_height, 0), layer.window.positions(layer.in_width, 1)};
}
inline std::array<int, 2> size_of_input(const LayerSpec& layer) {
    return {layer.in_height, layer.in_width};
}
inline std::array<int, 2> one_pixel(const LayerSpec&) {
    return {1, 1};
}

// How the channels of the data input belong to those of the output, for code that changes widths. A residual input
// is always tied to the output one to one, and its width is the output's.
enum class ChannelTie : std::uint8_t {
    // Output channel i is computed from input channel i alone (each channel of a pool, a depthwise conv of one
    // output a channel): one width, which cannot change on one side only. An input of one channel that belongs to
    // all of them (a product by pixel) keeps it.
    one_to_one,
    // Weights join every input channel with every output channel: either width changes alone. Of a linear layer, an
    // input channel is in_height x in_width features.
    free,
    // Weights join the channels within each of LayerSpec::groups. Either width may change, but the groups divide
    // both, and a group keeps consecutive channels: its outputs are computed from its inputs only.
    grouped,
    // Each output channel is one of the input channels, in another place (a concat, a slice, a shuffle):
    // Operator::source_channel says which one.
    moved,
    // Channels become pixels or other axes: neither width changes.
    fixed,
};

// One tensor of a layer's weights: its part's name in files of weights, and its dense row-major shape.
struct WeightPart {
    std::string_view name;
    std::vector<std::int64_t> shape;
    std::vector<float> LayerWeights::*values;
};

// What a layer reads, in the order of Node::inputs: dense NCHW tensors, the residual last.
using ReferenceInputs = std::vector<const std::vector<double>*>;

// Calls work(0) to work(count - 1), each once and in any order, perhaps on several threads at once.
using ForEach = std::function<void(std::size_t count, const std::function<void(std::size_t)>& work)>;

struct ReferenceCall {
    const LayerSpec& layer;
    int batch;
    const ReferenceInputs& inputs;
    const LayerWeights& weights;
    const ForEach& each;  // outputs do not depend on its threads

    const std::vector<double>& input() const { return *inputs.front(); }
    // Of layers that add one.
    const std::vector<double>& residual() const { return *inputs.back(); }
};

// What an entry says by saying nothing, and what many say.
inline bool reads_one(int inputs) {
    return inputs == 1;
}
inline MapSize same_input(const LayerSpec& layer, int) {
    return {layer.in_channels, layer.in_height, layer.in_width};
}
inline ChannelTie tied_one_to_one(const LayerSpec&) {
    return ChannelTie::one_to_one;
}
inline ChannelTie moved_channels(const LayerSpec&) {
    return ChannelTie::moved;
}
inline ChannelTie fixed_channels(const LayerSpec&) {
    return ChannelTie::fixed;
}
inline int LayerSpec::*no_second_axis(const LayerSpec&) {
    return nullptr;
}
inline std::optional<std::string> always_valid(const LayerSpec&) {
    return std::nullopt;
}
inline double no_macs(const LayerSpec&) {
    return 0.0;
}
inline std::int64_t no_numbers(const LayerSpec&) {
    return 0;
}
inline std::vector<WeightPart> no_weights(const LayerSpec&) {
    return {};
}
// Of operators without weights.
LayerWeights no_random_weights(const LayerSpec&, RandomValues&);

struct Operator {
    LayerKind kind;
    std::string_view name;                       // in keys and tables
    std::array<std::string_view, 2> onnx_names;  // ONNX's operators for it; empty where a subgraph says it
    OutputSize output_size;
    // Weights make the channels of the output; otherwise it has those of the input.
    bool own_output_channels;
    // The output may be written over a data input that is as large as it, where nobody reads that later.
    bool overwrites_input;

    // How many data inputs it may have (LayerSpec::inputs), and the shape of each.
    bool (*takes_inputs)(int inputs) = reads_one;
    MapSize (*input_shape)(const LayerSpec&, int index) = same_input;
    // In a graph, the inputs may have any channels that make in_channels together.
    bool shares_channels = false;
    // The window's pads may be as large as a layer, or negative; otherwise they are smaller than the kernel.
    bool any_pads = false;

    ChannelTie (*channel_tie)(const LayerSpec&) = tied_one_to_one;
    // Of ChannelTie::moved: the channel that output channel `channel` is, counted through all data inputs one after another.
    int (*source_channel)(const LayerSpec&, int channel) = nullptr;
    // Interpolation over channels: the size that varies besides in_channels (out_channels or squeeze_channels);
    // null where in_channels varies alone. Layers of a family are equal in all other sizes.
    int LayerSpec::* (*second_axis)(const LayerSpec&) = no_second_axis;

    // The parts of the key between the input's size and the layout. Keys on disk stay readable: parts are added,
    // never changed.
    void (*write_key)(const LayerSpec&, KeyWriter&);
    void (*read_key)(KeyReader&, LayerSpec&);

    // Why no such layer can run, beyond what validate() checks of all kinds.
    std::optional<std::string> (*validate)(const LayerSpec&) = always_valid;

    // Counts of one image (docs/method.md, "Quantities"). `macs` is exact, and does not overflow on sizes that
    // nobody has validated yet.
    double (*macs)(const LayerSpec&) = no_macs;
    std::int64_t (*product_weights)(const LayerSpec&) =
        no_numbers;                                          // numbers that inputs are multiplied with
    std::int64_t (*offsets)(const LayerSpec&) = no_numbers;  // biases and shifts
    // Elements that are read of the data inputs; null where that is all of them.
    std::int64_t (*elements_read)(const LayerSpec&) = nullptr;

    std::vector<WeightPart> (*weights)(const LayerSpec&) = no_weights;
    // Outputs neither die out nor blow up over a hundred layers: a variance of 2 / fan-in; half of that where a
    // residual is added.
    LayerWeights (*random_weights)(const LayerSpec&, RandomValues&) = no_random_weights;

    // The layer written out plainly, in double precision.
    std::vector<double> (*reference)(const ReferenceCall&);
    // The same at one position of the dense output; null where it is no less work than all of them.
    double (*reference_at)(const ReferenceCall&, std::size_t position) = nullptr;

    // A PyTorch expression of the value named `input`; null where the layer is a module of its own
    // (models/formats/pytorch_code.cpp).
    std::string (*torch_expression)(const LayerSpec&, std::string_view input) = nullptr;
};

// The entries, each in its file.
extern const Operator conv_operator, max_pool_operator, global_avg_pool_operator, linear_operator,
    squeeze_excite_operator, scale_shift_operator, avg_pool_operator, activation_operator, add_operator,
    multiply_operator, concat_operator, slice_operator, pad_operator, resize_operator, layer_norm_operator,
    group_norm_operator, grn_operator, channel_shuffle_operator, pixel_shuffle_operator,
    space_to_depth_operator, prelu_operator, eca_operator, transposed_conv_operator, reshape_operator,
    permute_operator, matmul_operator, softmax_operator, map_bias_operator, map_scale_operator;

// In the order of LayerKind.
inline constexpr std::array operator_table{&conv_operator,
                                           &max_pool_operator,
                                           &global_avg_pool_operator,
                                           &linear_operator,
                                           &squeeze_excite_operator,
                                           &scale_shift_operator,
                                           &avg_pool_operator,
                                           &activation_operator,
                                           &add_operator,
                                           &multiply_operator,
                                           &concat_operator,
                                           &slice_operator,
                                           &pad_operator,
                                           &resize_operator,
                                           &layer_norm_operator,
                                           &group_norm_operator,
                                           &grn_operator,
                                           &channel_shuffle_operator,
                                           &pixel_shuffle_operator,
                                           &space_to_depth_operator,
                                           &prelu_operator,
                                           &eca_operator,
                                           &transposed_conv_operator,
                                           &reshape_operator,
                                           &permute_operator,
                                           &matmul_operator,
                                           &softmax_operator,
                                           &map_bias_operator,
                                           &map_scale_operator};

[[noreturn]] void no_such_operator(std::size_t index);  // throws InputError

inline const Operator& operator_of(LayerKind kind) {
    const auto index = static_cast<std::size_t>(kind);
    if (index >= operator_table.size()) no_such_operator(index);
    return *operator_table[index];
}
std::span<const Operator* const> all_operators();

}  // namespace hacscale
