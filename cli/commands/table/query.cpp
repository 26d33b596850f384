#include <fmt/format.h>

#include <memory>

#include "cli/commands/table.hpp"
#include "cli/commands/table/filter_options.hpp"
#include "cli/text_table.hpp"
#include "profiler/table/export.hpp"

namespace hacscale::cli {

namespace {

struct QueryOptions {
    std::string table;
    FilterOptions filter;
};

std::string percent_or_dash(const std::optional<double>& share) {
    return share ? fmt::format("{:.1f}", 100 * *share) : "-";
}

void print_rows(std::ostream& out, const Table& table, const RowFilter& filter) {
    TextTable text({{"layer", Align::left},
                    {"batch"},
                    {"dtype"},
                    {"cache"},
                    {"footprint"},
                    {"latency us"},
                    {"+- us"},
                    {"occupancy %"},
                    {"status", Align::left},
                    {"ran as, or why not", Align::left}});
    table.for_each(filter, [&](const Row& row) {
        const bool value = has_latency(row.status);
        text.add({row.key.layer.key(), std::to_string(row.key.batch), std::string(name_of(row.key.type)),
                  std::string(name_of(row.key.cache)), with_separators(row.key.footprint_bytes),
                  value ? fmt::format("{:.3f}", row.latency_us) : "-",
                  value ? fmt::format("{:.3f}", row.ci95_us) : "-", percent_or_dash(row.occupancy_achieved),
                  std::string(name_of(row.status)), value ? row.implementation : row.reason});
    });
    text.print(out);
}

}  // namespace

Run declare_table_query(CLI::App& parser) {
    auto options = std::make_shared<QueryOptions>();
    parser.add_option("table", options->table, "The table's file")->required();
    add_filter_options(parser, options->filter);
    return [options](Session& session) {
        const Table table = Table::open(options->table, OpenMode::read);
        if (session.json) {
            write_json(table, options->filter.filter(), session.out);
        } else {
            print_rows(session.out, table, options->filter.filter());
        }
        return ExitStatus::done;
    };
}

}  // namespace hacscale::cli
