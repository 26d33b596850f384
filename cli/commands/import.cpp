// `hacscale import`: what the network of an ONNX file is, layer by kind, and what can be done with it.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/printing/printing.hpp"
#include "models/graph/network.hpp"
#include "models/zoo/zoo.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t kinds_in_answer = 7;
constexpr std::size_t sizes_in_answer = 4;

struct OnnxImportOptions {
    std::string file;
    InputOptions inputs;
};

struct KindOfLayers {
    std::string kind;
    int layers = 0;
    std::int64_t macs = 0;
    std::int64_t params = 0;
};

// The kinds that compute the most first.
std::vector<KindOfLayers> kinds_of(const Graph& network) {
    std::map<std::string, KindOfLayers> by_name;
    for (const Node& node : network.nodes) {
        const std::string name(name_of(node.layer.kind));
        KindOfLayers& kind = by_name[name];
        kind.kind = name;
        ++kind.layers;
        kind.macs += cost_of(node.layer, 1, DataType::f32).macs;
        kind.params += node.learned_params;
    }
    std::vector<KindOfLayers> kinds;
    for (const auto& [name, kind] : by_name) {
        kinds.push_back(kind);
    }
    std::stable_sort(kinds.begin(), kinds.end(), [](const KindOfLayers& a, const KindOfLayers& b) {
        return std::pair(a.macs, a.layers) > std::pair(b.macs, b.layers);
    });
    return kinds;
}

double share_of(const KindOfLayers& kind, const Graph& network) {
    const std::int64_t all = network.macs();
    return all > 0 ? static_cast<double>(kind.macs) / static_cast<double>(all) : 0.0;
}

std::string sizes_text(const Graph& network, const std::vector<TensorId>& ids,
                       const std::vector<std::string>& names) {
    std::vector<std::string> parts;
    for (std::size_t i = 0; i < std::min(ids.size(), sizes_in_answer); ++i) {
        const std::string size = size_text(network.tensors[ids[i]]);
        parts.push_back(i < names.size() ? names[i] + " " + size : size);
    }
    return fmt::format(
        "{}{}", fmt::join(parts, ", "),
        ids.size() > sizes_in_answer ? fmt::format(" and {} more", ids.size() - sizes_in_answer) : "");
}

// What to do next with the file, in the order in which one would.
void print_next(const OnnxImportOptions& options, std::ostream& out) {
    const auto command = [&](const std::string& name, const std::vector<std::string>& more) {
        ShellCommand shell{{"hacscale", name, options.file}};
        for (const std::string& input : options.inputs.given) {
            shell.words.insert(shell.words.end(), {"--input", input});
        }
        shell.words.insert(shell.words.end(), more.begin(), more.end());
        print_lines(out, shell.lines());
    };
    out << "next: its outputs against the reference, its layers' times, and advice on widths\n";
    command("verify", {"--outputs"});
    command("profile", {"--table", "cpu.db", "--nearby-widths", "8"});
    command("advise", {"--table", "cpu.db"});
}

void print_import(const OnnxImportOptions& options, const Network& network, std::ostream& out) {
    const Graph& graph = network.graph;
    print_lines(out,
                wrapped(fmt::format("{}: {}, {} params, {} MACs, {} activations", network.name,
                                    counted(graph.nodes.size(), "layer"), with_separators(graph.params()),
                                    with_separators(graph.macs()), with_separators(graph.activations())),
                        2));
    print_lines(out, wrapped(fmt::format("inputs {}; outputs {}",
                                         sizes_text(graph, graph.inputs, network.input_names),
                                         sizes_text(graph, graph.outputs, network.output_names)),
                             2));
    TextTable table({{"kind", Align::left}, {"layers"}, {"% of MACs"}, {"params"}});
    const std::vector<KindOfLayers> kinds = kinds_of(graph);
    KindOfLayers others{"others"};
    for (std::size_t i = 0; i < kinds.size(); ++i) {
        if (i < kinds_in_answer || kinds.size() == kinds_in_answer + 1) {
            table.add({kinds[i].kind, std::to_string(kinds[i].layers),
                       fmt::format("{:.1f}", 100.0 * share_of(kinds[i], graph)),
                       with_separators(kinds[i].params)});
        } else {
            others.layers += kinds[i].layers;
            others.macs += kinds[i].macs;
            others.params += kinds[i].params;
        }
    }
    if (others.layers > 0) {
        table.add({others.kind, std::to_string(others.layers),
                   fmt::format("{:.1f}", 100.0 * share_of(others, graph)), with_separators(others.params)});
    }
    table.print(out);
    print_next(options, out);
}

records::Json import_json(const OnnxImportOptions& options, const Network& network) {
    const Graph& graph = network.graph;
    records::Json kinds = records::Json::array();
    for (const KindOfLayers& kind : kinds_of(graph)) {
        kinds.push_back({{"kind", kind.kind},
                         {"layers", kind.layers},
                         {"macs", kind.macs},
                         {"macs_share", share_of(kind, graph)},
                         {"params", kind.params}});
    }
    records::Json json = model_json(network, 1, DataType::f32);
    json["file"] = options.file;
    json["kinds"] = std::move(kinds);
    return json;
}

ExitStatus import_onnx_command(const OnnxImportOptions& options, Session& session) {
    if (!is_onnx_file(options.file)) {
        throw InputError(
            fmt::format("{}: import reads ONNX files, whose names end in .onnx; \"hacscale models show\" "
                        "shows other networks",
                        options.file));
    }
    const Network network = network_named(options.file, options.inputs, session);
    if (session.json) {
        records::print_json(session.out, import_json(options, network));
    } else {
        print_import(options, network, session.out);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_import(CLI::App& parser) {
    auto options = std::make_shared<OnnxImportOptions>();
    parser.add_option("file", options->file, "An ONNX file")->required();
    add_input_option(parser, options->inputs);
    return [options](Session& session) { return import_onnx_command(*options, session); };
}

}  // namespace hacscale::cli
