#include "models/formats/onnx/detail/step.hpp"

#include <algorithm>
#include <cstring>

#include "base/error.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

std::int64_t count_of(const Ints& dims) {
    std::int64_t count = 1;
    for (const std::int64_t dim : dims) {
        count *= dim;
    }
    return count;
}

void Values::set_type(const std::string& value, ValueType type) {
    constexpr std::int64_t max_count = std::int64_t{1} << 40;
    constexpr std::size_t max_dimensions = 32;
    if (type.dims.size() > max_dimensions) {
        throw InputError("the value \"" + readable(value) + "\" would have " +
                         std::to_string(type.dims.size()) + " dimensions, expected at most " +
                         std::to_string(max_dimensions));
    }
    std::int64_t count = 1;
    for (const std::int64_t dim : type.dims) {
        if (dim < 0) {
            throw InputError("the value \"" + readable(value) + "\" would have the shape " +
                             shape_text(type.dims));
        }
        const std::int64_t factor = std::max<std::int64_t>(dim, 1);
        if (count > max_count / factor) {
            throw InputError("the value \"" + readable(value) + "\" would have the shape " +
                             shape_text(type.dims) + ", expected at most " + std::to_string(max_count) +
                             " elements");
        }
        count *= factor;
    }
    types_[value] = std::move(type);
}

void Values::set_constant(const std::string& value, Tensor tensor) {
    tensor.name = value;
    set_type(value, {tensor.type, tensor.dims});
    constants[value] = std::move(tensor);
}

void Values::erase(const std::string& value) {
    types_.erase(value);
    constants.erase(value);
}

const ValueType* Values::type(const std::string& value) const {
    const auto found = types_.find(value);
    return found == types_.end() ? nullptr : &found->second;
}

const Tensor* Values::constant(const std::string& value) const {
    const auto found = constants.find(value);
    return found == constants.end() ? nullptr : &found->second;
}

bool Values::take(std::int64_t new_bytes, std::int64_t moved_bytes) {
    if (new_bytes > new_bytes_left || moved_bytes > moved_bytes_left) {
        return false;
    }
    new_bytes_left -= new_bytes;
    moved_bytes_left -= moved_bytes;
    return true;
}

const ValueType& Step::type(std::size_t input) const {
    if (!has(input)) {
        refuse("its input " + std::to_string(input + 1) + " is absent");
    }
    const ValueType* known = values_.type(node.inputs[input]);
    if (known == nullptr) {
        refuse("its input \"" + readable(node.inputs[input]) + "\" has no known shape");
    }
    return *known;
}

const Tensor* Step::constant(std::size_t input) const {
    return has(input) ? values_.constant(node.inputs[input]) : nullptr;
}

namespace {

const Tensor& needed_constant(const Step& step, const Values& values, std::size_t input,
                              std::string_view what) {
    (void)step.type(input);
    const Tensor* tensor = step.constant(input);
    if (tensor == nullptr) {
        step.refuse("its input \"" + std::string(what) +
                    "\" depends on the network's inputs, expected a constant");
    }
    // What is a parameter of a node has a few numbers; the longest are indices of a Gather.
    constexpr std::int64_t longest_list = 1 << 20;
    if (tensor->count() > longest_list) {
        step.refuse("its input \"" + std::string(what) + "\" has too many numbers");
    }
    values.parameters_left -= tensor->count();
    if (values.parameters_left < 0) {
        step.refuse("it and the nodes before it read too many numbers as parameters");
    }
    return *tensor;
}

}  // namespace

Ints Step::integers(std::size_t input, std::string_view what) const {
    const Tensor& tensor = needed_constant(*this, values_, input, what);
    if (is_floating(tensor.type)) {
        refuse("its input \"" + std::string(what) + "\" has fractions, expected integers");
    }
    return tensor.integers();
}

std::vector<float> Step::numbers(std::size_t input, std::string_view what) const {
    return needed_constant(*this, values_, input, what).floats();
}

std::optional<Ints> Step::parameter(std::size_t input, std::string_view name) const {
    if (const Ints* list = node.integers(name)) {
        return *list;
    }
    if (has(input)) {
        return integers(input, name);
    }
    return std::nullopt;
}

bool Step::take_multiplies(std::int64_t count) const {
    if (count > values_.multiplies_left) {
        return false;
    }
    values_.multiplies_left -= count;
    return true;
}

std::int64_t Step::axis(std::int64_t axis, std::int64_t rank) const {
    if (axis < -rank || axis >= rank) {
        refuse("the axis " + std::to_string(axis) + " is not one of " + std::to_string(rank) + " dimensions");
    }
    return axis < 0 ? axis + rank : axis;
}

Ints Step::axes(const Ints& axes, std::int64_t rank) const {
    Ints result;
    for (const std::int64_t each : axes) {
        result.push_back(axis(each, rank));
    }
    std::sort(result.begin(), result.end());
    if (std::adjacent_find(result.begin(), result.end()) != result.end()) {
        refuse("an axis is there twice in \"axes\"");
    }
    return result;
}

void Step::refuse(const std::string& problem) const {
    throw InputError(node.place() + ": " + problem);
}

std::optional<Ints> broadcast(const Ints& a, const Ints& b) {
    Ints result(std::max(a.size(), b.size()), 1);
    for (std::size_t i = 0; i < result.size(); ++i) {
        const std::int64_t of_a = i < a.size() ? a[a.size() - 1 - i] : 1;
        const std::int64_t of_b = i < b.size() ? b[b.size() - 1 - i] : 1;
        if (of_a != of_b && of_a != 1 && of_b != 1) {
            return std::nullopt;
        }
        result[result.size() - 1 - i] = of_a == 1 ? of_b : of_a;
    }
    return result;
}

Ints strides_of(const Ints& dims) {
    Ints strides(dims.size(), 1);
    for (std::size_t i = dims.size(); i-- > 1;) {
        strides[i - 1] = strides[i] * dims[i];
    }
    return strides;
}

namespace {

// In blocks that the caches hold: rows of one are columns of the other.
template <std::size_t size>
std::string transposed_bytes(const char* from, std::size_t rows, std::size_t columns) {
    std::string bytes(rows * columns * size, '\0');
    constexpr std::size_t block = 32;
    for (std::size_t top = 0; top < rows; top += block) {
        for (std::size_t column = 0; column < columns; ++column) {
            for (std::size_t row = top; row < std::min(top + block, rows); ++row) {
                std::memcpy(bytes.data() + (column * rows + row) * size,
                            from + (row * columns + column) * size, size);
            }
        }
    }
    return bytes;
}

}  // namespace

Tensor transposed(const Tensor& matrix) {
    const auto rows = static_cast<std::size_t>(matrix.dims[0]);
    const auto columns = static_cast<std::size_t>(matrix.dims[1]);
    const char* from = matrix.data.view().data();
    const auto transpose = [&] {
        switch (bytes_of(matrix.type)) {
            case 1:
                return transposed_bytes<1>(from, rows, columns);
            case 2:
                return transposed_bytes<2>(from, rows, columns);
            case 4:
                return transposed_bytes<4>(from, rows, columns);
            default:
                return transposed_bytes<8>(from, rows, columns);
        }
    };
    return {{}, matrix.type, {matrix.dims[1], matrix.dims[0]}, Bytes(transpose())};
}

std::vector<std::int64_t> broadcast_indices(const Ints& dims, const Ints& source) {
    const Ints strides = strides_of(source);
    const std::size_t lead = dims.size() - source.size();
    std::vector<std::int64_t> result(static_cast<std::size_t>(count_of(dims)));
    Ints position(dims.size(), 0);
    std::int64_t at = 0;
    for (std::int64_t& index : result) {
        index = at;
        for (std::size_t i = dims.size(); i-- > 0;) {
            const std::int64_t step = i < lead || source[i - lead] == 1 ? 0 : strides[i - lead];
            at += step;
            if (++position[i] < dims[i]) {
                break;
            }
            at -= step * dims[i];
            position[i] = 0;
        }
    }
    return result;
}

}  // namespace hacscale::onnx::detail
