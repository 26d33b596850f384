// Operators that pick elements by number, and running sums: what exporters compute positions and their biases with.
#include <numeric>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

// All elements of a list in their order, in another shape: a Reshape.
void form_gather(Step& step) {
    const std::int64_t axis = step.axis(step.node.integer("axis", 0), step.rank(0));
    step.node.attributes = {{"axis", axis}};
    if (step.constant(1) == nullptr || step.rank(0) != 1 || step.constant(1)->count() != step.dims(0)[0]) {
        return;
    }
    const Ints indices = step.integers(1, "indices");
    Ints in_order(indices.size());
    std::iota(in_order.begin(), in_order.end(), 0);
    if (indices == in_order) {
        step.node.op_type = "Reshape";
        step.node.attributes = {{"shape", step.dims(1)}};
        step.drop_inputs(1);
    }
}

std::vector<ValueType> infer_gather(const Step& step) {
    Ints dims = step.dims(0);
    const std::int64_t axis = step.node.integer("axis", 0);
    const Ints& indices = step.dims(1);
    if (step.constant(1) != nullptr) {
        const std::int64_t size = dims[axis];
        for (const std::int64_t index : step.integers(1, "indices")) {
            if (index < -size || index >= size) {
                step.refuse("the index " + std::to_string(index) + " is outside of axis " +
                            std::to_string(axis) + " of " + shape_text(dims));
            }
        }
    }
    dims.erase(dims.begin() + axis);
    dims.insert(dims.begin() + axis, indices.begin(), indices.end());
    return {{step.type(0).type, dims}};
}

std::vector<Tensor> fold_gather(const Step& step) {
    const Ints dims = infer_gather(step).front().dims;
    const std::int64_t axis = step.node.integer("axis", 0);
    const std::int64_t size = step.dims(0)[axis];
    const std::int64_t inner = strides_of(step.dims(0))[axis];
    const Ints indices = step.integers(1, "indices");
    const auto chosen = static_cast<std::int64_t>(indices.size());
    return {picked(step.type(0).type, dims, [&](std::int64_t i) {
        const std::int64_t index = indices[i / inner % chosen];
        const std::int64_t outer = i / (inner * chosen);
        return element(*step.constant(0),
                       (outer * size + (index < 0 ? index + size : index)) * inner + i % inner);
    })};
}

// ---- GatherND: the last axis of the indices names one element, or one slice, of the data ----

void form_gather_nd(Step& step) {
    if (step.node.integer("batch_dims", 0) != 0) {
        step.refuse("the attribute \"batch_dims\" is not supported");
    }
    step.node.attributes.clear();
}

std::vector<ValueType> infer_gather_nd(const Step& step) {
    const Ints& data = step.dims(0);
    const Ints& indices = step.dims(1);
    if (indices.empty() || indices.back() < 1 || indices.back() > step.rank(0)) {
        step.refuse("its indices " + shape_text(indices) + " do not fit the data " + shape_text(data));
    }
    Ints dims(indices.begin(), indices.end() - 1);
    dims.insert(dims.end(), data.begin() + indices.back(), data.end());
    return {{step.type(0).type, dims}};
}

std::vector<Tensor> fold_gather_nd(const Step& step) {
    const Ints& data = step.dims(0);
    const std::int64_t depth = step.dims(1).back();
    const Ints indices = step.integers(1, "indices");
    const Ints strides = strides_of(data);
    const std::int64_t slice = strides[depth - 1];
    return {picked(step.type(0).type, infer_gather_nd(step).front().dims, [&](std::int64_t i) {
        std::int64_t at = i % slice;
        for (std::int64_t axis = 0; axis < depth; ++axis) {
            const std::int64_t index = indices[i / slice * depth + axis];
            if (index < -data[axis] || index >= data[axis]) {
                step.refuse("an index is outside of " + shape_text(data));
            }
            at += (index < 0 ? index + data[axis] : index) * strides[axis];
        }
        return element(*step.constant(0), at);
    })};
}

// ---- ScatterND: the same elements or slices of the data are replaced by those of the updates ----

void form_scatter_nd(Step& step) {
    if (step.node.text("reduction", "none") != "none") {
        step.refuse("the attribute \"reduction\" is not supported");
    }
    step.node.attributes.clear();
}

std::vector<Tensor> fold_scatter_nd(const Step& step) {
    const Ints& data = step.dims(0);
    const std::int64_t depth = step.dims(1).empty() ? 0 : step.dims(1).back();
    if (depth < 1 || depth > step.rank(0)) {
        step.refuse("its indices " + shape_text(step.dims(1)) + " do not fit the data " + shape_text(data));
    }
    const Ints indices = step.integers(1, "indices");
    const Ints strides = strides_of(data);
    const std::int64_t slice = strides[depth - 1];
    const auto places = static_cast<std::int64_t>(indices.size()) / depth;
    if (count_of(step.dims(2)) != places * slice || step.type(2).type != step.type(0).type) {
        step.refuse("its updates " + shape_text(step.dims(2)) + " do not fit its indices " +
                    shape_text(step.dims(1)));
    }
    std::vector<std::int64_t> updates(static_cast<std::size_t>(count_of(data)),
                                      -1);  // what becomes of each element
    for (std::int64_t place = 0; place < places; ++place) {
        std::int64_t at = 0;
        for (std::int64_t axis = 0; axis < depth; ++axis) {
            const std::int64_t index = indices[place * depth + axis];
            if (index < -data[axis] || index >= data[axis]) {
                step.refuse("an index is outside of " + shape_text(data));
            }
            at += (index < 0 ? index + data[axis] : index) * strides[axis];
        }
        for (std::int64_t i = 0; i < slice; ++i) updates[at + i] = place * slice + i;
    }
    return {picked(step.type(0).type, data, [&](std::int64_t i) {
        return updates[i] < 0 ? element(*step.constant(0), i) : element(*step.constant(2), updates[i]);
    })};
}

// ---- CumSum ----

void form_cumsum(Step& step) {
    const Ints axis = step.integers(1, "axis");
    if (axis.size() != 1 || step.node.integer("exclusive", 0) != 0 || step.node.integer("reverse", 0) != 0) {
        step.refuse(
            "it has several axes, or the attribute \"exclusive\" or \"reverse\", which is not supported");
    }
    step.node.attributes = {{"axis", step.axis(axis.front(), step.rank(0))}};
    step.drop_inputs(1);
}

std::vector<Tensor> fold_cumsum(const Step& step) {
    const Tensor& input = *step.constant(0);
    const std::int64_t axis = step.node.integer("axis", 0);
    const std::int64_t stride = strides_of(input.dims)[axis];
    const std::int64_t size = input.dims[axis];
    const auto summed = [&](auto numbers) {
        using Number = typename decltype(numbers)::value_type;
        for (std::int64_t i = 0; i < static_cast<std::int64_t>(numbers.size()); ++i) {
            if (i / stride % size == 0) {
                continue;
            }
            // Integers wrap around, as they do in memory.
            using Sum = std::conditional_t<std::is_integral_v<Number>, std::uint64_t, Number>;
            numbers[i] =
                static_cast<Number>(static_cast<Sum>(numbers[i]) + static_cast<Sum>(numbers[i - stride]));
        }
        return tensor_as(tensor_of({}, input.dims, numbers), input.type);
    };
    return {is_floating(input.type) ? summed(input.floats()) : summed(input.integers())};
}

}  // namespace

std::vector<Op> index_ops() {
    return {
        {"CumSum", 2, 2, form_cumsum, infer_same, fold_cumsum},
        {"Gather", 2, 2, form_gather, infer_gather, fold_gather},
        {"GatherND", 2, 2, form_gather_nd, infer_gather_nd, fold_gather_nd},
        {"ScatterND", 3, 3, form_scatter_nd, infer_same, fold_scatter_nd},
    };
}

}  // namespace hacscale::onnx::detail
