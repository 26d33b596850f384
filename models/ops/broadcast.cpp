#include "models/ops/broadcast.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/ops/operator_text.hpp"

namespace hacscale {

MapSize input_of_pair(const LayerSpec& layer, int index) {
    const Spread spread = index == 0 ? Spread::none : spread_of(layer.mode);
    if (spread == Spread::channels) return {layer.in_channels, 1, 1};
    return {spread == Spread::pixels ? 1 : layer.in_channels, layer.in_height, layer.in_width};
}

std::optional<std::string> fault_of_pair(const LayerSpec& layer, std::span<const Mode> known) {
    const std::string_view name = name_of(layer.kind);
    if (std::ranges::find(known, layer.mode) == known.end()) {
        return fmt::format("a layer of the kind {} has no mode {}", name, name_of(layer.mode));
    }
    const Spread spread = spread_of(layer.mode);
    const bool one_pixel = layer.in_height == 1 && layer.in_width == 1;
    if (spread == Spread::channels && one_pixel) {
        return fmt::format("a layer of the kind {} is {} only where its first input has more than one pixel",
                           name, name_of(layer.mode));
    }
    if (spread == Spread::pixels && layer.in_channels == 1) {
        return fmt::format(
            "a layer of the kind {} is {} only where its first input has more than one channel", name,
            name_of(layer.mode));
    }
    return std::nullopt;
}

void read_pair(KeyReader& key, LayerSpec& layer, std::span<const Mode> known) {
    layer.inputs = 2;
    for (std::size_t i = known.size(); i-- > 0 && layer.mode == Mode::plain;) {
        if (known[i] != Mode::plain && key.take_word(name_of(known[i]))) layer.mode = known[i];
    }
    key.optional_activation(layer);
}

void write_pair(const LayerSpec& layer, KeyWriter& key) {
    key.word_if(layer.mode != Mode::plain, name_of(layer.mode));
    key.activation(layer);
}

}  // namespace hacscale
