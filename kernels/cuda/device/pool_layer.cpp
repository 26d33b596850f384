#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

class PoolLayer final : public CudaLayer {
public:
    explicit PoolLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          vectors_(fits_vectors(layer_.in_channels, type_)) {}

    std::string implementation() const override {
        return kernel_name(std::string(name_of(layer_.kind)) + " " + window_name(layer_.window), vectors_,
                           type_);
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        const int vectors = layer_.in_channels / (vectors_ ? vector_width_of(type_) : 1);
        PoolParams params;
        params.input = buffers.input;
        params.output = buffers.output;
        params.channels = layer_.in_channels;
        params.in_height = layer_.in_height;
        params.in_width = layer_.in_width;
        params.kernel_height = layer_.window.kernel[0];
        params.kernel_width = layer_.window.kernel[1];
        params.stride_height = layer_.window.strides[0];
        params.stride_width = layer_.window.strides[1];
        params.top = layer_.window.pads[0];
        params.left = layer_.window.pads[1];
        params.dilation_height = layer_.window.dilations[0];
        params.dilation_width = layer_.window.dilations[1];
        params.average = layer_.kind == LayerKind::avg_pool;
        params.count_padding = layer_.mode == Mode::count_padding;
        params.vectors = Divisor(vectors);
        params.out_width = Divisor(layer_.out_width());
        params.out_height = Divisor(layer_.out_height());
        params.count = batch_ * layer_.out_height() * layer_.out_width() * vectors;
        launch_pool(params, type_, vectors_, stream);
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
    bool vectors_;
};

}  // namespace

LayerList pool_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<PoolLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
