// Operators that give constants: numbers of the file, shapes of values, and what exporters compute shapes with.
#include <algorithm>
#include <cmath>

#include "models/formats/onnx/detail/ops.hpp"

namespace hacscale::onnx::detail {

namespace {

std::vector<ValueType> infer_shape(const Step& step) {
    const std::int64_t rank = step.rank(0);
    const auto bound = [rank](std::int64_t at) {
        return std::clamp<std::int64_t>(at < 0 ? at + rank : at, 0, rank);
    };
    const std::int64_t start = bound(step.node.integer("start", 0));
    const std::int64_t end = bound(step.node.integer("end", rank));
    return {{DataType::int64, {std::max<std::int64_t>(end - start, 0)}}};
}

void form_constant(Step& step) {
    Tensor value;
    if (const Tensor* tensor = step.node.tensor("value")) {
        value = *tensor;
    } else if (const float* number = step.node.number("value_float")) {
        value = tensor_of({}, {}, std::vector<float>{*number});
    } else if (const std::int64_t* integer = step.node.integer("value_int")) {
        value = tensor_of({}, {}, Ints{*integer});
    } else if (const std::vector<float>* numbers = step.node.numbers("value_floats")) {
        value = tensor_of({}, {static_cast<std::int64_t>(numbers->size())}, *numbers);
    } else if (const Ints* integers = step.node.integers("value_ints")) {
        value = tensor_of({}, {static_cast<std::int64_t>(integers->size())}, *integers);
    } else {
        step.refuse("it has no value of numbers");
    }
    step.node.attributes = {{"value", value}};
}

std::vector<ValueType> infer_constant(const Step& step) {
    const Tensor& value = *step.node.tensor("value");
    return {{value.type, value.dims}};
}

std::vector<Tensor> fold_constant(const Step& step) {
    return {*step.node.tensor("value")};
}

// A matrix of the input's sizes, with ones on one of its diagonals.
void form_eye_like(Step& step) {
    const Ints dims = step.dims(0);
    constexpr std::int64_t most = std::int64_t{1} << 22;
    if (dims.size() != 2 || count_of(dims) > most) {
        step.refuse("its input is " + shape_text(dims) + ", expected a matrix of at most 2^22 numbers");
    }
    const std::int64_t diagonal = step.node.integer("k", 0);
    std::vector<float> numbers(static_cast<std::size_t>(count_of(dims)), 0.0F);
    for (std::int64_t row = 0; row < dims[0]; ++row) {
        const bool inside = diagonal >= -row && diagonal < dims[1] - row;
        if (inside) numbers[static_cast<std::size_t>(row * dims[1] + row + diagonal)] = 1.0F;
    }
    const auto type =
        static_cast<DataType>(step.node.integer("dtype", static_cast<std::int64_t>(step.type(0).type)));
    if (type != DataType::float32 && type != DataType::float64 && type != DataType::int64) {
        step.refuse("its type is not supported");
    }
    step.node.op_type = "Constant";
    step.node.attributes = {{"value", tensor_as(tensor_of({}, dims, numbers), type)}};
    step.drop_inputs(0);
}

void form_constant_of_shape(Step& step) {
    const Ints shape = step.integers(0, "input");
    const Tensor zero = tensor_of({}, {1}, std::vector<float>{0});
    const Tensor* value = step.node.tensor("value");
    if (value != nullptr && value->count() != 1) {
        step.refuse("its value has several numbers, expected one");
    }
    Tensor single = value == nullptr ? zero : *value;
    step.node.attributes = {{"shape", shape}, {"value", std::move(single)}};
    step.drop_inputs(0);
}

std::vector<ValueType> infer_constant_of_shape(const Step& step) {
    return {{step.node.tensor("value")->type, step.node.integers("shape", {})}};
}

std::vector<Tensor> fold_constant_of_shape(const Step& step) {
    const Tensor* value = step.node.tensor("value");
    return {picked(value->type, step.node.integers("shape", {}),
                   [&](std::int64_t) { return value->data.view(); })};
}

// The number of values from start to limit.
void form_range(Step& step) {
    const std::vector<float> start = step.numbers(0, "start");
    const std::vector<float> limit = step.numbers(1, "limit");
    const std::vector<float> delta = step.numbers(2, "delta");
    if (start.size() != 1 || limit.size() != 1 || delta.size() != 1 || !(delta[0] != 0.0F)) {
        step.refuse("its start, limit and delta are not three numbers with a delta other than 0");
    }
    constexpr float most = 1 << 20;
    const float count = (limit[0] - start[0]) / delta[0];
    if (!(count < most)) {
        step.refuse("it has more than " + std::to_string(1 << 20) + " numbers");
    }
    step.node.attributes["count"] = static_cast<std::int64_t>(std::ceil(std::max(count, 0.0F)));
}

std::vector<ValueType> infer_range(const Step& step) {
    return {{step.type(0).type, {step.node.integer("count", 0)}}};
}

std::vector<Tensor> fold_range(const Step& step) {
    const std::int64_t count = step.node.integer("count", 0);
    if (is_floating(step.type(0).type)) {
        const float start = step.constant(0)->floats().front();
        const float delta = step.constant(2)->floats().front();
        std::vector<float> numbers;
        for (std::int64_t i = 0; i < count; ++i) {
            numbers.push_back(start + static_cast<float>(i) * delta);
        }
        return {tensor_as(tensor_of({}, {count}, numbers), step.type(0).type)};
    }
    const auto start = static_cast<std::uint64_t>(step.constant(0)->integers().front());
    const auto delta = static_cast<std::uint64_t>(step.constant(2)->integers().front());
    Ints numbers;
    for (std::int64_t i = 0; i < count; ++i) {
        numbers.push_back(static_cast<std::int64_t>(start + static_cast<std::uint64_t>(i) * delta));
    }
    return {tensor_as(tensor_of({}, {count}, numbers), step.type(0).type)};
}

}  // namespace

std::optional<Ints> shape_result(const Step& step) {
    if (step.node.op_type == "Size") {
        return Ints{count_of(step.dims(0))};
    }
    if (step.node.op_type != "Shape") {
        return std::nullopt;
    }
    const std::int64_t rank = step.rank(0);
    const std::int64_t start = step.node.integer("start", 0);
    const std::int64_t first = std::clamp<std::int64_t>(start < 0 ? start + rank : start, 0, rank);
    const auto count = infer_shape(step).front().dims.front();
    return Ints(step.dims(0).begin() + first, step.dims(0).begin() + first + count);
}

std::vector<Op> constant_ops() {
    return {
        {"Constant", 0, 0, form_constant, infer_constant, fold_constant},
        {"ConstantOfShape", 1, 1, form_constant_of_shape, infer_constant_of_shape, fold_constant_of_shape},
        {"EyeLike", 1, 1, form_eye_like, nullptr, nullptr},
        {"Range", 3, 3, form_range, infer_range, fold_range},
        {"Shape", 1, 1, nullptr, infer_shape, nullptr},
        {"Size", 1, 1, nullptr,
         [](const Step&) {
             return std::vector<ValueType>{{DataType::int64, {}}};
         },
         nullptr},
    };
}

}  // namespace hacscale::onnx::detail
