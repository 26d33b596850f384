#include "profiler/table/diff.hpp"
#include "cli/commands.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/network_options.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "harness/measure/table_view.hpp"
#include "records/json.hpp"

namespace hacscale::cli {

namespace {

struct DiffOptions {
    std::string a;
    std::string b;
    bool all = false;
    std::size_t limit = 20;
    std::vector<std::string> models;
    InputOptions inputs;
    StateOptions state;
    std::optional<double> slower_than_percent;
};

struct ModelDiff {
    std::string model;
    NetworkDiff diff;
};

records::Json key_json(const RowKey& key) {
    return {{"layer", key.layer.key()},
            {"batch", key.batch},
            {"dtype", name_of(key.type)},
            {"cache", name_of(key.cache)},
            {"footprint_bytes", key.footprint_bytes}};
}

records::Json keys_json(const std::vector<RowKey>& keys) {
    records::Json json = records::Json::array();
    for (const RowKey& key : keys) {
        json.push_back(key_json(key));
    }
    return json;
}

records::Json ratio_json(const LatencyRatio& ratio) {
    return {{"a_us", ratio.a_us},
            {"b_us", ratio.b_us},
            {"ratio", ratio.ratio},
            {"ratio_low", ratio.ratio_low},
            {"ratio_high", ratio.ratio_high},
            {"significant", ratio.significant}};
}

records::Json model_json(const ModelDiff& model) {
    records::Json layers = records::Json::array();
    for (const LayerChange& change : model.diff.layers) {
        records::Json layer{{"name", change.name}, {"layer", change.layer.key()}, {"share", change.share}};
        layer.update(ratio_json(change));
        layers.push_back(std::move(layer));
    }
    records::Json json{{"model", model.model}};
    json.update(ratio_json(model.diff.total));
    json["unknown_layers"] = model.diff.unknown_layers;
    json["layers"] = std::move(layers);
    return json;
}

records::Json diff_json(const TableDiff& diff, const std::vector<ModelDiff>& models,
                        const std::vector<std::string>& slower) {
    records::Json rows = records::Json::array();
    for (const RowRatio& ratio : diff.ratios) {
        records::Json row = key_json(ratio.key);
        row.update(ratio_json(ratio));
        rows.push_back(std::move(row));
    }
    records::Json networks = records::Json::array();
    for (const ModelDiff& model : models) {
        networks.push_back(model_json(model));
    }
    records::Json without = records::Json::array();
    for (const StatusPair& pair : diff.without_ratio) {
        records::Json row = key_json(pair.key);
        row.update({{"a_status", name_of(pair.a)}, {"b_status", name_of(pair.b)}, {"reason", pair.reason}});
        without.push_back(std::move(row));
    }
    return {{"device_a", records::device_json(diff.device_a)},
            {"device_b", records::device_json(diff.device_b)},
            {"same_device", diff.same_device},
            {"geometric_mean_ratio", diff.geometric_mean_ratio},
            {"significantly_slower", diff.significantly_slower},
            {"significantly_faster", diff.significantly_faster},
            {"slower_than_allowed", slower},
            {"models", std::move(networks)},
            {"rows", std::move(rows)},
            {"without_ratio", std::move(without)},
            {"only_a", keys_json(diff.only_a)},
            {"only_b", keys_json(diff.only_b)}};
}

std::vector<TextColumn> ratio_columns() {
    return {{"a us"}, {"b us"}, {"b/a"}, {"95 % interval"}, {"significant", Align::left}};
}

std::vector<std::string> ratio_cells(const LatencyRatio& ratio) {
    return {fmt::format("{:.3f}", ratio.a_us), fmt::format("{:.3f}", ratio.b_us),
            fmt::format("{:.4f}", ratio.ratio),
            fmt::format("{:.4f}..{:.4f}", ratio.ratio_low, ratio.ratio_high), ratio.significant ? "yes" : ""};
}

std::vector<std::string> joined(std::vector<std::string> cells, const std::vector<std::string>& more) {
    cells.insert(cells.end(), more.begin(), more.end());
    return cells;
}

// At most `limit` of the rows, 0 for all, with a word on what is left out.
template <typename Rows, typename Cells>
void print_rows(std::ostream& out, std::vector<TextColumn> columns, const Rows& rows, std::size_t limit,
                const Cells& cells) {
    const std::vector<TextColumn> ratios = ratio_columns();
    columns.insert(columns.end(), ratios.begin(), ratios.end());
    TextTable table(std::move(columns));
    const std::size_t shown = limit == 0 ? rows.size() : std::min(limit, rows.size());
    for (std::size_t i = 0; i < shown; ++i) {
        table.add(joined(cells(rows[i]), ratio_cells(rows[i])));
    }
    table.print(out);
    if (shown < rows.size()) {
        out << fmt::format("... and {} more; --limit 0 shows all\n", rows.size() - shown);
    }
}

void print_model(std::ostream& out, const ModelDiff& model, std::size_t limit) {
    const LatencyRatio& total = model.diff.total;
    out << fmt::format("{}: {:.1f} us in a, {:.1f} us in b, b/a {:.4f} ({:.4f}..{:.4f}){}\n", model.model,
                       total.a_us, total.b_us, total.ratio, total.ratio_low, total.ratio_high,
                       total.significant ? "" : ", within noise");
    if (model.diff.unknown_layers > 0) {
        out << fmt::format("{} of its layers are not in both tables, {} among them\n",
                           model.diff.unknown_layers, model.diff.first_unknown);
    }
    print_rows(out, {{"layer", Align::left}, {"% of a"}}, model.diff.layers, limit,
               [](const LayerChange& layer) -> std::vector<std::string> {
                   return {layer.name, fmt::format("{:+.2f}", 100.0 * layer.share)};
               });
    out << '\n';
}

void print_diff(std::ostream& out, const TableDiff& diff, std::size_t limit) {
    print_rows(out, {{"layer", Align::left}, {"batch"}, {"dtype"}, {"cache"}}, diff.ratios, limit,
               [](const RowRatio& row) -> std::vector<std::string> {
                   return {row.key.layer.key(), std::to_string(row.key.batch),
                           std::string(name_of(row.key.type)), std::string(name_of(row.key.cache))};
               });
    out << fmt::format(
        "\n{} slower and {} faster in b by more than their intervals; geometric mean of b/a {:.4f}\n"
        "{} rows only in a, {} only in b, {} without a latency in one or both\n",
        diff.significantly_slower, diff.significantly_faster, diff.geometric_mean_ratio, diff.only_a.size(),
        diff.only_b.size(), diff.without_ratio.size());
}

std::vector<ModelDiff> diff_models(const DiffOptions& options, const Table& a, const Table& b,
                                   Session& session) {
    std::vector<ModelDiff> models;
    for (const std::string& name : options.models) {
        const Network network = network_named(name, options.inputs, session);
        const TableView view_a(a, network.graph, options.state.state());
        const TableView view_b(b, network.graph, options.state.state());
        models.push_back({network.name, diff_network(view_a.network(), view_a.source(), view_b.network(),
                                                     view_b.source())});
    }
    return models;
}

// What is slower than allowed beyond doubt: networks where they are asked of, else rows.
std::vector<std::string> slower_ones(const DiffOptions& options, const TableDiff& diff,
                                     const std::vector<ModelDiff>& models) {
    std::vector<std::string> names;
    if (!options.slower_than_percent) {
        return names;
    }
    const double allowed = 1.0 + *options.slower_than_percent / 100.0;
    for (const ModelDiff& model : models) {
        if (model.diff.total.ratio_low > allowed) {
            names.push_back(model.model);
        }
    }
    for (const RowRatio& row : diff.ratios) {
        if (options.models.empty() && row.ratio_low > allowed) {
            names.push_back(row.key.layer.key());
        }
    }
    return names;
}

ExitStatus compare_tables(const DiffOptions& options, Session& session) {
    const Table a = Table::open(options.a, OpenMode::read);
    const Table b = Table::open(options.b, OpenMode::read);
    TableDiff diff = diff_tables(a, b);
    if (!diff.same_device) {
        session.log.warn("the tables are of different devices ({} and {}): ratios compare the devices",
                         diff.device_a.name, diff.device_b.name);
    }
    std::vector<ModelDiff> models = diff_models(options, a, b, session);
    const std::vector<std::string> slower = slower_ones(options, diff, models);
    if (!options.all) {
        const auto within_noise = [](const LatencyRatio& ratio) { return !ratio.significant; };
        std::erase_if(diff.ratios, within_noise);
        for (ModelDiff& model : models) {
            std::erase_if(model.diff.layers, within_noise);
        }
    }
    if (session.json) {
        records::print_json(session.out, diff_json(diff, models, slower));
    } else if (!models.empty()) {
        for (const ModelDiff& model : models) {
            print_model(session.out, model, options.limit);
        }
    } else {
        print_diff(session.out, diff, options.limit);
    }
    if (!slower.empty()) {
        session.log.error("slower in b by more than {} %, beyond noise: {} in all, {} among them",
                          *options.slower_than_percent, slower.size(), slower.front());
    }
    return slower.empty() ? ExitStatus::done : ExitStatus::incomplete;
}

}  // namespace

Run declare_table_diff(CLI::App& parser) {
    auto options = std::make_shared<DiffOptions>();
    parser.add_option("a", options->a, "The table to compare with")->required();
    parser.add_option("b", options->b, "The table that is compared")->required();
    parser.add_flag("--all", options->all, "Also what differs by no more than its interval");
    parser.add_option("--limit", options->limit, "Rows to show as text, 0 for all")->capture_default_str();
    parser
        .add_option("--models", options->models,
                    "Instead of rows, these networks and their layers, by share of their time")
        ->delimiter(',');
    add_input_option(parser, options->inputs);
    add_state_options(parser, options->state);
    parser
        .add_option("--slower-than", options->slower_than_percent,
                    "Exit with 4 when something is slower by more than this many percent")
        ->check(CLI::Range(0.0, 1e6));
    return [options](Session& session) { return compare_tables(*options, session); };
}

}  // namespace hacscale::cli
