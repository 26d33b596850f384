#include "profiler/table/diff.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "cli/commands/table.hpp"
#include "cli/records/device_json.hpp"
#include "cli/text_table.hpp"

namespace hacscale::cli {

namespace {

struct DiffOptions {
    std::string a;
    std::string b;
    bool significant = false;
    std::size_t limit = 20;
};

Json key_json(const RowKey& key) {
    return {{"layer", key.layer.key()},
            {"batch", key.batch},
            {"dtype", name_of(key.type)},
            {"cache", name_of(key.cache)},
            {"footprint_bytes", key.footprint_bytes}};
}

Json keys_json(const std::vector<RowKey>& keys) {
    Json json = Json::array();
    for (const RowKey& key : keys) {
        json.push_back(key_json(key));
    }
    return json;
}

Json diff_json(const TableDiff& diff) {
    Json rows = Json::array();
    for (const RowRatio& ratio : diff.ratios) {
        Json row = key_json(ratio.key);
        row.update({{"a_us", ratio.a_us},
                    {"b_us", ratio.b_us},
                    {"ratio", ratio.ratio},
                    {"ratio_low", ratio.ratio_low},
                    {"ratio_high", ratio.ratio_high},
                    {"significant", ratio.significant}});
        rows.push_back(std::move(row));
    }
    Json without = Json::array();
    for (const StatusPair& pair : diff.without_ratio) {
        Json row = key_json(pair.key);
        row.update({{"a_status", name_of(pair.a)}, {"b_status", name_of(pair.b)}, {"reason", pair.reason}});
        without.push_back(std::move(row));
    }
    return {{"device_a", device_json(diff.device_a)},
            {"device_b", device_json(diff.device_b)},
            {"same_device", diff.same_device},
            {"geometric_mean_ratio", diff.geometric_mean_ratio},
            {"significantly_slower", diff.significantly_slower},
            {"significantly_faster", diff.significantly_faster},
            {"rows", std::move(rows)},
            {"without_ratio", std::move(without)},
            {"only_a", keys_json(diff.only_a)},
            {"only_b", keys_json(diff.only_b)}};
}

void print_diff(std::ostream& out, const TableDiff& diff, std::size_t limit) {
    TextTable table({{"layer", Align::left},
                     {"batch"},
                     {"dtype"},
                     {"cache"},
                     {"a us"},
                     {"b us"},
                     {"b/a"},
                     {"95 % interval"},
                     {"significant", Align::left}});
    const std::size_t shown = limit == 0 ? diff.ratios.size() : std::min(limit, diff.ratios.size());
    for (std::size_t i = 0; i < shown; ++i) {
        const RowRatio& one = diff.ratios[i];
        table.add({one.key.layer.key(), std::to_string(one.key.batch), std::string(name_of(one.key.type)),
                   std::string(name_of(one.key.cache)), fmt::format("{:.3f}", one.a_us),
                   fmt::format("{:.3f}", one.b_us), fmt::format("{:.4f}", one.ratio),
                   fmt::format("{:.4f}..{:.4f}", one.ratio_low, one.ratio_high),
                   one.significant ? "yes" : ""});
    }
    table.print(out);
    if (shown < diff.ratios.size()) {
        out << fmt::format("... and {} more; --limit 0 shows all\n", diff.ratios.size() - shown);
    }
    out << fmt::format(
        "\n{} slower and {} faster in b by more than their intervals; geometric mean of b/a {:.4f}\n"
        "{} rows only in a, {} only in b, {} without a latency in one or both\n",
        diff.significantly_slower, diff.significantly_faster, diff.geometric_mean_ratio, diff.only_a.size(),
        diff.only_b.size(), diff.without_ratio.size());
}

ExitStatus compare_tables(const DiffOptions& options, Session& session) {
    TableDiff diff =
        diff_tables(Table::open(options.a, OpenMode::read), Table::open(options.b, OpenMode::read));
    if (!diff.same_device) {
        session.log.warn("the tables are of different devices ({} and {}): ratios compare the devices",
                         diff.device_a.name, diff.device_b.name);
    }
    if (options.significant) {
        std::erase_if(diff.ratios, [](const RowRatio& ratio) { return !ratio.significant; });
    }
    if (session.json) {
        print_json(session.out, diff_json(diff));
    } else {
        print_diff(session.out, diff, options.limit);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_table_diff(CLI::App& parser) {
    auto options = std::make_shared<DiffOptions>();
    parser.add_option("a", options->a, "The table to compare with")->required();
    parser.add_option("b", options->b, "The table that is compared")->required();
    parser.add_flag("--significant", options->significant,
                    "Only rows that differ by more than their intervals");
    parser.add_option("--limit", options->limit, "Rows to show as text, 0 for all")->capture_default_str();
    return [options](Session& session) { return compare_tables(*options, session); };
}

}  // namespace hacscale::cli
