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
    const std::vector<std::int64_t>& in = dims_of(node.inputs.at(0));
    if (in.size() == 5) return conv_of_volumes(node);
    if (in.size() == 4 && in.front() != 1) return conv_of_images(node);
    DraftLayer draft = begin(node, LayerKind::conv);
    name_after_weights(node, draft);
    const std::vector<std::int64_t>& dims = dims_of_weights(node, dims_of(node.inputs[0]).size());
    set_window(node, draft.layer.window, {dims.begin() + 2, dims.end()});
    draft.layer.groups = small(node.integer("group", 1), "group");
    draft.layer.out_channels = small(dims[0], "output channels");
    draft.weights.weights = weights(node, 1, draft);
    add_bias(node, draft);
    finish(std::move(draft));
}

void Drafting::conv_of_volumes(const onnx::Node& node) {
    const std::vector<std::int64_t>& dims = dims_of_weights(node, 5);
    const std::vector<std::int64_t> strides = node.integers("strides", {1, 1, 1});
    const std::vector<std::int64_t> pads = node.integers("pads", {0, 0, 0, 0, 0, 0});
    const std::vector<std::int64_t> dilations = node.integers("dilations", {1, 1, 1});
    std::size_t flat = 0;
    while (flat < 3 &&
           (dims[2 + flat] != 1 || strides.at(flat) != 1 || pads.at(flat) != 0 || pads.at(flat + 3) != 0)) {
        ++flat;
    }
    if (flat == 3 || node.integer("group", 1) != 1 || dims_of(node.inputs[0]).front() != 1) {
        no_layer(fmt::format("its kernel has three axes ({}), and layers have two", onnx::shape_text(dims)));
    }
    const std::size_t rows = flat == 0 ? 1 : 0;
    const std::size_t columns = flat == 2 ? 1 : 2;
    const auto both = [&](const std::vector<std::int64_t>& of_three) {
        return std::vector<std::int64_t>{of_three.at(rows), of_three.at(columns)};
    };
    onnx::Node two = node;
    two.attributes["strides"] = both(strides);
    two.attributes["dilations"] = both(dilations);
    two.attributes["pads"] =
        std::vector<std::int64_t>{pads[rows], pads[columns], pads[rows + 3], pads[columns + 3]};

    conv_at_each_place(node, two, 2 + flat, {2 + rows, 2 + columns});
}

void Drafting::conv_of_images(const onnx::Node& node) {
    const std::vector<std::int64_t>& dims = dims_of_weights(node, 4);
    Window window;
    set_window(node, window, {dims[2], dims[3]});
    if (window != Window{} || node.integer("group", 1) != 1) return conv_at_each_place(node, node, 0, {2, 3});
    View view = with_channels(read(node, 0), 1);
    DraftLayer draft = begin_on(node, LayerKind::conv, view.source);
    name_after_weights(node, draft);
    if (draft.layer.in_channels != dims[1]) {
        no_layer(fmt::format("it reads {} channels of {}", dims[1], draft.layer.in_channels));
    }
    draft.layer.out_channels = small(dims[0], "output channels");
    draft.weights.weights = weights(node, 1, draft);
    add_bias(node, draft);
    view.axes[1] = {dims[0], elements_of(view.axes) / dims[1]};
    finish(std::move(draft), view.axes);
}

void Drafting::conv_at_each_place(const onnx::Node& node, const onnx::Node& window, std::size_t places,
                                  const std::array<std::size_t, 2>& map) {
    const std::vector<std::int64_t>& dims = dims_of_weights(node, dims_of(node.inputs[0]).size());
    const auto stored = [&](const Axes& axes) {
        Order order;
        for (const std::size_t axis : {places, std::size_t{1}, map[0], map[1]}) {
            if (axes[axis].size != 1) order.push_back(axis);
        }
        return order;
    };
    const View view = read(node, 0);
    const std::int64_t count = view.axes[places].size;
    const MapSize size{small(count * view.axes[1].size, "the channels"),
                       small(view.axes[map[0]].size, "the rows"),
                       small(view.axes[map[1]].size, "the columns")};
    DraftLayer draft =
        begin_on(node, LayerKind::conv, formed(arranged(view, stored(view.axes)).source, size));
    name_after_weights(node, draft);
    set_window(window, draft.layer.window, {dims[map[0]], dims[map[1]]});
    draft.layer.groups = small(count * node.integer("group", 1), "groups");
    draft.layer.out_channels = small(count * dims[0], "output channels");
    const auto at_each_place = [&](const std::vector<float>& numbers) {
        take_map_numbers(count * std::ssize(numbers));
        std::vector<float> all;
        for (std::int64_t place = 0; place < count; ++place) {
            all.insert(all.end(), numbers.begin(), numbers.end());
        }
        return all;
    };
    draft.weights.weights = at_each_place(weights(node, 1, draft));
    add_bias(node, draft);
    if (draft.layer.bias) draft.weights.bias = at_each_place(draft.weights.bias);
    const Axes axes = row_major(dims_of(node.outputs.at(0)));
    finish(std::move(draft), stored_in(axes, stored(axes)));
}

void Drafting::transposed_conv(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::transposed_conv);
    name_after_weights(node, draft);
    const std::vector<std::int64_t>& dims = dims_of_weights(node, dims_of(node.inputs[0]).size());
    set_window(node, draft.layer.window, {dims.begin() + 2, dims.end()});
    // More output at the far side is less padding there.
    const std::vector<std::int64_t> more =
        node.integers("output_padding", std::vector<std::int64_t>(dims.size() - 2, 0));
    for (std::size_t axis = 0; axis < more.size() && axis < 2; ++axis) {
        int& pad = draft.layer.window.pads[4 - more.size() + axis];
        pad = small(pad - more[axis], "the padding at the far side, without output_padding,");
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
        no_layer(fmt::format("its weights are {}, expected {} axes", onnx::shape_text(tensor->dims), rank));
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
    const bool along_axis = node.op_type == "UncenteredNorm";
    const bool uncentered = along_axis || node.op_type == "UncenteredGroupNorm";
    const auto axis =
        static_cast<std::size_t>(along_axis ? node.integer("axis", 1) : static_cast<std::int64_t>(rank) - 1);
    const bool viewed = tokens || along_axis;
    const View view = viewed ? with_channels(read(node, 0), axis) : View{};
    DraftLayer draft = viewed ? begin_on(node, LayerKind::layer_norm, view.source)
                              : begin(node, node.op_type == "LayerNormChannels" ? LayerKind::layer_norm
                                            : node.op_type == "Grn"             ? LayerKind::grn
                                                                                : LayerKind::group_norm);
    name_after_weights(node, draft);
    draft.layer.epsilon = Parameter(node.number("epsilon", 1e-5F));
    if (draft.layer.kind == LayerKind::group_norm) {
        draft.layer.groups = small(node.integer("num_groups", 1), "num_groups");
    }
    if (node.op_type == "InstanceNormalization") draft.layer.groups = draft.layer.in_channels;
    draft.weights.weights = weights(node, 1, draft);
    const bool shifts = node.inputs.size() > 2 && !node.inputs[2].empty();
    draft.weights.bias =
        shifts ? weights(node, 2, draft) : std::vector<float>(draft.weights.weights.size(), 0.0F);
    if (uncentered) {
        draft.layer.mode = node.integer("of_variance", 0) != 0 ? Mode::keep_mean : Mode::root_mean_square;
    }
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
