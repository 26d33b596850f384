#include <algorithm>

#include "base/error.hpp"
#include "base/text/wording.hpp"
#include "models/formats/onnx/detail/wording.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnx {

namespace {

using Sizes = std::vector<std::int64_t>;

std::string text_of_shape(const ValueInfo& input) {
    std::string result;
    for (const Dimension& dimension : *input.shape) {
        const std::string size = dimension.size             ? std::to_string(*dimension.size)
                                 : dimension.symbol.empty() ? "?"
                                                            : detail::readable(dimension.symbol);
        result += (result.empty() ? "" : "x") + size;
    }
    return result;
}

Sizes given_sizes(const ValueInfo& input, std::int64_t batch, const Sizes& given) {
    Sizes sizes = given;
    const std::size_t rank = input.shape->size();
    if (rank >= 2 && given.size() + 1 == rank) {
        sizes.insert(sizes.begin(), batch);
    }
    const bool positive = std::all_of(sizes.begin(), sizes.end(), [](std::int64_t size) { return size > 0; });
    if (sizes.size() != rank || !positive) {
        throw InputError("--input " + detail::readable(input.name) + "=" + shape_text(given) +
                         " does not fit the input's shape " + text_of_shape(input));
    }
    for (std::size_t i = rank >= 2 ? 1 : 0; i < rank; ++i) {
        const auto& fixed = (*input.shape)[i].size;
        if (fixed && *fixed != sizes[i]) {
            throw InputError("--input " + detail::readable(input.name) + "=" + shape_text(given) +
                             " contradicts the file, which fixes " + text_of_shape(input) +
                             "; export it with dynamic axes to measure other sizes");
        }
    }
    return sizes;
}

// The batch that a file fixes stays until the graph is simplified: constant shapes in the file depend on it.
void keep_fixed_batch(Model& model, const ValueInfo& input, Sizes& sizes) {
    const auto& fixed = input.shape->size() >= 2 ? input.shape->front().size : std::nullopt;
    if (!fixed || sizes.front() == *fixed) {
        return;
    }
    model.wanted_batch = sizes.front();
    sizes.front() = *fixed;
}

Sizes own_sizes(const ValueInfo& input, std::int64_t batch) {
    Sizes sizes;
    for (std::size_t i = 0; i < input.shape->size(); ++i) {
        const Dimension& dimension = (*input.shape)[i];
        if (i == 0 && input.shape->size() >= 2) {
            sizes.push_back(batch);
        } else if (dimension.size) {
            sizes.push_back(*dimension.size);
        } else {
            throw InputError("the input \"" + detail::readable(input.name) + "\" has the open shape " +
                             text_of_shape(input) + "; give its sizes, as in --input " +
                             detail::readable(input.name) + "=3x224x224");
        }
    }
    return sizes;
}

}  // namespace

void fix_inputs(Model& model, std::int64_t batch,
                const std::map<std::string, std::vector<std::int64_t>>& shapes) {
    const std::string file = model.origin.empty() ? "" : model.origin + ": ";
    std::vector<std::string> names;
    for (const ValueInfo& input : model.graph.inputs) {
        names.push_back(input.name);
    }
    for (const auto& [name, sizes] : shapes) {
        if (std::find(names.begin(), names.end(), name) == names.end()) {
            throw InputError(file + "there is no input \"" + detail::readable(name) + "\"" +
                             hacscale::detail::did_you_mean(name, names));
        }
    }
    for (ValueInfo& input : model.graph.inputs) {
        try {
            const auto given = shapes.find(input.name);
            if (!input.shape && given == shapes.end()) {
                throw InputError("the input \"" + detail::readable(input.name) +
                                 "\" has no shape; give its sizes, as in --input " +
                                 detail::readable(input.name) + "=1x3x224x224");
            }
            if (!input.shape) {
                input.shape.emplace(given->second.size());
            }
            Sizes sizes =
                given == shapes.end() ? own_sizes(input, batch) : given_sizes(input, batch, given->second);
            keep_fixed_batch(model, input, sizes);
            input = value_info(input.name, input.type, sizes);
        } catch (const InputError& error) {
            throw InputError(file + error.what());
        }
    }
}

}  // namespace hacscale::onnx
