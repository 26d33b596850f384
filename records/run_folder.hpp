// The records of one run as values: what the files of its folder hold (docs/formats.md, "Records of a run"), or as much of
// that as a table alone has.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "profiler/table/table.hpp"
#include "records/comparison.hpp"
#include "records/provenance.hpp"
#include "records/verification.hpp"

namespace hacscale::records {

// As much of a table's row, as `table query --json` answers it, as reports show.
struct MeasuredRow {
    std::string layer;  // its key
    std::string cache;
    std::string dtype;
    std::int64_t batch = 1;
    std::int64_t footprint_bytes = 0;  // of the network that it was timed in; 0 when not said
    std::string status;
    std::string reason;
    std::optional<double> latency_us;
    std::optional<double> ci95_us;
    std::optional<double> occupancy_theoretical;  // GPUs only, like the next
    std::optional<double> occupancy_achieved;
};

struct RunRecords {
    std::filesystem::path folder;
    Provenance provenance;
    std::optional<VerificationReport> verification;  // nothing without verify.json
    std::optional<std::vector<MeasuredRow>> rows;    // nothing without table.json
    std::vector<ComparisonRecord> comparisons;       // sorted by model, then budget
};

// Reads the whole folder. provenance.json must exist, and at least one other record; what else is absent stays empty.
// InputError names the file and key that is missing or malformed.
RunRecords load_records(const std::filesystem::path& folder);
// A table's rows, verified networks and device. It has no comparisons.
RunRecords records_of(const Table& table);

std::vector<MeasuredRow> measured_rows(const Table& table);
// Enters the rows of the table that the run's records lack; layers get the occupancies of their rows.
void add_rows(RunRecords& records, std::vector<MeasuredRow> rows);

// The comparisons among the records in `folder`, compare-*.json, sorted; none where there is no such folder.
std::vector<std::filesystem::path> comparison_files(const std::filesystem::path& folder);
// The folders of records that `folder` stands for: itself, or those of its devices and states below it. Empty
// when there are none.
std::vector<std::filesystem::path> record_folders(const std::filesystem::path& folder);

}  // namespace hacscale::records
