// Blocks of LayerSpec::window.strides pixels from as many channels (pixel_shuffle, Shi et al. 2016; ONNX's DepthToSpace), and
// back (space_to_depth).
#include "models/ops/pixel_shuffle.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr std::array block_modes{Mode::blocks_first, Mode::channels_first};

std::int64_t pixels_a_block(const LayerSpec& layer) {
    return std::int64_t{layer.window.strides[0]} * layer.window.strides[1];
}

void write_block_key(const LayerSpec& layer, KeyWriter& key) {
    key.pair('s', layer.window.strides);
    key.word(name_of(layer.mode));
}

void read_block_key(KeyReader& key, LayerSpec& layer) {
    layer.window.strides = key.pair("s", "the block as s<n> or s<height>x<width>");
    layer.mode = key.mode(block_modes);
}

void read_pixel_shuffle(KeyReader& key, LayerSpec& layer) {
    read_block_key(key, layer);
    const std::int64_t pixels = std::max<std::int64_t>(1, pixels_a_block(layer));
    layer.out_channels = static_cast<int>(std::max<std::int64_t>(1, layer.in_channels / pixels));
}

// More channels than a layer may have are refused where that is checked.
void read_space_to_depth(KeyReader& key, LayerSpec& layer) {
    read_block_key(key, layer);
    constexpr std::int64_t too_many = max_layer_size + 1;
    const std::int64_t channels = layer.in_channels * std::min(pixels_a_block(layer), too_many);
    layer.out_channels = static_cast<int>(std::min(channels, too_many));
}

std::optional<std::string> block_fault(const LayerSpec& layer) {
    if (layer.mode != Mode::blocks_first && layer.mode != Mode::channels_first) {
        return fmt::format("a {} layer has no mode {}", name_of(layer.kind), name_of(layer.mode));
    }
    if (pixels_a_block(layer) == 1) return "a block of one pixel moves nothing";
    return std::nullopt;
}

}  // namespace

constinit const Operator pixel_shuffle_operator{
    .kind = LayerKind::pixel_shuffle,
    .name = "pixel_shuffle",
    .onnx_names = {"DepthToSpace"},
    .output_size = [](const LayerSpec& layer) -> std::array<int, 2> {
        return {layer.in_height * layer.window.strides[0], layer.in_width * layer.window.strides[1]};
    },
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie = fixed_channels,

    .write_key = write_block_key,
    .read_key = read_pixel_shuffle,
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (auto fault = block_fault(layer)) return fault;
        const std::array<std::int64_t, 2> size{std::int64_t{layer.in_height} * layer.window.strides[0],
                                               std::int64_t{layer.in_width} * layer.window.strides[1]};
        if (std::max(size[0], size[1]) > max_layer_size) {
            return fmt::format("the output is {}x{}, expected {} at most", size[0], size[1], max_layer_size);
        }
        if (layer.out_channels * pixels_a_block(layer) == layer.in_channels) return std::nullopt;
        return fmt::format("{} channels do not make {} channels of blocks of {} pixels", layer.in_channels,
                           layer.out_channels, pixels_a_block(layer));
    },

    .reference =
        [](const ReferenceCall& call) {
            const LayerSpec& layer = call.layer;
            const auto& [rows, columns] = layer.window.strides;
            const MapShape in = input_map(call);
            return at_each_output(call, [&, rows = rows, columns = columns](int n, int c, int oh, int ow) {
                const int from = channel_of_block(layer, layer.out_channels, c, oh % rows, ow % columns);
                return call.input()[in.at(n, from, oh / rows, ow / columns)];
            });
        },
};

constinit const Operator space_to_depth_operator{
    .kind = LayerKind::space_to_depth,
    .name = "space_to_depth",
    .onnx_names = {"SpaceToDepth"},
    .output_size = [](const LayerSpec& layer) -> std::array<int, 2> {
        return {layer.in_height / layer.window.strides[0], layer.in_width / layer.window.strides[1]};
    },
    .own_output_channels = true,
    .overwrites_input = false,

    .channel_tie = fixed_channels,

    .write_key = write_block_key,
    .read_key = read_space_to_depth,
    .validate = [](const LayerSpec& layer) -> std::optional<std::string> {
        if (auto fault = block_fault(layer)) return fault;
        const auto& [rows, columns] = layer.window.strides;
        if (layer.in_height % rows != 0 || layer.in_width % columns != 0) {
            return fmt::format("blocks of {}x{} do not fill a {}x{} input", rows, columns, layer.in_height,
                               layer.in_width);
        }
        if (layer.in_channels * pixels_a_block(layer) == layer.out_channels) return std::nullopt;
        return fmt::format("{} channels in blocks of {} pixels do not make {} channels", layer.in_channels,
                           pixels_a_block(layer), layer.out_channels);
    },

    .reference =
        [](const ReferenceCall& call) {
            const LayerSpec& layer = call.layer;
            const auto& [rows, columns] = layer.window.strides;
            const MapShape in = input_map(call);
            const MapShape out = output_map(call);
            std::vector<double> result(out.size());
            for (int n = 0; n < in.batch; ++n) {
                for (int c = 0; c < in.channels; ++c) {
                    for (int h = 0; h < in.height; ++h) {
                        for (int w = 0; w < in.width; ++w) {
                            const int to = channel_of_block(layer, in.channels, c, h % rows, w % columns);
                            result[out.at(n, to, h / rows, w / columns)] = call.input()[in.at(n, c, h, w)];
                        }
                    }
                }
            }
            return result;
        },
};

}  // namespace hacscale
