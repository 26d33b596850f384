// Operators that work element by element, with or without broadcasting.
#include <array>
#include <cmath>
#include <limits>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

// Functions of one number, as ONNX's operators of the same names define them. Those with parameters are folded nowhere: exporters do
// not apply activations to constants.
struct UnaryFunction {
    std::string_view name;
    double (*compute)(double);
};

constexpr std::array unary_functions = {
    UnaryFunction{"Abs", [](double x) { return std::fabs(x); }},
    UnaryFunction{"Ceil", [](double x) { return std::ceil(x); }},
    UnaryFunction{"Cos", [](double x) { return std::cos(x); }},
    UnaryFunction{"Erf", [](double x) { return std::erf(x); }},
    UnaryFunction{"Exp", [](double x) { return std::exp(x); }},
    UnaryFunction{"Floor", [](double x) { return std::floor(x); }},
    UnaryFunction{"Log", [](double x) { return std::log(x); }},
    UnaryFunction{"Neg", [](double x) { return -x; }},
    UnaryFunction{"Reciprocal", [](double x) { return 1.0 / x; }},
    UnaryFunction{"Relu", [](double x) { return x > 0 ? x : 0.0; }},
    UnaryFunction{"Round", [](double x) { return std::nearbyint(x); }},
    UnaryFunction{"Sigmoid", [](double x) { return 1.0 / (1.0 + std::exp(-x)); }},
    UnaryFunction{"Sign", [](double x) { return static_cast<double>(x > 0) - static_cast<double>(x < 0); }},
    UnaryFunction{"Sin", [](double x) { return std::sin(x); }},
    UnaryFunction{"Sqrt", [](double x) { return std::sqrt(x); }},
    UnaryFunction{"Tanh", [](double x) { return std::tanh(x); }},
};

// Functions of two numbers. Integers wrap around, as they do in memory.
struct BinaryFunction {
    std::string_view name;
    double (*compute)(double, double);
    std::int64_t (*compute_integers)(std::int64_t, std::int64_t);
    bool is_comparison;
};

using Wrapped = std::uint64_t;
std::int64_t wrapped(Wrapped value) {
    return static_cast<std::int64_t>(value);
}

// The caller has refused a zero divisor; -2^63 / -1 wraps around.
std::int64_t quotient(std::int64_t a, std::int64_t b) {
    return b == -1 ? wrapped(-static_cast<Wrapped>(a)) : a / b;
}
// The sign is the divisor's, as ONNX's Mod has it for integers.
std::int64_t remainder(std::int64_t a, std::int64_t b) {
    const std::int64_t rest = b == -1 ? 0 : a % b;
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
}
std::int64_t integer_power(std::int64_t base, std::int64_t exponent) {
    if (exponent < 0) {
        return base == 1 ? 1 : base == -1 ? (exponent % 2 == 0 ? 1 : -1) : 0;
    }
    Wrapped result = 1;
    for (auto square = static_cast<Wrapped>(base); exponent > 0; exponent /= 2, square *= square) {
        if (exponent % 2 == 1) {
            result *= square;
        }
    }
    return wrapped(result);
}

constexpr std::array binary_functions = {
    BinaryFunction{"Add", [](double a, double b) { return a + b; },
                   [](std::int64_t a, std::int64_t b) {
                       return wrapped(static_cast<Wrapped>(a) + static_cast<Wrapped>(b));
                   },
                   false},
    BinaryFunction{"Sub", [](double a, double b) { return a - b; },
                   [](std::int64_t a, std::int64_t b) {
                       return wrapped(static_cast<Wrapped>(a) - static_cast<Wrapped>(b));
                   },
                   false},
    BinaryFunction{"Mul", [](double a, double b) { return a * b; },
                   [](std::int64_t a, std::int64_t b) {
                       return wrapped(static_cast<Wrapped>(a) * static_cast<Wrapped>(b));
                   },
                   false},
    BinaryFunction{"Div", [](double a, double b) { return a / b; }, quotient, false},
    BinaryFunction{"Mod", [](double a, double b) { return std::fmod(a, b); }, remainder, false},
    BinaryFunction{"Pow", [](double a, double b) { return std::pow(a, b); }, integer_power, false},
    BinaryFunction{"Min", [](double a, double b) { return a < b ? a : b; },
                   [](std::int64_t a, std::int64_t b) { return a < b ? a : b; }, false},
    BinaryFunction{"Max", [](double a, double b) { return a > b ? a : b; },
                   [](std::int64_t a, std::int64_t b) { return a > b ? a : b; }, false},
    BinaryFunction{"Sum", [](double a, double b) { return a + b; },
                   [](std::int64_t a, std::int64_t b) {
                       return wrapped(static_cast<Wrapped>(a) + static_cast<Wrapped>(b));
                   },
                   false},
    BinaryFunction{"And", [](double a, double b) { return static_cast<double>(a != 0 && b != 0); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a != 0 && b != 0); },
                   true},
    BinaryFunction{"Or", [](double a, double b) { return static_cast<double>(a != 0 || b != 0); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a != 0 || b != 0); },
                   true},
    BinaryFunction{
        "Xor", [](double a, double b) { return static_cast<double>((a != 0) != (b != 0)); },
        [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>((a != 0) != (b != 0)); }, true},
    BinaryFunction{"Equal", [](double a, double b) { return static_cast<double>(a == b); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a == b); }, true},
    BinaryFunction{"Greater", [](double a, double b) { return static_cast<double>(a > b); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a > b); }, true},
    BinaryFunction{"GreaterOrEqual", [](double a, double b) { return static_cast<double>(a >= b); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a >= b); }, true},
    BinaryFunction{"Less", [](double a, double b) { return static_cast<double>(a < b); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a < b); }, true},
    BinaryFunction{"LessOrEqual", [](double a, double b) { return static_cast<double>(a <= b); },
                   [](std::int64_t a, std::int64_t b) { return static_cast<std::int64_t>(a <= b); }, true},
};

template <typename Table>
const auto* entry_in(const Table& table, std::string_view name) {
    for (const auto& entry : table) {
        if (entry.name == name) {
            return &entry;
        }
    }
    return static_cast<const typename Table::value_type*>(nullptr);
}

// Comparisons and logic give booleans; the others the type of their inputs, which must be the same.
std::vector<ValueType> infer_broadcast(const Step& step) {
    ValueType result = step.type(0);
    const BinaryFunction* function = entry_in(binary_functions, step.node.op_type);
    for (std::size_t i = 1; i < step.node.inputs.size(); ++i) {
        const auto shape = broadcast(result.dims, step.dims(i));
        if (!shape) {
            step.refuse("the shapes " + shape_text(result.dims) + " and " + shape_text(step.dims(i)) +
                        " do not fit");
        }
        // The exponent of Pow may have another type than the base.
        if (step.type(i).type != result.type && step.node.op_type != "Pow") {
            step.refuse("it reads " + std::string(name_of(result.type)) + " and " +
                        std::string(name_of(step.type(i).type)));
        }
        result.dims = *shape;
    }
    if (function != nullptr && function->is_comparison) {
        result.type = DataType::boolean;
    }
    return {result};
}

Tensor computed(const Step& step, const BinaryFunction& function, const Tensor& a, const Tensor& b) {
    const Ints dims = broadcast(a.dims, b.dims).value_or(Ints{});
    const auto of_a = broadcast_indices(dims, a.dims);
    const auto of_b = broadcast_indices(dims, b.dims);
    const DataType type = function.is_comparison ? DataType::boolean : a.type;
    if (!is_floating(a.type) && !is_floating(b.type)) {
        const Ints left = a.integers();
        const Ints right = b.integers();
        Ints result(of_a.size());
        for (std::size_t i = 0; i < result.size(); ++i) {
            const std::int64_t divisor = right[of_b[i]];
            if (divisor == 0 && (function.name == "Div" || function.name == "Mod")) {
                step.refuse("it divides an integer by zero");
            }
            result[i] = function.compute_integers(left[of_a[i]], divisor);
        }
        return tensor_as(tensor_of({}, dims, result), type);
    }
    const std::vector<float> left = a.floats();
    const std::vector<float> right = b.floats();
    std::vector<float> result(of_a.size());
    for (std::size_t i = 0; i < result.size(); ++i) {
        result[i] = static_cast<float>(function.compute(left[of_a[i]], right[of_b[i]]));
    }
    return tensor_as(tensor_of({}, dims, result), type);
}

std::vector<Tensor> fold_broadcast(const Step& step) {
    const BinaryFunction* function = entry_in(binary_functions, step.node.op_type);
    Tensor result = *step.constant(0);
    for (std::size_t i = 1; i < step.node.inputs.size(); ++i) {
        result = computed(step, *function, result, *step.constant(i));
    }
    return {result};
}

std::vector<Tensor> fold_unary(const Step& step) {
    const UnaryFunction* function = entry_in(unary_functions, step.node.op_type);
    const Tensor& input = *step.constant(0);
    if (!is_floating(input.type)) {
        Ints numbers = input.integers();
        for (std::int64_t& number : numbers) {
            // Of the integers' functions, those that shapes are computed with.
            const auto magnitude = static_cast<std::uint64_t>(number);
            const bool negate = function->name == "Neg" || (function->name == "Abs" && number < 0);
            if (negate) {
                number = static_cast<std::int64_t>(-magnitude);
            }
            if (function->name == "Sign") {
                number = static_cast<std::int64_t>(number > 0) - static_cast<std::int64_t>(number < 0);
            }
            if (function->name == "Relu" && number < 0) {
                number = 0;
            }
        }
        return {tensor_as(tensor_of({}, input.dims, numbers), input.type)};
    }
    std::vector<float> numbers = input.floats();
    for (float& number : numbers) {
        number = static_cast<float>(function->compute(number));
    }
    return {tensor_as(tensor_of({}, input.dims, numbers), input.type)};
}

// Bounds are attributes until opset 10 and inputs since 11. Absent bounds, and those at float's limits, bound nothing.
void form_clip(Step& step) {
    float bounds[] = {step.node.number("min", -std::numeric_limits<float>::infinity()),
                      step.node.number("max", std::numeric_limits<float>::infinity())};
    for (std::size_t i = 0; i < 2; ++i) {
        if (!step.has(i + 1)) {
            continue;
        }
        const std::vector<float> numbers = step.numbers(i + 1, i == 0 ? "min" : "max");
        if (numbers.size() != 1) {
            step.refuse("a bound has " + std::to_string(numbers.size()) + " numbers, expected one");
        }
        bounds[i] = numbers.front();
    }
    step.node.attributes.clear();
    if (bounds[0] > std::numeric_limits<float>::lowest()) {
        step.node.attributes["min"] = bounds[0];
    }
    if (bounds[1] < std::numeric_limits<float>::max()) {
        step.node.attributes["max"] = bounds[1];
    }
    step.drop_inputs(1);
}

std::vector<Tensor> fold_clip(const Step& step) {
    std::vector<float> numbers = step.constant(0)->floats();
    const float low = step.node.number("min", -std::numeric_limits<float>::infinity());
    const float high = step.node.number("max", std::numeric_limits<float>::infinity());
    for (float& number : numbers) {
        number = std::min(std::max(number, low), high);
    }
    return {tensor_as(tensor_of({}, step.dims(0), numbers), step.type(0).type)};
}

void form_cast(Step& step) {
    if (step.node.op_type == "CastLike") {
        step.node.op_type = "Cast";
        step.node.attributes["to"] = static_cast<std::int64_t>(step.type(1).type);
        step.drop_inputs(1);
    }
    const std::int64_t to = step.node.integer("to", 0);
    if (to < 0 || to > 16 || bytes_of(static_cast<DataType>(to)) == 0) {
        step.refuse("the attribute \"to\" is " + std::to_string(to) +
                    ", which is no type of numbers that is supported");
    }
    step.node.attributes = {{"to", to}};
}

std::vector<ValueType> infer_cast(const Step& step) {
    return {{static_cast<DataType>(step.node.integer("to", 0)), step.dims(0)}};
}

std::vector<Tensor> fold_cast(const Step& step) {
    return {tensor_as(*step.constant(0), static_cast<DataType>(step.node.integer("to", 0)))};
}

std::vector<Tensor> fold_not(const Step& step) {
    Ints numbers = step.constant(0)->integers();
    for (std::int64_t& number : numbers) {
        number = static_cast<std::int64_t>(number == 0);
    }
    return {tensor_as(tensor_of({}, step.dims(0), numbers), DataType::boolean)};
}

std::vector<ValueType> infer_where(const Step& step) {
    std::optional<Ints> shape = broadcast(step.dims(0), step.dims(1));
    if (shape) {
        shape = broadcast(*shape, step.dims(2));
    }
    if (!shape || step.type(1).type != step.type(2).type) {
        step.refuse("the shapes or types of its three inputs do not fit");
    }
    return {{step.type(1).type, *shape}};
}

std::vector<Tensor> fold_where(const Step& step) {
    const Ints dims = infer_where(step).front().dims;
    const auto of_condition = broadcast_indices(dims, step.dims(0));
    const auto of_true = broadcast_indices(dims, step.dims(1));
    const auto of_false = broadcast_indices(dims, step.dims(2));
    const Ints condition = step.constant(0)->integers();
    return {picked(step.type(1).type, dims, [&](std::int64_t i) {
        const bool holds = condition[of_condition[i]] != 0;
        return holds ? element(*step.constant(1), of_true[i]) : element(*step.constant(2), of_false[i]);
    })};
}

// The slope has the input's shape after broadcasting.
std::vector<ValueType> infer_prelu(const Step& step) {
    const auto shape = broadcast(step.dims(0), step.dims(1));
    if (!shape || *shape != step.dims(0)) {
        step.refuse("the slopes have the shape " + shape_text(step.dims(1)) + ", the input has " +
                    shape_text(step.dims(0)));
    }
    return {step.type(0)};
}

// The output is the input; a second output, the mask, exists in training only.
void form_dropout(Step& step) {
    if (step.has(2)) {
        const Ints training = step.integers(2, "training_mode");
        if (training.size() != 1 || training.front() != 0) {
            step.refuse("training_mode is true; export the network in eval mode");
        }
    }
    if (step.node.outputs.size() > 1 && !step.node.outputs[1].empty()) {
        step.node.outputs.resize(1);
    }
    step.node.op_type = "Identity";
    step.node.attributes.clear();
    step.drop_inputs(1);
}

std::vector<Tensor> fold_identity(const Step& step) {
    return {*step.constant(0)};
}

}  // namespace

std::vector<ValueType> infer_same(const Step& step) {
    return {step.type(0)};
}

std::vector<Op> elementwise_ops() {
    std::vector<Op> ops = {
        {"Cast", 1, 1, form_cast, infer_cast, fold_cast},
        {"CastLike", 2, 2, form_cast, infer_cast, nullptr},
        {"Clip", 1, 3, form_clip, infer_same, fold_clip},
        {"Dropout", 1, 3, form_dropout, nullptr, nullptr},
        {"Identity", 1, 1, nullptr, infer_same, fold_identity},
        {"Mean", 1, any_number, nullptr, infer_broadcast, nullptr},
        {"Not", 1, 1, nullptr, infer_same, fold_not},
        {"PRelu", 2, 2, nullptr, infer_prelu, nullptr},
        {"Where", 3, 3, nullptr, infer_where, fold_where},
    };
    for (const UnaryFunction& function : unary_functions) {
        ops.push_back({function.name, 1, 1, nullptr, infer_same, fold_unary});
    }
    for (const BinaryFunction& function : binary_functions) {
        const bool any = function.name == "Sum" || function.name == "Min" || function.name == "Max";
        ops.push_back(
            {function.name, any ? 1U : 2U, any ? any_number : 2U, nullptr, infer_broadcast, fold_broadcast});
    }
    for (const std::string_view name : {"Celu", "Elu", "Gelu", "HardSigmoid", "HardSwish", "LeakyRelu",
                                        "Mish", "Selu", "Softplus", "Softsign", "ThresholdedRelu"}) {
        ops.push_back({name, 1, 1, nullptr, infer_same, nullptr});
    }
    return ops;
}

}  // namespace hacscale::onnx::detail
