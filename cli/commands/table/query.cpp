#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "profiler/table/export.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

struct QueryOptions {
    std::string table;
    FilterOptions filter;
    bool kernels = false;
};

using Figure = std::optional<double>;

struct FigureColumn {
    const char* title;
    Figure Readings::*value;
    double factor;
    int digits;
};

// Shown where at least one row has the figure.
constexpr std::array figure_columns{
    FigureColumn{"kernels us", &Readings::kernel_time_us, 1.0, 3},
    FigureColumn{"occ. theor. %", &Readings::occupancy_theoretical, 100.0, 1},
    FigureColumn{"occ. grid %", &Readings::occupancy_grid_limited, 100.0, 1},
    FigureColumn{"occ. achieved %", &Readings::occupancy_achieved, 100.0, 1},
    FigureColumn{"tensor %", &Readings::tensor_active, 100.0, 1},
};

std::vector<FigureColumn> figures_in(const std::vector<Row>& rows) {
    std::vector<FigureColumn> present;
    for (const FigureColumn& figure : figure_columns) {
        const bool any = std::any_of(rows.begin(), rows.end(), [&](const Row& row) {
            return (row.readings.*figure.value).has_value();
        });
        if (any) {
            present.push_back(figure);
        }
    }
    return present;
}

std::string text_of(const Figure& figure, const FigureColumn& column) {
    return figure ? fmt::format("{:.{}f}", column.factor * *figure, column.digits) : "-";
}

void print_rows(std::ostream& out, const std::vector<Row>& rows) {
    const std::vector<FigureColumn> figures = figures_in(rows);
    std::vector<TextColumn> columns{{"layer", Align::left}, {"batch"},      {"dtype"}, {"cache"},
                                    {"footprint"},          {"latency us"}, {"+- us"}};
    for (const FigureColumn& figure : figures) {
        columns.push_back({figure.title});
    }
    columns.push_back({"status", Align::left});
    columns.push_back({"ran as, or why not", Align::left});
    TextTable text(columns);
    for (const Row& row : rows) {
        const bool value = has_latency(row.status);
        std::vector<std::string> cells{row.key.layer.key(),
                                       std::to_string(row.key.batch),
                                       std::string(name_of(row.key.type)),
                                       std::string(name_of(row.key.cache)),
                                       with_separators(row.key.footprint_bytes),
                                       value ? fmt::format("{:.3f}", row.latency_us) : "-",
                                       value ? fmt::format("{:.3f}", row.ci95_us) : "-"};
        for (const FigureColumn& figure : figures) {
            cells.push_back(text_of(row.readings.*figure.value, figure));
        }
        cells.emplace_back(name_of(row.status));
        cells.push_back(value ? row.implementation : row.reason);
        text.add(std::move(cells));
    }
    text.print(out);
}

std::string dimensions(const std::array<std::int64_t, 3>& size) {
    return fmt::format("{}x{}x{}", size[0], size[1], size[2]);
}

void print_kernels(std::ostream& out, const std::vector<Row>& rows) {
    TextTable text({{"layer", Align::left},
                    {"batch"},
                    {"dtype"},
                    {"cache"},
                    {"footprint"},
                    {"us"},
                    {"grid"},
                    {"block"},
                    {"cluster"},
                    {"registers"},
                    {"static B"},
                    {"dynamic B"},
                    {"kernel", Align::left}});
    for (const Row& row : rows) {
        for (const KernelLaunch& kernel : row.readings.kernels) {
            text.add({row.key.layer.key(), std::to_string(row.key.batch), std::string(name_of(row.key.type)),
                      std::string(name_of(row.key.cache)), with_separators(row.key.footprint_bytes),
                      fmt::format("{:.3f}", kernel.duration_us), dimensions(kernel.grid),
                      dimensions(kernel.block), kernel.cluster[0] > 0 ? dimensions(kernel.cluster) : "-",
                      std::to_string(kernel.registers_per_thread),
                      with_separators(kernel.static_shared_bytes),
                      with_separators(kernel.dynamic_shared_bytes), kernel.name});
        }
    }
    text.print(out);
}

records::Json kernels_json(const std::vector<Row>& rows) {
    records::Json list = records::Json::array();
    for (const Row& row : rows) {
        int position = 0;
        for (const KernelLaunch& kernel : row.readings.kernels) {
            list.push_back({{"layer", row.key.layer.key()},
                            {"batch", row.key.batch},
                            {"dtype", name_of(row.key.type)},
                            {"cache", name_of(row.key.cache)},
                            {"footprint_bytes", row.key.footprint_bytes},
                            {"position", position++},
                            {"name", kernel.name},
                            {"grid", kernel.grid},
                            {"block", kernel.block},
                            {"registers_per_thread", kernel.registers_per_thread},
                            {"static_shared_bytes", kernel.static_shared_bytes},
                            {"dynamic_shared_bytes", kernel.dynamic_shared_bytes},
                            {"duration_us", kernel.duration_us},
                            {"cluster", kernel.cluster},
                            {"max_active_clusters", kernel.max_active_clusters}});
        }
    }
    return list;
}

void answer(const QueryOptions& options, const Table& table, Session& session) {
    const RowFilter filter = options.filter.filter();
    if (session.json && !options.kernels) {
        write_json(table, filter, session.out);
        return;
    }
    const std::vector<Row> rows = table.query(filter);
    if (!options.kernels) {
        print_rows(session.out, rows);
    } else if (session.json) {
        records::print_json(session.out, kernels_json(rows));
    } else {
        print_kernels(session.out, rows);
    }
}

}  // namespace

Run declare_table_query(CLI::App& parser) {
    auto options = std::make_shared<QueryOptions>();
    parser.add_option("table", options->table, "The table's file")->required();
    add_filter_options(parser, options->filter);
    parser.add_flag("--kernels", options->kernels, "The kernels that the rows ran as, one line each");
    return [options](Session& session) {
        const Table table = Table::open(options->table, OpenMode::read);
        answer(*options, table, session);
        return ExitStatus::done;
    };
}

}  // namespace hacscale::cli
