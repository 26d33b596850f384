#include "models/ops/layer_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "models/ops/key_text.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr std::array<std::pair<DataType, std::string_view>, 4> data_type_names{{
    {DataType::f32, "f32"},
    {DataType::bf16, "bf16"},
    {DataType::f16, "f16"},
    {DataType::tf32, "tf32"},
}};

constexpr std::array<std::pair<Layout, std::string_view>, 2> layout_names{{
    {Layout::channels_last, "channels_last"},
    {Layout::blocked, "blocked"},
}};

template <typename Table, typename Value>
std::string_view name_in(const Table& table, Value value) {
    for (const auto& [candidate, name] : table) {
        if (candidate == value) return name;
    }
    throw InputError(fmt::format("{} is no value of this enumeration", static_cast<int>(value)));
}

template <typename Table>
auto value_in(const Table& table, std::string_view name, std::string_view what) {
    std::string known;
    for (const auto& [value, candidate] : table) {
        if (candidate == name) return value;
        known += known.empty() ? "" : ", ";
        known += candidate;
    }
    throw InputError(fmt::format("'{}' is no {}; expected one of {}", name, what, known));
}

const Operator& operator_at(KeyReader& reader) {
    for (const Operator* const op : all_operators()) {
        if (reader.take_word(op->name)) return *op;
    }
    std::string known;
    for (const Operator* const op : all_operators()) {
        known += (known.empty() ? "one of " : ", ") + std::string(op->name);
    }
    reader.fail(known);
}

std::optional<std::string> range_fault(std::string_view what, std::int64_t value, std::int64_t low,
                                       std::int64_t high) {
    if (value >= low && value <= high) return std::nullopt;
    return fmt::format("{} is {}, expected {} to {}", what, value, low, high);
}

std::optional<std::string> pair_fault(std::string_view what, const std::array<int, 2>& values) {
    for (const bool width : {false, true}) {
        const int value = values[width ? 1 : 0];
        if (value >= 1 && value <= max_layer_size) continue;
        const std::string_view side = values[0] == values[1] ? "" : width ? " width" : " height";
        return range_fault(fmt::format("{}{}", what, side), value, 1, max_layer_size);
    }
    return std::nullopt;
}

std::optional<std::string> window_fault(const Window& window) {
    if (auto fault = pair_fault("kernel", window.kernel)) return fault;
    if (auto fault = pair_fault("stride", window.strides)) return fault;
    if (auto fault = pair_fault("dilation", window.dilations)) return fault;
    for (int axis = 0; axis < 2; ++axis) {
        // So that a layer has one key only.
        if (window.kernel[axis] == 1 && window.dilations[axis] != 1) return "a kernel of 1 has no dilation";
        if (window.span(axis) > max_layer_size) {
            return range_fault("elements under a dilated kernel", window.span(axis), 1, max_layer_size);
        }
    }
    for (int side = 0; side < 4; ++side) {
        const int pad = window.pads[side];
        const std::int64_t most = window.span(side % 2) - 1;
        if (pad >= 0 && pad <= most) continue;
        constexpr std::array names{"top ", "left ", "bottom ", "right "};
        const bool equal = std::ranges::all_of(window.pads, [&](int other) { return other == pad; });
        return range_fault(fmt::format("{}padding", equal ? "" : names[side]), pad, 0, most);
    }
    return std::nullopt;
}

}  // namespace

int Window::positions(int in, int axis) const {
    const std::int64_t room = std::int64_t{in} + pads[axis] + pads[axis + 2] - span(axis);
    return room < 0 ? 0 : static_cast<int>(room / strides[axis] + 1);
}

int LayerSpec::out_height() const {
    const OutputSize size = operator_of(kind).output_size;
    if (size == OutputSize::window) return window.positions(in_height, 0);
    return size == OutputSize::input ? in_height : 1;
}

int LayerSpec::out_width() const {
    const OutputSize size = operator_of(kind).output_size;
    if (size == OutputSize::window) return window.positions(in_width, 1);
    return size == OutputSize::input ? in_width : 1;
}

std::string LayerSpec::key() const {
    const Operator& op = operator_of(kind);
    KeyWriter key;
    key.begin(op.name, in_channels, in_height, in_width);
    op.write_key(*this, key);
    key.word_if(layout == Layout::blocked, name_of(Layout::blocked));
    return key.text();
}

LayerSpec LayerSpec::from_key(std::string_view key) {
    KeyReader reader(key);
    const Operator& op = operator_at(reader);
    LayerSpec layer;
    layer.kind = op.kind;
    reader.input(layer);
    layer.out_channels = layer.in_channels;
    op.read_key(reader, layer);
    if (reader.take_word(name_of(Layout::blocked))) layer.layout = Layout::blocked;
    if (!reader.at_end()) reader.fail("the end of the key");
    if (const auto fault = fault_of(layer)) throw InputError(fmt::format("layer key '{}': {}", key, *fault));
    return layer;
}

std::optional<std::string> fault_of(const LayerSpec& layer) {
    if (auto fault = range_fault("input channels", layer.in_channels, 1, max_layer_size)) return fault;
    if (auto fault = range_fault("input height", layer.in_height, 1, max_layer_size)) return fault;
    if (auto fault = range_fault("input width", layer.in_width, 1, max_layer_size)) return fault;
    if (auto fault = range_fault("output channels", layer.out_channels, 1, max_layer_size)) return fault;
    if (auto fault = window_fault(layer.window)) return fault;
    if (auto fault = range_fault("groups", layer.groups, 1, layer.in_channels)) return fault;
    if (layer.in_channels % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
        return fmt::format("{} groups do not divide {} input and {} output channels", layer.groups,
                           layer.in_channels, layer.out_channels);
    }
    const Operator& op = operator_of(layer.kind);
    if (!op.own_output_channels && layer.out_channels != layer.in_channels) {
        return fmt::format("a {} layer has as many output channels as input channels, not {} for {}", op.name,
                           layer.out_channels, layer.in_channels);
    }
    if (auto fault = op.validate(layer)) return fault;
    if (layer.out_height() < 1 || layer.out_width() < 1) {
        return fmt::format("a {}x{} input is smaller than the {}x{} window", layer.in_height, layer.in_width,
                           layer.window.span(0), layer.window.span(1));
    }
    // In floating point, because this check is what keeps the integer counts of layer_cost.cpp from
    // overflowing.
    const double in = 1.0 * layer.in_channels * layer.in_height * layer.in_width;
    const double out = 1.0 * layer.out_channels * layer.out_height() * layer.out_width();
    const double macs = op.macs(layer);
    if (in > max_layer_macs || out > max_layer_macs || macs > max_layer_macs) {
        return fmt::format(
            "the layer is too large ({:.3g} multiplies, {:.3g} inputs, {:.3g} outputs; "
            "at most 2^40 each)",
            macs, in, out);
    }
    return std::nullopt;
}

std::string_view name_of(LayerKind kind) {
    return operator_of(kind).name;
}
std::string_view name_of(Activation activation) {
    const auto index = static_cast<std::size_t>(activation);
    if (index >= activation_names.size()) throw InputError(fmt::format("there is no activation {}", index));
    return activation_names[index];
}
std::string_view name_of(DataType type) {
    return name_in(data_type_names, type);
}
std::string_view name_of(Layout layout) {
    return name_in(layout_names, layout);
}

Activation activation_from_name(std::string_view name) {
    const auto found = std::ranges::find(activation_names, name);
    if (found == activation_names.end()) {
        throw InputError(fmt::format("'{}' is no activation; expected one of {}", name,
                                     fmt::join(activation_names, ", ")));
    }
    return static_cast<Activation>(found - activation_names.begin());
}

DataType data_type_from_name(std::string_view name) {
    return value_in(data_type_names, name, "data type");
}

Layout layout_from_name(std::string_view name) {
    return value_in(layout_names, name, "layout");
}

std::size_t size_of(DataType type) {
    return type == DataType::f32 || type == DataType::tf32 ? 4 : 2;
}

std::size_t LayerSpecHash::operator()(const LayerSpec& layer) const noexcept {
    const auto pack = [](int high, int low) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(high)) << 32 |
               static_cast<std::uint32_t>(low);
    };
    const std::uint64_t flags =
        static_cast<std::uint64_t>(layer.kind) | static_cast<std::uint64_t>(layer.activation) << 8 |
        static_cast<std::uint64_t>(layer.gate) << 16 | static_cast<std::uint64_t>(layer.bias) << 24 |
        static_cast<std::uint64_t>(layer.residual) << 25 | static_cast<std::uint64_t>(layer.layout) << 26;
    // Most windows are square: what differs from one that is, is mixed in apart, as zero for those. Sizes of a
    // window are small, so four share a word; a hash need not keep all bits apart.
    const auto& [kernel, strides, pads, dilations] = layer.window;
    const auto share = [](int a, int b, int c, int d) {
        return static_cast<std::uint64_t>(a) ^ static_cast<std::uint64_t>(b) << 16 ^
               static_cast<std::uint64_t>(c) << 32 ^ static_cast<std::uint64_t>(d) << 48;
    };
    const std::uint64_t sizes =
        share(kernel[0] ^ kernel[1], strides[0] ^ strides[1], dilations[0] ^ 1, dilations[1] ^ 1);
    const std::uint64_t sides = share(pads[0] ^ pads[1], pads[0] ^ pads[2], pads[0] ^ pads[3], 0);
    std::uint64_t hash = flags ^ sizes * 0xC2B2AE3D27D4EB4FULL ^ sides * 0x165667B19E3779F9ULL;
    // Multiply and fold: one pass over six words, each bit of which reaches the low bits that a hash map
    // uses.
    for (const std::uint64_t word :
         {pack(layer.in_channels, layer.out_channels), pack(layer.in_height, layer.in_width),
          pack(kernel[0], strides[0]), pack(pads[0], layer.groups), pack(layer.squeeze_channels, 0)}) {
        hash = (std::rotl(hash, 29) ^ word) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 32;
    }
    return static_cast<std::size_t>(hash);
}

}  // namespace hacscale
