// Layers of attention: products, shares, and sums of tensors of different sizes.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <numeric>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"
#include "models/ops/matmul.hpp"

namespace hacscale::detail {
namespace {

Order without_single(const Axes& axes, const std::vector<std::size_t>& order) {
    Order result;
    for (const std::size_t axis : order) {
        if (axes[axis].size != 1) result.push_back(axis);
    }
    return result;
}

std::vector<std::size_t> joined(std::vector<std::size_t> a, const std::vector<std::size_t>& b,
                                const std::vector<std::size_t>& c = {}) {
    a.insert(a.end(), b.begin(), b.end());
    a.insert(a.end(), c.begin(), c.end());
    return a;
}

// Whether one of the axes is stored outside the other one.
bool outside(const Axes& axes, const std::vector<std::size_t>& some, std::size_t other) {
    if (axes[other].size == 1) return false;
    return std::ranges::any_of(some, [&](std::size_t axis) {
        return axes[axis].size != 1 && axes[axis].stride > axes[other].stride;
    });
}

}  // namespace

void Drafting::token_product(const onnx::Node& node, const onnx::Tensor& weights) {
    if (weights.dims.size() != 2) {
        no_layer(
            fmt::format("its weights are {}, expected features x outputs", onnx::shape_text(weights.dims)));
    }
    const std::int64_t features = weights.dims[0];
    const std::int64_t outputs = weights.dims[1];
    View view = read(node, 0);
    const std::size_t last = view.axes.size() - 1;
    view = with_channels(view, last);
    DraftLayer draft = begin_on(node, LayerKind::conv, view.source);
    name_after_weights(node, draft);
    if (draft.layer.in_channels != features) {
        no_layer(fmt::format("it reads {} features of {}", features, draft.layer.in_channels));
    }
    draft.layer.out_channels = small(outputs, "output features");
    draft.layer.bias = false;
    learn(weights, draft);
    const std::vector<float> numbers = weights.floats();
    draft.weights.weights.resize(numbers.size());
    for (std::int64_t o = 0; o < outputs; ++o) {
        for (std::int64_t f = 0; f < features; ++f) {
            draft.weights.weights[static_cast<std::size_t>(o * features + f)] =
                numbers[static_cast<std::size_t>(f * outputs + o)];
        }
    }
    Axes axes = view.axes;
    axes[last] = {outputs, elements_of(axes) / features};
    finish(std::move(draft), axes);
}

void Drafting::column_product(const onnx::Node& node, const onnx::Tensor& weights) {
    View view = read(node, 1);
    const std::size_t rank = dims_of(node.outputs.at(0)).size();
    std::vector<std::int64_t> dims = weights.dims;
    if (view.axes.size() < 2 || dims.size() < 2) no_layer("it multiplies with a vector");
    view.axes.insert(view.axes.begin(), rank - std::min(rank, view.axes.size()), Axis{});
    dims.insert(dims.begin(), rank - std::min(rank, dims.size()), 1);
    for (std::size_t axis = 0; axis + 2 < rank; ++axis) {
        if (dims[axis] == 1 || view.axes[axis].size == 1) continue;
        no_layer(fmt::format("its constant is {}, one for each of several inputs", onnx::shape_text(dims)));
    }
    // Several matrices that meet the same columns are one of more rows.
    const std::size_t inner = rank - 2;
    const std::int64_t features = view.axes[inner].size;
    view = with_channels(view, inner);
    DraftLayer draft = begin_on(node, LayerKind::conv, view.source);
    draft.layer.out_channels = small(weights.count() / features, "output features");
    draft.layer.bias = false;
    if (is_parameter(weights)) learn(weights, draft);
    draft.weights.weights = weights.floats();
    Axes axes = view.axes;
    axes[inner].size = 1;
    std::int64_t stride = elements_of(axes);
    for (std::size_t axis = rank - 1; axis-- > 0;) {
        if (dims[axis] == 1) continue;
        axes[axis] = {dims[axis], stride};
        stride *= dims[axis];
    }
    finish(std::move(draft), axes);
}

void Drafting::matmul(const onnx::Node& node) {
    if (const onnx::Tensor* const weights = constant(node, 0)) return column_product(node, *weights);
    if (const onnx::Tensor* const weights = constant(node, 1)) return token_product(node, *weights);
    View a = read(node, 0);
    View b = read(node, 1);
    if (a.axes.size() < 2 || b.axes.size() < 2) no_layer("it multiplies with a vector");
    const std::size_t rank = std::max(a.axes.size(), b.axes.size());
    a.axes.insert(a.axes.begin(), rank - a.axes.size(), Axis{});
    b.axes.insert(b.axes.begin(), rank - b.axes.size(), Axis{});
    // The last axis but one of the first input are rows, the last one of the second input columns, and the others are what
    // they are multiplied along, once for each batch. What one of the inputs has for all batches has more rows or columns.
    ProductAxes of{{}, {}, {}, rank - 1, rank - 2};
    for (std::size_t axis = 0; axis + 2 < rank; ++axis) {
        const bool equal = a.axes[axis].size == b.axes[axis].size;
        (equal ? of.batch : b.axes[axis].size == 1 ? of.rows : of.columns).push_back(axis);
    }
    of.rows.push_back(rank - 2);
    of.columns.push_back(rank - 1);
    std::vector<std::size_t> output(dims_of(node.outputs.at(0)).size());
    std::iota(output.begin(), output.end(), rank - output.size());
    product(node, a, b, of, output);
}

void Drafting::einsum(const onnx::Node& node) {
    const std::string equation = node.text("equation", "");
    const std::size_t comma = equation.find(',');
    const std::size_t arrow = equation.find("->");
    if (node.inputs.size() != 2) no_layer(fmt::format("it has {} inputs, expected 2", node.inputs.size()));
    const std::string first = equation.substr(0, comma);
    const std::string second = equation.substr(comma + 1, arrow - comma - 1);
    const std::string result = equation.substr(arrow + 2);
    std::string letters = first;
    for (const char letter : second) {
        if (letters.find(letter) == std::string::npos) letters += letter;
    }
    const auto spread = [&](std::size_t input, const std::string& own) {
        const View view = read(node, input);
        View all{view.source, Axes(letters.size())};
        for (std::size_t axis = 0; axis < own.size(); ++axis)
            all.axes[letters.find(own[axis])] = view.axes[axis];
        return all;
    };
    ProductAxes of{};
    std::size_t summed = 0;
    for (std::size_t axis = 0; axis < letters.size(); ++axis) {
        const char letter = letters[axis];
        const bool in_first = std::ranges::count(first, letter) == 1;
        const bool in_second = std::ranges::count(second, letter) == 1;
        const bool in_result = std::ranges::count(result, letter) == 1;
        if (!in_result && in_first && in_second) {
            of.inner_first = of.inner_second = axis;
            ++summed;
        } else if (in_result && (in_first || in_second)) {
            (in_first && in_second ? of.batch : in_first ? of.rows : of.columns).push_back(axis);
        } else {
            summed = letters.size() + 1;  // a diagonal, or a sum over one input's own axis
        }
    }
    if (summed != 1) no_layer(fmt::format("its equation is {}, which is no product of matrices", equation));
    std::vector<std::size_t> output;
    for (const char letter : result) output.push_back(letters.find(letter));
    product(node, spread(0, first), spread(1, second), of, output);
}

void Drafting::product(const onnx::Node& node, View a, View b, const ProductAxes& of,
                       const std::vector<std::size_t>& output) {
    const auto& [batch, rows, columns, inner_a, inner_b] = of;
    const bool inner_first = !rows.empty() && outside(a.axes, {inner_a}, rows.back());
    const bool columns_first = outside(b.axes, columns, inner_b);
    a = arranged(a, without_single(a.axes, inner_first ? joined(batch, {inner_a}, rows)
                                                       : joined(batch, rows, {inner_a})));
    b = arranged(b, without_single(b.axes, columns_first ? joined(batch, columns, {inner_b})
                                                         : joined(batch, {inner_b}, columns)));
    const int matrices = small(elements_along(a.axes, batch), "the number of products");
    const int m = small(elements_along(a.axes, rows), "the number of rows");
    const int k = small(a.axes[inner_a].size, "the numbers of a row");
    const int n = small(elements_along(b.axes, columns), "the number of columns");
    const std::string first = formed(a.source, {matrices, inner_first ? k : m, inner_first ? m : k});
    const std::string second = formed(b.source, {matrices, columns_first ? n : k, columns_first ? k : n});

    // Where columns are stored first, they are so in the product, too: it is the transposed one, of the transposed inputs.
    DraftLayer draft = begin_on(node, LayerKind::matmul, columns_first ? second : first);
    draft.layer.inputs = 2;
    draft.inputs.push_back(columns_first ? first : second);
    draft.layer.size = columns_first ? std::array{n, m} : std::array{m, n};
    if (columns_first && !inner_first) draft.layer.mode = Mode::transpose_second;
    if (!columns_first && inner_first) draft.layer.mode = Mode::transpose_first;
    Axes axes(a.axes.size());
    for (const std::size_t axis : joined(batch, rows)) axes[axis].size = a.axes[axis].size;
    for (const std::size_t axis : columns) axes[axis].size = b.axes[axis].size;
    axes = stored_in(axes, without_single(axes, columns_first ? joined(batch, columns, rows)
                                                              : joined(batch, rows, columns)));
    Axes result;
    for (const std::size_t axis : output) result.push_back(axes[axis]);
    finish(std::move(draft), result);
}

void Drafting::softmax(const onnx::Node& node) {
    const View view = read(node, 0);
    const Axis axis = view.axes.at(static_cast<std::size_t>(node.integer("axis", 1)));
    const std::int64_t outer = elements_of(view.axes) / axis.size / axis.stride;
    const MapSize now = size(view.source);
    const bool columns = axis.stride == 1 && now.width == axis.size;
    const bool rows = now.height == axis.size && now.width == axis.stride;
    const MapSize map{small(outer, "the channels"), small(axis.size, "the rows"),
                      small(axis.stride, "the columns")};
    DraftLayer draft =
        begin_on(node, LayerKind::softmax, columns || rows ? view.source : formed(view.source, map));
    draft.layer.mode = columns ? Mode::over_width : Mode::over_height;
    finish(std::move(draft), view.axes);
}

void Drafting::take_map_numbers(std::int64_t elements) {
    if (elements > map_numbers_left_) {
        no_layer(fmt::format("its constant would have {} numbers, expected {} at most, of all such constants",
                             elements, map_numbers_left_));
    }
    map_numbers_left_ -= elements;
}

void Drafting::with_map(const onnx::Node& node, const View& view, const onnx::Tensor& tensor, bool scales) {
    DraftLayer draft = begin_on(node, scales ? LayerKind::map_scale : LayerKind::map_bias, view.source);
    if (is_parameter(tensor)) learn(tensor, draft);
    take_map_numbers(elements_of(view.axes));
    (scales ? draft.weights.weights : draft.weights.bias) = map_numbers(view, tensor.dims, tensor.floats());
    finish(std::move(draft), view.axes);
}

std::vector<float> Drafting::map_numbers(const View& view, const std::vector<std::int64_t>& dims,
                                         const std::vector<float>& numbers) {
    const std::int64_t elements = elements_of(view.axes);
    // Where each element of the value, row by row, is in the tensor and in the constant.
    Axes constant_axes = row_major(dims);
    for (Axis& axis : constant_axes) {
        if (axis.size == 1) axis.stride = 0;
    }
    constant_axes.insert(constant_axes.begin(),
                         view.axes.size() - std::min(view.axes.size(), constant_axes.size()), Axis{1, 0});
    std::vector<float> result(static_cast<std::size_t>(elements));
    std::vector<std::int64_t> place(view.axes.size(), 0);
    for (std::int64_t i = 0; i < elements; ++i) {
        std::int64_t from = 0;
        std::int64_t to = 0;
        for (std::size_t axis = 0; axis < place.size(); ++axis) {
            from += place[axis] * constant_axes[constant_axes.size() - place.size() + axis].stride;
            if (view.axes[axis].size != 1) to += place[axis] * view.axes[axis].stride;
        }
        result[static_cast<std::size_t>(to)] = numbers[static_cast<std::size_t>(from)];
        for (std::size_t axis = place.size(); axis-- > 0;) {
            if (++place[axis] < view.axes[axis].size) break;
            place[axis] = 0;
        }
    }
    return result;
}

void Drafting::outer_product(const onnx::Node& node, View first, View second) {
    const std::vector<std::int64_t>& dims = dims_of(node.outputs.at(0));
    std::vector<std::size_t> rows;
    std::vector<std::size_t> columns;
    Axes axes(dims.size());
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        axes[axis].size = dims[axis];
        if (dims[axis] == 1) continue;
        const bool of_both = first.axes[axis].size != 1 && second.axes[axis].size != 1;
        if (of_both) {
            no_layer(fmt::format("its inputs are {} and {}; one of them has to have the output's sizes",
                                 onnx::shape_text(dims_of(node.inputs[0])),
                                 onnx::shape_text(dims_of(node.inputs[1]))));
        }
        (first.axes[axis].size != 1 ? rows : columns).push_back(axis);
    }
    first = arranged(first, rows);
    second = arranged(second, columns);
    const int m = small(elements_of(first.axes), "the number of rows");
    const int n = small(elements_of(second.axes), "the number of columns");
    DraftLayer draft = begin_on(node, LayerKind::matmul, formed(first.source, {1, m, 1}));
    draft.layer.inputs = 2;
    draft.inputs.push_back(formed(second.source, {1, 1, n}));
    draft.layer.size = {m, n};
    finish(std::move(draft), stored_in(axes, joined(rows, columns)));
}

void Drafting::pair(const onnx::Node& node, LayerKind kind, bool divides) {
    std::array<View, 2> views{read(node, 0), read(node, 1)};
    const std::vector<std::int64_t>& dims = dims_of(node.outputs.at(0));
    for (View& view : views)
        view.axes.insert(view.axes.begin(), dims.size() - std::min(dims.size(), view.axes.size()), Axis{});
    const auto fills = [&](const View& view) {
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            if (view.axes[axis].size != dims[axis]) return false;
        }
        return true;
    };
    if (!divides && !fills(views[0])) std::swap(views[0], views[1]);
    auto& [large, small_one] = views;
    if (!fills(large) && kind == LayerKind::multiply && !divides)
        return outer_product(node, large, small_one);
    if (!fills(large)) {
        no_layer(fmt::format("its inputs are {} and {}; one of them has to have the output's sizes",
                             onnx::shape_text(dims_of(node.inputs[0])),
                             onnx::shape_text(dims_of(node.inputs[1]))));
    }
    std::vector<std::size_t> own;  // axes along which the smaller one differs
    for (std::size_t axis = 0; axis < dims.size(); ++axis) {
        if (small_one.axes[axis].size != 1) own.push_back(axis);
    }
    const bool whole = fills(small_one);
    // Whether those axes are the innermost ones already; else they become the outermost.
    const Order stored = storage_order(large.axes);
    const bool innermost =
        !own.empty() && std::ranges::all_of(stored.end() - std::min(own.size(), stored.size()), stored.end(),
                                            [&](std::size_t axis) { return has(own, axis); });
    if (!whole && !innermost) large = arranged(large, order_with_first(large.axes, own));
    Order order;
    for (const std::size_t axis : storage_order(large.axes)) {
        if (has(own, axis)) order.push_back(axis);
    }
    small_one = arranged(small_one, order);

    const std::int64_t count = elements_of(small_one.axes);
    const std::int64_t rest = elements_of(large.axes) / count;
    DraftLayer draft;
    if (whole) {
        draft = begin_on(node, kind, large.source);
        draft.inputs.push_back(formed(small_one.source, size(large.source)));
        if (divides) draft.layer.mode = Mode::divide;
    } else if (innermost) {
        draft = begin_on(node, kind, formed_channels(large, rest));
        draft.inputs.push_back(formed(small_one.source, {1, draft.layer.in_height, draft.layer.in_width}));
        draft.layer.mode = divides ? Mode::divide_per_pixel : Mode::per_pixel;
    } else {
        draft = begin_on(node, kind, formed_channels(large, count));
        draft.inputs.push_back(formed(small_one.source, {small(count, "the channels"), 1, 1}));
        draft.layer.mode = divides ? Mode::divide_per_channel : Mode::per_channel;
    }
    draft.layer.inputs = 2;
    finish(std::move(draft), large.axes);
}

}  // namespace hacscale::detail
