// How commands take a network that may be an ONNX file.
#pragma once

#include <string>
#include <vector>

#include "cli/parser_fwd.hpp"
#include "harness/events.hpp"
#include "models/zoo/find_network.hpp"

namespace hacscale::cli {

// --input: sizes of an ONNX file's inputs.
struct InputOptions {
    std::vector<std::string> given;  // NAME=3x224x224

    // Throws InputError for what is no name with sizes, and for a name given twice.
    InputShapes shapes() const;
};
void add_input_option(CLI::App& parser, InputOptions& options);
// --freeze and --group: what an ONNX file's layers keep; limits are as parse_width_limit() takes them.
void add_group_options(CLI::App& parser, std::vector<std::string>& freeze, std::vector<std::string>& limits);
// find_network() with these sizes. Warns where the network is not all of its file.
Network network_named(const std::string& name_or_file, const InputOptions& inputs, harness::Events& events);
// "3x224x224"
std::string size_text(const Tensor& tensor);

}  // namespace hacscale::cli
