#include <algorithm>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

// Positions a thread should have at least, so that its loads overlap.
constexpr int min_visits = 4;
// Of the first matrix, that a multiprocessor may read again for what it spares: the time of a launch is worth
// about a third of it.
constexpr double max_matrix_bytes_again = 256.0 * 1024.0;
constexpr std::size_t usual_block_bytes = 48 * 1024;  // of shared memory, on every device

// The weights, which are the same for all candidates to run the layer.
class SqueezeExciteLayer : public CudaLayer {
public:
    explicit SqueezeExciteLayer(const LayerContext& context)
        : layer_(context.layer),
          batch_(context.batch),
          type_(context.type),
          vectors_(fits_vectors(layer_.in_channels, type_)) {
        const std::size_t matrix = matrix_count() * size_of(type_);
        parts_.add(matrix);
        bias_ = parts_.add(layer_.squeeze_channels * sizeof(float));
        weights2_ = parts_.add(matrix);
        bias2_ = parts_.add(layer_.in_channels * sizeof(float));
    }

    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const auto channels = static_cast<std::size_t>(layer_.in_channels);
        const auto squeeze = static_cast<std::size_t>(layer_.squeeze_channels);
        pack_elements(weights.weights, type_, packed);
        pack_floats(weights.bias, squeeze, packed.subspan(bias_));
        pack_elements(transposed(weights.weights2, channels, squeeze), type_, packed.subspan(weights2_));
        pack_floats(weights.bias2, channels, packed.subspan(bias2_));
    }

protected:
    const LayerSpec& layer() const { return layer_; }
    int batch() const { return batch_; }
    DataType type() const { return type_; }
    bool vectors() const { return vectors_; }
    int width() const { return vectors_ ? vector_width_of(type_) : 1; }
    ChannelShape shape() const {
        return {batch_, layer_.in_channels, layer_.in_height * layer_.in_width, width()};
    }
    LaneSums lanes_of(const ChannelTiling& tiling) const {
        return lane_sums(tiling.lanes, tiling.tile.value() * width(), tiling.threads());
    }
    std::size_t matrix_count() const {
        return static_cast<std::size_t>(layer_.in_channels) * layer_.squeeze_channels;
    }
    const float* bias(const LayerBuffers& buffers) const { return part<float>(buffers.weights, bias_); }
    const void* weights2(const LayerBuffers& buffers) const {
        return part<std::byte>(buffers.weights, weights2_);
    }
    const float* bias2(const LayerBuffers& buffers) const { return part<float>(buffers.weights, bias2_); }
    SqueezeExciteParams params_of(const LayerBuffers& buffers, const ChannelTiling& tiling) const {
        SqueezeExciteParams params;
        params.input = buffers.input;
        params.weights = buffers.weights;
        params.bias = bias(buffers);
        params.weights2 = weights2(buffers);
        params.bias2 = bias2(buffers);
        params.output = buffers.output;
        params.channels = layer_.in_channels;
        params.squeeze = layer_.squeeze_channels;
        params.activation = activation_of(layer_);
        params.gate = layer_.gate;
        params.tiling = tiling;
        return params;
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
    bool vectors_;
    PartLayout parts_;
    std::size_t bias_ = 0, weights2_ = 0, bias2_ = 0;
};

// What begins with the sums over chunks of positions.
class FromSumsLayer : public SqueezeExciteLayer {
public:
    explicit FromSumsLayer(const LayerContext& context)
        : SqueezeExciteLayer(context),
          tiling_(tile_channels(shape(), context.device.multiprocessors, min_visits)) {
        workspace_.add(sizeof(float) * batch() * tiling_.chunks.value() * layer().in_channels);
    }
    std::size_t workspace_bytes() const override { return workspace_.bytes(); }

protected:
    const ChannelTiling& tiling() const { return tiling_; }
    PartLayout& workspace() { return workspace_; }
    std::string in_chunks() const { return "in " + std::to_string(tiling_.chunks.value()) + " chunks"; }
    // Returns where the sums will be: [batch][chunks][channels].
    float* launch_sums(const LayerBuffers& buffers, cudaStream_t stream) const {
        ChannelSumsParams sums;
        sums.input = buffers.input;
        sums.sums = static_cast<float*>(buffers.workspace);
        sums.channels = layer().in_channels;
        sums.tiling = tiling_;
        sums.lanes = lanes_of(tiling_);
        launch_channel_sums(sums, type(), vectors(), stream);
        return sums.sums;
    }

private:
    ChannelTiling tiling_;
    PartLayout workspace_;
};

class InThreeLaunches final : public FromSumsLayer {
public:
    explicit InThreeLaunches(const LayerContext& context) : FromSumsLayer(context) {
        hidden_ = workspace().add(sizeof(float) * batch() * layer().squeeze_channels);
    }
    std::string implementation() const override {
        return kernel_name("squeeze_excite " + in_chunks(), vectors(), type());
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        SqueezeParams squeeze;
        squeeze.sums = launch_sums(buffers, stream);
        squeeze.weights = buffers.weights;
        squeeze.bias = bias(buffers);
        squeeze.hidden = reinterpret_cast<float*>(static_cast<std::byte*>(buffers.workspace) + hidden_);
        squeeze.batch = batch();
        squeeze.channels = layer().in_channels;
        squeeze.positions = tiling().positions;
        squeeze.chunks = tiling().chunks.value();
        squeeze.squeeze = Divisor(layer().squeeze_channels);
        squeeze.vectors = Divisor(layer().in_channels / width());
        squeeze.activation = activation_of(layer());
        launch_squeeze(squeeze, type(), vectors(), stream);

        ExciteParams excite;
        excite.input = buffers.input;
        excite.hidden = squeeze.hidden;
        excite.weights = weights2(buffers);
        excite.bias = bias2(buffers);
        excite.output = buffers.output;
        excite.channels = layer().in_channels;
        excite.squeeze = layer().squeeze_channels;
        excite.gate = layer().gate;
        excite.tiling = tiling();
        launch_excite(excite, type(), vectors(), stream);
    }

private:
    std::size_t hidden_ = 0;
};

class InTwoLaunches final : public FromSumsLayer {
public:
    explicit InTwoLaunches(const LayerContext& context)
        : FromSumsLayer(context),
          chunks_(lane_sums(tiling().chunks.value(), layer().in_channels, excite_from_sums_threads)),
          memory_(lay_out_excite_from_sums(tiling(), chunks_, layer().squeeze_channels, width())),
          pays_(pays(context)) {}
    // Whether it can run, and does not read the first matrix more often than a launch is worth.
    bool offered() const { return pays_; }

    std::string implementation() const override {
        return kernel_name("squeeze_excite 2 launches " + in_chunks(), vectors(), type());
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        launch_excite_from_sums(
            {params_of(buffers, tiling()), launch_sums(buffers, stream), chunks_, memory_}, type(), vectors(),
            stream);
    }

private:
    bool pays(const LayerContext& context) const {
        const double blocks_each = std::max(
            1.0, static_cast<double>(tiling().blocks()) / std::max(1, context.device.multiprocessors));
        const double matrix_bytes = static_cast<double>(matrix_count() * size_of(type()));
        return blocks_each * matrix_bytes <= max_matrix_bytes_again &&
               memory_.bytes <=
                   static_cast<std::int64_t>(std::max(usual_block_bytes, context.device.shared_memory_optin));
    }

    LaneSums chunks_;
    ExciteFromSumsMemory memory_;
    bool pays_;
};

class InOneCluster final : public SqueezeExciteLayer {
public:
    InOneCluster(const LayerContext& context, const ChannelTiling& tiling,
                 const SqueezeExciteClusterMemory& memory)
        : SqueezeExciteLayer(context), tiling_(tiling), memory_(memory) {}
    // Nothing where a cluster of so many blocks cannot have an image.
    static std::unique_ptr<CudaLayer> of(const LayerContext& context, int cluster_blocks) {
        const LayerSpec& layer = context.layer;
        const int width = fits_vectors(layer.in_channels, context.type) ? vector_width_of(context.type) : 1;
        const auto tiling =
            tile_cluster({context.batch, layer.in_channels, layer.in_height * layer.in_width, width},
                         cluster_blocks, cluster_threads);
        if (!tiling) return nullptr;
        const auto memory = lay_out_cluster(*tiling, layer.squeeze_channels, context.type, width,
                                            context.device.shared_memory_optin);
        if (!memory) return nullptr;
        return std::make_unique<InOneCluster>(context, *tiling, *memory);
    }

    std::string implementation() const override {
        return kernel_name("squeeze_excite cluster " + std::to_string(tiling_.vector_tiles.value()) + "x" +
                               std::to_string(tiling_.chunks.value()),
                           vectors(), type());
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        launch_squeeze_excite_cluster({params_of(buffers, tiling_), lanes_of(tiling_), memory_}, type(),
                                      vectors(), stream);
    }

private:
    ChannelTiling tiling_;
    SqueezeExciteClusterMemory memory_;
};

}  // namespace

LayerList squeeze_excite_layers(const LayerContext& context) {
    LayerList layers;
    if (context.device.compute_capability >= 90) {
        for (const int blocks : {max_portable_cluster, max_cluster, max_portable_cluster / 2}) {
            if (auto layer = InOneCluster::of(context, blocks)) layers.push_back(std::move(layer));
        }
    }
    if (auto layer = std::make_unique<InTwoLaunches>(context); layer->offered()) {
        layers.push_back(std::move(layer));
    }
    layers.push_back(std::make_unique<InThreeLaunches>(context));
    return layers;
}

}  // namespace hacscale::cuda
