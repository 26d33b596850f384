#include "models/ops/operator_text.hpp"

#include <charconv>
#include <iterator>

#include "base/error.hpp"

namespace hacscale {

// ---- Writing ----

void KeyWriter::begin(std::string_view kind, int channels, int height, int width) {
    fmt::format_to(std::back_inserter(out_), "{}_i{}x{}x{}", kind, channels, height, width);
}

void KeyWriter::word(std::string_view word) {
    out_.push_back('_');
    out_.append(word.data(), word.data() + word.size());
}

void KeyWriter::number(char letter, int value) {
    fmt::format_to(std::back_inserter(out_), "_{}{}", letter, value);
}

void KeyWriter::pair(char letter, const std::array<int, 2>& values) {
    number(letter, values[0]);
    if (values[1] != values[0]) fmt::format_to(std::back_inserter(out_), "x{}", values[1]);
}

void KeyWriter::window(const Window& window) {
    pair('k', window.kernel);
    pair('s', window.strides);
    pads(window.pads);
    if (window.dilations != Window().dilations) pair('d', window.dilations);
}

void KeyWriter::pads(const std::array<int, 4>& pads) {
    const auto& [top, left, bottom, right] = pads;
    if (top == bottom && left == right) {
        pair('p', {top, left});
    } else {
        fmt::format_to(std::back_inserter(out_), "_p{}x{}x{}x{}", top, left, bottom, right);
    }
}

void KeyWriter::any_activation(const LayerSpec& layer) {
    word(name_of(layer.activation));
    if (has_alpha(layer.activation)) parameter('a', layer.alpha);
}

void KeyWriter::parameter(char letter, Parameter value) {
    fmt::format_to(std::back_inserter(out_), "_{}{}", letter, value.value());
}

// ---- Reading ----

bool KeyReader::take_word(std::string_view word) {
    if (!rest_.starts_with(word)) return false;
    if (rest_.size() > word.size() && rest_[word.size()] != '_') return false;
    rest_.remove_prefix(word.size());
    take_separator();
    return true;
}

bool KeyReader::take_activation(Activation activation, LayerSpec& layer) {
    if (!take_word(name_of(activation))) return false;
    layer.activation = activation;
    if (has_alpha(activation)) layer.alpha = parameter("a", "the activation's parameter as a<number>");
    return true;
}

// From the last name to the first: gelu_tanh comes after gelu, with which it begins.
void KeyReader::activation(LayerSpec& layer, std::string_view what) {
    for (std::size_t i = activation_names.size(); i-- > 0;) {
        if (take_activation(static_cast<Activation>(i), layer)) return;
    }
    fail(what);
}

void KeyReader::optional_activation(LayerSpec& layer) {
    static_assert(Activation::none == Activation{});
    for (std::size_t i = activation_names.size(); --i > 0;) {
        if (take_activation(static_cast<Activation>(i), layer)) return;
    }
}

Activation KeyReader::gate() {
    for (std::size_t i = 0; i < activation_names.size(); ++i) {
        if (take_word(activation_names[i])) return static_cast<Activation>(i);
    }
    fail("the gate, sigmoid or hard_sigmoid");
}

Mode KeyReader::mode(std::span<const Mode> known) {
    for (std::size_t i = known.size(); i-- > 0;) {
        if (take_word(name_of(known[i]))) return known[i];
    }
    std::string names;
    for (const Mode mode : known) {
        names += (names.empty() ? "one of " : ", ") + std::string(name_of(mode));
    }
    fail(names);
}

Parameter KeyReader::parameter(std::string_view letter, std::string_view what) {
    const std::string_view part = rest_.substr(0, rest_.find('_'));
    if (!part.starts_with(letter)) fail(what);
    const std::string_view text = part.substr(letter.size());
    float value = 0.0F;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    const bool whole = error == std::errc{} && end == text.data() + text.size();
    // In one spelling only.
    if (!whole || value < 0.0F || fmt::format("{}", value) != text) fail(what);
    rest_.remove_prefix(part.size());
    take_separator();
    return value;
}

int KeyReader::number(std::string_view letter, std::string_view what) {
    std::array<int, 1> value{};
    numbers(letter, what, value);
    return value[0];
}

std::array<int, 2> KeyReader::pair(std::string_view letter, std::string_view what) {
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
std::array<int, 4> KeyReader::pads(bool negative) {
    constexpr std::string_view what =
        "the padding as p<n>, p<height>x<width> or p<top>x<left>x<bottom>x<right>, the shortest that says it";
    const std::string_view part = rest_;
    std::array<int, 4> values{};
    const std::size_t count = numbers("p", what, values, negative);
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

Window KeyReader::window() {
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

void KeyReader::input(LayerSpec& layer) {
    constexpr std::string_view what = "the input as i<channels>x<height>x<width>";
    const std::string_view part = rest_;
    std::array<int, 3> sizes{};
    if (numbers("i", what, sizes) != sizes.size()) fail_at(part, what);
    layer.in_channels = sizes[0];
    layer.in_height = sizes[1];
    layer.in_width = sizes[2];
}

// A letter and at least one decimal number, more of them behind 'x', then '_' or the end. The count of numbers.
std::size_t KeyReader::numbers(std::string_view letter, std::string_view what, std::span<int> values,
                               bool negative) {
    if (!rest_.starts_with(letter)) fail(what);
    const std::string_view part = rest_;
    rest_.remove_prefix(letter.size());
    std::size_t count = 0;
    do {
        if (count == values.size()) fail_at(part, what);
        values[count++] = digits(part, what, negative);
    } while (take_char('x'));
    if (!rest_.empty() && rest_.front() != '_') fail_at(part, what);
    take_separator();
    return count;
}

bool KeyReader::take_char(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
}

// A '_' promises another part, so a key may not end with one.
void KeyReader::take_separator() {
    if (take_char('_') && rest_.empty()) fail("another part after the last '_'");
}

int KeyReader::digits(std::string_view part, std::string_view what, bool negative) {
    int value = 0;
    const char* begin = rest_.data();
    const auto [end, error] = std::from_chars(begin, begin + rest_.size(), value);
    const bool minus = rest_.starts_with('-');
    const char* const first = begin + (minus ? 1 : 0);
    const bool leading_zero = *first == '0' && (end - first > 1 || minus);
    if (error != std::errc{} || leading_zero || (minus && !negative)) fail_at(part, what);
    rest_.remove_prefix(static_cast<std::size_t>(end - begin));
    return value;
}

void KeyReader::fail_at(std::string_view part, std::string_view expected) const {
    const std::string_view shown = part.substr(0, part.find('_'));
    throw InputError(fmt::format("layer key '{}': expected {} at {}", key_.substr(0, 200), expected,
                                 shown.empty() ? "its end" : fmt::format("'{}'", shown.substr(0, 60))));
}

std::optional<std::string> gate_fault(Activation gate) {
    if (gate == Activation::sigmoid || gate == Activation::hard_sigmoid) return std::nullopt;
    return fmt::format("the gate is {}, expected sigmoid or hard_sigmoid", name_of(gate));
}

std::string torch_pair(const std::array<int, 2>& values) {
    return values[0] == values[1] ? fmt::format("{}", values[0])
                                  : fmt::format("({}, {})", values[0], values[1]);
}

std::string torch_option(std::string_view name, const std::array<int, 2>& values, int otherwise) {
    if (values[0] == otherwise && values[1] == otherwise) return "";
    return fmt::format(", {}={}", name, torch_pair(values));
}

TorchPadding torch_padding(std::string_view input, const Window& window, const std::array<int, 2>& most,
                           std::string_view fill) {
    const auto& [top, left, bottom, right] = window.pads;
    if (top == bottom && left == right && top <= most[0] && left <= most[1]) {
        return {std::string(input), torch_option("padding", {top, left}, 0)};
    }
    const std::string value = fill.empty() ? "" : fmt::format(", value={}", fill);
    return {fmt::format("F.pad({}, ({}, {}, {}, {}){})", input, left, right, top, bottom, value), ""};
}

TorchPadding torch_pool_padding(std::string_view input, const Window& window, std::string_view fill) {
    return torch_padding(input, window, {window.kernel[0] / 2, window.kernel[1] / 2}, fill);
}

}  // namespace hacscale
