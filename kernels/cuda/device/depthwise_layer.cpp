#include <algorithm>

#include "kernels/cuda/device/handwritten_layers.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

// What the kernels of a depthwise conv have in common: where its weights lie, and their parameters.
class DepthwiseLayer : public CudaLayer {
public:
    DepthwiseLayer(const LayerContext& context, const DepthwiseTiling& tiling)
        : layer_(context.layer), type_(context.type), tiling_(tiling) {
        const std::size_t taps = static_cast<std::size_t>(layer_.kernel) * layer_.kernel;
        parts_.add(taps * layer_.in_channels * size_of(type_));
        bias_offset_ = parts_.add(layer_.in_channels * sizeof(float));
    }

    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        const auto channels = static_cast<std::size_t>(layer_.in_channels);
        pack_elements(transposed(weights.weights, channels, weights.weights.size() / channels), type_,
                      packed);
        pack_floats(weights.bias, channels, packed.subspan(bias_offset_));
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        DepthwiseParams params;
        params.input = buffers.input;
        params.weights = buffers.weights;
        params.bias = part<float>(buffers.weights, bias_offset_);
        params.residual = layer_.residual ? buffers.residual : nullptr;
        params.output = buffers.output;
        params.channels = layer_.in_channels;
        params.in_height = layer_.in_height;
        params.in_width = layer_.in_width;
        params.out_height = layer_.out_height();
        params.out_width = layer_.out_width();
        params.kernel = layer_.kernel;
        params.stride = layer_.stride;
        params.padding = layer_.padding;
        params.activation = layer_.activation;
        params.tiling = tiling_;
        launch_kernel(params, stream);
    }

protected:
    // "depthwise 3x3 s1"
    std::string conv_name() const {
        const std::string side = std::to_string(layer_.kernel);
        return "depthwise " + side + "x" + side + " s" + std::to_string(layer_.stride);
    }
    const LayerSpec& layer() const { return layer_; }
    DataType type() const { return type_; }
    const DepthwiseTiling& tiling() const { return tiling_; }

private:
    virtual void launch_kernel(const DepthwiseParams& params, cudaStream_t stream) const = 0;

    LayerSpec layer_;
    DataType type_;
    DepthwiseTiling tiling_;
    PartLayout parts_;
    std::size_t bias_offset_ = 0;
};

// A thread has a strip of outputs of one row.
class StripLayer final : public DepthwiseLayer {
public:
    StripLayer(const LayerContext& context, const DepthwiseShape& shape, int strip)
        : DepthwiseLayer(context, tile_depthwise(shape, strip, context.device.multiprocessors)),
          vectors_(shape.vector > 1),
          specialised_(depthwise_specialised(layer().kernel, layer().stride, vectors_)) {}

    std::string implementation() const override {
        return kernel_name(
            conv_name() + (specialised_ ? " strip" + std::to_string(tiling().strip) : " general"), vectors_,
            type());
    }

private:
    void launch_kernel(const DepthwiseParams& params, cudaStream_t stream) const override {
        if (!specialised_)
            launch_depthwise_any(params, type(), vectors_, stream);
        else if (params.kernel == 3)
            launch_depthwise_3x3(params, type(), stream);
        else
            launch_depthwise_5x5(params, type(), stream);
    }

    bool vectors_;
    bool specialised_;
};

// A thread walks down `walk` output rows.
class WalkLayer final : public DepthwiseLayer {
public:
    WalkLayer(const LayerContext& context, const DepthwiseShape& shape, int walk)
        : DepthwiseLayer(context,
                         tile_walks(shape, walk_strip, ceil_div(shape.out_height, walk), walk_threads)),
          walk_(walk) {}

    std::string implementation() const override {
        return kernel_name(conv_name() + " walk" + std::to_string(walk_), walk_channels, type());
    }

private:
    void launch_kernel(const DepthwiseParams& params, cudaStream_t stream) const override {
        launch_depthwise_walk(params, walk_, type(), stream);
    }

    int walk_;
};

// The longest walk that keeps the device busy, and half of it: the longer one reads less, the shorter one
// ends more evenly.
std::vector<int> walks_for(const DepthwiseShape& shape, int multiprocessors) {
    const int longest = walk_for(shape, walk_strip, multiprocessors);
    if (longest == 0) return {};
    const int half = ceil_div(longest, 2);
    return half < shortest_walk ? std::vector{longest} : std::vector{longest, half};
}

}  // namespace

// What is expected to be fastest comes first, then the others: which one wins in the end depends on clocks
// and caches, and is for a timing on the device to say.
LayerList depthwise_layers(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    const int multiprocessors = context.device.multiprocessors;
    DepthwiseShape shape{context.batch, layer.in_channels, layer.out_height(), layer.out_width(),
                         walk_channels};
    LayerList layers;
    if (depthwise_walkable(layer.kernel, layer.stride, layer.in_channels)) {
        for (const int walk : walks_for(shape, multiprocessors))
            layers.push_back(std::make_unique<WalkLayer>(context, shape, walk));
    }
    const bool vectors = fits_vectors(layer.in_channels, context.type);
    shape.vector = vectors ? vector_width_of(context.type) : 1;
    std::vector<int> strips{1};
    if (depthwise_specialised(layer.kernel, layer.stride, vectors)) {
        const int expected = strip_for(shape, multiprocessors);
        strips = {4, 2, 1};
        std::erase_if(strips, [&](int strip) { return strip > shape.out_width; });
        std::stable_partition(strips.begin(), strips.end(), [&](int strip) { return strip == expected; });
    }
    for (const int strip : strips) layers.push_back(std::make_unique<StripLayer>(context, shape, strip));
    return layers;
}

}  // namespace hacscale::cuda
