// Operators as text: the parts that layer keys are made of, read strictly and written in one way only; and the parts of
// PyTorch expressions.
#pragma once

#include <fmt/format.h>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

class KeyWriter {
public:
    // "_" and the word.
    void word(std::string_view word);
    void word_if(bool said, std::string_view word) {
        if (said) this->word(word);
    }
    void number(char letter, int value);
    // Height and width; one number where they are equal.
    void pair(char letter, const std::array<int, 2>& values);
    void window(const Window& window);
    void pads(const std::array<int, 4>& pads);
    // The activation with its parameter ("leaky_relu_a0.1"); nothing for Activation::none.
    void activation(const LayerSpec& layer) {
        if (layer.activation != Activation::none) any_activation(layer);
    }
    void any_activation(const LayerSpec& layer);
    // The shortest decimal that gives the same f32: "e1e-06".
    void parameter(char letter, Parameter value);
    // The first part, which no "_" precedes.
    void begin(std::string_view kind, int channels, int height, int width);

    std::string text() const { return fmt::to_string(out_); }

private:
    fmt::memory_buffer out_;
};

// Reads a key from left to right; every failure is an InputError that names the part at which it stopped.
class KeyReader {
public:
    explicit KeyReader(std::string_view key) : key_(key), rest_(key) {}

    bool at_end() const { return rest_.empty(); }

    // True when `word` is the next part, that is, followed by '_' or the end; then it is consumed.
    bool take_word(std::string_view word);
    // An activation that must be there, "none" included, with its parameter.
    void activation(LayerSpec& layer, std::string_view what);
    // One that may be there. "none" is said by silence, so that a layer has one key only.
    void optional_activation(LayerSpec& layer);
    // The word of a gate, whether it can be one or not.
    Activation gate();
    // One of these, by its word; a name comes after the names that it begins with.
    Mode mode(std::span<const Mode> known);
    Parameter parameter(std::string_view letter, std::string_view what);
    // "g3": the letter, then a decimal number without sign or leading zeros, then '_' or the end.
    int number(std::string_view letter, std::string_view what);
    int output_channels() { return number("o", "output channels as o<n>"); }
    // "k3x1", or "k3" where both are equal. "k3x3" is no key: a layer has one only.
    std::array<int, 2> pair(std::string_view letter, std::string_view what);
    // "k3_s1_p1", with "_d2" where the kernel is dilated.
    Window window();
    // Of a pad layer they may be negative: "p-1x0".
    std::array<int, 4> pads(bool negative = false);
    // "i64x56x56": channels, height, width.
    void input(LayerSpec& layer);

    [[noreturn]] void fail(std::string_view expected) const { fail_at(rest_, expected); }

private:
    bool take_activation(Activation activation, LayerSpec& layer);
    std::size_t numbers(std::string_view letter, std::string_view what, std::span<int> values,
                        bool negative = false);
    bool take_char(char c);
    void take_separator();
    int digits(std::string_view part, std::string_view what, bool negative);
    [[noreturn]] void fail_at(std::string_view part, std::string_view expected) const;

    std::string_view key_;
    std::string_view rest_;
};

// What is wrong with a gate that is none.
std::optional<std::string> gate_fault(Activation gate);

// ---- PyTorch code for windows, which its functions know in part ----

// ", name=3" or ", name=(3, 1)" where height and width differ; nothing where it is PyTorch's default.
std::string torch_option(std::string_view name, const std::array<int, 2>& values, int otherwise);
// "3", or "(3, 1)".
std::string torch_pair(const std::array<int, 2>& values);

// A window's padding as an option of PyTorch's functions where both sides have the same, at most `most` (of height and
// width), else as a call of F.pad around the input.
struct TorchPadding {
    std::string input;
    std::string option;
};
TorchPadding torch_padding(std::string_view input, const Window& window, const std::array<int, 2>& most,
                           std::string_view fill);

// Pools pad at most half their window.
TorchPadding torch_pool_padding(std::string_view input, const Window& window, std::string_view fill);

}  // namespace hacscale
