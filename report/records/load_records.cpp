#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string_view>
#include <tuple>

#include "base/error.hpp"
#include "base/nominal_ceilings.hpp"
#include "report/records/loaders.hpp"

namespace hacscale::report {

namespace fs = std::filesystem;

namespace {

// Layers name no row, but a measured one has its latency.
void add_occupancies(const std::vector<MeasuredRow>& rows, std::vector<Comparison>& comparisons) {
    std::map<std::pair<std::string_view, double>, const MeasuredRow*> by_layer;
    for (const MeasuredRow& row : rows) {
        if (row.latency_us && (row.occupancy_theoretical || row.occupancy_achieved)) {
            by_layer.emplace(std::pair(std::string_view(row.layer), *row.latency_us), &row);
        }
    }
    for (Comparison& comparison : comparisons) {
        for (LayerRecord& layer : comparison.layers) {
            if (!layer.latency_us) continue;
            const auto found = by_layer.find(std::pair(std::string_view(layer.key), *layer.latency_us));
            if (found == by_layer.end()) continue;
            layer.occupancy_theoretical = found->second->occupancy_theoretical;
            layer.occupancy_achieved = found->second->occupancy_achieved;
        }
    }
}

// Records that lack them have the device's properties.
void add_nominal_ceilings(const Provenance& provenance, std::vector<Comparison>& comparisons) {
    const auto value_in = [](const auto& pairs, std::string_view name) {
        const auto found =
            std::find_if(pairs.begin(), pairs.end(), [&](const auto& pair) { return pair.first == name; });
        return found == pairs.end() ? std::string() : found->second;
    };
    const NominalCeilings nominal =
        nominal_ceilings([&](std::string_view name) { return value_in(provenance.device.properties, name); },
                         value_in(provenance.settings, "dtype"));
    for (Comparison& comparison : comparisons) {
        if (!comparison.peak) continue;
        Peak& peak = *comparison.peak;
        if (!peak.nominal_flops_per_s) peak.nominal_flops_per_s = nominal.flops_per_s;
        if (!peak.nominal_bytes_per_s) peak.nominal_bytes_per_s = nominal.bytes_per_s;
    }
}

}  // namespace

void add_rows(Records& records, std::vector<MeasuredRow> rows) {
    records.rows = std::move(rows);
    add_occupancies(*records.rows, records.comparisons);
}

std::vector<fs::path> comparison_files(const fs::path& folder) {
    std::vector<fs::path> files;
    std::error_code error;
    if (!fs::is_directory(folder, error)) return files;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("compare-") && name.ends_with(".json")) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
}

Records load_records(const fs::path& folder) {
    std::error_code error;
    if (!fs::is_directory(folder, error)) {
        throw InputError(
            fmt::format("{}: is not a folder; name the folder that `hacscale run` wrote", folder.string()));
    }
    Records records;
    records.folder = folder;
    records.provenance = load_provenance(folder / "provenance.json");
    if (fs::exists(folder / "verify.json")) records.verified = load_verified(folder / "verify.json");
    if (fs::exists(folder / "table.json")) records.rows = load_rows(folder / "table.json");

    for (const fs::path& file : comparison_files(folder)) {
        records.comparisons.push_back(load_comparison(file));
    }
    add_nominal_ceilings(records.provenance, records.comparisons);
    if (records.rows) add_occupancies(*records.rows, records.comparisons);
    std::sort(records.comparisons.begin(), records.comparisons.end(),
              [](const Comparison& a, const Comparison& b) {
                  return std::tie(a.model, a.budget, a.file) < std::tie(b.model, b.budget, b.file);
              });
    if (records.comparisons.empty() && !records.verified && !records.rows) {
        throw InputError(
            fmt::format("{}: holds provenance.json but no compare-*.json, verify.json or table.json; "
                        "`hacscale run SUITE` writes them",
                        folder.string()));
    }
    return records;
}

}  // namespace hacscale::report
