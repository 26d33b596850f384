// group_norm, grn and eca: the moments of each channel, a scale and a center for each channel of each image, and their
// application.
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

// Positions that a lane should have before an image is cut into chunks.
constexpr int min_visits_of_moments = 4;

class ImageNormLayer final : public CudaLayer {
public:
    explicit ImageNormLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          vectors_(fits_vectors(layer_.in_channels, type_)),
          tiling_(tile_channels({batch_, layer_.in_channels, positions(), vector()},
                                context.device.multiprocessors, min_visits_of_moments)) {
        if (is_eca()) {
            parts_.add(layer_.window.kernel[1] * sizeof(float));
        } else {
            parts_.add(layer_.in_channels * sizeof(float));
            bias_offset_ = parts_.add(layer_.in_channels * sizeof(float));
        }
        const std::size_t numbers = static_cast<std::size_t>(batch_) * layer_.in_channels * sizeof(float);
        work_.add(2 * numbers * tiling_.chunks.value());
        scale_offset_ = work_.add(numbers);
        if (has_center()) center_offset_ = work_.add(numbers);
    }

    std::string implementation() const override {
        return kernel_name(
            std::string(name_of(layer_.kind)) + " in " + std::to_string(tiling_.chunks.value()) + " chunks",
            vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        pack_floats(weights.weights, weights.weights.size(), packed);
        if (!is_eca()) pack_floats(weights.bias, layer_.in_channels, packed.subspan(bias_offset_));
    }
    std::size_t workspace_bytes() const override { return work_.bytes(); }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        ChannelMomentsParams moments;
        moments.sums = {buffers.input, static_cast<float*>(buffers.workspace), layer_.in_channels,
                        positions(), tiling_.chunks.value()};
        moments.tiling = tiling_;
        moments.lanes = lane_sums(tiling_.lanes, tiling_.tile.value() * vector(), tiling_.threads());
        launch_channel_moments(moments, type_, vectors_, stream);

        auto* const work = static_cast<std::byte*>(buffers.workspace);
        ImageNormParams norm;
        norm.moments = moments.sums;
        norm.weights = part<float>(buffers.weights, 0);
        norm.scale = reinterpret_cast<float*>(work + scale_offset_);
        norm.center = has_center() ? reinterpret_cast<float*>(work + center_offset_) : nullptr;
        norm.batch = batch_;
        norm.groups = layer_.groups;
        norm.kernel = layer_.window.kernel[1];
        norm.gate = layer_.gate;
        norm.epsilon = layer_.epsilon.value();
        norm.mode = layer_.mode;
        launch_image_norm(layer_.kind, norm, type_, stream);

        PointwiseParams apply;
        apply.x = buffers.input;
        apply.scale = norm.scale;
        apply.center = norm.center;
        apply.bias = is_eca() ? nullptr : part<float>(buffers.weights, bias_offset_);
        apply.y = buffers.output;
        apply.activation = activation_of(layer_);
        apply.image_stride = layer_.in_channels;
        apply.vectors = Divisor(layer_.in_channels / vector());
        apply.positions = Divisor(positions());
        apply.count = batch_ * positions() * (layer_.in_channels / vector());
        launch_pointwise(apply, type_, vectors_, stream);
    }

private:
    bool is_eca() const { return layer_.kind == LayerKind::eca; }
    bool has_center() const { return layer_.kind == LayerKind::group_norm; }
    int positions() const { return layer_.in_height * layer_.in_width; }
    int vector() const { return vectors_ ? vector_width_of(type_) : 1; }

    LayerSpec layer_;
    int batch_;
    DataType type_;
    bool vectors_;
    ChannelTiling tiling_;
    PartLayout parts_;  // of the weights
    PartLayout work_;   // of the workspace: sums, scale, center
    std::size_t bias_offset_ = 0;
    std::size_t scale_offset_ = 0;
    std::size_t center_offset_ = 0;
};

}  // namespace

LayerList image_norm_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<ImageNormLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
