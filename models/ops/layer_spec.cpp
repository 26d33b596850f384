#include "models/ops/layer_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <iterator>
#include <optional>
#include <span>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::array<std::pair<LayerKind, std::string_view>, 6> kind_names{{
    {LayerKind::conv, "conv"},
    {LayerKind::max_pool, "max_pool"},
    {LayerKind::global_avg_pool, "global_avg_pool"},
    {LayerKind::linear, "linear"},
    {LayerKind::squeeze_excite, "squeeze_excite"},
    {LayerKind::scale_shift, "scale_shift"},
}};

constexpr std::array<std::pair<Activation, std::string_view>, 7> activation_names{{
    {Activation::none, "none"},
    {Activation::relu, "relu"},
    {Activation::relu6, "relu6"},
    {Activation::silu, "silu"},
    {Activation::hard_swish, "hard_swish"},
    {Activation::sigmoid, "sigmoid"},
    {Activation::hard_sigmoid, "hard_sigmoid"},
}};

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

// Reads a key from left to right; every failure names the part at which it stopped.
class KeyReader {
public:
    explicit KeyReader(std::string_view key) : key_(key), rest_(key) {}

    bool at_end() const { return rest_.empty(); }

    // True when `word` stands here as a whole part, that is, followed by '_' or the end; then it is consumed.
    bool take_word(std::string_view word) {
        if (!rest_.starts_with(word)) return false;
        if (rest_.size() > word.size() && rest_[word.size()] != '_') return false;
        rest_.remove_prefix(word.size());
        take_separator();
        return true;
    }

    template <typename Table>
    auto word_of(const Table& table, std::string_view what) {
        for (const auto& [value, name] : table) {
            if (take_word(name)) return value;
        }
        fail(what);
    }

    // "k3": the letter, then a decimal number without sign or leading zeros, then '_' or the end.
    int number(std::string_view letter, std::string_view what) {
        std::array<int, 1> value{};
        numbers(letter, what, value);
        return value[0];
    }

    // "k3x1", or "k3" where both are equal. "k3x3" is no key: a layer has one only.
    std::array<int, 2> pair(std::string_view letter, std::string_view what) {
        const std::string_view part = rest_;
        std::array<int, 2> values{};
        if (const std::size_t count = numbers(letter, what, values); count == 1) {
            values[1] = values[0];
        } else if (values[0] == values[1]) {
            fail_at(part, what);
        }
        return values;
    }

    // "p1", "p1x0" where the far side is padded as the near one, or "p0x1x2x1".
    std::array<int, 4> pads() {
        constexpr std::string_view what =
            "the padding as p<n>, p<height>x<width> or p<top>x<left>x<bottom>x<right>, the shortest that "
            "says it";
        const std::string_view part = rest_;
        std::array<int, 4> values{};
        const std::size_t count = numbers("p", what, values);
        if (count == 1) values[1] = values[0];
        if (count == 3 || (count == 2 && values[0] == values[1])) fail_at(part, what);
        if (count < 4) {
            values[2] = values[0];
            values[3] = values[1];
        } else if (values[0] == values[2] && values[1] == values[3]) {
            fail_at(part, what);
        }
        return values;
    }

    Window window() {
        Window window;
        window.kernel = pair("k", "the kernel as k<n> or k<height>x<width>");
        window.strides = pair("s", "the stride as s<n> or s<height>x<width>");
        window.pads = pads();
        if (rest_.starts_with('d')) {
            constexpr std::string_view what = "a dilation above 1 as d<n> or d<height>x<width>";
            const std::string_view part = rest_;
            window.dilations = pair("d", what);
            if (window.dilations == Window().dilations) fail_at(part, what);
        }
        return window;
    }

    // "i64x56x56": channels, height, width.
    void input(LayerSpec& layer) {
        constexpr std::string_view what = "the input as i<channels>x<height>x<width>";
        const std::string_view part = rest_;
        std::array<int, 3> sizes{};
        if (numbers("i", what, sizes) != sizes.size()) fail_at(part, what);
        layer.in_channels = sizes[0];
        layer.in_height = sizes[1];
        layer.in_width = sizes[2];
    }

    [[noreturn]] void fail(std::string_view expected) const { fail_at(rest_, expected); }

private:
    // A letter and at least one decimal number, more of them behind 'x', then '_' or the end. The count of
    // numbers.
    std::size_t numbers(std::string_view letter, std::string_view what, std::span<int> values) {
        if (!rest_.starts_with(letter)) fail(what);
        const std::string_view part = rest_;
        rest_.remove_prefix(letter.size());
        std::size_t count = 0;
        do {
            if (count == values.size()) fail_at(part, what);
            values[count++] = digits(part, what);
        } while (take_char('x'));
        if (!rest_.empty() && rest_.front() != '_') fail_at(part, what);
        take_separator();
        return count;
    }

    bool take_char(char c) {
        if (rest_.empty() || rest_.front() != c) return false;
        rest_.remove_prefix(1);
        return true;
    }

    // A '_' promises another part, so a key may not end with one.
    void take_separator() {
        if (take_char('_') && rest_.empty()) fail("another part after the last '_'");
    }

    int digits(std::string_view part, std::string_view what) {
        int value = 0;
        const char* begin = rest_.data();
        const auto [end, error] = std::from_chars(begin, begin + rest_.size(), value);
        const bool leading_zero = end - begin > 1 && *begin == '0';
        if (error != std::errc{} || leading_zero || *begin == '-') fail_at(part, what);
        rest_.remove_prefix(static_cast<std::size_t>(end - begin));
        return value;
    }

    [[noreturn]] void fail_at(std::string_view part, std::string_view expected) const {
        const std::string_view shown = part.substr(0, part.find('_'));
        throw InputError(fmt::format("layer key '{}': expected {} at {}", key_.substr(0, 200), expected,
                                     shown.empty() ? "its end" : fmt::format("'{}'", shown.substr(0, 60))));
    }

    std::string_view key_;
    std::string_view rest_;
};

bool slides(LayerKind kind) {
    return kind == LayerKind::conv || kind == LayerKind::max_pool;
}
bool has_weights(LayerKind kind) {
    return kind == LayerKind::conv || kind == LayerKind::linear;
}

std::optional<std::string> range_fault(std::string_view what, std::int64_t value, std::int64_t low,
                                       std::int64_t high) {
    if (value >= low && value <= high) return std::nullopt;
    return fmt::format("{} is {}, expected {} to {}", what, value, low, high);
}

// Height and width, or one number where they are equal.
template <typename Out>
void write_pair(Out to, char letter, const std::array<int, 2>& values) {
    fmt::format_to(to, "_{}{}", letter, values[0]);
    if (values[1] != values[0]) fmt::format_to(to, "x{}", values[1]);
}

template <typename Out>
void write_window(Out to, const Window& window) {
    write_pair(to, 'k', window.kernel);
    write_pair(to, 's', window.strides);
    const auto& [top, left, bottom, right] = window.pads;
    if (top == bottom && left == right) {
        write_pair(to, 'p', {top, left});
    } else {
        fmt::format_to(to, "_p{}x{}x{}x{}", top, left, bottom, right);
    }
    if (window.dilations != Window().dilations) write_pair(to, 'd', window.dilations);
}

std::optional<std::string> window_fault(const Window& window) {
    constexpr std::array axes{"height", "width"};
    constexpr std::array sides{"top", "left", "bottom", "right"};
    for (int axis = 0; axis < 2; ++axis) {
        const auto of_axis = [&](std::string_view what) { return fmt::format("{} {}", what, axes[axis]); };
        const auto named = [&](std::string_view what, bool equal) {
            return equal ? std::string(what) : of_axis(what);
        };
        const bool one_kernel = window.kernel[0] == window.kernel[1];
        const bool one_stride = window.strides[0] == window.strides[1];
        const bool one_dilation = window.dilations[0] == window.dilations[1];
        if (auto fault = range_fault(named("kernel", one_kernel), window.kernel[axis], 1, max_layer_size)) {
            return fault;
        }
        if (auto fault = range_fault(named("stride", one_stride), window.strides[axis], 1, max_layer_size)) {
            return fault;
        }
        if (auto fault =
                range_fault(named("dilation", one_dilation), window.dilations[axis], 1, max_layer_size)) {
            return fault;
        }
        // So that a layer has one key only.
        if (window.kernel[axis] == 1 && window.dilations[axis] != 1) return "a kernel of 1 has no dilation";
        if (auto fault = range_fault(of_axis("dilated kernel"), window.span(axis), 1, max_layer_size)) {
            return fault;
        }
    }
    const bool one_padding = std::ranges::all_of(window.pads, [&](int pad) { return pad == window.pads[0]; });
    for (int side = 0; side < 4; ++side) {
        const std::string what = one_padding ? "padding" : fmt::format("{} padding", sides[side]);
        if (auto fault = range_fault(what, window.pads[side], 0, window.span(side % 2) - 1)) return fault;
    }
    return std::nullopt;
}

}  // namespace

int Window::positions(int in, int axis) const {
    const std::int64_t room = std::int64_t{in} + pads[axis] + pads[axis + 2] - span(axis);
    return room < 0 ? 0 : static_cast<int>(room / strides[axis] + 1);
}

int LayerSpec::out_height() const {
    if (slides(kind)) return window.positions(in_height, 0);
    return kind == LayerKind::squeeze_excite || kind == LayerKind::scale_shift ? in_height : 1;
}

int LayerSpec::out_width() const {
    if (slides(kind)) return window.positions(in_width, 1);
    return kind == LayerKind::squeeze_excite || kind == LayerKind::scale_shift ? in_width : 1;
}

std::string LayerSpec::key() const {
    fmt::memory_buffer out;
    const auto to = std::back_inserter(out);
    fmt::format_to(to, "{}_i{}x{}x{}", name_of(kind), in_channels, in_height, in_width);
    if (has_weights(kind)) fmt::format_to(to, "_o{}", out_channels);
    if (slides(kind)) write_window(to, window);
    if (kind == LayerKind::conv) fmt::format_to(to, "_g{}", groups);
    if (kind == LayerKind::squeeze_excite) {
        fmt::format_to(to, "_r{}_{}_{}", squeeze_channels, name_of(activation), name_of(gate));
    } else {
        if (has_weights(kind) && bias) fmt::format_to(to, "_bias");
        if (kind == LayerKind::conv && residual) fmt::format_to(to, "_add");
        if (activation != Activation::none) fmt::format_to(to, "_{}", name_of(activation));
    }
    if (layout == Layout::blocked) fmt::format_to(to, "_blocked");
    return fmt::to_string(out);
}

LayerSpec LayerSpec::from_key(std::string_view key) {
    KeyReader reader(key);
    LayerSpec layer;
    layer.kind = reader.word_of(
        kind_names, "one of conv, max_pool, global_avg_pool, linear, squeeze_excite, scale_shift");
    reader.input(layer);
    layer.out_channels =
        has_weights(layer.kind) ? reader.number("o", "output channels as o<n>") : layer.in_channels;
    if (slides(layer.kind)) {
        layer.window = reader.window();
    }
    if (layer.kind == LayerKind::conv) layer.groups = reader.number("g", "the groups as g<n>");
    if (layer.kind == LayerKind::squeeze_excite) {
        layer.squeeze_channels = reader.number("r", "the squeeze channels as r<n>");
        layer.activation = reader.word_of(activation_names, "an activation");
        layer.gate = reader.word_of(activation_names, "the gate, sigmoid or hard_sigmoid");
    } else {
        if (has_weights(layer.kind)) layer.bias = reader.take_word("bias");
        if (layer.kind == LayerKind::conv) layer.residual = reader.take_word("add");
        // "none" is said by silence, so that a layer has one key only.
        for (const auto& [value, name] : activation_names) {
            if (value == Activation::none || !reader.take_word(name)) continue;
            layer.activation = value;
            break;
        }
    }
    if (reader.take_word("blocked")) layer.layout = Layout::blocked;
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
    if (!has_weights(layer.kind) && layer.out_channels != layer.in_channels) {
        return fmt::format("a {} layer has as many output channels as input channels, not {} for {}",
                           name_of(layer.kind), layer.out_channels, layer.in_channels);
    }
    if (layer.kind == LayerKind::squeeze_excite) {
        if (auto fault = range_fault("squeeze channels", layer.squeeze_channels, 1, max_layer_size)) {
            return fault;
        }
        if (layer.gate != Activation::sigmoid && layer.gate != Activation::hard_sigmoid) {
            return fmt::format("the gate is {}, expected sigmoid or hard_sigmoid", name_of(layer.gate));
        }
    }
    if (layer.out_height() < 1 || layer.out_width() < 1) {
        return fmt::format("a {}x{} input is smaller than the {}x{} window", layer.in_height, layer.in_width,
                           layer.window.span(0), layer.window.span(1));
    }
    // Wider gaps than the map could hold nothing but padding, which has no maximum.
    if (layer.kind == LayerKind::max_pool &&
        (layer.window.dilations[0] > layer.in_height || layer.window.dilations[1] > layer.in_width)) {
        return fmt::format("a dilation of {}x{} is larger than the {}x{} input", layer.window.dilations[0],
                           layer.window.dilations[1], layer.in_height, layer.in_width);
    }
    // In floating point, because this check is what keeps the integer counts of layer_cost.cpp from
    // overflowing.
    const double in = 1.0 * layer.in_channels * layer.in_height * layer.in_width;
    const double out = 1.0 * layer.out_channels * layer.out_height() * layer.out_width();
    double macs = 0.0;
    if (layer.kind == LayerKind::conv) {
        const int group_channels = layer.in_channels / layer.groups;
        macs = out * group_channels * static_cast<double>(layer.window.taps());
    } else if (layer.kind == LayerKind::linear) {
        macs = out * in;
    }
    if (in > max_layer_macs || out > max_layer_macs || macs > max_layer_macs) {
        return fmt::format(
            "the layer is too large ({:.3g} multiplies, {:.3g} inputs, {:.3g} outputs; "
            "at most 2^40 each)",
            macs, in, out);
    }
    return std::nullopt;
}

std::string_view name_of(LayerKind kind) {
    return name_in(kind_names, kind);
}
std::string_view name_of(Activation activation) {
    return name_in(activation_names, activation);
}
std::string_view name_of(DataType type) {
    return name_in(data_type_names, type);
}
std::string_view name_of(Layout layout) {
    return name_in(layout_names, layout);
}

Activation activation_from_name(std::string_view name) {
    return value_in(activation_names, name, "activation");
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
