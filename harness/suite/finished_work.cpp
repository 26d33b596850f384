#include "harness/suite/finished_work.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.hpp"
#include "base/version.hpp"
#include "records/json.hpp"
#include "records/verification.hpp"

namespace hacscale::harness {

namespace {

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

records::InputFingerprint input_fingerprint(const Suite& suite, const std::string& suite_hash,
                                            const MeasuredState& state, const Table& table) {
    return {std::string(version()), suite_hash, rows_hash(table, state), suite.seconds};
}

records::FinishedProfiling profiling_of(const Suite& suite, const records::InputFingerprint& now) {
    return {now, suite.tolerance, suite.minutes, suite.total_minutes, {}};
}

std::optional<records::FinishedProfiling> finished_profiling(const std::filesystem::path& folder,
                                                             const records::FinishedProfiling& wanted,
                                                             const Table& table, const MeasuredState& state,
                                                             bool retry_failed) {
    const auto provenance =
        records::unless_unreadable([&] { return records::read_provenance(folder / "provenance.json"); });
    if (!provenance) {
        return std::nullopt;
    }
    const std::optional<records::FinishedProfiling>& finished = provenance->profiled;
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

std::optional<records::ComparisonRecord> finished_comparison(const std::filesystem::path& file,
                                                             const records::InputFingerprint& now,
                                                             bool retry_failed) {
    std::optional<records::ComparisonRecord> record =
        records::unless_unreadable([&] { return records::read_comparison(file); });
    if (!record || record->input_fingerprint != now) {
        return std::nullopt;
    }
    const auto failed = [](const records::StrategyRow& row) {
        return row.status == records::StrategyStatus::failed;
    };
    const bool any_failed =
        failed(record->base) || std::any_of(record->strategies.begin(), record->strategies.end(), failed);
    // An earlier run had no time to time them.
    if (untimed_rows(*record) > 0) {
        return std::nullopt;
    }
    return any_failed && retry_failed ? std::nullopt : std::move(record);
}

bool finished_verification(const std::filesystem::path& folder, const records::InputFingerprint& now) {
    const auto record =
        records::unless_unreadable([&] { return records::read_verification(folder / "verify.json"); });
    return record && record->input_fingerprint == now && record->skipped.empty();
}

}  // namespace hacscale::harness
