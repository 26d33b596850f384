#include "models/ops/layer_cost.hpp"

#include "models/ops/operator.hpp"

namespace hacscale {

std::int64_t product_weights(const LayerSpec& layer) {
    return operator_of(layer.kind).product_weights(layer);
}

LayerCost& LayerCost::operator+=(const LayerCost& other) {
    macs += other.macs;
    params += other.params;
    activations += other.activations;
    bytes += other.bytes;
    return *this;
}

LayerCost cost_of(const LayerSpec& layer, int batch, DataType type) {
    const Operator& op = operator_of(layer.kind);
    const std::int64_t inputs = std::int64_t{layer.in_channels} * layer.in_height * layer.in_width;
    const std::int64_t outputs = std::int64_t{layer.out_channels} * layer.out_height() * layer.out_width();

    LayerCost cost;
    cost.macs = batch * static_cast<std::int64_t>(op.macs(layer));
    cost.params = op.product_weights(layer) + op.offsets(layer);
    cost.activations = batch * outputs;
    const std::int64_t residual = layer.residual ? outputs : 0;
    cost.bytes =
        (batch * (inputs + outputs + residual) + cost.params) * static_cast<std::int64_t>(size_of(type));
    return cost;
}

}  // namespace hacscale
