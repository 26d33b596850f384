// Operators that compute with all elements along an axis: sums and means, softmax, normalization.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

// ---- Reductions ----

void form_reduce(Step& step) {
    const std::int64_t rank = step.rank(0);
    Ints all(step.dims(0).size());
    std::iota(all.begin(), all.end(), 0);
    const Ints given = step.parameter(1, "axes").value_or(Ints{});
    Ints axes = step.axes(given, rank);
    const bool nothing = axes.empty() && step.node.integer("noop_with_empty_axes", 0) != 0;
    const std::int64_t keep = step.node.integer("keepdims", 1);
    step.drop_inputs(1);
    if (nothing) {
        step.node.op_type = "Identity";
        step.node.attributes.clear();
        return;
    }
    if (axes.empty()) {
        axes = all;
    }
    const Ints& dims = step.dims(0);
    // Of three dimensions the last are as often channels, whose mean is a part of LayerNorm.
    const bool is_spatial =
        rank > 3 && axes == Ints(all.begin() + 2, all.end()) && keep != 0 && is_floating(step.type(0).type);
    const bool is_mean = step.node.op_type == "ReduceMean";
    if (is_spatial && (is_mean || step.node.op_type == "ReduceMax") && count_of(dims) > 0) {
        step.node.op_type = is_mean ? "GlobalAveragePool" : "GlobalMaxPool";
        step.node.attributes.clear();
        return;
    }
    step.node.attributes = {{"axes", axes}, {"keepdims", keep}};
}

std::vector<ValueType> infer_reduce(const Step& step) {
    const Ints axes = step.node.integers("axes", {});
    const bool keep = step.node.integer("keepdims", 1) != 0;
    ValueType result{step.type(0).type, {}};
    for (std::int64_t i = 0; i < step.rank(0); ++i) {
        if (!std::binary_search(axes.begin(), axes.end(), i)) {
            result.dims.push_back(step.dims(0)[i]);
        } else if (keep) {
            result.dims.push_back(1);
        }
    }
    return {result};
}

// A reduction as a running value: where it starts, what each number does to it, and what it becomes after `count` numbers.
struct Reduction {
    std::string_view name;
    double start;
    double (*add)(double value, double number);
    double (*finish)(double value, double count);
};

constexpr double infinity = std::numeric_limits<double>::infinity();
double unchanged(double value, double /*count*/) {
    return value;
}

constexpr std::array reductions = {
    Reduction{"ReduceL1", 0, [](double value, double number) { return value + std::fabs(number); },
              unchanged},
    Reduction{"ReduceL2", 0, [](double value, double number) { return value + number * number; },
              [](double value, double) { return std::sqrt(value); }},
    Reduction{"ReduceMax", -infinity,
              [](double value, double number) { return number > value ? number : value; }, unchanged},
    Reduction{"ReduceMean", 0, [](double value, double number) { return value + number; },
              [](double value, double count) { return value / count; }},
    Reduction{"ReduceMin", infinity,
              [](double value, double number) { return number < value ? number : value; }, unchanged},
    Reduction{"ReduceProd", 1, [](double value, double number) { return value * number; }, unchanged},
    Reduction{"ReduceSum", 0, [](double value, double number) { return value + number; }, unchanged},
    Reduction{"ReduceSumSquare", 0, [](double value, double number) { return value + number * number; },
              unchanged},
};

template <typename Number>
std::vector<double> reduced(const Reduction& reduction, const std::vector<Number>& numbers, const Ints& dims,
                            const Ints& kept) {
    const auto target = broadcast_indices(dims, kept);
    std::vector<double> results(static_cast<std::size_t>(count_of(kept)), reduction.start);
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        double& result = results[static_cast<std::size_t>(target[i])];
        result = reduction.add(result, static_cast<double>(numbers[i]));
    }
    const double count =
        static_cast<double>(numbers.size()) / static_cast<double>(std::max<std::size_t>(results.size(), 1));
    for (double& result : results) {
        result = reduction.finish(result, count);
    }
    return results;
}

std::vector<Tensor> fold_reduce(const Step& step) {
    const Tensor& input = *step.constant(0);
    if (input.count() == 0) {
        return {};
    }
    const ValueType type = infer_reduce(step).front();
    Ints kept = input.dims;
    for (const std::int64_t axis : step.node.integers("axes", {})) {
        kept[axis] = 1;
    }
    const auto* reduction =
        std::find_if(reductions.begin(), reductions.end(),
                     [&step](const Reduction& each) { return each.name == step.node.op_type; });
    if (is_floating(input.type)) {
        const std::vector<double> results = reduced(*reduction, input.floats(), input.dims, kept);
        return {tensor_as(tensor_of({}, type.dims, std::vector<float>(results.begin(), results.end())),
                          type.type)};
    }
    // Integers that doubles hold exactly; larger ones are no sizes.
    Ints results;
    for (const double result : reduced(*reduction, input.integers(), input.dims, kept)) {
        constexpr double most = 9007199254740992.0;
        if (!(std::fabs(result) <= most)) {
            step.refuse("it computes the integer " + std::to_string(result) + ", which is too large");
        }
        results.push_back(static_cast<std::int64_t>(result));
    }
    return {tensor_as(tensor_of({}, type.dims, results), type.type)};
}

void form_arg(Step& step) {
    step.node.attributes = {{"axis", step.axis(step.node.integer("axis", 0), step.rank(0))},
                            {"keepdims", step.node.integer("keepdims", 1)}};
}

std::vector<ValueType> infer_arg(const Step& step) {
    Ints dims = step.dims(0);
    const std::int64_t axis = step.node.integer("axis", 0);
    if (step.node.integer("keepdims", 1) != 0) {
        dims[axis] = 1;
    } else {
        dims.erase(dims.begin() + axis);
    }
    return {{DataType::int64, dims}};
}

// ---- Softmax ----

// Until opset 12 all axes from "axis" on are one. That is the softmax of one axis where the others have the size 1.
void form_softmax(Step& step) {
    const bool is_flat = step.opset() < 13;
    std::int64_t axis = step.axis(step.node.integer("axis", is_flat ? 1 : -1), step.rank(0));
    if (is_flat) {
        const Ints& dims = step.dims(0);
        const std::int64_t wide =
            std::count_if(dims.begin() + axis, dims.end(), [](std::int64_t size) { return size != 1; });
        if (wide > 1) {
            step.refuse("it is over several axes of " + shape_text(dims) +
                        "; export the network with opset 13 or later");
        }
        while (wide == 1 && dims[axis] == 1) {
            ++axis;
        }
    }
    step.node.attributes = {{"axis", axis}};
}

std::vector<Tensor> fold_softmax(const Step& step) {
    const Tensor& input = *step.constant(0);
    if (input.type != DataType::float32) return {};
    const std::int64_t axis = step.node.integer("axis", 0);
    const std::int64_t stride = strides_of(input.dims)[axis];
    const std::int64_t size = input.dims[axis];
    std::vector<float> numbers = input.floats();
    for (std::int64_t i = 0; i < std::ssize(numbers); ++i) {
        if (i / stride % size != 0) continue;  // each set of numbers begins at its first one
        float largest = -std::numeric_limits<float>::infinity();
        for (std::int64_t k = 0; k < size; ++k) largest = std::max(largest, numbers[i + k * stride]);
        double sum = 0.0;
        for (std::int64_t k = 0; k < size; ++k)
            sum += std::exp(static_cast<double>(numbers[i + k * stride] - largest));
        for (std::int64_t k = 0; k < size; ++k) {
            float& number = numbers[i + k * stride];
            number = static_cast<float>(std::exp(static_cast<double>(number - largest)) / sum);
        }
    }
    return {tensor_of({}, input.dims, numbers)};
}

// ---- Normalization ----

void check_channel_list(const Step& step, std::size_t input) {
    if (step.dims(input) != Ints{step.dims(0)[1]}) {
        step.refuse("its input " + std::to_string(input + 1) + " has the shape " +
                    shape_text(step.dims(input)) + ", expected one number for each of " +
                    std::to_string(step.dims(0)[1]) + " channels");
    }
}

// In training mode the statistics are the input's own: allowed for constants only, as which exporters write standardized weights.
void form_batch_norm(Step& step) {
    const bool is_training =
        step.node.integer("training_mode", 0) != 0 || step.node.integer("is_test", 1) == 0;
    bool is_constant = true;
    for (std::size_t i = 0; i < step.node.inputs.size(); ++i) {
        is_constant = is_constant && step.constant(i) != nullptr;
    }
    if (is_training && !is_constant) {
        step.refuse("it is in training mode; export the network in eval mode");
    }
    if (step.node.integer("spatial", 1) == 0) {
        step.refuse("the attribute \"spatial\" is 0, which is not supported");
    }
    // Statistics of training, which no node reads in a network that was exported for inference.
    step.node.outputs.resize(1);
    step.node.attributes = {{"epsilon", step.node.number("epsilon", 1e-5F)}};
    if (is_training) {
        step.node.attributes["training_mode"] = std::int64_t{1};
    }
    if (step.rank(0) < 2) {
        step.refuse("its input " + shape_text(step.dims(0)) + " has no channels");
    }
    for (std::size_t i = 1; i < 5; ++i) {
        check_channel_list(step, i);
    }
}

// Sums over all elements of a channel, of `term(element, channel)`, divided by their number.
template <typename Term>
std::vector<double> channel_means(const std::vector<float>& numbers, const Ints& dims, const Term& term) {
    std::vector<double> means(static_cast<std::size_t>(dims[1]), 0.0);
    const std::int64_t inner = strides_of(dims)[1];
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::size_t channel = i / static_cast<std::size_t>(inner) % means.size();
        means[channel] += term(static_cast<double>(numbers[i]), channel);
    }
    const std::size_t each = numbers.size() / std::max<std::size_t>(means.size(), 1);
    for (double& mean : means) {
        mean /= static_cast<double>(each);
    }
    return means;
}

std::vector<double> doubles(const Tensor& tensor) {
    const std::vector<float> numbers = tensor.floats();
    return {numbers.begin(), numbers.end()};
}

std::vector<Tensor> fold_batch_norm(const Step& step) {
    const Ints& dims = step.dims(0);
    std::vector<float> numbers = step.constant(0)->floats();
    const std::vector<double> scale = doubles(*step.constant(1));
    const std::vector<double> bias = doubles(*step.constant(2));
    std::vector<double> mean = doubles(*step.constant(3));
    std::vector<double> variance = doubles(*step.constant(4));
    if (step.node.integer("training_mode", 0) != 0) {
        mean = channel_means(numbers, dims, [](double x, std::size_t) { return x; });
        variance = channel_means(numbers, dims, [&mean](double x, std::size_t channel) {
            return (x - mean[channel]) * (x - mean[channel]);
        });
    }
    const double epsilon = step.node.number("epsilon", 1e-5F);
    const std::int64_t inner = strides_of(dims)[1];
    for (std::size_t i = 0; i < numbers.size(); ++i) {
        const std::size_t channel = i / static_cast<std::size_t>(inner) % scale.size();
        numbers[i] = static_cast<float>((static_cast<double>(numbers[i]) - mean[channel]) * scale[channel] /
                                            std::sqrt(variance[channel] + epsilon) +
                                        bias[channel]);
    }
    return {tensor_as(tensor_of({}, dims, numbers), step.type(0).type)};
}

void form_instance_norm(Step& step) {
    if (step.rank(0) < 3) {
        step.refuse("its input " + shape_text(step.dims(0)) + " has no spatial axis");
    }
    step.node.attributes = {{"epsilon", step.node.number("epsilon", 1e-5F)}};
    for (std::size_t i = 1; i < 3; ++i) {
        check_channel_list(step, i);
    }
}

void form_layer_norm(Step& step) {
    const std::int64_t axis = step.axis(step.node.integer("axis", -1), step.rank(0));
    step.node.outputs.resize(1);
    step.node.attributes = {{"axis", axis}, {"epsilon", step.node.number("epsilon", 1e-5F)}};
    const Ints normalized(step.dims(0).begin() + axis, step.dims(0).end());
    for (std::size_t i = 1; i < step.node.inputs.size(); ++i) {
        if (step.has(i) && broadcast(normalized, step.dims(i)) != normalized) {
            step.refuse("its input " + std::to_string(i + 1) + " has the shape " + shape_text(step.dims(i)) +
                        ", expected " + shape_text(normalized));
        }
    }
}

// Scale and bias have one number for each group until opset 20, for each channel since 21.
void form_group_norm(Step& step) {
    const std::int64_t groups = step.node.integer("num_groups", 0);
    if (step.rank(0) < 2 || groups < 1 || step.dims(0)[1] % groups != 0) {
        step.refuse("the attribute \"num_groups\" is " + std::to_string(groups) +
                    ", which does not divide the channels of " + shape_text(step.dims(0)));
    }
    step.node.attributes = {{"num_groups", groups}, {"epsilon", step.node.number("epsilon", 1e-5F)}};
    if (step.opset() >= 21) {
        for (std::size_t i = 1; i < 3; ++i) {
            check_channel_list(step, i);
        }
    }
}

void form_lrn(Step& step) {
    if (step.rank(0) < 2 || step.node.integer("size", 0) < 1) {
        step.refuse("its input has no channels, or \"size\" is not positive");
    }
    step.node.attributes = {{"alpha", step.node.number("alpha", 1e-4F)},
                            {"beta", step.node.number("beta", 0.75F)},
                            {"bias", step.node.number("bias", 1)},
                            {"size", step.node.integer("size", 0)}};
}

void form_lp_norm(Step& step) {
    step.node.attributes = {{"axis", step.axis(step.node.integer("axis", -1), step.rank(0))},
                            {"p", step.node.integer("p", 2)}};
}

}  // namespace

std::vector<Op> reduction_ops() {
    std::vector<Op> ops = {
        {"ArgMax", 1, 1, form_arg, infer_arg, nullptr},
        {"ArgMin", 1, 1, form_arg, infer_arg, nullptr},
        {"BatchNormalization", 5, 5, form_batch_norm, infer_same, fold_batch_norm},
        {"GroupNormalization", 3, 3, form_group_norm, infer_same, nullptr},
        {"InstanceNormalization", 3, 3, form_instance_norm, infer_same, nullptr},
        {"LRN", 1, 1, form_lrn, infer_same, nullptr},
        {"LayerNormalization", 2, 3, form_layer_norm, infer_same, nullptr},
        {"LogSoftmax", 1, 1, form_softmax, infer_same, nullptr},
        {"LpNormalization", 1, 1, form_lp_norm, infer_same, nullptr},
        {"Softmax", 1, 1, form_softmax, infer_same, fold_softmax},
    };
    for (const Reduction& reduction : reductions) {
        ops.push_back({reduction.name, 1, 2, form_reduce, infer_reduce, fold_reduce});
    }
    return ops;
}

}  // namespace hacscale::onnx::detail
