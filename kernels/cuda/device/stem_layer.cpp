#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

class StemLayer final : public CudaLayer {
public:
    explicit StemLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          groups_(ceil_div(layer_.out_channels, stem_outputs)) {
        parts_.add(static_cast<std::size_t>(groups_) * stem_group_weights(layer_.kernel()) * size_of(type_));
        bias_offset_ = parts_.add(layer_.out_channels * sizeof(float));
    }

    std::string implementation() const override {
        const std::string side = std::to_string(layer_.kernel());
        return kernel_name("stem " + side + "x" + side + " s" + std::to_string(layer_.stride()), true, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    // As the lanes of multiply_add() want them: of each step and each two tiles of outputs, lane by lane, the tiles'
    // words, of two elements each.
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        std::vector<float> values;
        for (int group = 0; group < groups_; ++group) {
            for (int step = 0; step < stem_steps(layer_.kernel()); ++step) {
                for (int tile = 0; tile < stem_outputs / 8; tile += 2) {
                    for (int i = 0; i < warp_lanes * 8; ++i) {
                        const int lane = i / 8;
                        const int word = i / 2 % 4;
                        const int output = group * stem_outputs + (tile + word / 2) * 8 + lane / 4;
                        const int pair = step * 8 + lane % 4 + word % 2 * 4;
                        values.push_back(weight(weights, output, pair, i % 2));
                    }
                }
            }
        }
        pack_elements(values, type_, packed);
        pack_floats(weights.bias, layer_.out_channels, packed.subspan(bias_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        auto params = conv_params<StemParams>(layer_, buffers, bias_offset_);
        params.weights = buffers.weights;
        params.batch = batch_;
        params.out_height = layer_.out_height();
        params.out_width = layer_.out_width();
        params.outputs = layer_.out_channels;
        params.groups = Divisor(groups_);
        params.tiles_x = Divisor(ceil_div(params.out_width, stem_width));
        params.tiles_y = Divisor(ceil_div(params.out_height, stem_height));
        launch_stem(params, layer_.kernel(), layer_.stride(), type_, stream);
    }

private:
    // Of the window's row `pair / row_pairs`, pixels' channels one after the other; weights are [output][channel]
    // [row][column].
    float weight(const LayerWeights& weights, int output, int pair, int half) const {
        const int side = layer_.kernel();
        const int row = pair / stem_row_pairs(side);
        const int element = 2 * (pair % stem_row_pairs(side)) + half;
        if (output >= layer_.out_channels || row >= side || element >= side * stem_channels) return 0.0F;
        const int channel = element % stem_channels;
        return weights
            .weights[((static_cast<std::size_t>(output) * stem_channels + channel) * side + row) * side +
                     element / stem_channels];
    }

    LayerSpec layer_;
    int batch_;
    DataType type_;
    int groups_;
    PartLayout parts_;
    std::size_t bias_offset_ = 0;
};

}  // namespace

LayerList stem_layers(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const bool halves = context.type == DataType::f16 || context.type == DataType::bf16;
    LayerList layers;
    if (context.device.compute_capability >= oldest_with_mma && halves &&
        layer.in_channels == stem_channels && layer.groups == 1 && !layer.residual &&
        stem_specialised(layer.kernel(), layer.stride()) && fits_vectors(layer.out_channels, context.type)) {
        layers.push_back(std::make_unique<StemLayer>(context));
    }
    return layers;
}

}  // namespace hacscale::cuda
