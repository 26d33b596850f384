// matmul and softmax: one kernel each, without weights.
#include <fmt/format.h>

#include <algorithm>
#include <bit>

#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device/launch.hpp"
#include "kernels/cuda/device/packing.hpp"
#include "models/ops/matmul.hpp"

namespace hacscale::cuda {
namespace {

class MatmulLayer final : public CudaLayer {
public:
    explicit MatmulLayer(const LayerContext& context)
        : layer_(context.layer), sizes_(matmul_sizes(layer_)), batch_(context.batch), type_(context.type) {}

    std::string implementation() const override {
        const std::string mode = layer_.mode == Mode::plain ? "" : fmt::format(" {}", name_of(layer_.mode));
        return kernel_name("matmul" + mode, /*vectors=*/false, type_);
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        const std::int64_t channels = layer_.in_channels;
        MatmulParams params;
        params.first = buffers.inputs[0].data;
        params.second = buffers.inputs[1].data;
        params.output = buffers.output;
        params.first_walk = {sizes_.inner * channels, channels};
        if (sizes_.first_transposed) params.first_walk = {channels, sizes_.rows * channels};
        params.second_walk = {sizes_.columns * channels, channels};
        if (sizes_.second_transposed) params.second_walk = {channels, sizes_.inner * channels};
        params.first_image = channels * sizes_.rows * sizes_.inner;
        params.second_image = channels * sizes_.inner * sizes_.columns;
        params.inner = sizes_.inner;
        params.rows = sizes_.rows;
        params.channels = Divisor(layer_.in_channels);
        params.columns = Divisor(sizes_.columns);
        const int row_tiles = ceil_div(sizes_.rows, MatmulKernel<float>::rows_a_thread);
        params.row_tiles = Divisor(row_tiles);
        params.count = batch_ * row_tiles * sizes_.columns * layer_.in_channels;
        launch_matmul(params, type_, stream);
    }

private:
    LayerSpec layer_;
    MatmulSizes sizes_;
    int batch_;
    DataType type_;
};

class SoftmaxLayer final : public CudaLayer {
public:
    explicit SoftmaxLayer(const LayerContext& context)
        : layer_(context.layer), batch_(context.batch), type_(context.type) {}

    std::string implementation() const override {
        return kernel_name("softmax " + std::string(name_of(layer_.mode)), /*vectors=*/false, type_);
    }
    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        constexpr int most_channels = 32;
        const bool over_width = layer_.mode == Mode::over_width;
        const std::int64_t pixel = layer_.in_channels;
        const std::int64_t row = pixel * layer_.in_width;
        SoftmaxParams params;
        params.input = buffers.input;
        params.output = buffers.output;
        params.elements = over_width ? layer_.in_width : layer_.in_height;
        params.step = over_width ? pixel : row;
        params.lines = over_width ? layer_.in_height : layer_.in_width;
        params.line_step = over_width ? row : pixel;
        params.image_step = row * layer_.in_height;
        params.channels = layer_.in_channels;
        params.tile = static_cast<int>(
            std::bit_floor(static_cast<unsigned>(std::min(layer_.in_channels, most_channels))));
        params.tiles = Divisor(ceil_div(params.channels, params.tile));
        params.all_lines = Divisor(params.lines);
        params.batch = batch_;
        launch_softmax(params, type_, stream);
    }

private:
    LayerSpec layer_;
    int batch_;
    DataType type_;
};

}  // namespace

LayerList matmul_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<MatmulLayer>(context));
    return layers;
}

LayerList softmax_layers(const LayerContext& context) {
    LayerList layers;
    layers.push_back(std::make_unique<SoftmaxLayer>(context));
    return layers;
}

}  // namespace hacscale::cuda
