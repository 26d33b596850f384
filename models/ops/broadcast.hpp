// What sums, products and quotients of two tensors share: the second input has the shape of the first one, or one number for
// each channel or for each pixel (LayerSpec::mode).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "models/ops/operator.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

enum class Spread : std::uint8_t { none, channels, pixels };

inline Spread spread_of(Mode mode) {
    if (mode == Mode::per_channel || mode == Mode::divide_per_channel) return Spread::channels;
    return mode == Mode::per_pixel || mode == Mode::divide_per_pixel ? Spread::pixels : Spread::none;
}
inline bool divides(Mode mode) {
    return mode == Mode::divide || mode == Mode::divide_per_channel || mode == Mode::divide_per_pixel;
}

inline bool reads_two(int inputs) {
    return inputs == 2;
}
MapSize input_of_pair(const LayerSpec& layer, int index);
// What is wrong with the mode, of which the operator knows these. Where two forms are the same layer, it has one of them.
std::optional<std::string> fault_of_pair(const LayerSpec& layer, std::span<const Mode> known);
// The mode's word, if there is one; a name comes after the names that it begins with.
void read_pair(KeyReader& key, LayerSpec& layer, std::span<const Mode> known);
void write_pair(const LayerSpec& layer, KeyWriter& key);

// combine(x, y) for each element x of the first input, and the activation.
template <typename Combine>
std::vector<double> outputs_of_pair(const ReferenceCall& call, Combine combine) {
    const std::vector<double>& second = *call.inputs[1];
    const Spread spread = spread_of(call.layer.mode);
    const std::size_t pixels = static_cast<std::size_t>(call.layer.in_height) * call.layer.in_width;
    const std::size_t image = pixels * call.layer.in_channels;
    std::vector<double> result;
    result.reserve(call.input().size());
    for (const double x : call.input()) {
        const std::size_t at = result.size();
        const std::size_t other = spread == Spread::none       ? at
                                  : spread == Spread::channels ? at / pixels
                                                               : at / image * pixels + at % pixels;
        result.push_back(activate(call.layer, combine(x, second[other])));
    }
    return result;
}

constexpr Operator operator_of_pair(LayerKind kind, std::string_view name,
                                    const std::array<std::string_view, 2>& onnx_names,
                                    void (*read_key)(KeyReader&, LayerSpec&),
                                    std::optional<std::string> (*fault)(const LayerSpec&),
                                    std::vector<double> (*reference)(const ReferenceCall&)) {
    return {.kind = kind,
            .name = name,
            .onnx_names = onnx_names,
            .output_size = size_of_input,
            .own_output_channels = false,
            .overwrites_input = true,
            .takes_inputs = reads_two,
            .input_shape = input_of_pair,
            .write_key = write_pair,
            .read_key = read_key,
            .validate = fault,
            .reference = reference};
}

}  // namespace hacscale
