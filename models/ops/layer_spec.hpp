// One fused operation that runs as a unit, as a plain value with a canonical text key. The key is what tables
// are indexed by, so it holds everything that decides the layer's work except batch size and data type, which
// are settings of a measurement and have columns of their own.
#pragma once

#include <array>
#include <bit>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

namespace hacscale {

// Each is described in its file, here (models/ops/NAME.cpp).
enum class LayerKind : std::uint8_t {
    conv,
    max_pool,
    global_avg_pool,
    linear,
    squeeze_excite,
    scale_shift,
    avg_pool,
    activation,
    add,
    multiply,
    concat,
    slice,
    pad,
    resize,
    layer_norm,
    group_norm,
    grn,
    channel_shuffle,
    pixel_shuffle,
    space_to_depth,
    prelu,
    eca,
    transposed_conv,
    reshape,
    permute,
    matmul,
    softmax,
    map_bias,
    map_scale,
};

enum class Activation : std::uint8_t {
    none,
    relu,
    relu6,
    silu,
    hard_swish,
    sigmoid,
    hard_sigmoid,
    gelu,       // x times the normal distribution's share below x (erf)
    gelu_tanh,  // the same with tanh's approximation
    leaky_relu,
    mish,
    softplus,
    elu,
    tanh,
};
inline constexpr std::array<std::string_view, 14> activation_names{
    "none", "relu",      "relu6",      "silu", "hard_swish", "sigmoid", "hard_sigmoid",
    "gelu", "gelu_tanh", "leaky_relu", "mish", "softplus",   "elu",     "tanh"};

// Whether the activation has a parameter, LayerSpec::alpha: the slope of a leaky_relu below zero, the depth of an elu.
constexpr bool has_alpha(Activation activation) {
    return activation == Activation::leaky_relu || activation == Activation::elu;
}
// What it is where a network does not say: PyTorch's and ONNX's.
constexpr float usual_alpha(Activation activation) {
    if (activation == Activation::leaky_relu) return 0.01F;
    return activation == Activation::elu ? 1.0F : 0.0F;
}

// Which of an operator's forms a layer has. `plain` is the only one of most operators.
enum class Mode : std::uint8_t {
    plain,
    count_padding,           // avg_pool: padding counts as zeros in the mean
    per_channel,             // add, multiply: the second input has one number a channel
    nearest,                 // resize: of the element at floor(out * in size / out size)
    nearest_half_pixel,      // resize: of the nearest element's centre, the lower one of two
    nearest_half_pixel_up,   // the same, the upper one of two
    bilinear,                // resize, between the centres of elements (half_pixel)
    bilinear_align_corners,  // resize, the first and last elements stay where they are
    blocks_first,  // pixel_shuffle, space_to_depth: channels are ordered by (row, column in the block, channel)
    channels_first,  // the same, by (channel, row, column), as PyTorch has them
    reflect,         // pad: with the map mirrored at its first and last elements
    edge,            // pad: with the nearest element of the map
    ones,            // pad: with ones instead of zeros
    per_pixel,       // add, multiply: the second input has one number a pixel
    divide,          // multiply: by the second input's inverse
    divide_per_channel,
    divide_per_pixel,
    order_cwh,  // permute: the axes of the output, as letters of those of the input
    order_hcw,
    order_hwc,
    order_wch,
    order_whc,
    transpose_first,  // matmul: the first input's matrices have columns x rows
    transpose_second,
    transpose_both,
    over_height,       // softmax: over the elements of a column
    over_width,        // softmax: over the elements of a row
    root_mean_square,  // layer_norm, group_norm: x / sqrt(mean of x^2 + epsilon)
    keep_mean,         // the same two: x / sqrt(variance + epsilon)
};
inline constexpr std::array<std::string_view, 29> mode_names{"plain",
                                                             "count_padding",
                                                             "per_channel",
                                                             "nearest",
                                                             "nearest_half_pixel",
                                                             "nearest_half_pixel_up",
                                                             "bilinear",
                                                             "bilinear_align_corners",
                                                             "blocks_first",
                                                             "channels_first",
                                                             "reflect",
                                                             "edge",
                                                             "ones",
                                                             "per_pixel",
                                                             "divide",
                                                             "divide_per_channel",
                                                             "divide_per_pixel",
                                                             "cwh",
                                                             "hcw",
                                                             "hwc",
                                                             "wch",
                                                             "whc",
                                                             "transpose_first",
                                                             "transpose_second",
                                                             "transpose_both",
                                                             "over_height",
                                                             "over_width",
                                                             "root_mean_square",
                                                             "keep_mean"};

// tf32: tensors are f32, and products may be rounded to TF32 (10 bits of mantissa), as GPUs' matrix units do.
// i8: what has integer kernels multiplies 8-bit integers; inputs and outputs of the network are f32.
enum class DataType : std::uint8_t { f32, bf16, f16, tf32, i8 };
inline constexpr std::array all_data_types{DataType::f32, DataType::bf16, DataType::f16, DataType::tf32,
                                           DataType::i8};

// How the tensors that a layer reads and writes are laid out in memory. On GPUs it is always channels_last; on CPUs
// which of the two is faster depends on the network and the processor.
// As large as a LayerSpec's other sizes: bytes between them would have no value, and layers are compared by their bytes.
enum class Layout : std::uint32_t {
    channels_last,  // NHWC
    blocked,  // NCHW with a block of channels innermost, as many as the CPU's vectors hold (8, or 16 with
              // AVX-512); the last block is padded with zeros
};

// How a kernel slides over the input of a conv or pool. Pairs are height first.
struct Window {
    std::array<int, 2> kernel{1, 1};
    std::array<int, 2> strides{1, 1};
    std::array<int, 4> pads{0, 0, 0, 0};  // top, left, bottom, right, as ONNX orders them; a pad layer's may
                                          // be negative: that many rows or columns are cut off
    std::array<int, 2> dilations{1, 1};   // distance of neighbouring taps; 1: none is left out

    static constexpr Window square(int kernel, int stride = 1, int padding = 0) {
        return {{kernel, kernel}, {stride, stride}, {padding, padding, padding, padding}, {1, 1}};
    }
    // True when one kernel size, one stride and one padding say it all. Many hand-written kernels know no
    // other.
    bool is_square() const { return *this == square(kernel[0], strides[0], pads[0]); }

    std::int64_t taps() const { return std::int64_t{kernel[0]} * kernel[1]; }
    // Elements from the first tap to the last, both included. `axis`: 0 for height, 1 for width.
    std::int64_t span(int axis) const { return std::int64_t{kernel[axis] - 1} * dilations[axis] + 1; }
    // Positions of the window along an axis of `in` elements; 0 where it does not fit.
    int positions(int in, int axis) const {
        const std::int64_t free = std::int64_t{in} + pads[axis] + pads[axis + 2] - span(axis);
        if (free < 0) return 0;
        return static_cast<int>(strides[axis] == 1 ? free + 1 : free / strides[axis] + 1);
    }
    // The first element under the window at output position `out`; negative where it is padding.
    int first(int out, int axis) const { return out * strides[axis] - pads[axis]; }

    auto operator<=>(const Window&) const = default;
    // In one piece: tables are asked for millions of layers, and ten numbers one by one take longer than all the others.
    bool operator==(const Window& other) const { return std::memcmp(this, &other, sizeof(Window)) == 0; }
};

static_assert(std::has_unique_object_representations_v<Window>);

// A parameter of a layer: a number of f32 that is not negative, compared by its bits.
class Parameter {
public:
    constexpr Parameter() = default;
    // InputError for a number below zero and for what is no number.
    Parameter(float value);  // NOLINT(google-explicit-constructor): it is a number
    constexpr float value() const { return std::bit_cast<float>(bits_); }
    auto operator<=>(const Parameter&) const = default;

private:
    std::uint32_t bits_ = 0;
};

// All sizes are elements. Fields that a kind does not use keep their defaults, and out_channels equals
// in_channels where no weights change it, so that equal layers compare equal.
struct LayerSpec {
    LayerKind kind = LayerKind::conv;
    Activation activation = Activation::none;  // for squeeze_excite: the activation between the two products
    Activation gate = Activation::none;        // squeeze_excite only: sigmoid or hard_sigmoid
    bool bias = true;                          // conv, linear: a bias is added (a folded batch-norm has one)
    bool residual = false;  // conv: a second input of the output's shape is added, then activation
    Mode mode = Mode::plain;
    std::uint16_t inputs = 1;  // data inputs; a residual comes after them
    int in_channels = 0;       // of a concat: of all inputs together
    int in_height = 1;
    int in_width = 1;
    int out_channels = 0;
    Window window;  // conv and pools; of a pad its pads
    int groups = 1;
    int squeeze_channels = 0;       // squeeze_excite only
    int first_channel = 0;          // slice: of the input, the first that is kept
    std::array<int, 2> size{0, 0};  // resize, reshape, matmul: height and width of the output
    Parameter alpha;                // of activations that have one (has_alpha)
    Parameter epsilon;              // layer_norm, group_norm, grn
    Layout layout = Layout::channels_last;

    // Without the table of operators for convs: planners ask millions of times.
    int out_height() const {
        return kind == LayerKind::conv ? window.positions(in_height, 0) : output_size_by_table()[0];
    }
    int out_width() const {
        return kind == LayerKind::conv ? window.positions(in_width, 1) : output_size_by_table()[1];
    }
    std::array<int, 2> output_size_by_table() const;  // height, width; as Operator::output_size says
    // Of a square window (Window::is_square).
    int kernel() const { return window.kernel[0]; }
    int stride() const { return window.strides[0]; }
    int padding() const { return window.pads[0]; }
    bool depthwise() const {
        return kind == LayerKind::conv && groups > 1 && groups == in_channels && groups == out_channels;
    }

    // For example "conv_i64x56x56_o64_k3_s1_p1_g1_bias_add_relu", or with "k3x1_s2x1_p1x0_d2x1" where height
    // and width differ ("p0x1x2x1": top, left, bottom, right). Stable: tables on disk depend on it.
    std::string key() const;
    // The inverse of key(). Throws InputError naming the part that is wrong.
    static LayerSpec from_key(std::string_view key);

    auto operator<=>(const LayerSpec&) const = default;
    bool operator==(const LayerSpec& other) const {
        return std::memcmp(this, &other, sizeof(LayerSpec)) == 0;
    }
};

static_assert(std::has_unique_object_representations_v<LayerSpec>);

constexpr int max_layer_size = 65536;  // channels, height, width, kernel with its dilation, stride
constexpr double max_layer_macs = 1099511627776.0;  // 2^40, also the most elements of an input or output

// What makes this no layer that can run (a size out of range, groups that do not divide the channels, a
// window larger than its input), in words; nothing when it is sound.
std::optional<std::string> validate(const LayerSpec& layer);

std::string_view name_of(LayerKind kind);
std::string_view name_of(Activation activation);
std::string_view name_of(Mode mode);
std::string_view name_of(DataType type);
std::string_view name_of(Layout layout);
// Each throws InputError listing the names it knows.
Activation activation_from_name(std::string_view name);
DataType data_type_from_name(std::string_view name);
Layout layout_from_name(std::string_view name);
std::size_t size_of(DataType type);  // bytes an element

struct LayerSpecHash {
    // Not noexcept: libstdc++'s hash maps then keep each key's hash, and look at few keys that are others.
    std::size_t operator()(const LayerSpec& layer) const;
};

// ---- What a layer computes and moves, from its shape alone; definitions: docs/method.md, "Quantities" ----

struct LayerCost {
    std::int64_t macs = 0;    // multiplies of conv and linear parts, squeeze-excite's two products included
    std::int64_t params = 0;  // numbers held at inference: weights and biases of the folded layer
    std::int64_t activations = 0;  // elements of the output
    std::int64_t bytes = 0;        // each input, weight and output once, at the given batch and data type

    std::int64_t flops() const { return 2 * macs; }
    LayerCost& operator+=(const LayerCost& other);
};

// Weights that inputs are multiplied with: no biases, shifts or batch-norms. A scale_shift has its scales.
std::int64_t product_weights(const LayerSpec& layer);

// For layers without a fault (validate); a larger one could overflow. macs and activations are for the whole
// batch.
LayerCost cost_of(const LayerSpec& layer, int batch, DataType type);

}  // namespace hacscale
