#include "kernels/cpu/network_shapes.hpp"

#include <algorithm>

#include "kernels/cpu/cpu_device.hpp"
#include "models/ops/broadcast.hpp"

namespace hacscale::cpu {
namespace {

bool is_dense_conv(const LayerSpec& layer) {
    return layer.kind == LayerKind::conv && layer.groups == 1;
}

// Layers that compute each element from those at its place leave the tensor's order as it is, such as that of a pooled
// vector.
bool keeps_order(const LayerSpec& layer) {
    return layer.kind == LayerKind::scale_shift || layer.kind == LayerKind::squeeze_excite ||
           layer.kind == LayerKind::activation || layer.kind == LayerKind::add ||
           layer.kind == LayerKind::multiply || layer.kind == LayerKind::map_bias ||
           layer.kind == LayerKind::map_scale;
}

// Of these, the ones whose kernels know plain tensors.
bool keeps_plain(const LayerSpec& layer) {
    return keeps_order(layer) && layer.kind != LayerKind::squeeze_excite;
}

// How an input of the graph is in memory: as the first layer that works on it wants it, or what only is added, as
// the sum is. Only dense convs read every order, so the plain one is for tensors that nothing else reads.
TensorShape shape_of_input(const Graph& graph, TensorId id, int batch, int block) {
    const Node* first = nullptr;
    const Node* adds = nullptr;
    bool only_dense_convs = true;
    for (const Node& node : graph.nodes) {
        const auto end = node.inputs.begin() + node.layer.inputs;
        if (node.layer.residual && node.residual_input() == id) {
            if (adds == nullptr) adds = &node;
            only_dense_convs = false;
        }
        if (std::find(node.inputs.begin(), end, id) == end) continue;
        if (first == nullptr) first = &node;
        only_dense_convs = only_dense_convs && is_dense_conv(node.layer);
    }
    const Tensor& tensor = graph.tensors[id];
    TensorShape shape{batch, tensor.channels, tensor.height, tensor.width, TensorShape::Order::channels_last,
                      block};
    if (first != nullptr) {
        shape.order = input_shape(first->layer, batch, block, only_dense_convs).order;
    } else if (adds != nullptr) {
        shape.order = output_shape(adds->layer, batch, block).order;
    }
    return shape;
}

TensorShape shape_after(const LayerSpec& layer, const TensorShape& input) {
    const bool kept = input.order == TensorShape::Order::plain ? keeps_plain(layer) : keeps_order(layer);
    return kept ? input : output_shape(layer, input.batch, input.block);
}

}  // namespace

std::vector<TensorShape> shapes_of(const Graph& graph, int batch) {
    std::vector<TensorShape> shapes(graph.tensors.size());
    for (const TensorId id : graph.inputs) shapes[id] = shape_of_input(graph, id, batch, channel_block());
    for (const Node& node : graph.nodes) {
        shapes[node.outputs.front()] = shape_after(node.layer, shapes[node.inputs.front()]);
    }
    return shapes;
}

TensorShape::Order order_read(const LayerSpec& layer, int input, const TensorShape& given, bool computed,
                              const TensorShape& output) {
    if (layer.kind == LayerKind::reshape || layer.kind == LayerKind::permute) return given.order;
    if (input == 1 && spread_of(layer.mode) != Spread::none) return given.order;
    if (!is_dense_conv(layer) && layer.kind != LayerKind::linear &&
        layer.kind != LayerKind::global_avg_pool) {
        return output.order;
    }
    if (!computed || given.order != TensorShape::Order::plain) return given.order;
    return input_shape(layer, given.batch, given.block, /*network_input=*/false).order;
}

}  // namespace hacscale::cpu
