#include <fmt/format.h>

#include <algorithm>
#include <tuple>

#include "base/error.hpp"
#include "report/records/loaders.hpp"

namespace hacscale::report {

namespace fs = std::filesystem;

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

    for (const fs::directory_entry& entry : fs::directory_iterator(folder)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with("compare-") && name.ends_with(".json")) {
            records.comparisons.push_back(load_comparison(entry.path()));
        }
    }
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
