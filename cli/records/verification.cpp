#include "cli/records/verification.hpp"

#include "cli/records/made_from_json.hpp"
#include "cli/records/optional_json.hpp"
#include "cli/records/throughput_json.hpp"

namespace hacscale::cli {

namespace {

Json model_json(const VerifiedModel& model) {
    const VerificationRecord& record = model.record;
    Json json{{"model", record.model},
              {"model_hash", record.model_hash},
              {"role", model.role},
              {"batch", record.batch},
              {"dtype", name_of(record.type)},
              {"cache", name_of(record.cache)},
              {"predicted_us", record.predicted_us},
              {"measured_us", record.measured_us},
              {"ci95_us", record.ci95_us},
              {"error_pct", error_pct(record)},
              {"measured_at", record.measured_at}};
    add_throughput(json, record.batch, record.measured_us, model.upper);
    return json;
}

Json skipped_json(const SkippedModel& model) {
    return {{"model", model.model}, {"reason", model.reason}};
}

}  // namespace

double error_pct(const VerificationRecord& record) {
    return 100.0 * (record.predicted_us / record.measured_us - 1.0);
}

std::string to_json(const VerificationReport& report) {
    Json json{{"device", report.device},
              {"models", list_json(report.models, model_json)},
              {"skipped", list_json(report.skipped, skipped_json)}};
    if (report.made_from) {
        json["made_from"] = made_from_json(*report.made_from);
    }
    return text_of(json);
}

}  // namespace hacscale::cli
