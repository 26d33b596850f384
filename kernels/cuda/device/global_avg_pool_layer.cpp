#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

// A second kernel costs about as much as this many loads one after the other.
constexpr int visits_worth_a_launch = 16;

class GlobalAvgPoolLayer final : public CudaLayer {
public:
    explicit GlobalAvgPoolLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          vectors_(fits_vectors(layer_.in_channels, type_)),
          tiling_(tile_channels({batch_, layer_.in_channels, layer_.in_height * layer_.in_width,
                                 vectors_ ? vector_width_of(type_) : 1},
                                context.device.multiprocessors, visits_worth_a_launch)) {}

    std::string implementation() const override {
        const std::string chunks =
            in_chunks() ? " in " + std::to_string(tiling_.chunks.value()) + " chunks" : "";
        return kernel_name("global_avg_pool" + chunks, vectors_, type_);
    }
    std::size_t workspace_bytes() const override {
        return in_chunks() ? sizeof(float) * batch_ * tiling_.chunks.value() * layer_.in_channels : 0;
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        ChannelSumsParams params;
        params.input = buffers.input;
        params.sums = in_chunks() ? static_cast<float*>(buffers.workspace) : nullptr;
        params.means = in_chunks() ? nullptr : buffers.output;
        params.channels = layer_.in_channels;
        params.tiling = tiling_;
        params.lanes = lane_sums(
            tiling_.lanes, tiling_.tile.value() * (vectors_ ? vector_width_of(type_) : 1), tiling_.threads());
        launch_channel_sums(params, type_, vectors_, stream);
        if (!in_chunks()) return;
        MeansParams means;
        means.sums = params.sums;
        means.means = buffers.output;
        means.chunks = tiling_.chunks.value();
        means.positions = tiling_.positions;
        means.count = batch_ * layer_.in_channels;
        means.channels = Divisor(layer_.in_channels);
        launch_means(means, type_, stream);
    }

private:
    bool in_chunks() const { return tiling_.chunks.value() > 1; }

    LayerSpec layer_;
    int batch_;
    DataType type_;
    bool vectors_;
    ChannelTiling tiling_;
};

}  // namespace

LayerList global_avg_pool_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<GlobalAvgPoolLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
