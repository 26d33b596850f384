// The records that belong to the whole run: where it came from, the verification and the table's rows.
#include "report/records/json_reader.hpp"
#include "report/records/loaders.hpp"

namespace hacscale::report {

Provenance load_provenance(const std::filesystem::path& file) {
    const JsonPlace root = JsonPlace::open(file);
    Provenance provenance;
    provenance.program = root.text("program");
    provenance.version = root.text("version");
    provenance.command = root.text("command");
    provenance.suite = root.text_or_empty("suite");
    provenance.started_at = root.text_or_empty("started_at");
    provenance.finished_at = root.text_or_empty("finished_at");
    const JsonPlace device = root.object("device");
    provenance.device = {.id = device.text("id"),
                         .name = device.text("name"),
                         .fingerprint = device.text("fingerprint"),
                         .properties = {}};
    if (const auto properties = device.object_or_null("properties")) {
        provenance.device.properties = properties->members();
    }
    provenance.settings = root.object("settings").members();
    provenance.warnings = root.texts_or_empty("warnings");
    return provenance;
}

std::vector<VerifiedNetwork> load_verified(const std::filesystem::path& file) {
    std::vector<VerifiedNetwork> all;
    for (const JsonPlace& entry : JsonPlace::open(file).objects("models")) {
        VerifiedNetwork network;
        network.model = entry.text("model");
        network.role = entry.text_or_empty("role");
        network.cache = entry.text_or_empty("cache");
        network.dtype = entry.text("dtype");
        network.batch = entry.integer("batch");
        network.predicted_us = entry.positive("predicted_us");
        network.measured_us = entry.positive("measured_us");
        network.ci95_us = entry.number_or_null("ci95_us");
        all.push_back(std::move(network));
    }
    return all;
}

std::vector<MeasuredRow> load_rows(const std::filesystem::path& file) {
    std::vector<MeasuredRow> all;
    for (const JsonPlace& entry : JsonPlace::open(file).items()) {
        MeasuredRow row;
        row.layer = entry.text("layer");
        row.cache = entry.text("cache");
        row.dtype = entry.text("dtype");
        row.batch = entry.integer("batch");
        row.footprint_bytes =
            static_cast<std::int64_t>(entry.number_or_null("footprint_bytes").value_or(0.0));
        row.status = entry.text("status");
        row.reason = entry.text_or_empty("reason");
        row.latency_us = entry.number_or_null("latency_us");
        row.ci95_us = entry.number_or_null("ci95_us");
        row.occupancy_theoretical = entry.number_or_null("occupancy_theoretical");
        row.occupancy_achieved = entry.number_or_null("occupancy_achieved");
        all.push_back(std::move(row));
    }
    return all;
}

}  // namespace hacscale::report
