#include "cli/network_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <charconv>
#include <string_view>

#include "base/error.hpp"

namespace hacscale::cli {
namespace {

constexpr std::int64_t largest_size = 1 << 20;  // of one dimension of an input

// Of the text after "NAME=": whole numbers above zero with "x" between them.
std::vector<std::int64_t> sizes_from(std::string_view text, const std::string& option) {
    std::vector<std::int64_t> sizes;
    const char* const end = text.data() + text.size();
    for (const char* next = text.data();; ++next) {
        std::int64_t size = 0;
        const auto [stop, error] = std::from_chars(next, end, size);
        if (error != std::errc{} || size < 1 || size > largest_size || (stop != end && *stop != 'x')) {
            throw InputError(
                fmt::format("--input: \"{:.100}\" is no name with sizes; expected NAME=3x224x224, with sizes "
                            "from 1 to {}",
                            option, largest_size));
        }
        sizes.push_back(size);
        if (stop == end) return sizes;
        next = stop;
    }
}

}  // namespace

InputShapes InputOptions::shapes() const {
    InputShapes shapes;
    for (const std::string& option : given) {
        // The name may have the sign in it, sizes may not.
        const std::size_t sign = option.rfind('=');
        const std::string name = sign == std::string::npos ? "" : option.substr(0, sign);
        const std::string_view sizes = name.empty() ? "" : std::string_view(option).substr(sign + 1);
        if (!shapes.emplace(name, sizes_from(sizes, option)).second) {
            throw InputError(fmt::format("--input: \"{}\" is given twice; keep one", name));
        }
    }
    return shapes;
}

void add_input_option(CLI::App& parser, InputOptions& options) {
    parser.add_option("--input", options.given,
                      "Sizes of an ONNX file's input: NAME=3x224x224; once for each input");
}

Network network_named(const std::string& name_or_file, const InputOptions& inputs, harness::Events& events) {
    Network network = find_network(name_or_file, inputs.shapes());
    if (!network.left_out.empty()) {
        const std::size_t count = network.left_out.size();
        events.warn(fmt::format("{}: {} of the file left out, and latencies are without {}; {}{}",
                                network.name, count == 1 ? "1 node is" : fmt::format("{} nodes are", count),
                                count == 1 ? "it" : "them",
                                count == 1 ? "" : "the first: ", network.left_out.front()));
    }
    return network;
}

std::string size_text(const Tensor& tensor) {
    return fmt::format("{}x{}x{}", tensor.channels, tensor.height, tensor.width);
}

}  // namespace hacscale::cli
