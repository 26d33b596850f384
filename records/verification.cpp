#include "records/verification.hpp"

#include <fmt/format.h>

#include "base/text/lines.hpp"
#include "records/json.hpp"

namespace hacscale::records {

namespace {

std::string throughput_text(const VerifiedModel& model) {
    const UpperPercentiles& upper = model.upper;
    std::string text = fmt::format("{}: {:.1f} images/s", model.record.model,
                                   images_per_s(model.record.batch, model.record.measured_us));
    if (upper.p95) {
        text += fmt::format("; p95 {:.1f} us", *upper.p95);
    }
    if (upper.p99) {
        return text + fmt::format(", p99 {:.1f} us of {} passes", *upper.p99, upper.samples);
    }
    return text + "; " + upper.reason;
}

}  // namespace

void add_check(Json& json, const VerificationRecord& record) {
    json.update(Json{{"batch", record.batch},
                     {"dtype", name_of(record.type)},
                     {"cache", name_of(record.cache)},
                     {"predicted_us", record.predicted_us},
                     {"measured_us", record.measured_us},
                     {"ci95_us", record.ci95_us},
                     {"error_pct", error_pct(record)},
                     {"measured_at", record.measured_at}});
}

Json verified_json(const VerifiedModel& model) {
    const VerificationRecord& record = model.record;
    Json json{{"model", record.model}, {"model_hash", record.model_hash}, {"role", model.role}};
    add_check(json, record);
    add_throughput(json, record.batch, record.measured_us, model.upper);
    if (model.profiled_us) json["profiled_us"] = *model.profiled_us;
    return json;
}

std::vector<std::string> throughput_lines(const std::vector<VerifiedModel>& models) {
    std::vector<std::string> lines;
    for (const VerifiedModel& one : models) {
        if (one.record.batch > 1 || models.size() == 1) {
            const std::vector<std::string> more = wrapped(throughput_text(one), 2);
            lines.insert(lines.end(), more.begin(), more.end());
        }
    }
    return lines;
}

namespace {

Json skipped_json(const SkippedModel& model) {
    return {{"model", model.model}, {"reason", model.reason}};
}

VerifiedModel verified_in(const JsonPlace& place) {
    VerificationRecord record;
    record.model = place.text("model");
    record.model_hash = place.text_or_empty("model_hash");
    record.batch = place.integer("batch");
    place.text("dtype");
    record.type = type_in(place).value();
    record.cache = cache_in(place).value_or(CacheState::network);
    record.predicted_us = place.positive("predicted_us");
    record.measured_us = place.positive("measured_us");
    record.ci95_us = place.number_or_null("ci95_us").value_or(0.0);
    record.measured_at = place.text_or_empty("measured_at");
    return {std::move(record), place.text_or_empty("role"), percentiles_in(place),
            place.number_or_null("profiled_us")};
}

SkippedModel skipped_in(const JsonPlace& place) {
    return {place.text("model"), place.text_or_empty("reason")};
}

}  // namespace

double error_share(const VerificationRecord& record) {
    return record.predicted_us / record.measured_us - 1.0;
}

double error_pct(const VerificationRecord& record) {
    return 100.0 * error_share(record);
}

std::string to_json(const VerificationReport& report) {
    Json json{{"device", report.device},
              {"models", list_json(report.models, verified_json)},
              {"skipped", list_json(report.skipped, skipped_json)}};
    if (report.input_fingerprint) {
        json["made_from"] = fingerprint_json(*report.input_fingerprint);
    }
    return text_of(json);
}

VerificationReport read_verification(const std::filesystem::path& file) {
    const JsonPlace root = JsonPlace::open(file);
    return {root.text_or_empty("device"), read_all(root.objects("models"), verified_in),
            read_all(root.objects_or_empty("skipped"), skipped_in), fingerprint_in(root)};
}

}  // namespace hacscale::records
