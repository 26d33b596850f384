#include "cli/network_options.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace hacscale::cli {

InputShapes InputOptions::shapes() const {
    return input_shapes(given, "--input");
}

void add_input_option(CLI::App& parser, InputOptions& options) {
    parser.add_option("--input", options.given,
                      "Sizes of an ONNX file's input: NAME=3x224x224; once for each input");
}

void add_group_options(CLI::App& parser, std::vector<std::string>& freeze, std::vector<std::string>& limits) {
    parser
        .add_option("--freeze", freeze, "Of an ONNX file: layers that stay as they are, separated by commas")
        ->delimiter(',');
    parser.add_option(
        "--group", limits,
        "Of an ONNX file: NAME:MIN..MAX keeps a layer's channels within these; may be given again");
}

Network network_named(const std::string& name_or_file, const InputOptions& inputs, harness::Events& events) {
    Network network = find_network(name_or_file, inputs.shapes());
    if (!network.left_out.empty()) {
        const std::size_t count = network.left_out.size();
        const auto share = [](std::int64_t left_out, std::int64_t kept) {
            return 100.0 * static_cast<double>(left_out) /
                   static_cast<double>(std::max<std::int64_t>(left_out + kept, 1));
        };
        events.warn(fmt::format(
            "{}: {} of the file's nodes {} left out, with {:.1f} % of its MACs and {:.1f} % of the elements "
            "that it computes, and latencies are without {}; {}{}",
            network.name, count, count == 1 ? "is" : "are",
            share(network.left_out_macs, network.graph.macs()),
            share(network.left_out_elements, network.graph.activations()), count == 1 ? "it" : "them",
            count == 1 ? "" : "the first: ", network.left_out.front()));
    }
    return network;
}

std::string size_text(const Tensor& tensor) {
    return fmt::format("{}x{}x{}", tensor.channels, tensor.height, tensor.width);
}

}  // namespace hacscale::cli
