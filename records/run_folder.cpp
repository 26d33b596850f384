#include "records/run_folder.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "base/error.hpp"
#include "base/nominal_ceilings.hpp"
#include "base/version.hpp"
#include "records/json.hpp"

namespace hacscale::records {

namespace fs = std::filesystem;

namespace {

constexpr int max_folder_depth = 3;  // a run's folder has one a device, and that one a state

// Layers name no row, but a measured one has its latency.
void add_occupancies(const std::vector<MeasuredRow>& rows, std::vector<ComparisonRecord>& comparisons) {
    std::map<std::pair<std::string_view, double>, const MeasuredRow*> by_layer;
    for (const MeasuredRow& row : rows) {
        if (row.latency_us && (row.occupancy_theoretical || row.occupancy_achieved)) {
            by_layer.emplace(std::pair(std::string_view(row.layer), *row.latency_us), &row);
        }
    }
    for (ComparisonRecord& comparison : comparisons) {
        for (LayerRow& layer : comparison.layers) {
            const auto found =
                by_layer.find(std::pair(std::string_view(layer.key), layer.latency.latency_us));
            if (layer.latency_us() && found != by_layer.end()) {
                layer.occupancy_theoretical = found->second->occupancy_theoretical;
                layer.occupancy_achieved = found->second->occupancy_achieved;
            }
        }
    }
}

// Records that lack them have the device's properties.
void add_nominal_ceilings(const Provenance& provenance, std::vector<ComparisonRecord>& comparisons) {
    const auto properties = named_properties(provenance.device);
    const auto property = [&properties](std::string_view name) {
        const auto found = std::find_if(properties.begin(), properties.end(),
                                        [&](const auto& pair) { return pair.first == name; });
        return found == properties.end() ? std::string() : found->second;
    };
    const std::optional<DataType> type = provenance.settings.type;
    const NominalCeilings nominal = nominal_ceilings(property, type ? name_of(*type) : std::string_view());
    for (ComparisonRecord& comparison : comparisons) {
        if (!comparison.peak) {
            continue;
        }
        PeakRecord& peak = *comparison.peak;
        if (!peak.nominal_flops_per_s) {
            peak.nominal_flops_per_s = nominal.flops_per_s;
        }
        if (!peak.nominal_bytes_per_s) {
            peak.nominal_bytes_per_s = nominal.bytes_per_s;
        }
    }
}

MeasuredRow row_from(const JsonPlace& place) {
    MeasuredRow row;
    row.layer = place.text("layer");
    row.cache = place.text("cache");
    row.dtype = place.text("dtype");
    row.batch = place.integer("batch");
    row.footprint_bytes = place.count_or_null("footprint_bytes").value_or(0);
    row.status = place.text("status");
    row.reason = place.text_or_empty("reason");
    row.latency_us = place.number_or_null("latency_us");
    row.ci95_us = place.number_or_null("ci95_us");
    row.occupancy_theoretical = place.number_or_null("occupancy_theoretical");
    row.occupancy_achieved = place.number_or_null("occupancy_achieved");
    return row;
}

void add_record_folders(const fs::path& folder, int depth, std::vector<fs::path>& found) {
    if (fs::exists(folder / "provenance.json")) {
        found.push_back(folder);
        return;
    }
    if (depth == 0) {
        return;
    }
    std::error_code error;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder, error)) {
        if (entry.is_directory() && !entry.is_symlink()) {
            add_record_folders(entry.path(), depth - 1, found);
        }
    }
}

}  // namespace

std::vector<MeasuredRow> measured_rows(const Table& table) {
    std::vector<MeasuredRow> rows;
    for (const Row& row : table.query({})) {
        MeasuredRow measured;
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

void add_rows(RunRecords& records, std::vector<MeasuredRow> rows) {
    records.rows = std::move(rows);
    add_occupancies(*records.rows, records.comparisons);
}

RunRecords records_of(const Table& table) {
    RunRecords records;
    records.folder = table.file();
    records.provenance.version = version();
    records.provenance.device = table.device();
    records.rows = measured_rows(table);
    for (VerificationRecord& network : table.verifications()) {
        if (!records.verification) {
            records.verification.emplace();
        }
        records.verification->models.push_back({std::move(network), "", {}});
    }
    return records;
}

std::vector<fs::path> comparison_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        return files;
    }
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("compare-") && name.ends_with(".json")) {
            files.push_back(entry.path());
        }
    }
    std::sort(files.begin(), files.end());
    return files;
}

std::vector<fs::path> record_folders(const fs::path& folder) {
    std::vector<fs::path> found;
    add_record_folders(folder, max_folder_depth, found);
    std::sort(found.begin(), found.end());
    return found;
}

RunRecords load_records(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        throw InputError(
            fmt::format("{}: is not a folder; name the folder that `hacscale run` wrote", folder.string()));
    }
    RunRecords records;
    records.folder = folder;
    if (!fs::exists(folder / "provenance.json")) {
        throw InputError(fmt::format(
            "{0}: has no provenance.json, so it is no run's folder, or a part of one; copy the whole "
            "folder, or write it with `hacscale run SUITE --out {0}`",
            folder.string()));
    }
    records.provenance = read_provenance(folder / "provenance.json");
    if (fs::exists(folder / "verify.json")) {
        records.verification = read_verification(folder / "verify.json");
    }
    for (const fs::path& file : comparison_files(folder)) {
        ComparisonRecord comparison = read_comparison(file);
        std::erase_if(comparison.strategies, [&comparison](const StrategyRow& row) {
            return row.strategy == comparison.base.strategy;
        });
        records.comparisons.push_back(std::move(comparison));
    }
    add_nominal_ceilings(records.provenance, records.comparisons);
    if (fs::exists(folder / "table.json")) {
        add_rows(records, read_all(JsonPlace::open(folder / "table.json").items(), row_from));
    }
    std::sort(records.comparisons.begin(), records.comparisons.end(),
              [](const ComparisonRecord& a, const ComparisonRecord& b) {
                  return std::tie(a.model, a.budget, a.file) < std::tie(b.model, b.budget, b.file);
              });
    if (records.comparisons.empty() && !records.verification && !records.rows) {
        throw InputError(
            fmt::format("{}: holds provenance.json but no compare-*.json, verify.json or table.json; "
                        "`hacscale run SUITE` writes them",
                        folder.string()));
    }
    return records;
}

}  // namespace hacscale::records
