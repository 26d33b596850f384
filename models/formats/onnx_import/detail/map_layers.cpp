// Pools, sums, products, concats, moves of channels and pixels, and activations: layers of maps alone.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"

namespace hacscale::detail {
namespace {

// Of a Pad: negative ones crop.
int signed_pad(std::int64_t pad) {
    return pad < 0 ? -small(-pad, "the number of elements that pads cut off") : small(pad, "pads");
}

Mode pad_mode(const onnx::Node& node) {
    const std::string mode = node.text("mode", "constant");
    if (mode == "reflect") return Mode::reflect;
    if (mode == "edge") return Mode::edge;
    const float value = node.number("value", 0.0F);
    if (mode == "constant" && value == 0.0F) return Mode::plain;
    if (mode == "constant" && value == 1.0F) return Mode::ones;
    no_layer(
        fmt::format("mode \"{}\" with the value {}, expected zeros, ones, reflect or edge", mode, value));
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
    const std::vector<std::int64_t>& dims = dims_of(node.inputs.at(0));
    if (dims.size() != 4 || dims.front() != 1) {
        std::vector<std::int64_t> axes(dims.size() - std::min<std::size_t>(2, dims.size()));
        std::iota(axes.begin(), axes.end(), 2);
        onnx::Node reduction = node;
        reduction.op_type = node.op_type == "GlobalMaxPool" ? "ReduceMax" : "ReduceMean";
        reduction.attributes = {{"axes", axes}, {"keepdims", std::int64_t{1}}};
        return reduce(reduction);
    }
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
    const onnx::Tensor& tensor = *constant(node, which);
    View view = read(reordered, 0);
    const std::vector<std::int64_t>& dims = dims_of(node.outputs.at(0));
    if (elements_of_value(node.outputs[0]) > elements_of(view.axes)) view = expanded(node, view, dims);
    // The axes along which the constant differs, counted from the last one.
    std::vector<std::size_t> axes;
    const std::size_t rank = view.axes.size();
    for (std::size_t back = 1; back <= tensor.dims.size(); ++back) {
        const std::int64_t count = tensor.dims[tensor.dims.size() - back];
        if (count == 1) continue;
        if (back > rank || view.axes[rank - back].size != count) {
            no_layer(fmt::format("its constant is {}, and its input {}", onnx::shape_text(tensor.dims),
                                 onnx::shape_text(dims_of(reordered.inputs[0]))));
        }
        axes.push_back(rank - back);
    }
    const bool scales = node.op_type == "Mul";
    if (axes.size() > 1) return with_map(node, view, tensor, scales);
    if (axes.size() == 1) view = with_channels(view, axes.front());
    DraftLayer draft = begin_on(reordered, LayerKind::scale_shift, view.source);
    std::vector<float> values = tensor.floats();
    if (axes.empty()) values.assign(static_cast<std::size_t>(draft.layer.in_channels), values.front());
    if (is_parameter(tensor)) learn(tensor, draft);
    draft.weights.weights = scales ? values : std::vector<float>(values.size(), 1.0F);
    draft.weights.bias = scales ? std::vector<float>(values.size(), 0.0F) : values;
    finish(std::move(draft), view.axes);
}

void Drafting::arithmetic(const onnx::Node& node) {
    const bool divides = node.op_type == "Div";
    if (node.inputs.size() < 2) no_layer("it has one input");
    for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
        if (divides || node.inputs.size() != 2 || constant(node, which) == nullptr) continue;
        return scale_or_shift(node, which);
    }
    onnx::Node two = node;
    std::vector<std::string> rest(node.inputs.begin() + 2, node.inputs.end());
    for (std::size_t i = 0; i <= rest.size(); ++i) {
        // A sum of several values is a chain of adds.
        two.outputs = {i == rest.size() ? node.outputs[0] : fmt::format("{}.{}", node.outputs[0], i)};
        if (i < rest.size()) dims_[two.outputs[0]] = dims_of(node.outputs[0]);
        pair(two, divides || node.op_type == "Mul" ? LayerKind::multiply : LayerKind::add, divides);
        if (i < rest.size()) two.inputs = {two.outputs[0], rest[i]};
    }
}

void Drafting::power(const onnx::Node& node) {
    const onnx::Tensor* const exponent = constant(node, 1);
    if (exponent == nullptr || exponent->count() != 1 || exponent->floats().front() != 2.0F) {
        no_layer("its exponent is not 2");
    }
    onnx::Node square = node;
    square.inputs = {node.inputs[0], node.inputs[0]};
    pair(square, LayerKind::multiply, /*divides=*/false);
}

void Drafting::negative(const onnx::Node& node) {
    const View view = read(node, 0);
    DraftLayer draft = begin_on(node, LayerKind::scale_shift, view.source);
    const auto channels = static_cast<std::size_t>(draft.layer.in_channels);
    draft.weights.weights.assign(channels, -1.0F);
    draft.weights.bias.assign(channels, 0.0F);
    finish(std::move(draft), view.axes);
}

void Drafting::difference(const onnx::Node& node) {
    onnx::Node negated = node;
    negated.inputs = {node.inputs.at(1)};
    negated.outputs = {node.outputs.at(0) + ".negated"};
    dims_[negated.outputs[0]] = dims_of(node.inputs[1]);
    negative(negated);
    onnx::Node sum = node;
    sum.op_type = "Add";
    sum.inputs = {node.inputs[0], negated.outputs[0]};
    arithmetic(sum);
}

void Drafting::maximum(const onnx::Node& node) {
    const std::size_t which = constant(node, 0) != nullptr ? 0 : 1;
    const onnx::Tensor* const bounds = node.inputs.size() == 2 ? constant(node, which) : nullptr;
    if (bounds == nullptr) no_layer("it compares values that are no constants");
    onnx::Node first = node;
    first.inputs = {node.inputs[1 - which]};
    first.outputs = {node.outputs.at(0) + ".above"};
    dims_[first.outputs[0]] = dims_of(node.outputs[0]);
    DraftLayer above = begin(first, LayerKind::scale_shift);
    if (is_parameter(*bounds)) learn(*bounds, above);
    const std::vector<float> numbers =
        per_channel(*bounds, size(above.inputs.front()), dims_of(node.outputs[0]).size());
    above.layer.activation = Activation::relu;
    above.weights.weights.assign(numbers.size(), 1.0F);
    for (const float number : numbers) above.weights.bias.push_back(-number);
    finish(std::move(above));

    onnx::Node second = node;
    second.inputs = first.outputs;
    DraftLayer draft = begin(second, LayerKind::scale_shift);
    draft.weights.weights.assign(numbers.size(), 1.0F);
    draft.weights.bias = numbers;
    finish(std::move(draft));
}

void Drafting::concat(const onnx::Node& node) {
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        if (constant(node, i) != nullptr) return concat_with_constants(node);
    }
    std::vector<View> views;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) views.push_back(read(node, i));
    concatenated(node, views, static_cast<std::size_t>(node.integer("axis", 1)), node.outputs.at(0));
}

void Drafting::concat_with_constants(const onnx::Node& node) {
    const auto axis = static_cast<std::size_t>(node.integer("axis", 1));
    const std::string& output = node.outputs.at(0);
    const std::vector<std::int64_t> dims = dims_of(output);
    const std::int64_t inside = std::accumulate(dims.begin() + static_cast<std::ptrdiff_t>(axis) + 1,
                                                dims.end(), std::int64_t{1}, std::multiplies<>());
    take_map_numbers(elements_of_value(output));
    // The constants where they are among all elements, and zeros.
    std::vector<float> numbers(static_cast<std::size_t>(elements_of_value(output)), 0.0F);
    DraftLayer learned;
    struct Part {
        View view;
        std::array<int, 2> sides{};  // constants before and after it
    };
    std::vector<Part> parts;
    int leading = 0;
    std::int64_t first = 0;
    for (std::size_t i = 0; i < node.inputs.size(); ++i) {
        const onnx::Tensor* const tensor = constant(node, i);
        if (tensor == nullptr) {
            parts.push_back({read(node, i), {std::exchange(leading, 0), 0}});
            first += parts.back().view.axes.at(axis).size;
            continue;
        }
        if (is_parameter(*tensor)) learn(*tensor, learned);
        const std::int64_t count = tensor->dims.at(axis);
        const std::vector<float> values = tensor->floats();
        for (std::int64_t k = 0; k < std::ssize(values); ++k) {
            const std::int64_t run = count * inside;
            const std::int64_t to = k / run * dims.at(axis) * inside + first * inside + k % run;
            numbers[static_cast<std::size_t>(to)] = values[static_cast<std::size_t>(k)];
        }
        (parts.empty() ? leading : parts.back().sides[1]) += small(count, "the constant's elements");
        first += count;
    }
    if (parts.empty()) no_layer("all its inputs are constants");
    std::vector<View> views;
    for (const auto& [view, sides] : parts) {
        const std::string place = fmt::format("{}.padded{}", output, views.size());
        const bool alone = sides == std::array{0, 0};
        views.push_back(alone ? view : padded(node, view, axis, sides, Mode::plain, place));
    }
    const View all = views.size() == 1 ? views.front() : concatenated(node, views, axis, output + ".joined");
    DraftLayer draft = begin_on(node, LayerKind::map_bias, all.source);
    draft.parameters = std::move(learned.parameters);
    draft.weights.bias = map_numbers(all, dims, numbers);
    finish(std::move(draft), all.axes);
}

View Drafting::concatenated(const onnx::Node& node, const std::vector<View>& given, std::size_t axis,
                            const std::string& output) {
    const Order order = order_with_first(given.front().axes, {axis});
    std::vector<View> views;
    std::int64_t channels = 0;
    for (const View& view : given) {
        // An axis of one element is stored nowhere.
        Order own = order;
        if (own.empty() || own.front() != axis) own.insert(own.begin(), axis);
        if (view.axes.at(axis).size == 1) own.erase(own.begin());
        views.push_back(arranged(view, own));
        channels += views.back().axes[axis].size;
    }
    const std::int64_t count = views.front().axes[axis].size;
    int share = channels_of_element(views.front(), count);
    if (channels * share > max_layer_size) share = 1;
    DraftLayer draft = begin_on(node, LayerKind::concat, formed_channels(views.front(), count * share));
    const MapSize map = size(draft.inputs.front());
    for (std::size_t i = 1; i < views.size(); ++i) {
        draft.inputs.push_back(
            formed(views[i].source,
                   {small(views[i].axes[axis].size * share, "the channels"), map.height, map.width}));
    }
    draft.layer.inputs = static_cast<std::uint16_t>(
        std::min<std::size_t>(draft.inputs.size(), std::numeric_limits<std::uint16_t>::max()));
    draft.layer.in_channels = draft.layer.out_channels = small(channels * share, "its channels together");
    Axes axes = views.front().axes;
    axes[axis] = {channels, elements_of(axes) / axes[axis].size};
    draft.output = output;
    finish(std::move(draft), axes);
    return {output, axes};
}

void Drafting::split(const onnx::Node& node) {
    const auto axis = static_cast<std::size_t>(node.integer("axis", 0));
    const std::vector<std::int64_t> sizes = node.integers("split", {});
    const View view = read(node, 0);
    std::int64_t first = 0;
    for (std::size_t i = 0; i < node.outputs.size(); ++i) {
        if (!node.outputs[i].empty()) cut(node, view, axis, first, sizes.at(i), node.outputs[i]);
        first += sizes.at(i);
    }
}

void Drafting::slice(const onnx::Node& node) {
    const std::vector<std::int64_t> starts = node.integers("starts", {});
    const std::vector<std::int64_t> counts = node.integers("counts", {});
    const std::vector<std::int64_t> steps = node.integers("steps", {});
    View view = read(node, 0);
    for (std::size_t axis = 0; axis < view.axes.size(); ++axis) {
        if (steps.at(axis) < 1) no_layer("it takes elements from the last to the first");
        const std::int64_t span = (counts.at(axis) - 1) * steps[axis] + 1;
        if (counts[axis] == view.axes[axis].size) continue;
        const std::string output = fmt::format("{}.axis{}", node.outputs.at(0), axis);
        view = cut(node, view, axis, starts.at(axis), span, output + ".span");
        if (steps[axis] > 1 && counts[axis] > 1) view = strided(node, view, axis, steps[axis], output);
    }
    views_[node.outputs.at(0)] = view;
}

void Drafting::pad(const onnx::Node& node) {
    const std::vector<std::int64_t> pads = node.integers("pads", {});
    View view = read(node, 0);
    const std::size_t rank = view.axes.size();
    std::vector<std::size_t> axes;
    for (std::size_t axis = 0; axis < rank; ++axis) {
        if (pads.at(axis) != 0 || pads.at(axis + rank) != 0) axes.push_back(axis);
    }
    const Mode mode = pad_mode(node);
    if (rank == 4 && view.axes[0].size == 1 && !axes.empty() && axes.front() > 1) {
        DraftLayer draft = begin(node, LayerKind::pad);
        draft.layer.mode = mode;
        draft.layer.window.pads = {signed_pad(pads[2]), signed_pad(pads[3]), signed_pad(pads[6]),
                                   signed_pad(pads[7])};
        return finish(std::move(draft));
    }
    for (const std::size_t axis : axes) {
        const std::string output =
            axis == axes.back() ? node.outputs.at(0) : fmt::format("{}.axis{}", node.outputs.at(0), axis);
        view =
            padded(node, view, axis, {signed_pad(pads[axis]), signed_pad(pads[axis + rank])}, mode, output);
    }
}

View Drafting::padded(const onnx::Node& node, const View& view, std::size_t axis, std::array<int, 2> sides,
                      Mode mode, const std::string& output) {
    const std::int64_t size = view.axes.at(axis).size;
    Order order = storage_order(view.axes);
    std::int64_t inside = view.axes[axis].stride;
    if (size == 1) {
        // It is stored nowhere, and comes behind the outermost axis.
        inside = elements_of(view.axes) / (order.empty() ? 1 : view.axes[order.front()].size);
        order.insert(order.begin() + std::min<std::ptrdiff_t>(1, std::ssize(order)), axis);
    }
    // The axis as the rows of a map: what is stored outside it are channels, what is stored inside it columns. Or as the
    // columns that it is already.
    const MapSize now = this->size(view.source);
    const bool columns = inside == 1 && now.width == size;
    const bool rows = now.height == size && now.width == inside;
    const MapSize map{small(elements_of(view.axes) / size / inside, "the channels"), small(size, "the rows"),
                      small(inside, "the columns")};
    DraftLayer draft =
        begin_on(node, LayerKind::pad, columns || rows ? view.source : formed(view.source, map));
    draft.layer.mode = mode;
    if (columns) {
        draft.layer.window.pads = {0, sides[0], 0, sides[1]};
    } else {
        draft.layer.window.pads = {sides[0], 0, sides[1], 0};
    }
    draft.output = output;
    View result{output, view.axes};
    result.axes[axis].size += std::int64_t{sides[0]} + sides[1];
    result.axes = stored_in(result.axes, order);
    finish(std::move(draft), result.axes);
    return result;
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
    const View view = read(node, 0);
    DraftLayer draft = begin_on(node, LayerKind::activation, view.source);
    draft.layer.activation = curve.activation;
    if (has_alpha(curve.activation)) draft.layer.alpha = Parameter(curve.alpha);
    finish(std::move(draft), view.axes);
}

}  // namespace hacscale::detail
