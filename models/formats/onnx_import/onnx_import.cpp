#include "models/formats/onnx_import/onnx_import.hpp"

#include <fmt/format.h>

#include <set>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_import/detail/draft.hpp"

namespace hacscale {
namespace {

// Names in files need not differ once several nodes are one layer.
std::string unique_name(const std::string& name, std::set<std::string>& taken) {
    std::string unique = name;
    for (int i = 2; !taken.insert(unique).second; ++i) unique = fmt::format("{}#{}", name, i);
    return unique;
}

Network network_of(detail::Draft draft, const std::string& name) {
    Network result{.name = name,
                   .graph = {},
                   .weights = {},
                   .left_out = std::move(draft.left_out),
                   .left_out_macs = draft.left_out_macs,
                   .left_out_elements = draft.left_out_elements};
    std::unordered_map<std::string, TensorId> tensors;
    for (const std::string& input : draft.inputs) {
        const MapSize& size = draft.sizes.at(input);
        tensors[input] = result.graph.add_input(size.channels, size.height, size.width);
        result.tensor_names.push_back(input);
    }
    std::set<std::string> names;
    std::set<std::string> counted;  // weights that several layers share are learned once
    for (detail::DraftLayer& layer : draft.layers) {
        Node node{.layer = layer.layer, .name = unique_name(layer.name, names)};
        for (const std::string& input : layer.inputs) node.inputs.push_back(tensors.at(input));
        for (const std::string& parameter : layer.parameters) {
            if (counted.insert(parameter).second) node.learned_params += draft.parameter_counts.at(parameter);
        }
        tensors[layer.output] = result.graph.add_node(std::move(node));
        result.tensor_names.push_back(layer.output);
        std::vector<std::string>& of_file = result.parameter_names.emplace_back();
        for (const std::string& parameter : layer.parameters) {
            const auto moved = draft.moved_from.find(parameter);
            of_file.push_back(moved == draft.moved_from.end() ? parameter : moved->second);
        }
        result.weights.push_back(std::move(layer.weights));
    }
    for (const std::string& output : draft.outputs) result.graph.outputs.push_back(tensors.at(output));
    result.input_names = std::move(draft.inputs);
    result.output_names = std::move(draft.output_names);
    result.vector_outputs = std::move(draft.vector_outputs);
    return result;
}

}  // namespace

Network import_onnx(onnx::Model model, const std::string& name, const InputShapes& shapes) {
    const std::string origin = model.origin;
    onnx::fix_inputs(model, 1, shapes);
    detail::Draft draft = detail::draft_of(onnx::simplify(std::move(model)));
    detail::fuse(draft);
    if (draft.layers.empty()) {
        throw InputError(fmt::format("{}: no node is a layer that can be measured{}{}", origin,
                                     draft.left_out.empty() ? "" : "; the first one: ",
                                     draft.left_out.empty() ? "" : draft.left_out.front()));
    }
    Network network = network_of(std::move(draft), name);
    if (const auto reason = validate(network.graph)) throw InputError(fmt::format("{}: {}", origin, *reason));
    return network;
}

Network import_onnx(const std::filesystem::path& file, const InputShapes& shapes) {
    return import_onnx(onnx::read_file(file), file.stem().string(), shapes);
}

}  // namespace hacscale
