// `hacscale models` and `hacscale models show`: the networks of the zoo, and what one network consists of.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cli {

namespace {

ExitStatus list_models(Session& session) {
    records::Json models = records::Json::array();
    TextTable table(
        {{"model", Align::left}, {"params"}, {"MACs"}, {"activations"}, {"resolution"}, {"stages"}});
    for (const std::string& name : zoo_names()) {
        const ModelSpec model = find_model(name);
        const Graph network = lower(model);
        models.push_back({{"name", name},
                          {"params", network.params()},
                          {"macs", network.macs()},
                          {"activations", network.activations()},
                          {"resolution", model.resolution},
                          {"classes", model.classes},
                          {"stages", model.stages.size()}});
        table.add({name, with_separators(network.params()), with_separators(network.macs()),
                   with_separators(network.activations()), std::to_string(model.resolution),
                   std::to_string(model.stages.size())});
    }
    if (session.json) {
        records::print_json(session.out, {{"models", std::move(models)}});
    } else {
        table.print(session.out);
    }
    return ExitStatus::done;
}

struct ShowOptions {
    std::string model;
    InputOptions inputs;
    BatchOptions batch;
    bool layers = false;
    bool graph = false;
};

void print_stages(std::ostream& out, const ModelSpec& model) {
    TextTable table({{"stage", Align::left},
                     {"block", Align::left},
                     {"width"},
                     {"depth"},
                     {"stride"},
                     {"kernel"},
                     {"inner widths", Align::left}});
    const std::vector<std::string> names = stage_names(model);
    for (std::size_t i = 0; i < model.stages.size(); ++i) {
        const StageSpec& stage = model.stages[i];
        table.add({names[i], std::string(name_of(stage.block)), std::to_string(stage.width),
                   std::to_string(stage.depth), std::to_string(stage.stride), std::to_string(stage.kernel),
                   fmt::format("{}", fmt::join(stage.inner_widths, ","))});
    }
    table.print(out);
}

void print_layers(std::ostream& out, const records::Json& model) {
    TextTable table({{"layer", Align::left}, {"key", Align::left}, {"MACs"}, {"params"}});
    for (const records::Json& layer : model["layers"]) {
        table.add(
            {layer["name"], layer["key"], with_separators(layer["macs"]), with_separators(layer["params"])});
    }
    table.print(out);
}

std::string node_reference(const records::Json& index) {
    return index.is_null() ? "" : index == -1 ? "input" : index.dump();
}

void print_graph(std::ostream& out, const records::Json& model) {
    TextTable table({{"node"}, {"name", Align::left}, {"reads"}, {"adds"}, {"key", Align::left}});
    for (std::size_t i = 0; i < model["graph"].size(); ++i) {
        const records::Json& node = model["graph"][i];
        table.add({std::to_string(i), node["name"], node_reference(node["input"]),
                   node_reference(node["residual"]), model["layers"][i]["key"]});
    }
    table.print(out);
}

void print_counts(const ShowOptions& options, const records::Json& json, Session& session) {
    print_lines(session.out,
                wrapped(fmt::format("{}: {} params, {} MACs, {} activations, {} bytes moved (batch {}, {})",
                                    json["name"].get<std::string>(), with_separators(json["params"]),
                                    with_separators(json["macs"]), with_separators(json["activations"]),
                                    with_separators(json["bytes"]), options.batch.batch, options.batch.dtype),
                        2));
}

void print_parts(const ShowOptions& options, const records::Json& json, Session& session) {
    if (options.layers) {
        session.out << '\n';
        print_layers(session.out, json);
    }
    if (options.graph) {
        session.out << '\n';
        print_graph(session.out, json);
    }
}

ExitStatus show_network(const ShowOptions& options, Session& session) {
    const Network network = network_named(options.model, options.inputs, session);
    const records::Json json = model_json(network, options.batch.batch, options.batch.type());
    if (session.json) {
        records::print_json(session.out, json);
        return ExitStatus::done;
    }
    print_counts(options, json, session);
    session.out << fmt::format("input {}, {}, hash {}\n",
                               size_text(network.graph.tensors[network.graph.inputs.front()]),
                               counted(network.graph.nodes.size(), "layer"), json["hash"].get<std::string>());
    print_parts(options, json, session);
    return ExitStatus::done;
}

ExitStatus show_model(const ShowOptions& options, Session& session) {
    if (is_onnx_file(options.model) || !options.inputs.given.empty()) {
        return show_network(options, session);
    }
    const ModelSpec model = find_model(options.model);
    const records::Json json = model_json(model, options.batch.batch, options.batch.type());
    if (session.json) {
        records::print_json(session.out, json);
        return ExitStatus::done;
    }
    print_counts(options, json, session);
    session.out << fmt::format("input {}x{}x{}, {}, hash {}\n", model.in_channels, model.resolution,
                               model.input_pixels_across(),
                               model.classes > 0 ? fmt::format("{} classes", model.classes) : "no classifier",
                               json["hash"].get<std::string>());
    if (!model.source.empty()) {
        print_lines(session.out, wrapped("source: " + model.source, 2));
    }
    session.out << '\n';
    print_stages(session.out, model);
    print_parts(options, json, session);
    return ExitStatus::done;
}

Run declare_show(CLI::App& parser) {
    auto options = std::make_shared<ShowOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML or ONNX file")->required();
    add_input_option(parser, options->inputs);
    add_batch_options(parser, options->batch);
    parser.add_flag("--layers", options->layers, "Also each layer with its cost");
    parser.add_flag("--graph", options->graph, "Also which layer reads which");
    return [options](Session& session) { return show_model(*options, session); };
}

}  // namespace

Run declare_models(CLI::App& parser) {
    SubCommands commands(parser);
    commands.add("models show", declare_show);
    commands.add("models export", declare_models_export);
    return commands.run(list_models);
}

}  // namespace hacscale::cli
