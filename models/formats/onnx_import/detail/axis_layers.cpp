// What moves, takes, repeats or joins numbers along any axis of a value.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"

namespace hacscale::detail {
namespace {

// The axes that indices of these sizes make of the given one, where they name each of its elements once and are evenly spaced along
// each of their own axes; nothing for other indices.
std::optional<Axes> parts_of_axis(const Axis& axis, const std::vector<std::int64_t>& dims,
                                  const std::vector<std::int64_t>& places) {
    if (static_cast<std::int64_t>(places.size()) != axis.size || places.front() != 0) return std::nullopt;
    Axes inner = row_major(dims);
    Axes parts = inner;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        parts[i].stride = dims[i] == 1 ? 1 : places[static_cast<std::size_t>(inner[i].stride)];
    }
    std::vector<bool> named(places.size(), false);
    for (std::size_t k = 0; k < places.size(); ++k) {
        std::int64_t place = 0;
        for (std::size_t i = 0; i < dims.size(); ++i) {
            place += static_cast<std::int64_t>(k) / inner[i].stride % dims[i] * parts[i].stride;
        }
        if (place != places[k] || named[static_cast<std::size_t>(place)]) return std::nullopt;
        named[static_cast<std::size_t>(place)] = true;
    }
    for (Axis& part : parts) part.stride *= axis.stride;
    return parts;
}

}  // namespace

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
    views_[node.outputs.at(0)] = expanded(node, read(node, 0), dims_of(node.outputs[0]));
}

View Drafting::expanded(const onnx::Node& node, View view, const std::vector<std::int64_t>& dims) {
    view.axes.insert(view.axes.begin(), dims.size() - std::min(dims.size(), view.axes.size()), Axis{});
    for (std::size_t axis = dims.size(); axis-- > 0;) {
        if (view.axes[axis].size != dims[axis]) view = repeated(node, view, axis, dims[axis]);
    }
    return view;
}

void Drafting::tile(const onnx::Node& node) {
    const std::vector<std::int64_t> repeats = node.integers("repeats", {});
    View view = read(node, 0);
    for (std::size_t axis = view.axes.size(); axis-- > 0;) {
        if (repeats.at(axis) == 1) continue;
        // As often as wanted along an axis of its own, which is then one with the axis inside it.
        view.axes.insert(view.axes.begin() + static_cast<std::ptrdiff_t>(axis), Axis{});
        view = repeated(node, view, axis, repeats[axis]);
        const std::int64_t size = view.axes[axis + 1].size;
        if (size == 1) view.axes[axis + 1].stride = view.axes[axis].stride;
        view.axes[axis + 1].size = size * repeats[axis];
        view.axes.erase(view.axes.begin() + static_cast<std::ptrdiff_t>(axis));
    }
    views_[node.outputs.at(0)] = view;
}

View Drafting::repeated(const onnx::Node& node, const View& given, std::size_t axis, std::int64_t count) {
    // Of one row as many equal ones, inside the axes before it: the value is row by row up to here.
    View view = arranged(given, natural_order(given.axes));
    std::int64_t inside = 1;
    for (std::size_t inner = axis + 1; inner < view.axes.size(); ++inner) inside *= view.axes[inner].size;
    const MapSize map{small(elements_of(view.axes) / inside, "the channels"), 1,
                      small(inside, "the columns")};
    DraftLayer draft = begin_on(node, LayerKind::resize, formed(view.source, map));
    draft.layer.mode = Mode::nearest;
    draft.layer.size = {small(count, "the rows"), map.width};
    draft.output = fmt::format("{}.axis{}", node.outputs.at(0), axis);
    view.source = draft.output;
    view.axes[axis].size = count;
    view.axes = stored_in(view.axes, natural_order(view.axes));
    finish(std::move(draft), view.axes);
    return view;
}

void Drafting::gather(const onnx::Node& node) {
    const onnx::Tensor* const indices = constant(node, 1);
    if (indices == nullptr) no_layer("its indices are computed");
    const View view = read(node, 0);
    const auto axis = static_cast<std::size_t>(node.integer("axis", 0));
    const Axis taken_from = view.axes.at(axis);
    std::vector<std::int64_t> places = indices->integers();
    for (std::int64_t& place : places) {
        if (place < 0) place += taken_from.size;
        if (place < 0 || place >= taken_from.size) no_layer("it takes an element that is not there");
    }
    Axes taken;
    View result = view;
    if (const auto parts = parts_of_axis(taken_from, indices->dims, places)) {
        taken = *parts;
    } else {
        result = runs(node, view, axis, places);
        taken = row_major(indices->dims);
        for (Axis& part : taken) part.stride *= result.axes[axis].stride;
    }
    const auto at = result.axes.erase(result.axes.begin() + static_cast<std::ptrdiff_t>(axis));
    result.axes.insert(at, taken.begin(), taken.end());
    views_[node.outputs.at(0)] = result;
}

View Drafting::runs(const onnx::Node& node, const View& view, std::size_t axis,
                    const std::vector<std::int64_t>& places) {
    constexpr std::size_t most_runs = 64;
    const std::string& output = node.outputs.at(0);
    std::vector<View> parts;
    for (std::size_t first = 0, end = 0; first < places.size(); first = end) {
        for (end = first + 1; end < places.size() && places[end] == places[end - 1] + 1; ++end) {
        }
        if (parts.size() == most_runs) {
            no_layer(fmt::format("it takes more than {} runs of neighbouring elements", most_runs));
        }
        parts.push_back(cut(node, view, axis, places[first], static_cast<std::int64_t>(end - first),
                            fmt::format("{}.run{}", output, parts.size())));
    }
    if (parts.empty()) no_layer("it takes no elements");
    return parts.size() == 1 ? parts.front() : concatenated(node, parts, axis, output);
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
    const std::int64_t results = elements_of(view.axes) / count;
    // More results than a layer has channels are the rows of channels, and each row is reduced.
    const bool by_row = results > max_layer_size;
    std::int64_t channels = by_row ? 1 : results;
    for (const std::size_t axis : storage_order(view.axes)) {  // until the rows are few enough
        if (results / channels <= max_layer_size || !has(kept, axis)) break;
        channels *= view.axes[axis].size;
    }
    const MapSize rows{small(channels, "the channels"), small(results / channels, "the rows"),
                       small(count, "the columns")};
    DraftLayer draft = begin_on(node, LayerKind::global_avg_pool,
                                by_row ? formed(view.source, rows) : formed_channels(view, channels));
    if (node.op_type == "ReduceMax") draft.layer.kind = LayerKind::max_pool;
    if (node.op_type != "ReduceMax" && by_row) draft.layer.kind = LayerKind::avg_pool;
    if (draft.layer.kind != LayerKind::global_avg_pool) {
        draft.layer.window.kernel = {by_row ? 1 : draft.layer.in_height, draft.layer.in_width};
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
    scaled.layer.in_height = by_row ? rows.height : 1;
    scaled.layer.in_width = 1;
    scaled.weights.weights.assign(static_cast<std::size_t>(channels), static_cast<float>(count));
    scaled.weights.bias.assign(static_cast<std::size_t>(channels), 0.0F);
    finish(std::move(draft));
    finish(std::move(scaled), axes);
}

}  // namespace hacscale::detail
