#include "harness/suite/finished_work.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "base/version.hpp"
#include "records/made_from_json.hpp"
#include "records/record_file.hpp"

namespace hacscale::harness {

namespace {

// Null where the file is not there or damaged.
Json json_of(const std::filesystem::path& file) {
    Json json = Json::parse(read_record(file), nullptr, false);
    return json.is_object() ? json : Json();
}

// Of all that a prediction rests on; not of when a row was measured, nor in which network.
std::string rows_hash(const Table& table, const MeasuredState& state) {
    std::string text;
    table.for_each(filter_of(state), [&text](const Row& row) {
        fmt::format_to(std::back_inserter(text), "{} {} {} {} {} {} {}\n", row.key.layer.key(),
                       row.key.footprint_bytes, name_of(row.status), row.latency_us, row.ci95_us, row.samples,
                       row.implementation);
    });
    if (const std::optional<PeakRecord> peak = table.peak(state.type)) {
        fmt::format_to(std::back_inserter(text), "peak {} {}\n", peak->flops_per_s, peak->bytes_per_s);
    }
    return hex_hash(text);
}

}  // namespace

MadeFrom made_from(const Suite& suite, const std::string& suite_hash, const MeasuredState& state,
                   const Table& table) {
    return {std::string(version()), suite_hash, rows_hash(table, state), suite.seconds};
}

FinishedProfiling profiling_of(const Suite& suite, const MadeFrom& now) {
    return {now, suite.tolerance, suite.minutes, suite.total_minutes, {}};
}

std::optional<FinishedProfiling> finished_profiling(const std::filesystem::path& folder,
                                                    const FinishedProfiling& wanted, const Table& table,
                                                    const MeasuredState& state, bool retry_failed) {
    std::optional<FinishedProfiling> finished =
        finished_profiling_in(read_record(folder / "provenance.json"));
    if (!finished || !finished->same_as(wanted)) {
        return std::nullopt;
    }
    RowFilter failed = filter_of(state);
    failed.status = RowStatus::failed;
    if (retry_failed && !table.query(failed).empty()) {
        return std::nullopt;
    }
    return finished;
}

std::optional<ComparisonRecord> finished_comparison(const std::filesystem::path& file, const MadeFrom& now,
                                                    bool retry_failed) {
    std::optional<ComparisonRecord> record = comparison_from_json(read_record(file));
    if (!record || record->made_from != now) {
        return std::nullopt;
    }
    const auto failed = [](const StrategyRow& row) { return row.status == StrategyStatus::failed; };
    const bool any_failed =
        failed(record->base) || std::any_of(record->strategies.begin(), record->strategies.end(), failed);
    // An earlier run had no time to time them.
    if (untimed_rows(*record) > 0) {
        return std::nullopt;
    }
    return any_failed && retry_failed ? std::nullopt : std::move(record);
}

bool finished_verification(const std::filesystem::path& folder, const MadeFrom& now) {
    const Json record = json_of(folder / "verify.json");
    try {
        return record.is_object() && record.contains("made_from") &&
               made_from_in(record.at("made_from")) == now && record.at("skipped").empty();
    } catch (const Json::exception&) {
        return false;
    }
}

}  // namespace hacscale::harness
