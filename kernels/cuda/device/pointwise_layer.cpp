// Elementwise work: the scale_shift layer, and the epilogue of convs.
#include <algorithm>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

const void* advanced(const void* from, std::int64_t bytes) {
    return from == nullptr ? nullptr : static_cast<const std::byte*>(from) + bytes;
}

// Launches over as many positions at a time as 31-bit indices reach: one launch for all tensors below 32 GB.
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
        step.residual = advanced(params.residual, bytes);
        step.y = static_cast<std::byte*>(params.y) + bytes;
        step.count = static_cast<int>(now * vectors_a_position);
        launch_pointwise(step, type, vectors, stream);
    }
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
        params.activation = layer_.activation;
        launch_over(params, std::int64_t{batch_} * layer_.in_height * layer_.in_width, layer_.in_channels,
                    type_, stream);
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
    PartLayout parts_;
    std::size_t shift_offset_ = 0;
};

}  // namespace

LayerList scale_shift_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<ScaleShiftLayer>(context));
    return layers;
}

void launch_epilogue(const EpilogueParams& epilogue, DataType type, cudaStream_t stream) {
    PointwiseParams params;
    params.x = epilogue.x;
    params.bias = epilogue.bias;
    params.residual = epilogue.residual;
    params.y = epilogue.y;
    params.activation = epilogue.activation;
    launch_over(params, epilogue.positions, epilogue.channels, type, stream);
}

}  // namespace hacscale::cuda
