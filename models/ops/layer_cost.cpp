#include "models/ops/layer_cost.hpp"

namespace hacscale {
namespace {

// Biases and shifts.
std::int64_t offsets_of(const LayerSpec& layer) {
    switch (layer.kind) {
        case LayerKind::conv:
        case LayerKind::linear:
            return layer.bias ? layer.out_channels : 0;
        case LayerKind::squeeze_excite:
            return std::int64_t{layer.squeeze_channels} + layer.in_channels;
        case LayerKind::scale_shift:
            return layer.in_channels;
        case LayerKind::max_pool:
        case LayerKind::global_avg_pool:
            break;
    }
    return 0;
}

}  // namespace

std::int64_t product_weights(const LayerSpec& layer) {
    const std::int64_t in = layer.in_channels;
    const std::int64_t out = layer.out_channels;
    switch (layer.kind) {
        case LayerKind::conv:
            return out * (in / layer.groups) * layer.window.taps();
        case LayerKind::linear:
            return out * in * layer.in_height * layer.in_width;
        case LayerKind::squeeze_excite:
            return 2 * in * layer.squeeze_channels;
        case LayerKind::scale_shift:
            return in;
        case LayerKind::max_pool:
        case LayerKind::global_avg_pool:
            break;
    }
    return 0;
}

LayerCost& LayerCost::operator+=(const LayerCost& other) {
    macs += other.macs;
    params += other.params;
    activations += other.activations;
    bytes += other.bytes;
    return *this;
}

LayerCost cost_of(const LayerSpec& layer, int batch, DataType type) {
    const std::int64_t products = product_weights(layer);
    const std::int64_t out_pixels = std::int64_t{layer.out_height()} * layer.out_width();
    const std::int64_t inputs = std::int64_t{layer.in_channels} * layer.in_height * layer.in_width;
    const std::int64_t outputs = layer.out_channels * out_pixels;

    LayerCost cost;
    // A batch-norm's scale is a product too, but the definition of MACs leaves it out.
    if (layer.kind != LayerKind::scale_shift) {
        // Each conv weight is used once an output pixel; linear and squeeze-excite products once an image.
        cost.macs = batch * products * (layer.kind == LayerKind::conv ? out_pixels : 1);
    }
    cost.params = products + offsets_of(layer);
    cost.activations = batch * outputs;
    const std::int64_t residual = layer.residual ? outputs : 0;
    cost.bytes =
        (batch * (inputs + outputs + residual) + cost.params) * static_cast<std::int64_t>(size_of(type));
    return cost;
}

}  // namespace hacscale
