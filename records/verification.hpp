// The record of a verification: whole networks measured on the device beside the table's prediction of them. verify.json
// holds it, and `verify` answers it; the keys are those of docs/formats.md, "Records of a run".
#pragma once

#include <filesystem>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <vector>

#include "profiler/table/table.hpp"
#include "profiler/timing/statistics.hpp"
#include "records/provenance.hpp"

namespace hacscale::records {

struct VerifiedModel {
    VerificationRecord record;
    std::string role;  // "zoo", "base" or "strategy"
    UpperPercentiles upper{};
    // On a device whose rows are of a runtime's own profiler: what that says of all operations together, microseconds.
    std::optional<double> profiled_us{};
};

// A network that could not be measured or predicted, and why.
struct SkippedModel {
    std::string model;
    std::string reason;
};

struct VerificationReport {
    std::string device;  // id
    std::vector<VerifiedModel> models;
    std::vector<SkippedModel> skipped;
    std::optional<InputFingerprint> input_fingerprint{};  // of a suite's run that measured all it was to
};

// Of the prediction, as a share of the measurement; and in percent of it.
double error_share(const VerificationRecord& record);
double error_pct(const VerificationRecord& record);

std::string to_json(const VerificationReport& report);
// Adds what was predicted and measured, in which state and when.
void add_check(nlohmann::ordered_json& json, const VerificationRecord& record);
nlohmann::ordered_json verified_json(const VerifiedModel& model);
// Throws InputError that names file, key and what was expected.
VerificationReport read_verification(const std::filesystem::path& file);

// "resnet18: 812.3 images/s; p95 9940.1 us, p99 10121.0 us of 312 passes", for a terminal. Of several networks
// only with batches above 1, since images a second say what the latency says otherwise.
std::vector<std::string> throughput_lines(const std::vector<VerifiedModel>& models);

}  // namespace hacscale::records
