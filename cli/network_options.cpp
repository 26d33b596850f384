#include "cli/network_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>

namespace hacscale::cli {

InputShapes InputOptions::shapes() const {
    return input_shapes(given, "--input");
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
