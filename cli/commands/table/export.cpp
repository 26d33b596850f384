#include "profiler/table/export.hpp"

#include <memory>

#include "cli/commands/table.hpp"
#include "cli/commands/table/filter_options.hpp"

namespace hacscale::cli {

namespace {

struct ExportOptions {
    std::string table;
    std::string format = "csv";
    FilterOptions filter;
};

ExitStatus export_table(const ExportOptions& options, Session& session) {
    const Table table = Table::open(options.table, OpenMode::read);
    if (session.json || options.format == "json") {
        write_json(table, options.filter.filter(), session.out);
    } else {
        write_csv(table, options.filter.filter(), session.out);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_table_export(CLI::App& parser) {
    auto options = std::make_shared<ExportOptions>();
    parser.add_option("table", options->table, "The table's file")->required();
    parser.add_option("--format", options->format, "csv or json")
        ->check(CLI::IsMember({"csv", "json"}))
        ->capture_default_str();
    add_filter_options(parser, options->filter);
    return [options](Session& session) { return export_table(*options, session); };
}

}  // namespace hacscale::cli
