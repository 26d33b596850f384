// The parts of loading, one function a kind of file. Each throws InputError naming file and key.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "report/records/json_reader.hpp"
#include "report/records/records.hpp"

namespace hacscale::report {

Provenance load_provenance(const std::filesystem::path& file);
std::vector<VerifiedNetwork> load_verified(const std::filesystem::path& file);
std::vector<MeasuredRow> load_rows(const std::filesystem::path& file);
std::string name_of_stage(int index);                     // "stage 3" for 2: of one that has no name
NetworkSteps load_network_steps(const JsonPlace& place);  // an entry of a comparison's "contributions"
Comparison load_comparison(const std::filesystem::path& file);

// The whole folder. provenance.json must be there, and at least one other record; what else is absent stays
// empty.
Records load_records(const std::filesystem::path& folder);

}  // namespace hacscale::report
