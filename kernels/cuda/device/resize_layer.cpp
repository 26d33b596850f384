#include "models/ops/resize.hpp"

#include <cstring>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"

namespace hacscale::cuda {
namespace {

std::vector<AxisTap> axis_taps(const LayerSpec& layer, int axis) {
    const int in = axis == 0 ? layer.in_height : layer.in_width;
    std::vector<AxisTap> taps;
    for (int i = 0; i < layer.size[axis]; ++i) {
        const ResizeTaps tap = resize_taps(layer.mode, i, in, layer.size[axis]);
        taps.push_back({tap.low, static_cast<float>(tap.share)});
    }
    return taps;
}

class BilinearLayer final : public CudaLayer {
public:
    explicit BilinearLayer(const LayerContext& context)
        : layer_(context.layer),
          type_(context.type),
          batch_(context.batch),
          vectors_(fits_vectors(layer_.in_channels, type_)) {
        parts_.add(layer_.size[0] * sizeof(AxisTap));
        columns_offset_ = parts_.add(layer_.size[1] * sizeof(AxisTap));
    }

    std::string implementation() const override {
        return kernel_name("resize " + std::string(name_of(layer_.mode)), vectors_, type_);
    }
    std::size_t weight_bytes() const override { return parts_.bytes(); }
    void pack_weights(const LayerWeights&, std::span<std::byte> packed) const override {
        for (const int axis : {0, 1}) {
            const std::vector<AxisTap> taps = axis_taps(layer_, axis);
            std::memcpy(&packed[axis == 0 ? 0 : columns_offset_], taps.data(), taps.size() * sizeof(AxisTap));
        }
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        const int vectors = layer_.in_channels / (vectors_ ? vector_width_of(type_) : 1);
        BilinearParams params;
        params.input = buffers.input;
        params.rows = part<AxisTap>(buffers.weights, 0);
        params.columns = part<AxisTap>(buffers.weights, columns_offset_);
        params.output = buffers.output;
        params.channels = layer_.in_channels;
        params.in_height = layer_.in_height;
        params.in_width = layer_.in_width;
        params.vectors = Divisor(vectors);
        params.out_width = Divisor(layer_.out_width());
        params.out_height = Divisor(layer_.out_height());
        params.count = batch_ * layer_.out_height() * layer_.out_width() * vectors;
        launch_bilinear(params, type_, vectors_, stream);
    }

private:
    LayerSpec layer_;
    DataType type_;
    int batch_;
    bool vectors_;
    PartLayout parts_;
    std::size_t columns_offset_ = 0;
};

}  // namespace

LayerList resize_layers(const LayerContext& context) {
    const Mode mode = context.layer.mode;
    // The nearest element is moved as it is.
    if (mode != Mode::bilinear && mode != Mode::bilinear_align_corners) return move_layers(context);
    LayerList layers;
    layers.push_back(std::make_unique<BilinearLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
