// Products of matrices: Gemm, MatMul and Einsum.
#include <algorithm>
#include <map>
#include <string>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {
namespace {

// ---- Matrix products ----

void form_gemm(Step& step) {
    step.node.attributes = {{"alpha", step.node.number("alpha", 1)},
                            {"beta", step.node.number("beta", 1)},
                            {"transA", step.node.integer("transA", 0)},
                            {"transB", step.node.integer("transB", 0)}};
}

std::vector<ValueType> infer_gemm(const Step& step) {
    if (step.rank(0) != 2 || step.rank(1) != 2) {
        step.refuse("it multiplies " + shape_text(step.dims(0)) + " and " + shape_text(step.dims(1)) +
                    ", expected two matrices");
    }
    const bool a = step.node.integer("transA", 0) != 0;
    const bool b = step.node.integer("transB", 0) != 0;
    const Ints dims = {step.dims(0)[a ? 1 : 0], step.dims(1)[b ? 0 : 1]};
    if (step.dims(0)[a ? 0 : 1] != step.dims(1)[b ? 1 : 0] ||
        (step.has(2) && broadcast(dims, step.dims(2)) != dims)) {
        step.refuse("the matrices " + shape_text(step.dims(0)) + " and " + shape_text(step.dims(1)) +
                    " or its third input do not fit");
    }
    return {{step.type(0).type, dims}};
}

// What layers that compute relative positions from constants have.
std::vector<Tensor> fold_gemm(const Step& step) {
    const Ints dims = infer_gemm(step).front().dims;
    const Ints& a = step.dims(0);
    const bool first_turned = step.node.integer("transA", 0) != 0;
    const bool second_turned = step.node.integer("transB", 0) != 0;
    const std::int64_t depth = a[first_turned ? 0 : 1];
    if (!is_floating(step.type(0).type) ||
        !step.take_multiplies(count_of(dims) * std::min<std::int64_t>(depth, std::int64_t{1} << 20))) {
        return {};
    }
    const auto matrix = [&](std::size_t input, bool turned) {
        return (turned ? transposed(*step.constant(input)) : *step.constant(input)).floats();
    };
    const std::vector<float> left = matrix(0, first_turned);     // rows x depth
    const std::vector<float> right = matrix(1, !second_turned);  // columns x depth
    std::vector<float> added(1, 0.0F);
    Ints added_at(static_cast<std::size_t>(count_of(dims)), 0);
    if (step.has(2)) {
        added = step.constant(2)->floats();
        added_at = broadcast_indices(dims, step.dims(2));
    }
    const auto alpha = static_cast<double>(step.node.number("alpha", 1));
    const auto beta = static_cast<double>(step.node.number("beta", 1));
    std::vector<float> result;
    for (std::int64_t i = 0; i < count_of(dims); ++i) {
        double sum = 0.0;
        for (std::int64_t k = 0; k < depth; ++k) {
            sum += static_cast<double>(left[i / dims[1] * depth + k]) *
                   static_cast<double>(right[i % dims[1] * depth + k]);
        }
        result.push_back(static_cast<float>(alpha * sum + beta * static_cast<double>(added[added_at[i]])));
    }
    return {tensor_as(tensor_of({}, dims, result), step.type(0).type)};
}

std::vector<ValueType> infer_matmul(const Step& step) {
    Ints a = step.dims(0);
    Ints b = step.dims(1);
    if (a.empty() || b.empty()) {
        step.refuse("it multiplies a single number, expected matrices");
    }
    const bool row = a.size() == 1;
    const bool column = b.size() == 1;
    if (row) {
        a.insert(a.begin(), 1);
    }
    if (column) {
        b.push_back(1);
    }
    const auto batch = broadcast(Ints(a.begin(), a.end() - 2), Ints(b.begin(), b.end() - 2));
    if (!batch || a.back() != b[b.size() - 2]) {
        step.refuse("the matrices " + shape_text(step.dims(0)) + " and " + shape_text(step.dims(1)) +
                    " do not fit");
    }
    Ints dims = *batch;
    if (!row) {
        dims.push_back(a[a.size() - 2]);
    }
    if (!column) {
        dims.push_back(b.back());
    }
    return {{step.type(0).type, dims}};
}

// Not of vectors, which no exporter multiplies.
std::vector<Tensor> fold_matmul(const Step& step) {
    const Ints& a = step.dims(0);
    const Ints& b = step.dims(1);
    if (a.size() < 2 || b.size() < 2 || !is_floating(step.type(0).type)) {
        return {};
    }
    const Ints dims = infer_matmul(step).front().dims;
    const auto rows = static_cast<std::size_t>(dims[dims.size() - 2]);
    const auto columns = static_cast<std::size_t>(dims.back());
    const auto depth = static_cast<std::size_t>(a.back());
    const Ints batch(dims.begin(), dims.end() - 2);
    if (!step.take_multiplies(count_of(dims) * std::min<std::int64_t>(a.back(), std::int64_t{1} << 20))) {
        return {};
    }
    const std::vector<float> left = step.constant(0)->floats();
    const std::vector<float> right = step.constant(1)->floats();
    const std::vector<std::int64_t> left_at = broadcast_indices(batch, Ints(a.begin(), a.end() - 2));
    const std::vector<std::int64_t> right_at = broadcast_indices(batch, Ints(b.begin(), b.end() - 2));
    std::vector<float> product;
    product.reserve(static_cast<std::size_t>(count_of(dims)));
    std::vector<double> row(columns);
    for (std::size_t image = 0; image < left_at.size(); ++image) {
        const float* const left_matrix =
            left.data() + static_cast<std::size_t>(left_at[image]) * rows * depth;
        const float* const right_matrix =
            right.data() + static_cast<std::size_t>(right_at[image]) * depth * columns;
        for (std::size_t i = 0; i < rows; ++i) {
            std::fill(row.begin(), row.end(), 0.0);
            for (std::size_t k = 0; k < depth; ++k) {
                const auto factor = static_cast<double>(left_matrix[i * depth + k]);
                for (std::size_t j = 0; j < columns; ++j) {
                    row[j] += factor * static_cast<double>(right_matrix[k * columns + j]);
                }
            }
            for (const double sum : row) {
                product.push_back(static_cast<float>(sum));
            }
        }
    }
    return {tensor_as(tensor_of({}, dims, product), step.type(0).type)};
}

// ---- Einsum: products of tensors whose axes have letters, summed over the letters that the output lacks ----

struct Equation {
    std::vector<std::string> inputs;  // a letter for each axis
    std::string output;
    std::map<char, std::int64_t> sizes;
};

Equation equation_of(const Step& step) {
    const std::string text = step.node.text("equation", "");
    const std::size_t arrow = text.find("->");
    const bool known = arrow != std::string::npos &&
                       text.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ,->") ==
                           std::string::npos;
    if (!known) step.refuse("the equation is " + readable(text) + ", expected letters, commas and one arrow");
    Equation result{{""}, text.substr(arrow + 2), {}};
    for (const char letter : text.substr(0, arrow)) {
        if (letter == ',') {
            result.inputs.emplace_back();
        } else {
            result.inputs.back() += letter;
        }
    }
    if (result.inputs.size() != step.node.inputs.size()) {
        step.refuse("the equation " + readable(text) + " is not of " +
                    std::to_string(step.node.inputs.size()) + " inputs");
    }
    for (std::size_t i = 0; i < result.inputs.size(); ++i) {
        const Ints& dims = step.dims(i);
        if (dims.size() != result.inputs[i].size()) {
            step.refuse("the equation " + readable(text) + " does not fit the axes of an input of " +
                        shape_text(dims));
        }
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            const auto [size, is_new] = result.sizes.emplace(result.inputs[i][axis], dims[axis]);
            if (!is_new && size->second != dims[axis]) {
                step.refuse("an axis of the equation " + readable(text) + " has several sizes");
            }
        }
    }
    for (const char letter : result.output) {
        if (!result.sizes.contains(letter)) {
            step.refuse("the output of the equation " + readable(text) + " has an axis that no input has");
        }
    }
    return result;
}

void form_einsum(Step& step) {
    std::string text = step.node.text("equation", "");
    std::erase(text, ' ');
    step.node.attributes = {{"equation", text}};
}

std::vector<ValueType> infer_einsum(const Step& step) {
    const Equation equation = equation_of(step);
    Ints dims;
    for (const char letter : equation.output) dims.push_back(equation.sizes.at(letter));
    return {{step.type(0).type, dims}};
}

std::vector<Tensor> fold_einsum(const Step& step) {
    const Equation equation = equation_of(step);
    const ValueType output = infer_einsum(step).front();
    if (output.type != DataType::float32) return {};
    // All letters, those of the output first.
    std::string letters = equation.output;
    std::ranges::sort(letters);
    if (std::ranges::adjacent_find(letters) != letters.end()) return {};
    letters = equation.output;
    double multiplies = 1.0;
    for (const auto& [letter, size] : equation.sizes) {
        if (letters.find(letter) == std::string::npos) letters += letter;
        multiplies *= static_cast<double>(size);
    }
    constexpr double most = 1e9;
    if (multiplies > most || !step.take_multiplies(static_cast<std::int64_t>(multiplies))) return {};

    std::vector<std::vector<float>> factors;
    std::vector<Ints> strides;  // of each input, along each letter
    for (std::size_t i = 0; i < equation.inputs.size(); ++i) {
        factors.push_back(step.constant(i)->floats());
        const Ints of_axes = strides_of(step.dims(i));
        Ints& along = strides.emplace_back(letters.size(), 0);
        for (std::size_t axis = 0; axis < of_axes.size(); ++axis) {
            along[letters.find(equation.inputs[i][axis])] += of_axes[axis];
        }
    }
    std::vector<float> numbers(static_cast<std::size_t>(count_of(output.dims)), 0.0F);
    const auto terms = static_cast<std::int64_t>(multiplies) / std::max<std::int64_t>(1, std::ssize(numbers));
    Ints place(letters.size(), 0);
    for (float& number : numbers) {
        double sum = 0.0;
        for (std::int64_t term = 0; term < terms; ++term) {
            double product = 1.0;
            for (std::size_t i = 0; i < factors.size(); ++i) {
                std::int64_t at = 0;
                for (std::size_t k = 0; k < letters.size(); ++k) at += place[k] * strides[i][k];
                product *= static_cast<double>(factors[i][static_cast<std::size_t>(at)]);
            }
            sum += product;
            for (std::size_t k = letters.size(); k-- > 0;) {
                if (++place[k] < equation.sizes.at(letters[k])) break;
                place[k] = 0;
            }
        }
        number = static_cast<float>(sum);
    }
    return {tensor_of({}, output.dims, numbers)};
}

}  // namespace

std::vector<Op> product_ops() {
    return {
        {"Einsum", 1, any_number, form_einsum, infer_einsum, fold_einsum},
        {"Gemm", 2, 3, form_gemm, infer_gemm, fold_gemm},
        {"MatMul", 2, 2, nullptr, infer_matmul, fold_matmul},
    };
}

}  // namespace hacscale::onnx::detail
