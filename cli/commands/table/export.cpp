#include "profiler/table/export.hpp"
#include "cli/commands.hpp"

#include <spdlog/logger.h>
#include <CLI/CLI.hpp>
#include <memory>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/measure/remedy.hpp"
#include "harness/measure/table_view.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::cli {

namespace {

struct TableExportOptions {
    std::string table;
    std::string format = "csv";
    FilterOptions filter;
    std::string network;
    int grid = 8;
    InputOptions inputs;

    bool is_halp() const { return format == "halp" || format == "mdp"; }
};

void report_left_out(const std::map<std::string, std::int64_t>& left_out, const std::string& one,
                     spdlog::logger& log) {
    for (const auto& [reason, count] : left_out) {
        log.warn("{} {} left out: {}", with_separators(count), count == 1 ? one + " is" : one + "s are",
                 reason);
    }
}

// Says what the form had no place for.
void report(const ExportSummary& summary, spdlog::logger& log) {
    log.info("{} of {} rows are in {} entries", with_separators(summary.written),
             with_separators(summary.rows), with_separators(summary.entries));
    report_left_out(summary.left_out, "row", log);
}

void check(const TableExportOptions& options, const Session& session) {
    if (session.json && options.format == "ofa") {
        throw InputError("--json does not go with --format ofa, which is YAML; leave one of them out");
    }
    if (session.json && options.is_halp()) {
        throw InputError("--json does not go with --format " + options.format +
                         ", which is a pickle; leave one of them out");
    }
    if (options.network.empty()) {
        return;
    }
    if (!options.is_halp()) {
        throw InputError("--network is for --format halp and mdp: it says which keys they need");
    }
    if (!options.filter.layer.empty() || !options.filter.kind.empty() || !options.filter.status.empty()) {
        throw InputError(
            "--network says which layers are exported, at --batch, --dtype and --cache; leave --layer, "
            "--kind and --status out");
    }
}

// Every key that pruning the network asks for, and what measures those that are missing.
ExitStatus export_network(const TableExportOptions& options, const Table& table, Session& session) {
    const RowFilter filter = options.filter.filter();
    const MeasuredState usual;
    const MeasuredState state{filter.batch.value_or(usual.batch), filter.type.value_or(usual.type),
                              filter.cache.value_or(usual.cache)};
    const Network network = network_named(options.network, options.inputs, session);
    const TableView view(table, network.graph, state);
    const HalpNetworkSummary summary =
        write_halp(view.network(), view.source(), state.batch, options.grid, session.out);
    session.log.info("{} keys, {} of them interpolated between measured widths",
                     with_separators(summary.entries), with_separators(summary.interpolated));
    report_left_out(summary.left_out, "layer", session.log);
    if (summary.missing.empty()) {
        return ExitStatus::done;
    }
    const Remedy remedy{{options.network}, options.table, table.device(), state, options.inputs.given};
    session.warn(
        fmt::format("{} keys are missing, {} among them: the table has no layer near them. More widths are "
                    "measured by",
                    with_separators(static_cast<std::int64_t>(summary.missing.size())),
                    summary.missing.front()),
        remedy.profile({"--own-layers", "--widths", "0.05..1", "--grid", std::to_string(options.grid)}));
    return ExitStatus::incomplete;
}

ExitStatus export_table(const TableExportOptions& options, Session& session) {
    check(options, session);
    const Table table = Table::open(options.table, OpenMode::read);
    if (!options.network.empty()) {
        return export_network(options, table, session);
    }
    const RowFilter filter = options.filter.filter();
    if (options.is_halp()) {
        report(write_halp(table, filter, session.out), session.log);
    } else if (options.format == "ofa") {
        report(write_ofa_yaml(table, filter, session.out), session.log);
    } else if (options.format == "google-benchmark") {
        report(write_google_benchmark(table, filter, session.out), session.log);
    } else if (session.json || options.format == "json") {
        write_json(table, filter, session.out);
    } else {
        write_csv(table, filter, session.out);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_table_export(CLI::App& parser) {
    auto options = std::make_shared<TableExportOptions>();
    parser.add_option("table", options->table, "The table's file")->required();
    parser.add_option("--format", options->format, "csv, json, halp, mdp, ofa or google-benchmark")
        ->check(CLI::IsMember({"csv", "json", "halp", "mdp", "ofa", "google-benchmark"}))
        ->capture_default_str();
    add_filter_options(parser, options->filter);
    CLI::Option* network = parser.add_option(
        "--network", options->network,
        "halp, mdp: all keys that pruning this network asks for, between measured widths too");
    parser.add_option("--grid", options->grid, "With --network: multiples of channels that are asked for")
        ->check(CLI::Range(1, max_layer_size))
        ->needs(network)
        ->capture_default_str();
    add_input_option(parser, options->inputs);
    return [options](Session& session) { return export_table(*options, session); };
}

}  // namespace hacscale::cli
