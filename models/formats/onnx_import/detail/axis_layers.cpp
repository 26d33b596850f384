// What moves, takes, repeats or joins numbers along any axis of a value.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"

namespace hacscale::detail {

void Drafting::reshape(const onnx::Node& node) {
    View view = read(node, 0);
    const std::vector<std::int64_t>& dims = dims_of(node.outputs.at(0));
    const bool countable = size_of_value(node.outputs.at(0)).has_value();
    const Axes wanted = countable ? row_major(dims) : Axes{};
    if (!countable || elements_of(wanted) != elements_of(view.axes)) {
        no_layer(
            fmt::format("{} becomes {}", onnx::shape_text(dims_of(node.inputs[0])), onnx::shape_text(dims)));
    }
    if (const auto axes = reshaped(view.axes, dims)) {
        view.axes = *axes;
    } else {
        view = {arranged(view, natural_order(view.axes)).source, wanted};
    }
    views_[node.outputs.at(0)] = view;
}

void Drafting::transpose(const onnx::Node& node) {
    const View view = read(node, 0);
    View turned{view.source, {}};
    for (const std::int64_t axis : node.integers("perm", {})) {
        turned.axes.push_back(view.axes.at(static_cast<std::size_t>(axis)));
    }
    views_[node.outputs.at(0)] = turned;
}

View Drafting::cut(const onnx::Node& node, const View& view, std::size_t axis, std::int64_t first,
                   std::int64_t count, const std::string& output) {
    const auto [size, stride] = view.axes.at(axis);
    View result{output, view.axes};
    result.axes[axis].size = count;
    if (count == size) {
        result.source = view.source;
        views_[output] = result;
        return result;
    }
    result.axes = stored_in(result.axes, storage_order(view.axes));
    const std::int64_t outer = elements_of(view.axes) / size / stride;
    const int begins = small(first, "the first element");
    const int taken = small(count, "the number of elements");
    const int left = small(size - first - count, "the number of elements after it");
    DraftLayer draft;
    if (outer == 1) {
        const int share = channels_of_element(view, size);
        draft = begin_on(node, LayerKind::slice, formed_channels(view, share * size));
        draft.layer.first_channel = begins * share;
        draft.layer.out_channels = taken * share;
    } else {
        const MapSize now = this->size(view.source);
        const bool columns = stride == 1 && now.width == size;
        const bool rows = now.height == size && now.width == stride;
        const MapSize map{small(outer, "the channels"), small(size, "the rows"),
                          small(stride, "the columns")};
        draft = begin_on(node, LayerKind::pad, columns || rows ? view.source : formed(view.source, map));
        if (columns) {
            draft.layer.window.pads = {0, -begins, 0, -left};
        } else {
            draft.layer.window.pads = {-begins, 0, -left, 0};
        }
    }
    draft.output = output;
    finish(std::move(draft), result.axes);
    return result;
}

View Drafting::strided(const onnx::Node& node, const View& view, std::size_t axis, std::int64_t step,
                       const std::string& output) {
    const auto [size, stride] = view.axes.at(axis);
    const std::int64_t outer = elements_of(view.axes) / size / stride;
    const MapSize now = this->size(view.source);
    const bool columns = stride == 1 && now.width == size;
    const bool rows = now.height == size && now.width == stride;
    const MapSize map{small(outer, "the channels"), small(size, "the rows"), small(stride, "the columns")};
    // A window of one element has that one as its maximum.
    DraftLayer draft =
        begin_on(node, LayerKind::max_pool, columns || rows ? view.source : formed(view.source, map));
    draft.layer.window.strides[columns ? 1 : 0] = small(step, "steps");
    draft.output = output;
    View result{output, view.axes};
    result.axes[axis].size = (size - 1) / step + 1;
    result.axes = stored_in(result.axes, storage_order(view.axes));
    finish(std::move(draft), result.axes);
    return result;
}

void Drafting::expand(const onnx::Node& node) {
    View view = read(node, 0);
    const std::vector<std::int64_t>& dims = dims_of(node.outputs.at(0));
    view.axes.insert(view.axes.begin(), dims.size() - std::min(dims.size(), view.axes.size()), Axis{});
    for (std::size_t axis = dims.size(); axis-- > 0;) {
        if (view.axes[axis].size == dims[axis]) continue;
        // Of one row as many equal ones, inside the axes before it: the value is row by row up to here.
        view = arranged(view, natural_order(view.axes));
        std::int64_t inside = 1;
        for (std::size_t inner = axis + 1; inner < dims.size(); ++inner) inside *= view.axes[inner].size;
        const MapSize map{small(elements_of(view.axes) / inside, "the channels"), 1,
                          small(inside, "the columns")};
        DraftLayer draft = begin_on(node, LayerKind::resize, formed(view.source, map));
        draft.layer.mode = Mode::nearest;
        draft.layer.size = {small(dims[axis], "the rows"), map.width};
        draft.output = fmt::format("{}.axis{}", node.outputs[0], axis);
        view.source = draft.output;
        view.axes[axis].size = dims[axis];
        view.axes = stored_in(view.axes, natural_order(view.axes));
        finish(std::move(draft), view.axes);
    }
    views_[node.outputs[0]] = view;
}

void Drafting::gather(const onnx::Node& node) {
    const onnx::Tensor* const indices = constant(node, 1);
    if (indices == nullptr) no_layer("its indices are computed");
    const View view = read(node, 0);
    const auto axis = static_cast<std::size_t>(node.integer("axis", 0));
    const std::vector<std::int64_t> places = indices->integers();
    if (places.size() != 1 || indices->dims.size() > 1)
        no_layer("it takes several elements in an order of its own");
    const std::int64_t place = places.front() < 0 ? places.front() + view.axes.at(axis).size : places.front();
    View taken = cut(node, view, axis, place, 1, node.outputs.at(0) + ".one");
    if (indices->dims.empty()) taken.axes.erase(taken.axes.begin() + static_cast<std::ptrdiff_t>(axis));
    views_[node.outputs.at(0)] = taken;
}

void Drafting::sum_of_parts(const onnx::Node& node, const View& view, std::size_t axis) {
    const std::string& output = node.outputs.at(0);
    const std::int64_t count = view.axes[axis].size;
    View sum = cut(node, view, axis, 0, 1, output + ".part0");
    if (node.integer("keepdims", 1) == 0)
        sum.axes.erase(sum.axes.begin() + static_cast<std::ptrdiff_t>(axis));
    for (std::int64_t i = 1; i < count; ++i) {
        const View part = cut(node, view, axis, i, 1, fmt::format("{}.part{}", output, i));
        DraftLayer draft = begin_on(node, LayerKind::add, sum.source);
        draft.layer.inputs = 2;
        draft.inputs.push_back(part.source);
        if (i + 1 < count) draft.output = fmt::format("{}.sum{}", output, i);
        sum.source = draft.output;
        finish(std::move(draft), sum.axes);
    }
}

void Drafting::reduce(const onnx::Node& node) {
    std::vector<std::size_t> gone;
    for (const std::int64_t axis : node.integers("axes", {})) gone.push_back(static_cast<std::size_t>(axis));
    View view = read(node, 0);
    std::vector<std::size_t> kept;
    for (std::size_t axis = 0; axis < view.axes.size(); ++axis) {
        if (!has(gone, axis)) kept.push_back(axis);
    }
    const std::int64_t count = elements_along(view.axes, gone);
    constexpr std::int64_t most_terms = 8;
    if (node.op_type == "ReduceSum" && gone.size() == 1 && count > 1 && count <= most_terms &&
        storage_order(view.axes).front() == gone.front()) {
        return sum_of_parts(node, view, gone.front());
    }
    view = arranged(view, order_with_first(view.axes, kept));
    const int channels = small(elements_of(view.axes) / count, "the channels");
    DraftLayer draft = begin_on(node, LayerKind::global_avg_pool, formed_channels(view, channels));
    if (node.op_type == "ReduceMax") {
        draft.layer.kind = LayerKind::max_pool;
        draft.layer.window.kernel = {draft.layer.in_height, draft.layer.in_width};
    }
    Axes axes = view.axes;
    for (const std::size_t axis : gone) axes[axis].size = 1;
    axes = stored_in(axes, storage_order(axes));
    if (node.integer("keepdims", 1) == 0) {
        Axes left;
        for (const std::size_t axis : kept) left.push_back(axes[axis]);
        axes = left;
    }
    if (node.op_type != "ReduceSum") return finish(std::move(draft), axes);
    // A sum is the mean, times the number of elements.
    draft.output += ".mean";
    DraftLayer scaled = begin_on(node, LayerKind::scale_shift, draft.inputs.front());
    scaled.inputs = {draft.output};
    scaled.layer.in_height = scaled.layer.in_width = 1;
    scaled.weights.weights.assign(static_cast<std::size_t>(channels), static_cast<float>(count));
    scaled.weights.bias.assign(static_cast<std::size_t>(channels), 0.0F);
    finish(std::move(draft));
    finish(std::move(scaled), axes);
}

}  // namespace hacscale::detail
