#include "kernels/cuda/device/handwritten.hpp"

#include "kernels/cuda/device/packing.hpp"
#include "kernels/cuda/device/stem.hpp"

namespace hacscale::cuda {
namespace {

// Kernels count vectors, features and blocks in 31 bits. Tensors of more elements than that (4 GB in f16) are
// left to cuDNN.
bool small_enough(const LayerSpec& layer, int batch) {
    constexpr double max_elements = 2147483647.0 - 65536.0;  // room for a loop's last step
    constexpr double max_positions = 1 << 30;
    const double in_positions = static_cast<double>(layer.in_height) * layer.in_width;
    const double out_positions = static_cast<double>(layer.out_height()) * layer.out_width();
    return in_positions < max_positions && in_positions * layer.in_channels * batch < max_elements &&
           out_positions * layer.out_channels * batch < max_elements;
}

}  // namespace

LayerList handwritten_candidates(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    if (layer.kind == LayerKind::scale_shift) return scale_shift_layers(context);
    if (!small_enough(layer, context.batch)) return {};
    switch (layer.kind) {
        case LayerKind::conv:
            if (layer.depthwise()) return activated_layers(context, depthwise_layers);
            // Their tiles and unrolled taps are made for one kernel size, stride and padding.
            if (!is_square_in_front(layer.window)) return {};
            return activated_layers(context, layer.in_channels == stem_channels ? stem_layers : gemm_layers);
        case LayerKind::transposed_conv:
            return activated_layers(context, transposed_conv_layers);
        case LayerKind::max_pool:
        case LayerKind::avg_pool:
            return pool_layers(context);
        case LayerKind::global_avg_pool:
            return global_avg_pool_layers(context);
        case LayerKind::linear:
            return activated_layers(context, linear_layers);
        case LayerKind::squeeze_excite:
            return squeeze_excite_layers(context);
        case LayerKind::activation:
        case LayerKind::add:
        case LayerKind::multiply:
        case LayerKind::prelu:
            return elementwise_layers(context);
        case LayerKind::concat:
            return concat_layers(context);
        case LayerKind::slice:
        case LayerKind::pad:
        case LayerKind::channel_shuffle:
        case LayerKind::pixel_shuffle:
        case LayerKind::space_to_depth:
        case LayerKind::permute:
        case LayerKind::reshape:
            return move_layers(context);
        case LayerKind::map_bias:
        case LayerKind::map_scale:
            return learned_map_layers(context);
        case LayerKind::matmul:
            return matmul_layers(context);
        case LayerKind::softmax:
            return softmax_layers(context);
        case LayerKind::resize:
            return resize_layers(context);
        case LayerKind::layer_norm:
            return layer_norm_layers(context);
        case LayerKind::group_norm:
        case LayerKind::grn:
        case LayerKind::eca:
            return image_norm_layers(context);
        default:
            return {};
    }
}

}  // namespace hacscale::cuda
