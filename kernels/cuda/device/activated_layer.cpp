// A conv or linear layer whose kernel has no code for its activation: the kernel without it, and a step behind.
#include "kernels/cuda/device/activations.hpp"
#include "kernels/cuda/device/handwritten.hpp"

namespace hacscale::cuda {
namespace {

LayerContext without_activation(LayerContext context) {
    context.layer.activation = Activation::none;
    context.layer.alpha = {};
    return context;
}

class ActivatedLayer final : public CudaLayer {
public:
    ActivatedLayer(const LayerContext& context, std::unique_ptr<CudaLayer> plain)
        : layer_(context.layer), batch_(context.batch), type_(context.type), plain_(std::move(plain)) {}

    std::string implementation() const override {
        return plain_->implementation() + " + hacscale epilogue " + std::string(name_of(layer_.activation));
    }
    std::size_t weight_bytes() const override { return plain_->weight_bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        plain_->pack_weights(weights, packed);
    }
    std::size_t workspace_bytes() const override { return plain_->workspace_bytes(); }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        plain_->launch(buffers, stream);
        EpilogueParams epilogue;
        epilogue.x = buffers.output;
        epilogue.y = buffers.output;
        epilogue.positions = std::int64_t{batch_} * layer_.out_height() * layer_.out_width();
        epilogue.channels = layer_.out_channels;
        epilogue.activation = layer_.activation;
        epilogue.alpha = layer_.alpha.value();
        launch_epilogue(epilogue, type_, stream);
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
    std::unique_ptr<CudaLayer> plain_;
};

}  // namespace

LayerList activated_layers(const LayerContext& context, MakeLayers make) {
    if (is_fused_by_kernels(context.layer.activation)) return make(context);
    LayerList layers;
    for (auto& plain : make(without_activation(context))) {
        layers.push_back(std::make_unique<ActivatedLayer>(context, std::move(plain)));
    }
    return layers;
}

}  // namespace hacscale::cuda
