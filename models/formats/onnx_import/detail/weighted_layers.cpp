// Convs, linear layers, norms and slopes: layers that have numbers of the file.
#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"

namespace hacscale::detail {

void Drafting::name_after_weights(const onnx::Node& node, DraftLayer& draft) const {
    auto module = module_of(node.inputs.at(1));
    // An exporter that folds a batch-norm into a conv numbers the new weights.
    if (!module) module = module_of_node(node.name);
    if (module) draft.name = *module;
}

void Drafting::conv(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::conv);
    name_after_weights(node, draft);
    const std::vector<std::int64_t>& dims = dims_of_weights(node, 4);
    set_window(node, draft.layer.window, {dims[2], dims[3]});
    draft.layer.groups = small(node.integer("group", 1), "group");
    draft.layer.out_channels = small(dims[0], "output channels");
    draft.weights.weights = weights(node, 1, draft);
    add_bias(node, draft);
    finish(std::move(draft));
}

void Drafting::transposed_conv(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::transposed_conv);
    name_after_weights(node, draft);
    const std::vector<std::int64_t>& dims = dims_of_weights(node, 4);
    set_window(node, draft.layer.window, {dims[2], dims[3]});
    // More output at the far side is less padding there.
    const std::vector<std::int64_t> more = node.integers("output_padding", {0, 0});
    for (int axis = 0; axis < 2; ++axis) {
        int& pad = draft.layer.window.pads[axis + 2];
        pad = small(pad - more.at(axis), "the padding at the far side, without output_padding,");
    }
    draft.layer.groups = small(node.integer("group", 1), "group");
    draft.layer.out_channels = small(dims[1] * draft.layer.groups, "output channels");
    draft.weights.weights = weights(node, 1, draft);
    add_bias(node, draft);
    finish(std::move(draft));
}

const std::vector<std::int64_t>& Drafting::dims_of_weights(const onnx::Node& node, std::size_t rank) const {
    const onnx::Tensor* const tensor = constant(node, 1);
    if (tensor == nullptr) no_layer("its weights are computed, and only constant weights can be used");
    if (tensor->dims.size() != rank) {
        no_layer(fmt::format("its weights are {}, and layers have two axes", onnx::shape_text(tensor->dims)));
    }
    return tensor->dims;
}

void Drafting::add_bias(const onnx::Node& node, DraftLayer& draft) {
    draft.layer.bias = node.inputs.size() > 2 && !node.inputs[2].empty();
    if (draft.layer.bias) draft.weights.bias = weights(node, 2, draft);
}

void Drafting::linear(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::linear, /*flat=*/true);
    name_after_weights(node, draft);
    const std::vector<std::int64_t>& dims = dims_of_weights(node, 2);
    if (node.integer("transB", 0) != 1 || node.number("alpha", 1.0F) != 1.0F ||
        (node.inputs.size() > 2 && node.number("beta", 1.0F) != 1.0F)) {
        no_layer("its product is not that of a linear layer");
    }
    draft.layer.out_channels = small(dims[0], "output features");
    const std::int64_t features = size(draft.inputs.front()).elements();
    if (features != dims[1]) no_layer(fmt::format("it reads {} features of {}", dims[1], features));
    draft.weights.weights = weights(node, 1, draft);
    add_bias(node, draft);
    if (draft.layer.bias && draft.weights.bias.size() == 1) {
        draft.weights.bias.resize(dims[0], draft.weights.bias.front());
    }
    finish(std::move(draft));
}

void Drafting::batch_norm(const onnx::Node& node) {
    const View view = with_channels(read(node, 0), 1);
    DraftLayer draft = begin_on(node, LayerKind::scale_shift, view.source);
    const std::vector<float> scale = weights(node, 1, draft);
    const std::vector<float> bias = weights(node, 2, draft);
    const onnx::Tensor* const mean = constant(node, 3);
    const onnx::Tensor* const variance = constant(node, 4);
    if (mean == nullptr || variance == nullptr) no_layer("its mean and variance are computed");
    name_after_weights(node, draft);
    const std::vector<float> means = mean->floats();
    const std::vector<float> variances = variance->floats();
    const double epsilon = node.number("epsilon", 1e-5F);
    for (const std::size_t count : {bias.size(), means.size(), variances.size()}) {
        if (count != scale.size())
            no_layer(fmt::format("it has {} scales and {} other numbers", scale.size(), count));
    }
    for (std::size_t c = 0; c < scale.size(); ++c) {
        const double factor = scale[c] / std::sqrt(variances[c] + epsilon);
        draft.weights.weights.push_back(static_cast<float>(factor));
        draft.weights.bias.push_back(static_cast<float>(bias[c] - factor * means[c]));
    }
    finish(std::move(draft), view.axes);
}

void Drafting::prelu(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::prelu);
    name_after_weights(node, draft);
    const onnx::Tensor* const slopes = constant(node, 1);
    if (slopes == nullptr) no_layer("its slopes are computed");
    learn(*slopes, draft);
    draft.weights.weights =
        per_channel(*slopes, size(draft.inputs.front()), dims_of(node.outputs.at(0)).size());
    finish(std::move(draft));
}

void Drafting::norm(const onnx::Node& node) {
    const bool tokens = node.op_type == "LayerNormalization";
    const std::size_t rank = dims_of(node.inputs.at(0)).size();
    if (tokens && node.integer("axis", 1) + 1 != static_cast<std::int64_t>(rank)) {
        no_layer("it is over more axes than the last one");
    }
    const bool root_mean_square = node.op_type == "RootMeanSquareNorm";
    const auto axis = static_cast<std::size_t>(root_mean_square ? node.integer("axis", 1)
                                                                : static_cast<std::int64_t>(rank) - 1);
    const bool viewed = tokens || root_mean_square;
    const View view = viewed ? with_channels(read(node, 0), axis) : View{};
    DraftLayer draft = viewed ? begin_on(node, LayerKind::layer_norm, view.source)
                              : begin(node, node.op_type == "LayerNormChannels" ? LayerKind::layer_norm
                                            : node.op_type == "Grn"             ? LayerKind::grn
                                                                                : LayerKind::group_norm);
    name_after_weights(node, draft);
    draft.layer.epsilon = Parameter(node.number("epsilon", 1e-5F));
    if (node.op_type == "GroupNorm") draft.layer.groups = small(node.integer("num_groups", 1), "num_groups");
    if (node.op_type == "InstanceNormalization") draft.layer.groups = draft.layer.in_channels;
    draft.weights.weights = weights(node, 1, draft);
    const bool shifts = node.inputs.size() > 2 && !node.inputs[2].empty();
    draft.weights.bias =
        shifts ? weights(node, 2, draft) : std::vector<float>(draft.weights.weights.size(), 0.0F);
    if (root_mean_square) draft.layer.mode = Mode::root_mean_square;
    if (viewed) return finish(std::move(draft), view.axes);
    finish(std::move(draft));
}

void Drafting::conv_over_channels(const onnx::Node& node) {
    if (node.inputs.size() > 2 && !node.inputs[2].empty()) no_layer("a kernel over channels with a bias");
    DraftLayer draft = begin(node, LayerKind::eca);
    name_after_weights(node, draft);
    draft.over_channels = weights(node, 1, draft);
    const std::vector<std::int64_t> pads = node.integers("pads", {0, 0});
    if (pads.size() != 2 || pads[0] != pads[1] ||
        2 * pads[0] + 1 != static_cast<std::int64_t>(draft.over_channels.size())) {
        no_layer("its output has other channels than its input");
    }
    finish(std::move(draft));
}

}  // namespace hacscale::detail
