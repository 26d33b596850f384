// `hacscale models export`: a network as a file for other programs, PyTorch code or an ONNX file.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/printing/printing.hpp"
#include "models/formats/formats.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"
#include "records/json.hpp"
#include "records/record_file.hpp"
#include "training/stage_weights.hpp"
#include "training/trainer_module.hpp"

namespace hacscale::cli {

namespace {

struct ModelExportOptions {
    std::string model;
    std::string format;  // empty: by the ending of `out`
    std::string out;
    std::int64_t opset = default_onnx_opset;
    std::string weights;
    std::string checkpoint;
    std::uint64_t seed = 1;
    InputOptions inputs;
    std::vector<const CLI::Option*> of_onnx_alone;

    bool writes_onnx() const { return format == "onnx" || (format.empty() && is_onnx_file(out)); }
};

// ---- ONNX ----

// Gives the network its numbers; returns which ones these are.
std::string take_weights(Network& network, const ModelExportOptions& options) {
    const bool given = !options.weights.empty() || !options.checkpoint.empty();
    if (!network.weights.empty()) {
        if (!given) return "the file's weights";
        throw InputError(fmt::format(
            "{} has its own weights; --weights and --checkpoint are for models with stages", options.model));
    }
    if (!options.weights.empty()) {
        network.weights =
            folded(network.graph, read_stage_weights(find_model(options.model), options.weights));
        return "the weights of " + options.weights;
    }
    if (!options.checkpoint.empty()) {
        const LoadedTrainer loaded = load_trainer();
        network.weights = loaded.required().folded_weights(find_model(options.model), options.checkpoint);
        return "the weights of " + options.checkpoint;
    }
    network.weights = random_weights(network.graph, options.seed);
    return fmt::format("random weights of seed {}", options.seed);
}

ExitStatus export_onnx_file(const ModelExportOptions& options, Session& session) {
    if (options.out.empty()) {
        throw InputError("an ONNX file is not text: give the file to write with --out");
    }
    Network network = find_network(options.model, options.inputs.shapes());
    if (!network.left_out.empty()) {
        session.warn(fmt::format("{} is written without {} that no layer here computes; the first: {}",
                                 options.out, counted(network.left_out.size(), "node"),
                                 network.left_out.front()));
    }
    const std::string weights = take_weights(network, options);
    onnx::write_file(export_onnx(network, options.opset), options.out);
    if (session.json) {
        records::print_json(session.out, {{"model", network.name},
                                          {"model_hash", network_hash(network)},
                                          {"format", "onnx"},
                                          {"opset", options.opset},
                                          {"weights", weights},
                                          {"params", network.graph.params()},
                                          {"macs", network.graph.macs()},
                                          {"left_out", network.left_out},
                                          {"out", options.out}});
        return ExitStatus::done;
    }
    session.out << fmt::format("{}: {} in opset {}, {} params, {} MACs; {}\n", options.out, network.name,
                               options.opset, with_separators(network.graph.params()),
                               with_separators(network.graph.macs()), weights);
    return ExitStatus::done;
}

// ---- PyTorch ----

ExitStatus export_pytorch_code(const ModelExportOptions& options, Session& session) {
    for (const CLI::Option* const option : options.of_onnx_alone) {
        if (option->count() > 0) {
            throw InputError(fmt::format("{} is for ONNX files: add --format onnx, or end --out in .onnx",
                                         option->get_name()));
        }
    }
    if (is_onnx_file(options.model)) {
        throw InputError(fmt::format(
            "{}: PyTorch code is written for models with stages; --out NAME.onnx writes an ONNX file",
            options.model));
    }
    const ModelSpec model = find_model(options.model);
    const Graph network = lower(model);
    const std::string code = pytorch_code(model);
    if (!options.out.empty()) {
        records::write_record(options.out, code);
    }
    if (session.json) {
        records::Json answer{{"model", model.name},        {"model_hash", model_hash(model)},
                             {"format", "pytorch"},        {"class", pytorch_class_name(model)},
                             {"params", network.params()}, {"macs", network.macs()}};
        answer[options.out.empty() ? "code" : "out"] = options.out.empty() ? code : options.out;
        records::print_json(session.out, answer);
    } else if (options.out.empty()) {
        session.out << code;
    } else {
        session.out << fmt::format("{}: {} as the class {}, {} params, {} MACs\n", options.out, model.name,
                                   pytorch_class_name(model), with_separators(network.params()),
                                   with_separators(network.macs()));
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_models_export(CLI::App& parser) {
    auto options = std::make_shared<ModelExportOptions>();
    parser.add_option("model", options->model, "A name of the zoo, a YAML file, or an ONNX file")->required();
    parser.add_option("--format", options->format, "pytorch or onnx; else by the ending of --out")
        ->check(CLI::IsMember({"pytorch", "onnx"}));
    parser.add_option("--out", options->out, "The file to write; else the answer has the code");
    CLI::Option* const weights =
        parser.add_option("--weights", options->weights, "ONNX: a checkpoint, or a safetensors file");
    CLI::Option* const checkpoint =
        parser.add_option("--checkpoint", options->checkpoint, "ONNX: a checkpoint that training wrote")
            ->excludes(weights);
    options->of_onnx_alone = {
        parser.add_option("--opset", options->opset, "ONNX: the version of its operators, 9 to 21")
            ->check(CLI::Range(onnx::min_opset, onnx::max_opset))
            ->capture_default_str(),
        weights, checkpoint,
        parser.add_option("--seed", options->seed, "ONNX: of random weights")->capture_default_str()};
    add_input_option(parser, options->inputs);
    return [options](Session& session) {
        return options->writes_onnx() ? export_onnx_file(*options, session)
                                      : export_pytorch_code(*options, session);
    };
}

}  // namespace hacscale::cli
