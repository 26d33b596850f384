#include "models/ops/layer_spec.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::array<std::pair<DataType, std::string_view>, 5> data_type_names{{
    {DataType::f32, "f32"},
    {DataType::bf16, "bf16"},
    {DataType::f16, "f16"},
    {DataType::tf32, "tf32"},
    {DataType::i8, "i8"},
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

}  // namespace

std::string_view name_of(Activation activation) {
    const auto index = static_cast<std::size_t>(activation);
    if (index >= activation_names.size()) throw InputError(fmt::format("there is no activation {}", index));
    return activation_names[index];
}
std::string_view name_of(Mode mode) {
    const auto index = static_cast<std::size_t>(mode);
    if (index >= mode_names.size()) throw InputError(fmt::format("there is no mode {}", index));
    return mode_names[index];
}
std::string_view name_of(DataType type) {
    return name_in(data_type_names, type);
}
std::string_view name_of(Layout layout) {
    return name_in(layout_names, layout);
}

Parameter::Parameter(float value) : bits_(std::bit_cast<std::uint32_t>(value + 0.0F)) {
    if (!std::isfinite(value) || value < 0.0F) {
        throw InputError(
            fmt::format("the layer's parameter is {}, expected a finite number of 0 or more", value));
    }
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
    if (type == DataType::i8) return 1;
    return type == DataType::f32 || type == DataType::tf32 ? 4 : 2;
}

std::size_t LayerSpecHash::operator()(const LayerSpec& layer) const {
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
    // What few layers have is mixed in where they have it.
    const std::uint64_t forms = static_cast<std::uint64_t>(layer.mode) | std::uint64_t{layer.inputs - 1U}
                                                                             << 8;
    const std::uint64_t sizes_of_few = pack(layer.size[0], layer.size[1]);
    const std::uint64_t parameters = pack(std::bit_cast<int>(layer.alpha), std::bit_cast<int>(layer.epsilon));
    if ((forms | sizes_of_few | parameters | static_cast<std::uint64_t>(layer.first_channel)) != 0) {
        const std::uint64_t word = pack(layer.first_channel, static_cast<int>(forms)) ^
                                   sizes_of_few * 0xC2B2AE3D27D4EB4FULL ^ parameters * 0x165667B19E3779F9ULL;
        hash = (std::rotl(hash, 29) ^ word) * 0x9E3779B97F4A7C15ULL;
        hash ^= hash >> 32;
    }
    return static_cast<std::size_t>(hash);
}

}  // namespace hacscale
