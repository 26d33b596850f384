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
    // Nothing for Activation::none.
    void activation(Activation activation) { word_if(activation != Activation::none, name_of(activation)); }
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
    // An activation that must be there, "none" included.
    Activation activation(std::string_view what);
    // One that may be there. "none" is said by silence, so that a layer has one key only.
    Activation optional_activation();
    // "g3": the letter, then a decimal number without sign or leading zeros, then '_' or the end.
    int number(std::string_view letter, std::string_view what);
    int output_channels() { return number("o", "output channels as o<n>"); }
    // "k3x1", or "k3" where both are equal. "k3x3" is no key: a layer has one only.
    std::array<int, 2> pair(std::string_view letter, std::string_view what);
    // "k3_s1_p1", with "_d2" where the kernel is dilated.
    Window window();
    // "i64x56x56": channels, height, width.
    void input(LayerSpec& layer);

    [[noreturn]] void fail(std::string_view expected) const { fail_at(rest_, expected); }

private:
    std::array<int, 4> pads();
    std::size_t numbers(std::string_view letter, std::string_view what, std::span<int> values);
    bool take_char(char c);
    void take_separator();
    int digits(std::string_view part, std::string_view what);
    [[noreturn]] void fail_at(std::string_view part, std::string_view expected) const;

    std::string_view key_;
    std::string_view rest_;
};

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
