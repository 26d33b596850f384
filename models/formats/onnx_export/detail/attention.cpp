// What attention is made of: maps of other sizes and axes in another order, products of two tensors, shares, learned maps.
#include "models/formats/onnx_export/detail/layer_export.hpp"
#include "models/ops/matmul.hpp"
#include "models/ops/permute.hpp"

namespace hacscale::detail {
namespace {

const OnnxInts rows_as_columns{0, 1, 3, 2};

std::string transposed(LayerExport& out, const std::string& x) {
    return out.add_part("Transpose", {x}, {{"perm", rows_as_columns}});
}

}  // namespace

std::string write_reshape(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const OnnxInts shape{0, layer.out_channels, layer.size[0], layer.size[1]};
    return out.add("Reshape", {out.input(), out.writer.integers(shape)});
}

// Groups of channels are an axis of their own meanwhile.
std::string write_permute(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const std::array<int, 3> axes = axes_of(layer.mode);
    if (layer.groups == 1) {
        OnnxInts order{0};
        for (const int axis : axes) order.push_back(axis + 1);
        return out.add("Transpose", {out.input()}, {{"perm", order}});
    }
    const std::array<int, 3> sizes = axis_sizes(layer);
    const std::string split = out.reshaped(out.input(), {0, layer.groups, sizes[0], sizes[1], sizes[2]});
    OnnxInts order{0, 1};
    for (const int axis : axes) order.push_back(axis + 2);
    const std::string moved = out.add("Transpose", {split}, {{"perm", order}});
    return out.reshaped(moved, {0, layer.out_channels, layer.out_height(), layer.out_width()});
}

std::string write_matmul(LayerExport& out) {
    const MatmulSizes sizes = matmul_sizes(out.layer());
    const std::string first = sizes.first_transposed ? transposed(out, out.inputs[0]) : out.inputs[0];
    const std::string second = sizes.second_transposed ? transposed(out, out.inputs[1]) : out.inputs[1];
    return out.add("MatMul", {first, second});
}

// Before opset 13 a Softmax is over all axes from the given one on, which the last one alone is in any opset.
std::string write_softmax(LayerExport& out) {
    const OnnxAttributes last{{"axis", std::int64_t{3}}};
    if (out.layer().mode == Mode::over_width) return out.add("Softmax", {out.input()}, last);
    return transposed(out, out.add("Softmax", {transposed(out, out.input())}, last));
}

std::string write_map_bias(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const OnnxInts sizes{layer.in_channels, layer.in_height, layer.in_width};
    return out.add("Add", {out.input(), out.weight("bias", sizes, out.weights.bias)});
}

std::string write_map_scale(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const OnnxInts sizes{layer.in_channels, layer.in_height, layer.in_width};
    return out.add("Mul", {out.input(), out.weight("weight", sizes, out.weights.weights)});
}

}  // namespace hacscale::detail
