#include "records/table_records.hpp"

#include "base/version.hpp"
#include "cli/print_json.hpp"

namespace hacscale::cli {

namespace {

report::Device device_of(const DeviceRecord& record) {
    report::Device device{record.id, record.name, record.fingerprint, {}};
    const auto properties = nlohmann::ordered_json::parse(record.properties, nullptr, false);
    if (!properties.is_object()) {
        return device;
    }
    for (const auto& [name, value] : properties.items()) {
        device.properties.emplace_back(name, value.is_string() ? value.get<std::string>() : value.dump());
    }
    return device;
}

}  // namespace

std::vector<report::MeasuredRow> measured_rows(const Table& table) {
    std::vector<report::MeasuredRow> rows;
    for (const Row& row : table.query({})) {
        report::MeasuredRow measured;
        measured.layer = row.key.layer.key();
        measured.cache = name_of(row.key.cache);
        measured.dtype = name_of(row.key.type);
        measured.batch = row.key.batch;
        measured.footprint_bytes = row.key.footprint_bytes;
        measured.status = name_of(row.status);
        measured.reason = row.reason;
        if (has_latency(row.status)) {
            measured.latency_us = row.latency_us;
            measured.ci95_us = row.ci95_us;
        }
        measured.occupancy_theoretical = row.readings.occupancy_theoretical;
        measured.occupancy_achieved = row.readings.occupancy_achieved;
        rows.push_back(std::move(measured));
    }
    return rows;
}

report::Records records_of(const Table& table) {
    report::Records records;
    records.folder = table.file();
    records.provenance.program = "hacscale";
    records.provenance.version = version();
    records.provenance.device = device_of(table.device());
    records.rows = measured_rows(table);
    for (const VerificationRecord& network : table.verifications()) {
        if (!records.verified) {
            records.verified.emplace();
        }
        records.verified->push_back({network.model, "", std::string(name_of(network.cache)),
                                     std::string(name_of(network.type)), network.batch, network.predicted_us,
                                     network.measured_us, network.ci95_us});
    }
    return records;
}

}  // namespace hacscale::cli
