#include "models/zoo/find_network.hpp"

#include <fmt/format.h>

#include <charconv>
#include <string_view>

#include "base/error.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

constexpr std::int64_t largest_size = 1 << 20;  // of one dimension of an input

// Of the text after "NAME=": whole numbers above zero with "x" between them.
std::vector<std::int64_t> sizes_from(std::string_view text, const std::string& option,
                                     const std::string& what) {
    std::vector<std::int64_t> sizes;
    const char* const end = text.data() + text.size();
    for (const char* next = text.data();; ++next) {
        std::int64_t size = 0;
        const auto [stop, error] = std::from_chars(next, end, size);
        if (error != std::errc{} || size < 1 || size > largest_size || (stop != end && *stop != 'x')) {
            throw InputError(
                fmt::format("{}: \"{:.100}\" is no name with sizes; expected NAME=3x224x224, with sizes "
                            "from 1 to {}",
                            what, option, largest_size));
        }
        sizes.push_back(size);
        if (stop == end) return sizes;
        next = stop;
    }
}

}  // namespace

InputShapes input_shapes(const std::vector<std::string>& given, const std::string& what) {
    InputShapes shapes;
    for (const std::string& one : given) {
        // The name may have the sign in it, sizes may not.
        const std::size_t sign = one.rfind('=');
        const std::string name = sign == std::string::npos ? "" : one.substr(0, sign);
        const std::string_view sizes = name.empty() ? "" : std::string_view(one).substr(sign + 1);
        if (!shapes.emplace(name, sizes_from(sizes, one, what)).second) {
            throw InputError(fmt::format("{}: \"{}\" is given twice; keep one", what, name));
        }
    }
    return shapes;
}

Network find_network(const std::string& name_or_file, const InputShapes& shapes) {
    if (is_onnx_file(name_or_file)) return import_onnx(name_or_file, shapes);
    if (!shapes.empty()) {
        throw InputError(
            fmt::format("{} has one input, of the size that the model says; only inputs of ONNX files can be "
                        "given other sizes, and \"{}\" was given one",
                        name_or_file, shapes.begin()->first));
    }
    return network_of(find_model(name_or_file));
}

}  // namespace hacscale
