// Pools, sums, products, concats, moves of channels and pixels, and activations: layers of maps alone.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"

namespace hacscale::detail {
namespace {

// Of a Pad: negative ones crop.
int signed_pad(std::int64_t pad) {
    return pad < 0 ? -small(-pad, "the number of elements that pads cut off") : small(pad, "pads");
}

}  // namespace

void Drafting::pool(const onnx::Node& node) {
    const bool average = node.op_type == "AveragePool";
    if (node.outputs.size() > 1 && !node.outputs[1].empty()) no_layer("its indices are read");
    DraftLayer draft = begin(node, average ? LayerKind::avg_pool : LayerKind::max_pool);
    Window& window = draft.layer.window;
    set_window(node, window, node.integers("kernel_shape", {}));
    const bool padded = window.pads != std::array<int, 4>{0, 0, 0, 0};
    if (average && padded && node.integer("count_include_pad", 0) == 1) {
        draft.layer.mode = Mode::count_padding;
    }
    finish(std::move(draft));
}

void Drafting::global_pool(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::global_avg_pool);
    if (node.op_type == "GlobalMaxPool") {
        draft.layer.kind = LayerKind::max_pool;
        draft.layer.window.kernel = {draft.layer.in_height, draft.layer.in_width};
    }
    finish(std::move(draft));
}

void Drafting::scale_or_shift(const onnx::Node& node, std::size_t which) {
    onnx::Node reordered = node;
    std::swap(reordered.inputs[0], reordered.inputs[1 - which]);
    DraftLayer draft = begin(reordered, LayerKind::scale_shift);
    const onnx::Tensor& tensor = *constant(node, which);
    const std::size_t rank = dims_of(node.outputs.at(0)).size();
    const std::vector<float> values = per_channel(tensor, size(draft.inputs.front()), rank);
    if (module_of(tensor.name)) learn(tensor, draft);  // exporters' own constants have no module
    const bool scales = node.op_type == "Mul";
    draft.weights.weights = scales ? values : std::vector<float>(values.size(), 1.0F);
    draft.weights.bias = scales ? std::vector<float>(values.size(), 0.0F) : values;
    finish(std::move(draft));
}

void Drafting::arithmetic(const onnx::Node& node) {
    const bool product = node.op_type == "Mul";
    if (node.inputs.size() < 2) no_layer("it has one input");
    for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
        if (node.inputs.size() == 2 && constant(node, which) != nullptr) return scale_or_shift(node, which);
    }
    onnx::Node pair = node;
    std::vector<std::string> rest(node.inputs.begin() + 2, node.inputs.end());
    for (std::size_t i = 0; i <= rest.size(); ++i) {
        // A sum of several values is a chain of adds.
        pair.outputs = {i == rest.size() ? node.outputs[0] : fmt::format("{}.{}", node.outputs[0], i)};
        const MapSize first = size(data(pair, 0));
        const MapSize second = size(data(pair, 1));
        const bool gate = product && first != second && first.channels == second.channels;
        if (gate && first.height * first.width == 1) std::swap(pair.inputs[0], pair.inputs[1]);
        DraftLayer draft = begin(pair, product ? LayerKind::multiply : LayerKind::add);
        const MapSize& other = size(data(pair, 1));
        if (gate && other.height * other.width == 1) {
            draft.layer.mode = Mode::per_channel;
        } else if (first != second) {
            no_layer(fmt::format(
                "its inputs are {}x{}x{} and {}x{}x{}; of different sizes, there is a layer for "
                "a map times one number a channel only",
                first.channels, first.height, first.width, second.channels, second.height, second.width));
        }
        draft.layer.inputs = 2;
        draft.inputs.push_back(data(pair, 1));
        finish(std::move(draft));
        if (i < rest.size()) pair.inputs = {pair.outputs[0], rest[i]};
    }
}

void Drafting::difference(const onnx::Node& node) {
    onnx::Node negated = node;
    negated.inputs = {node.inputs.at(1)};
    negated.outputs = {node.outputs.at(0) + ".negated"};
    DraftLayer negative = begin(negated, LayerKind::scale_shift);
    const auto channels = static_cast<std::size_t>(negative.layer.in_channels);
    negative.weights.weights.assign(channels, -1.0F);
    negative.weights.bias.assign(channels, 0.0F);
    finish(std::move(negative));
    onnx::Node sum = node;
    sum.op_type = "Add";
    sum.inputs = {node.inputs[0], negated.outputs[0]};
    arithmetic(sum);
}

void Drafting::concat(const onnx::Node& node) {
    if (node.integer("axis", 1) != 1) no_layer("it joins another axis than the channels");
    DraftLayer draft = begin(node, LayerKind::concat);
    std::int64_t channels = draft.layer.in_channels;
    for (std::size_t i = 1; i < node.inputs.size(); ++i) {
        draft.inputs.push_back(data(node, i));
        channels += size(draft.inputs.back()).channels;
    }
    draft.layer.inputs = static_cast<std::uint16_t>(
        std::min<std::size_t>(draft.inputs.size(), std::numeric_limits<std::uint16_t>::max()));
    draft.layer.in_channels = draft.layer.out_channels = small(channels, "its channels together");
    finish(std::move(draft));
}

void Drafting::add_slice(const onnx::Node& node, const std::string& output, std::int64_t first,
                         std::int64_t count) {
    DraftLayer draft = begin(node, LayerKind::slice);
    draft.output = output;
    draft.layer.first_channel = small(first, "the first channel");
    draft.layer.out_channels = small(count, "the number of channels");
    finish(std::move(draft));
}

void Drafting::split(const onnx::Node& node) {
    if (node.integer("axis", 0) != 1) no_layer("it divides another axis than the channels");
    const std::vector<std::int64_t> sizes = node.integers("split", {});
    std::int64_t first = 0;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (!node.outputs[i].empty()) add_slice(node, node.outputs[i], first, sizes.at(i));
        first += sizes.at(i);
    }
}

void Drafting::slice(const onnx::Node& node) {
    const std::vector<std::int64_t> starts = node.integers("starts", {});
    const std::vector<std::int64_t> counts = node.integers("counts", {});
    const std::vector<std::int64_t> steps = node.integers("steps", {});
    const std::vector<std::int64_t>& dims = dims_of(node.inputs.at(0));
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        const bool whole = starts.at(axis) == 0 && counts.at(axis) == dims[axis];
        if (steps.at(axis) != 1 || (axis != 1 && !whole)) {
            no_layer("it takes more than neighbouring channels apart");
        }
    }
    add_slice(node, node.outputs.at(0), starts[1], counts[1]);
}

void Drafting::pad(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::pad);
    const std::vector<std::int64_t> pads = node.integers("pads", {});
    const std::string mode = node.text("mode", "constant");
    const float value = mode == "constant" ? node.number("value", 0.0F) : 0.0F;
    if (mode == "reflect" || mode == "edge") {
        draft.layer.mode = mode == "edge" ? Mode::edge : Mode::reflect;
    } else if (mode != "constant" || (value != 0.0F && value != 1.0F)) {
        no_layer(
            fmt::format("mode \"{}\" with the value {}, expected zeros, ones, reflect or edge", mode, value));
    } else if (value == 1.0F) {
        draft.layer.mode = Mode::ones;
    }
    if (pads.size() != 8 || pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0) {
        no_layer("it pads other axes than height and width");
    }
    draft.layer.window.pads = {signed_pad(pads[2]), signed_pad(pads[3]), signed_pad(pads[6]),
                               signed_pad(pads[7])};
    finish(std::move(draft));
}

void Drafting::resize(const onnx::Node& node) {
    DraftLayer draft = begin(node, LayerKind::resize);
    const MapSize out = size_of_value(node.outputs.at(0)).value_or(MapSize{});
    if (out.channels != draft.layer.in_channels) no_layer("it resizes other axes than height and width");
    draft.layer.size = {out.height, out.width};
    const std::string mode = node.text("mode", "nearest");
    const std::string place = node.text("coordinate_transformation_mode", "half_pixel");
    const bool centres = place == "half_pixel" || place == "pytorch_half_pixel";
    const bool grows = out.height % draft.layer.in_height == 0 && out.width % draft.layer.in_width == 0;
    if (mode == "linear" && centres) {
        draft.layer.mode = Mode::bilinear;
    } else if (mode == "linear" && place == "align_corners") {
        draft.layer.mode = Mode::bilinear_align_corners;
    } else if (mode == "nearest") {
        const std::string rounding = node.text("nearest_mode", "round_prefer_floor");
        // By a whole factor, each element becomes a block of equal ones, wherever the centres are.
        if ((place == "asymmetric" && rounding == "floor") || (grows && centres && rounding != "ceil")) {
            draft.layer.mode = Mode::nearest;
        } else if (centres && rounding == "round_prefer_floor") {
            draft.layer.mode = Mode::nearest_half_pixel;
        } else if (centres && rounding == "round_prefer_ceil") {
            draft.layer.mode = Mode::nearest_half_pixel_up;
        } else {
            no_layer(fmt::format("nearest elements at {} rounded by {}", place, rounding));
        }
    } else {
        no_layer(fmt::format("mode \"{}\" at {}", mode, place));
    }
    finish(std::move(draft));
}

void Drafting::reshape(const onnx::Node& node) {
    const std::string& value = node.inputs.at(0);
    const std::string source = data(node, 0, /*flat=*/true);
    const auto to = size_of_value(node.outputs.at(0));
    const MapSize& from = size(source);
    if (!to || to->elements() != from.elements()) {
        no_layer(fmt::format("{} becomes {}", onnx::shape_text(dims_of(value)),
                             onnx::shape_text(dims_of(node.outputs.at(0)))));
    }
    const bool flat = to->height * to->width == 1;
    if (*to != from && !flat) no_layer("its output is a map of other sizes");
    aliases_[node.outputs.at(0)] = source;
    if (*to != from) flattened_.insert(node.outputs.at(0));
}

void Drafting::shuffle(const onnx::Node& node) {
    if (node.op_type == "ChannelShuffle") {
        DraftLayer draft = begin(node, LayerKind::channel_shuffle);
        draft.layer.groups = small(node.integer("groups", 1), "groups");
        return finish(std::move(draft));
    }
    const bool spreads = node.op_type == "DepthToSpace";
    DraftLayer draft = begin(node, spreads ? LayerKind::pixel_shuffle : LayerKind::space_to_depth);
    const int block = small(node.integer("blocksize", 1), "blocksize");
    draft.layer.window.strides = {block, block};
    const bool channels_first = spreads ? node.text("mode", "DCR") == "CRD" : node.domain == "hacscale";
    draft.layer.mode = channels_first ? Mode::channels_first : Mode::blocks_first;
    const std::int64_t pixels = std::int64_t{block} * block;
    draft.layer.out_channels = small(spreads ? draft.layer.in_channels / std::max<std::int64_t>(1, pixels)
                                             : draft.layer.in_channels * pixels,
                                     "output channels");
    finish(std::move(draft));
}

std::optional<Drafting::Curve> Drafting::activation_of(const onnx::Node& node) {
    static const std::map<std::string_view, Activation> plain{
        {"Relu", Activation::relu},   {"Sigmoid", Activation::sigmoid},
        {"Tanh", Activation::tanh},   {"Softplus", Activation::softplus},
        {"Silu", Activation::silu},   {"HardSwish", Activation::hard_swish},
        {"Relu6", Activation::relu6}, {"Mish", Activation::mish},
    };
    if (const auto found = plain.find(node.op_type); found != plain.end()) return Curve{found->second};
    if (node.op_type == "HardSigmoid" && node.domain == "hacscale") return Curve{Activation::hard_sigmoid};
    if (node.op_type == "Gelu") {
        return Curve{node.text("approximate", "none") == "tanh" ? Activation::gelu_tanh : Activation::gelu};
    }
    if (node.op_type == "LeakyRelu") return Curve{Activation::leaky_relu, node.number("alpha", 0.01F)};
    if (node.op_type == "Elu") return Curve{Activation::elu, node.number("alpha", 1.0F)};
    return std::nullopt;
}

void Drafting::activation(const onnx::Node& node, const Curve& curve) {
    if (curve.alpha < 0.0F) no_layer(fmt::format("its alpha is {}", curve.alpha));
    DraftLayer draft = begin(node, LayerKind::activation);
    draft.layer.activation = curve.activation;
    if (has_alpha(curve.activation)) draft.layer.alpha = Parameter(curve.alpha);
    finish(std::move(draft));
}

}  // namespace hacscale::detail
