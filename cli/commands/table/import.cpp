// `hacscale table import`: rows that other programs measured, as a table of the device that they name.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "base/text/wording.hpp"
#include "cli/commands.hpp"
#include "cli/network_options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/measure/table_view.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/formats/onnx_import/onnx_import.hpp"
#include "models/ops/layer_spec.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/import/tensorrt.hpp"
#include "profiler/table/table.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

constexpr std::size_t max_listed = 5;  // of what has no row, as text
constexpr double percent = 100.0;

struct TableImportOptions {
    std::string file;
    std::string table;
    std::string format;  // empty: by the file's suffix
    std::string device;
    std::string software;
    int batch = 1;
    std::string dtype;
    std::string cache = "network";
    std::vector<std::string> networks;
    InputOptions inputs;
    TensorRtFiles tensorrt;
};

std::string format_of(const TableImportOptions& options) {
    if (!options.format.empty()) {
        return options.format == "mdp" ? "halp" : options.format;
    }
    const std::filesystem::path file(options.file);
    if (const auto known = tabular_format_of(file)) {
        return *known == TabularFormat::csv ? "csv" : "json";
    }
    if (file.extension() == ".pkl" || file.extension() == ".pickle") {
        return "halp";
    }
    throw InputError(fmt::format(
        "{}: its format is not known from its name; give --format csv, json, halp, mdp or tensorrt",
        options.file));
}

// The nodes of an ONNX file are known; a model's layers are called as `models export` calls the nodes that it writes.
TensorRtNetwork tensorrt_network(const std::string& name, const InputOptions& inputs, Session& session) {
    const Network network = network_named(name, inputs, session);
    TensorRtNetwork result{network.name, network_hash(network), network.graph, {}};
    if (network.tensor_names.empty()) {
        for (const Node& node : network.graph.nodes) {
            result.nodes.push_back({node.name});
        }
    } else {
        result.nodes = file_nodes(onnx::read_file(name), network);
    }
    return result;
}

struct Imported {
    TensorRtImport content;  // of other formats, rows alone
    std::optional<VerificationRecord> verification;
};

Imported import_profile(const TableImportOptions& options, ImportSettings settings, Session& session) {
    if (options.networks.size() > 1) {
        throw InputError("an engine is built from one network; give one --network");
    }
    TensorRtFiles files = options.tensorrt;
    files.profile = options.file;
    const std::optional<DataType> type = options.dtype.empty() ? std::nullopt : std::optional(settings.type);
    if (options.networks.empty()) {
        return {import_tensorrt(files, std::nullopt, settings, type), {}};
    }
    const TensorRtNetwork network = tensorrt_network(options.networks.front(), options.inputs, session);
    settings.footprint_bytes = pass_footprint(network.graph, options.batch, settings.type);
    Imported imported{import_tensorrt(files, network, settings, type), {}};
    const TensorRtImport& content = imported.content;
    if (content.engine_us && content.complete()) {
        const RowKey& state = content.rows.front().key;
        imported.verification =
            VerificationRecord{network.name,    network.hash,       state.batch, state.type, state.cache,
                               content.rows_us, *content.engine_us, 0.0,         ""};
    }
    return imported;
}

Imported import_file(const TableImportOptions& options, const std::string& format, Session& session) {
    ImportSettings settings;
    settings.device = options.device;
    settings.software = options.software;
    settings.batch = options.batch;
    settings.type = options.dtype.empty() ? settings.type : data_type_from_name(options.dtype);
    settings.cache = cache_state_from_name(options.cache);
    if (format == "tensorrt") {
        return import_profile(options, std::move(settings), session);
    }
    if (!options.tensorrt.layers.empty() || !options.tensorrt.times.empty()) {
        throw InputError("--layer-info and --times are files of an engine; give --format tensorrt with them");
    }
    for (const std::string& network : options.networks) {
        settings.networks.push_back(network_named(network, options.inputs, session).graph);
    }
    Imported imported;
    static_cast<ImportedRows&>(imported.content) =
        format == "halp"
            ? import_halp(options.file, settings)
            : import_rows(options.file, format == "csv" ? TabularFormat::csv : TabularFormat::json, settings);
    if (imported.content.rows.empty()) {
        throw InputError(
            fmt::format("{}: no row can be entered: {}", options.file, imported.content.ignored.front()));
    }
    return imported;
}

std::optional<double> error_pct(const TensorRtImport& content) {
    if (!content.engine_us || *content.engine_us <= 0.0) {
        return std::nullopt;
    }
    return percent * (content.layers_us / *content.engine_us - 1.0);
}

records::Json answer_json(const TableImportOptions& options, const std::string& format,
                          const Imported& imported, std::int64_t replaced) {
    const TensorRtImport& content = imported.content;
    records::Json json{{"file", options.file},       {"format", format},
                       {"table", options.table},     {"device", records::device_json(content.device)},
                       {"entries", content.entries}, {"rows", content.rows.size()},
                       {"replaced", replaced},       {"ignored", content.ignored}};
    if (format != "tensorrt") {
        return json;
    }
    records::Json without = records::Json::array();
    for (const EngineLayer& layer : content.without_row) {
        without.push_back({{"name", layer.name},
                           {"latency_us", layer.latency_us},
                           {"nodes", layer.nodes},
                           {"reason", layer.reason}});
    }
    json.update({{"layers_us", content.layers_us},
                 {"rows_us", content.rows_us},
                 {"engine_us", records::value_or_null(content.engine_us)},
                 {"error_pct", records::value_or_null(error_pct(content))},
                 {"without_row", std::move(without)},
                 {"not_found", content.not_found},
                 {"notes", content.notes}});
    return json;
}

void print_list(std::ostream& out, const std::vector<std::string>& lines) {
    for (std::size_t i = 0; i < std::min(lines.size(), max_listed); ++i) {
        print_lines(out, wrapped(lines[i], 2));
    }
    if (lines.size() > max_listed) {
        out << fmt::format("  and {} more: --json has all\n", lines.size() - max_listed);
    }
}

void print_engine(std::ostream& out, const TensorRtImport& content) {
    out << fmt::format("the engine's layers take {}, of which rows have {}\n",
                       latency_text(content.layers_us), latency_text(content.rows_us));
    if (const auto error = error_pct(content)) {
        out << fmt::format("the engine takes {}: its layers' sum is {:+.1f} % off\n",
                           latency_text(*content.engine_us), *error);
    }
    std::vector<EngineLayer> slowest = content.without_row;
    std::stable_sort(slowest.begin(), slowest.end(),
                     [](const EngineLayer& a, const EngineLayer& b) { return a.latency_us > b.latency_us; });
    std::vector<std::string> lines;
    for (const EngineLayer& layer : slowest) {
        lines.push_back(
            fmt::format("no row for {} ({}): {}", layer.name, latency_text(layer.latency_us), layer.reason));
    }
    print_list(out, lines);
    lines.clear();
    for (const std::string& name : content.not_found) {
        lines.push_back(fmt::format("no row for the network's {}", name));
    }
    print_list(out, lines);
}

ExitStatus import_table(const TableImportOptions& options, Session& session) {
    const std::string format = format_of(options);
    const Imported imported = import_file(options, format, session);
    const TensorRtImport& content = imported.content;
    Table table = Table::open(options.table, OpenMode::create, &content.device);
    const auto replaced = static_cast<std::int64_t>(
        std::count_if(content.rows.begin(), content.rows.end(),
                      [&table](const Row& row) { return table.find(row.key).has_value(); }));
    table.put(content.rows);
    if (imported.verification) {
        table.put(*imported.verification);
    }
    for (const std::string& note : content.notes) {
        session.note(note);
    }
    if (session.json) {
        records::print_json(session.out, answer_json(options, format, imported, replaced));
    } else {
        session.out << fmt::format("{}: {} rows of {}, {} of them replaced\n", options.table,
                                   with_separators(static_cast<std::int64_t>(content.rows.size())),
                                   content.device.name, with_separators(replaced));
        print_list(session.out, content.ignored);
        if (format == "tensorrt") {
            print_engine(session.out, content);
        }
    }
    return content.complete() ? ExitStatus::done : ExitStatus::incomplete;
}

}  // namespace

Run declare_table_import(CLI::App& parser) {
    auto options = std::make_shared<TableImportOptions>();
    parser
        .add_option("file", options->file, "CSV, JSON, HALP's or MDP's pickle, or trtexec's --exportProfile")
        ->required();
    parser.add_option("--table", options->table, "The table's file; made where there is none")->required();
    parser
        .add_option("--format", options->format,
                    "csv, json, halp, mdp or tensorrt; else by the file's suffix")
        ->check(CLI::IsMember({"csv", "json", "halp", "mdp", "tensorrt"}));
    parser.add_option("--device-name", options->device,
                      "The device that was measured, where the file does not say");
    parser.add_option("--software", options->software, "What it was measured with, and its version");
    parser.add_option("--batch", options->batch, "Of rows that do not say their batch")
        ->check(CLI::Range(1, max_layer_size))
        ->capture_default_str();
    parser.add_option("--dtype", options->dtype,
                      "Of rows that do not say their data type: f32, bf16, f16, tf32");
    parser.add_option("--cache", options->cache, "Of rows that do not say their cache state")
        ->capture_default_str();
    parser
        .add_option("--network", options->networks,
                    "Networks whose convs' activations, residuals and padding rows of sizes alone count for; "
                    "of an engine, "
                    "the ONNX file that it was built from")
        ->delimiter(',');
    parser.add_option("--layer-info", options->tensorrt.layers,
                      "tensorrt: what trtexec wrote by --exportLayerInfo");
    parser.add_option("--times", options->tensorrt.times, "tensorrt: what trtexec wrote by --exportTimes");
    add_input_option(parser, options->inputs);
    return [options](Session& session) { return import_table(*options, session); };
}

}  // namespace hacscale::cli
