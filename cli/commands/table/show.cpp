#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <tuple>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/printing/printing.hpp"
#include "profiler/table/table.hpp"
#include "records/json.hpp"
#include "records/verification.hpp"

namespace hacscale::cli {

namespace {

struct StatusCounts {
    std::int64_t ok = 0;
    std::int64_t noisy = 0;
    std::int64_t failed = 0;
    std::int64_t unsupported = 0;

    void count(RowStatus status) {
        switch (status) {
            case RowStatus::ok:
                ++ok;
                break;
            case RowStatus::noisy:
                ++noisy;
                break;
            case RowStatus::failed:
                ++failed;
                break;
            case RowStatus::unsupported:
                ++unsupported;
                break;
        }
    }
};

using Setting = std::tuple<int, DataType, CacheState>;

records::Json settings_json(const Table& table) {
    std::map<Setting, StatusCounts> settings;
    table.for_each({}, [&](const Row& row) {
        settings[{row.key.batch, row.key.type, row.key.cache}].count(row.status);
    });
    records::Json json = records::Json::array();
    for (const auto& [setting, counts] : settings) {
        json.push_back({{"batch", std::get<int>(setting)},
                        {"dtype", name_of(std::get<DataType>(setting))},
                        {"cache", name_of(std::get<CacheState>(setting))},
                        {"ok", counts.ok},
                        {"noisy", counts.noisy},
                        {"failed", counts.failed},
                        {"unsupported", counts.unsupported}});
    }
    return json;
}

records::Json peaks_json(const Table& table) {
    records::Json json = records::Json::array();
    for (const DataType type : all_data_types) {
        if (const auto peak = table.peak(type)) {
            json.push_back({{"dtype", name_of(type)},
                            {"flops_per_s", peak->flops_per_s},
                            {"bytes_per_s", peak->bytes_per_s},
                            {"nominal_flops_per_s", records::value_or_null(peak->nominal_flops_per_s)},
                            {"nominal_bytes_per_s", records::value_or_null(peak->nominal_bytes_per_s)}});
        }
    }
    return json;
}

records::Json verifications_json(const Table& table) {
    records::Json json = records::Json::array();
    for (const VerificationRecord& record : table.verifications()) {
        records::Json check{{"model", record.model}};
        records::add_check(check, record);
        json.push_back(std::move(check));
    }
    return json;
}

records::Json table_json(const Table& table) {
    return {{"file", table.file().string()}, {"device", records::device_json(table.device())},
            {"rows", table.size()},          {"settings", settings_json(table)},
            {"peaks", peaks_json(table)},    {"verifications", verifications_json(table)}};
}

void print_table(std::ostream& out, const records::Json& json) {
    const records::Json& device = json["device"];
    out << fmt::format("{}: {} rows of {} ({}, fingerprint {})\n\n", json["file"].get<std::string>(),
                       with_separators(json["rows"]), device["name"].get<std::string>(),
                       device["id"].get<std::string>(), device["fingerprint"].get<std::string>());
    TextTable settings({{"batch"}, {"dtype"}, {"cache"}, {"ok"}, {"noisy"}, {"failed"}, {"unsupported"}});
    for (const records::Json& one : json["settings"]) {
        settings.add({one["batch"].dump(), one["dtype"], one["cache"], with_separators(one["ok"]),
                      with_separators(one["noisy"]), with_separators(one["failed"]),
                      with_separators(one["unsupported"])});
    }
    settings.print(out);
    for (const records::Json& peak : json["peaks"]) {
        out << fmt::format("\npeak {}: {:.4g} GFLOP/s, {:.4g} GB/s\n", peak["dtype"].get<std::string>(),
                           peak["flops_per_s"].get<double>() * 1e-9,
                           peak["bytes_per_s"].get<double>() * 1e-9);
    }
    if (json["verifications"].empty()) {
        return;
    }
    out << '\n';
    TextTable checks(
        {{"verified", Align::left}, {"batch"}, {"dtype"}, {"predicted us"}, {"measured us"}, {"error %"}});
    for (const records::Json& one : json["verifications"]) {
        checks.add({one["model"], one["batch"].dump(), one["dtype"],
                    fmt::format("{:.1f}", one["predicted_us"].get<double>()),
                    fmt::format("{:.1f}", one["measured_us"].get<double>()),
                    fmt::format("{:+.1f}", one["error_pct"].get<double>())});
    }
    checks.print(out);
}

}  // namespace

Run declare_table_show(CLI::App& parser) {
    auto file = std::make_shared<std::string>();
    parser.add_option("table", *file, "The table's file")->required();
    return [file](Session& session) {
        const records::Json json = table_json(Table::open(*file, OpenMode::read));
        if (session.json) {
            records::print_json(session.out, json);
        } else {
            print_table(session.out, json);
        }
        return ExitStatus::done;
    };
}

}  // namespace hacscale::cli
