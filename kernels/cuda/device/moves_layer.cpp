// slice, pad, channel_shuffle, pixel_shuffle, space_to_depth, nearest resize, permute and reshape: one move of words each. Where rows and columns
// come from by a table, it takes the place of weights. Such a layer has one candidate, so nobody times it with other numbers
// there.
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"
#include "models/ops/pad.hpp"
#include "models/ops/permute.hpp"
#include "models/ops/resize.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <numeric>

namespace hacscale::cuda {
namespace {

// Whether neighbouring channels of the output come from places far apart.
bool scatters_channels(const LayerSpec& layer) {
    return layer.kind == LayerKind::channel_shuffle || layer.kind == LayerKind::permute ||
           layer.kind == LayerKind::reshape || layer.mode == Mode::channels_first;
}

// Elements that lie side by side in the input and in the output, and begin at a multiple of themselves.
int channels_together(const LayerSpec& layer) {
    if (scatters_channels(layer)) return 1;
    return std::gcd(std::gcd(layer.in_channels, layer.out_channels), layer.first_channel);
}

int word_bytes_for(const LayerSpec& layer, DataType type) {
    const int bytes = channels_together(layer) * static_cast<int>(size_of(type));
    return std::gcd(bytes, vector_bytes);
}

bool by_table(const LayerSpec& layer) {
    return layer.kind == LayerKind::resize || layer.mode == Mode::reflect || layer.mode == Mode::edge;
}

// The element of the input that each position of an axis of the output is.
std::vector<int> table_of(const LayerSpec& layer, int axis) {
    const int in = axis == 0 ? layer.in_height : layer.in_width;
    const int out = axis == 0 ? layer.out_height() : layer.out_width();
    std::vector<int> table;
    for (int i = 0; i < out; ++i) {
        table.push_back(layer.kind == LayerKind::resize
                            ? resize_taps(layer.mode, i, in, out).low
                            : padded_element(layer.mode, i, layer.window.pads[axis], in));
    }
    return table;
}

// MoveParams::fill
std::uint32_t fill_of(const LayerSpec& layer, DataType type) {
    if (layer.mode != Mode::ones) return 0;
    constexpr std::uint32_t one_f32 = 0x3f800000;
    constexpr std::uint32_t two_ones_f16 = 0x3c003c00;
    constexpr std::uint32_t two_ones_bf16 = 0x3f803f80;
    return type == DataType::f16 ? two_ones_f16 : type == DataType::bf16 ? two_ones_bf16 : one_f32;
}

class MoveLayer final : public CudaLayer {
public:
    explicit MoveLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          word_bytes_(word_bytes_for(layer_, type_)),
          gathered_(scatters_channels(layer_) && fits_vectors(layer_.out_channels, type_)
                        ? vector_width_of(type_)
                        : 1) {
        if (!by_table(layer_)) return;
        parts_.add(layer_.out_height() * sizeof(int));
        columns_offset_ = parts_.add(layer_.out_width() * sizeof(int));
    }

    std::string implementation() const override {
        const std::string mode = layer_.mode == Mode::plain ? "" : fmt::format(" {}", name_of(layer_.mode));
        const std::string words =
            gathered_ > 1 ? fmt::format("{} x {}", gathered_, word_bytes_) : std::to_string(word_bytes_);
        return fmt::format("hacscale {}{} {} bytes", name_of(layer_.kind), mode, words);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights&, std::span<std::byte> packed) const override {
        if (!by_table(layer_)) return;
        for (const int axis : {0, 1}) {
            const std::vector<int> table = table_of(layer_, axis);
            std::memcpy(&packed[axis == 0 ? 0 : columns_offset_], table.data(), table.size() * sizeof(int));
        }
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        if (by_table(layer_)) {
            return launch_map(
                TableMap{part<int>(buffers.weights, 0), part<int>(buffers.weights, columns_offset_)}, buffers,
                stream);
        }
        switch (layer_.kind) {
            case LayerKind::channel_shuffle:
                return launch_map(
                    ChannelShuffleMap{Divisor(layer_.groups), words(layer_.in_channels) / layer_.groups},
                    buffers, stream);
            case LayerKind::pixel_shuffle:
                return launch_map(PixelShuffleMap{block_map(layer_.out_channels)}, buffers, stream);
            case LayerKind::space_to_depth: {
                const auto& [rows, columns] = layer_.window.strides;
                return launch_map(SpaceToDepthMap{block_map(layer_.in_channels), Divisor(rows * columns)},
                                  buffers, stream);
            }
            case LayerKind::permute: {
                PermuteMap map;
                std::ranges::copy(axes_of(layer_.mode), map.axes);
                map.out_channels = Divisor(layer_.out_channels / layer_.groups);
                map.in_channels = layer_.in_channels / layer_.groups;
                return launch_map(map, buffers, stream);
            }
            case LayerKind::reshape:
                return launch_map(ReshapeMap{layer_.out_height(), layer_.out_width(),
                                             Divisor(layer_.in_height), Divisor(layer_.in_width)},
                                  buffers, stream);
            default:  // slice and pad
                return launch_map(
                    ShiftMap{words(layer_.first_channel), layer_.window.pads[0], layer_.window.pads[1]},
                    buffers, stream);
        }
    }

private:
    int words(int channels) const { return channels * static_cast<int>(size_of(type_)) / word_bytes_; }
    BlockMap block_map(int few_channels) const {
        const auto& [rows, columns] = layer_.window.strides;
        return {Divisor(rows), Divisor(columns), Divisor(words(few_channels)),
                layer_.mode == Mode::channels_first};
    }
    template <typename Map>
    void launch_map(const Map& map, const LayerBuffers& buffers, cudaStream_t stream) const {
        MoveParams<Map> params;
        params.input = buffers.input;
        params.output = buffers.output;
        params.map = map;
        params.in = {layer_.in_height, layer_.in_width, words(layer_.in_channels)};
        const int vectors = words(layer_.out_channels) / gathered_;
        params.vectors = Divisor(vectors);
        params.width = Divisor(layer_.out_width());
        params.height = Divisor(layer_.out_height());
        params.count = batch_ * layer_.out_height() * layer_.out_width() * vectors;
        params.word_bytes = word_bytes_;
        params.gathered = gathered_;
        params.fill = fill_of(layer_, type_);
        launch_move(params, stream);
    }

    LayerSpec layer_;
    int batch_;
    DataType type_;
    int word_bytes_;
    int gathered_;
    PartLayout parts_;
    std::size_t columns_offset_ = 0;
};

}  // namespace

LayerList move_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<MoveLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
