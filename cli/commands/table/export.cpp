#include "profiler/table/export.hpp"
#include "cli/commands.hpp"

#include <spdlog/logger.h>
#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"

namespace hacscale::cli {

namespace {

struct TableExportOptions {
    std::string table;
    std::string format = "csv";
    FilterOptions filter;
};

// Says what the form had no place for.
void report(const ExportSummary& summary, spdlog::logger& log) {
    log.info("{} of {} rows are in {} entries", with_separators(summary.written),
             with_separators(summary.rows), with_separators(summary.entries));
    for (const auto& [reason, rows] : summary.left_out) {
        log.warn("{} {} left out: {}", with_separators(rows), rows == 1 ? "row is" : "rows are", reason);
    }
}

ExitStatus export_table(const TableExportOptions& options, Session& session) {
    if (session.json && options.format == "ofa") {
        throw InputError("--json does not go with --format ofa, which is YAML; leave one of them out");
    }
    const Table table = Table::open(options.table, OpenMode::read);
    const RowFilter filter = options.filter.filter();
    if (options.format == "ofa") {
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
    parser.add_option("--format", options->format, "csv, json, ofa or google-benchmark")
        ->check(CLI::IsMember({"csv", "json", "ofa", "google-benchmark"}))
        ->capture_default_str();
    add_filter_options(parser, options->filter);
    return [options](Session& session) { return export_table(*options, session); };
}

}  // namespace hacscale::cli
