// Operators that move elements: other shapes, orders of axes, parts and joins.
#include <algorithm>
#include <functional>
#include <limits>
#include <numeric>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

// ---- Reshape, and what becomes one: Flatten, Squeeze, Unsqueeze ----

void become_reshape(Step& step, Ints shape) {
    step.node.op_type = "Reshape";
    step.node.attributes = {{"shape", std::move(shape)}};
    step.drop_inputs(1);
}

void form_reshape(Step& step) {
    if (step.node.attributes.contains("shape")) {
        step.drop_inputs(1);
    }
    const Ints given = step.parameter(1, "shape").value_or(Ints{});
    const Ints& input = step.dims(0);
    const std::int64_t count = count_of(input);
    const bool keeps_zeros = step.node.integer("allowzero", 0) != 0;
    Ints shape;
    std::optional<std::size_t> open;
    std::int64_t known = 1;
    for (std::size_t i = 0; i < given.size(); ++i) {
        std::int64_t size = given[i];
        if (size == 0 && !keeps_zeros) {
            if (i >= input.size()) {
                step.refuse("size 0 of its shape copies a dimension that the input does not have");
            }
            size = input[i];
        }
        if (size == -1) {
            if (open) {
                step.refuse("its shape " + shape_text(given) + " has two open sizes");
            }
            open = i;
            size = 1;
        }
        if (size < 0 || (size > 0 && known > std::numeric_limits<std::int64_t>::max() / size)) {
            step.refuse("its shape " + shape_text(given) + " does not fit the input's " + shape_text(input));
        }
        known *= size;
        shape.push_back(size);
    }
    if (open) {
        if (known == 0 || count % known != 0) {
            step.refuse("its shape " + shape_text(given) + " does not fit the input's " + shape_text(input));
        }
        shape[*open] = count / known;
    }
    become_reshape(step, std::move(shape));
}

void form_flatten(Step& step) {
    const Ints& input = step.dims(0);
    const std::int64_t rank = step.rank(0);
    std::int64_t axis = step.node.integer("axis", 1);
    if (axis != rank) {
        axis = step.axis(axis, rank);
    }
    const auto split = input.begin() + axis;
    become_reshape(step, {std::accumulate(input.begin(), split, std::int64_t{1}, std::multiplies<>()),
                          std::accumulate(split, input.end(), std::int64_t{1}, std::multiplies<>())});
}

void form_squeeze(Step& step) {
    const Ints& input = step.dims(0);
    const auto given = step.parameter(1, "axes");
    Ints axes = given ? step.axes(*given, step.rank(0)) : Ints{};
    Ints shape;
    for (std::int64_t i = 0; i < step.rank(0); ++i) {
        const bool named = std::binary_search(axes.begin(), axes.end(), i);
        if (named && input[i] != 1) {
            step.refuse("dimension " + std::to_string(i) + " of " + shape_text(input) + " is not 1");
        }
        if (given ? !named : input[i] != 1) {
            shape.push_back(input[i]);
        }
    }
    become_reshape(step, std::move(shape));
}

void form_unsqueeze(Step& step) {
    const auto given = step.parameter(1, "axes");
    if (!given) {
        step.refuse("it has no \"axes\"");
    }
    const auto rank = step.rank(0) + static_cast<std::int64_t>(given->size());
    const Ints axes = step.axes(*given, rank);
    Ints shape = step.dims(0);
    for (const std::int64_t axis : axes) {
        shape.insert(shape.begin() + axis, 1);
    }
    become_reshape(step, std::move(shape));
}

std::vector<ValueType> infer_reshape(const Step& step) {
    const Ints shape = step.node.integers("shape", {});
    if (count_of(shape) != count_of(step.dims(0))) {
        step.refuse("its shape " + shape_text(shape) + " does not fit the input's " +
                    shape_text(step.dims(0)));
    }
    return {{step.type(0).type, shape}};
}

std::vector<Tensor> fold_reshape(const Step& step) {
    Tensor result = *step.constant(0);
    result.dims = step.node.integers("shape", {});
    return {result};
}

// ---- Transpose ----

void form_transpose(Step& step) {
    Ints order(step.dims(0).size());
    std::iota(order.rbegin(), order.rend(), 0);
    order = step.node.integers("perm", order);
    if (order.size() != step.dims(0).size()) {
        step.refuse("\"perm\" has " + std::to_string(order.size()) + " axes, the input " +
                    std::to_string(step.rank(0)));
    }
    for (std::int64_t& axis : order) {
        axis = step.axis(axis, step.rank(0));
    }
    (void)step.axes(order, step.rank(0));
    step.node.attributes = {{"perm", order}};
}

std::vector<ValueType> infer_transpose(const Step& step) {
    Ints dims;
    for (const std::int64_t axis : step.node.integers("perm", {})) {
        dims.push_back(step.dims(0)[axis]);
    }
    return {{step.type(0).type, dims}};
}

// The elements of a tensor at the positions `start + sum of index x stride` over all indices of `dims`.
Tensor strided(const Tensor& tensor, const Ints& dims, std::int64_t start, const Ints& strides) {
    Ints position(dims.size(), 0);
    std::int64_t at = start;
    return picked(tensor.type, dims, [&](std::int64_t) {
        const std::string_view result = element(tensor, at);
        for (std::size_t i = dims.size(); i-- > 0;) {
            at += strides[i];
            if (++position[i] < dims[i]) {
                break;
            }
            at -= strides[i] * dims[i];
            position[i] = 0;
        }
        return result;
    });
}

std::vector<Tensor> fold_transpose(const Step& step) {
    const Ints strides = strides_of(step.dims(0));
    Ints moved;
    for (const std::int64_t axis : step.node.integers("perm", {})) {
        moved.push_back(strides[axis]);
    }
    return {strided(*step.constant(0), infer_transpose(step).front().dims, 0, moved)};
}

// ---- Concat, Split, Slice ----

void form_concat(Step& step) {
    const std::int64_t* axis = step.node.integer("axis");
    if (axis == nullptr) {
        step.refuse("it has no attribute \"axis\"");
    }
    step.node.attributes = {{"axis", step.axis(*axis, step.rank(0))}};
}

std::vector<ValueType> infer_concat(const Step& step) {
    const std::int64_t axis = step.node.integer("axis", 0);
    ValueType result = step.type(0);
    for (std::size_t i = 1; i < step.node.inputs.size(); ++i) {
        Ints other = step.dims(i);
        if (other.size() == result.dims.size()) {
            result.dims[axis] += other[axis];
            other[axis] = result.dims[axis];
        }
        if (other != result.dims || step.type(i).type != result.type) {
            step.refuse("its inputs " + shape_text(step.dims(0)) + " and " + shape_text(step.dims(i)) +
                        " do not fit along axis " + std::to_string(axis));
        }
    }
    return {result};
}

std::vector<Tensor> fold_concat(const Step& step) {
    const Ints dims = infer_concat(step).front().dims;
    const auto axis = dims.begin() + step.node.integer("axis", 0);
    const std::int64_t rows = std::accumulate(dims.begin(), axis, std::int64_t{1}, std::multiplies<>());
    std::string bytes;
    for (std::int64_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
            const std::string_view data = step.constant(i)->data.view();
            const std::size_t size = data.size() / static_cast<std::size_t>(rows);
            bytes += data.substr(static_cast<std::size_t>(row) * size, size);
        }
    }
    return {{{}, step.type(0).type, dims, Bytes(std::move(bytes))}};
}

// Sizes are an attribute until opset 12 and an input since 13; without them the parts are equal, the last smaller since 18.
void form_split(Step& step) {
    const std::int64_t axis = step.axis(step.node.integer("axis", 0), step.rank(0));
    const std::int64_t size = step.dims(0)[axis];
    auto sizes = step.parameter(1, "split");
    if (!sizes) {
        const std::int64_t parts = static_cast<std::int64_t>(step.node.outputs.size());
        if (parts == 0 || step.node.integer("num_outputs", parts) != parts) {
            step.refuse("\"num_outputs\" differs from its outputs");
        }
        const std::int64_t each = (size + parts - 1) / parts;
        sizes.emplace(parts, each);
        sizes->back() = size - each * (parts - 1);
    }
    const bool valid = std::all_of(sizes->begin(), sizes->end(),
                                   [size](std::int64_t part) { return part >= 0 && part <= size; });
    if (!valid || sizes->size() != step.node.outputs.size() ||
        std::accumulate(sizes->begin(), sizes->end(), std::int64_t{0}) != size) {
        step.refuse("its parts do not add up to the " + std::to_string(size) + " of axis " +
                    std::to_string(axis));
    }
    step.node.attributes = {{"axis", axis}, {"split", *sizes}};
    step.drop_inputs(1);
}

std::vector<ValueType> infer_split(const Step& step) {
    std::vector<ValueType> results;
    for (const std::int64_t size : step.node.integers("split", {})) {
        results.push_back(step.type(0));
        results.back().dims[step.node.integer("axis", 0)] = size;
    }
    return results;
}

std::vector<Tensor> fold_split(const Step& step) {
    const std::int64_t axis = step.node.integer("axis", 0);
    const Ints strides = strides_of(step.dims(0));
    std::vector<Tensor> results;
    std::int64_t start = 0;
    for (const ValueType& part : infer_split(step)) {
        results.push_back(strided(*step.constant(0), part.dims, start * strides[axis], strides));
        start += part.dims[axis];
    }
    return results;
}

// The attributes become full lists, one number for each axis of the input: the first index, how many, and the step between them.
void form_slice(Step& step) {
    const auto starts = step.parameter(1, "starts");
    const auto ends = step.parameter(2, "ends");
    if (!starts || !ends) {
        step.refuse("it has no \"starts\" and \"ends\"");
    }
    Ints all(starts->size());
    std::iota(all.begin(), all.end(), 0);
    const Ints axes = step.parameter(3, "axes").value_or(all);
    const Ints steps = step.parameter(4, "steps").value_or(Ints(starts->size(), 1));
    if (ends->size() != starts->size() || axes.size() != starts->size() || steps.size() != starts->size()) {
        step.refuse("its \"starts\", \"ends\", \"axes\" and \"steps\" have different lengths");
    }
    (void)step.axes(axes, step.rank(0));
    const Ints& dims = step.dims(0);
    Ints first(dims.size(), 0);
    Ints counts = dims;
    Ints strides(dims.size(), 1);
    for (std::size_t i = 0; i < axes.size(); ++i) {
        const std::int64_t axis = step.axis(axes[i], step.rank(0));
        const std::int64_t size = dims[axis];
        const bool backwards = steps[i] < 0;
        if (steps[i] == 0) {
            step.refuse("a number of \"steps\" is 0");
        }
        // Indices below zero count from the end; the lowest are moved to the front without overflow.
        const auto index = [size](std::int64_t at, std::int64_t low, std::int64_t high) {
            return std::clamp(at < 0 ? std::max(at, -size - 1) + size : at, low, high);
        };
        const std::int64_t from = index((*starts)[i], 0, backwards ? size - 1 : size);
        const std::int64_t to = index((*ends)[i], backwards ? -1 : 0, size);
        const std::int64_t distance = backwards ? from - to : to - from;
        const std::int64_t stride = backwards ? -std::max(steps[i], -std::max<std::int64_t>(size, 1))
                                              : std::min(steps[i], std::max<std::int64_t>(size, 1));
        first[axis] = std::max<std::int64_t>(from, 0);
        counts[axis] = size == 0 || distance <= 0 ? 0 : (distance + stride - 1) / stride;
        strides[axis] = backwards ? -stride : stride;
    }
    step.node.attributes = {{"starts", first}, {"counts", counts}, {"steps", strides}};
    step.drop_inputs(1);
}

std::vector<ValueType> infer_slice(const Step& step) {
    return {{step.type(0).type, step.node.integers("counts", {})}};
}

std::vector<Tensor> fold_slice(const Step& step) {
    Ints strides = strides_of(step.dims(0));
    const Ints first = step.node.integers("starts", {});
    const Ints steps = step.node.integers("steps", {});
    std::int64_t start = 0;
    for (std::size_t i = 0; i < strides.size(); ++i) {
        start += first[i] * strides[i];
        strides[i] *= steps[i];
    }
    return {strided(*step.constant(0), step.node.integers("counts", {}), start, strides)};
}

// ---- Expand, Tile ----

void form_expand(Step& step) {
    const Ints shape = step.parameter(1, "shape").value_or(Ints{});
    if (std::any_of(shape.begin(), shape.end(), [](std::int64_t size) { return size < 0; })) {
        step.refuse("its shape is negative");
    }
    const auto result = broadcast(step.dims(0), shape);
    if (!result) {
        step.refuse("its shape " + shape_text(shape) + " does not fit the input's " +
                    shape_text(step.dims(0)));
    }
    step.node.attributes = {{"shape", *result}};
    step.drop_inputs(1);
}

std::vector<ValueType> infer_expand(const Step& step) {
    return {{step.type(0).type, step.node.integers("shape", {})}};
}

std::vector<Tensor> fold_expand(const Step& step) {
    const Ints dims = step.node.integers("shape", {});
    const auto indices = broadcast_indices(dims, step.dims(0));
    return {picked(step.type(0).type, dims,
                   [&](std::int64_t i) { return element(*step.constant(0), indices[i]); })};
}

void form_tile(Step& step) {
    const Ints repeats = step.parameter(1, "repeats").value_or(Ints{});
    constexpr std::int64_t most = std::int64_t{1} << 20;
    if (repeats.size() != step.dims(0).size() ||
        std::any_of(repeats.begin(), repeats.end(),
                    [](std::int64_t each) { return each < 0 || each > most; })) {
        step.refuse("its \"repeats\" " + shape_text(repeats) + " do not fit the input's " +
                    shape_text(step.dims(0)));
    }
    step.node.attributes = {{"repeats", repeats}};
    step.drop_inputs(1);
}

std::vector<ValueType> infer_tile(const Step& step) {
    ValueType result = step.type(0);
    const Ints repeats = step.node.integers("repeats", {});
    for (std::size_t i = 0; i < repeats.size(); ++i) {
        result.dims[i] *= repeats[i];
    }
    return {result};
}

std::vector<Tensor> fold_tile(const Step& step) {
    const Ints& from = step.dims(0);
    const Ints dims = infer_tile(step).front().dims;
    const Ints from_strides = strides_of(from);
    const Ints strides = strides_of(dims);
    return {picked(step.type(0).type, dims, [&](std::int64_t i) {
        std::int64_t at = 0;
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            at += i / strides[axis] % from[axis] * from_strides[axis];
            i %= strides[axis];
        }
        return element(*step.constant(0), at);
    })};
}

}  // namespace

std::vector<Op> shape_ops() {
    return {
        {"Concat", 1, any_number, form_concat, infer_concat, fold_concat},
        {"Expand", 2, 2, form_expand, infer_expand, fold_expand},
        {"Flatten", 1, 1, form_flatten, nullptr, nullptr},
        {"Reshape", 1, 2, form_reshape, infer_reshape, fold_reshape},
        {"Slice", 1, 5, form_slice, infer_slice, fold_slice},
        {"Split", 1, 2, form_split, infer_split, fold_split},
        {"Squeeze", 1, 2, form_squeeze, nullptr, nullptr},
        {"Tile", 2, 2, form_tile, infer_tile, fold_tile},
        {"Transpose", 1, 1, form_transpose, infer_transpose, fold_transpose},
        {"Unsqueeze", 1, 2, form_unsqueeze, nullptr, nullptr},
    };
}

}  // namespace hacscale::onnx::detail
