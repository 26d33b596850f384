// Elementwise work: the layers that compute each element by itself, and the epilogue of convs.
#include <fmt/format.h>

#include <algorithm>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"
#include "models/ops/broadcast.hpp"

namespace hacscale::cuda {
namespace {

const void* advanced(const void* from, std::int64_t bytes) {
    return from == nullptr ? nullptr : static_cast<const std::byte*>(from) + bytes;
}

// Launches over as many positions at a time as 31-bit indices reach: one launch for all tensors below 32 GB. What differs
// from image to image or pixel to pixel is for tensors of one launch.
void launch_over(PointwiseParams params, std::int64_t positions, int channels, DataType type,
                 cudaStream_t stream) {
    constexpr std::int64_t max_vectors = (std::int64_t{1} << 31) - 1;
    const bool vectors = fits_vectors(channels, type);
    const int vectors_a_position = channels / (vectors ? vector_width_of(type) : 1);
    params.vectors = Divisor(vectors_a_position);
    const std::int64_t max_positions = max_vectors / vectors_a_position;
    for (std::int64_t done = 0; done < positions; done += max_positions) {
        const std::int64_t now = std::min(max_positions, positions - done);
        const std::int64_t bytes = done * channels * static_cast<std::int64_t>(size_of(type));
        PointwiseParams step = params;
        step.x = advanced(params.x, bytes);
        step.other = advanced(params.other, bytes);
        step.y = static_cast<std::byte*>(params.y) + bytes;
        step.count = static_cast<int>(now * vectors_a_position);
        launch_pointwise(step, type, vectors, stream);
    }
}

std::int64_t positions_of(const LayerSpec& layer, int batch) {
    return std::int64_t{batch} * layer.in_height * layer.in_width;
}

class ScaleShiftLayer final : public CudaLayer {
public:
    explicit ScaleShiftLayer(const LayerContext& context)
        : layer_(context.layer), batch_(context.batch), type_(context.type) {
        parts_.add(layer_.in_channels * sizeof(float));
        shift_offset_ = parts_.add(layer_.in_channels * sizeof(float));
    }

    std::string implementation() const override {
        return kernel_name("scale_shift", fits_vectors(layer_.in_channels, type_), type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        pack_floats(weights.weights, layer_.in_channels, packed);
        pack_floats(weights.bias, layer_.in_channels, packed.subspan(shift_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        PointwiseParams params;
        params.x = buffers.input;
        params.scale = part<float>(buffers.weights, 0);
        params.bias = part<float>(buffers.weights, shift_offset_);
        params.y = buffers.output;
        params.activation = activation_of(layer_);
        launch_over(params, positions_of(layer_, batch_), layer_.in_channels, type_, stream);
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
    PartLayout parts_;
    std::size_t shift_offset_ = 0;
};

// An activation; a sum, product or quotient of two tensors, or with one number a channel or pixel; a learned slope below zero.
class ElementwiseLayer final : public CudaLayer {
public:
    explicit ElementwiseLayer(const LayerContext& context)
        : layer_(context.layer), type_(context.type), batch_(context.batch) {}

    std::string implementation() const override {
        std::string what(name_of(layer_.kind));
        if (layer_.mode != Mode::plain) what += fmt::format(" {}", name_of(layer_.mode));
        if (layer_.activation != Activation::none) what += fmt::format(" {}", name_of(layer_.activation));
        return kernel_name(what, fits_vectors(layer_.in_channels, type_), type_);
    }
    std::size_t weight_bytes() const override {
        return layer_.kind == LayerKind::prelu ? layer_.in_channels * sizeof(float) : 0;
    }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        if (layer_.kind == LayerKind::prelu) pack_floats(weights.weights, layer_.in_channels, packed);
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        PointwiseParams params;
        params.x = buffers.input;
        params.y = buffers.output;
        params.activation = activation_of(layer_);
        params.positions = Divisor(layer_.in_height * layer_.in_width);
        if (layer_.kind == LayerKind::prelu) params.slope = part<float>(buffers.weights, 0);
        if (layer_.inputs == 2) {
            const Spread spread = spread_of(layer_.mode);
            params.other = buffers.inputs[1].data;
            params.other_shape = spread == Spread::channels ? OtherShape::channels
                                 : spread == Spread::pixels ? OtherShape::pixels
                                                            : OtherShape::same;
            params.combine = layer_.kind == LayerKind::add ? Combine::add
                             : divides(layer_.mode)        ? Combine::divide
                                                           : Combine::multiply;
        }
        launch_over(params, positions_of(layer_, batch_), layer_.in_channels, type_, stream);
    }

private:
    LayerSpec layer_;
    DataType type_;
    int batch_;
};

// A learned map that is added to each image or multiplied with it: the second tensor of a sum or product, once for each image.
class LearnedMapLayer final : public CudaLayer {
public:
    explicit LearnedMapLayer(const LayerContext& context)
        : layer_(context.layer), type_(context.type), batch_(context.batch) {}

    std::string implementation() const override {
        return kernel_name(std::string(name_of(layer_.kind)), fits_vectors(layer_.in_channels, type_), type_);
    }
    std::size_t weight_bytes() const override { return batch_ * image_elements() * size_of(type_); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const std::vector<float>& map = layer_.kind == LayerKind::map_bias ? weights.bias : weights.weights;
        const std::size_t pixels = image_elements() / layer_.in_channels;
        const std::vector<float> pixels_first = transposed(map, layer_.in_channels, pixels);
        for (int image = 0; image < batch_; ++image) {
            pack_elements(pixels_first, type_, packed.subspan(image * image_elements() * size_of(type_)));
        }
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        PointwiseParams params;
        params.x = buffers.input;
        params.y = buffers.output;
        params.other = buffers.weights;
        params.combine = layer_.kind == LayerKind::map_bias ? Combine::add : Combine::multiply;
        params.activation = activation_of(layer_);
        launch_over(params, positions_of(layer_, batch_), layer_.in_channels, type_, stream);
    }

private:
    std::size_t image_elements() const {
        return static_cast<std::size_t>(layer_.in_channels) * layer_.in_height * layer_.in_width;
    }

    LayerSpec layer_;
    DataType type_;
    int batch_;
};

}  // namespace

LayerList learned_map_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<LearnedMapLayer>(context));
    return layers;
}

LayerList elementwise_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<ElementwiseLayer>(context));
    return layers;
}

LayerList scale_shift_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<ScaleShiftLayer>(context));
    return layers;
}

void launch_epilogue(const EpilogueParams& epilogue, DataType type, cudaStream_t stream) {
    PointwiseParams params;
    params.x = epilogue.x;
    params.bias = epilogue.bias;
    params.other = epilogue.residual;
    params.y = epilogue.y;
    params.activation = {epilogue.activation, epilogue.alpha};
    launch_over(params, epilogue.positions, epilogue.channels, type, stream);
}

}  // namespace hacscale::cuda
