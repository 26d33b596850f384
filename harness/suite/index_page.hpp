// The page of a run with several devices or states: what each came to, and where its report is.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/suite/state_run.hpp"

namespace hacscale::harness {

struct FinishedRun {
    std::string device;
    MeasuredState state;
    std::filesystem::path folder;
    StateResult result;
};

// index.html in `folder`, which the runs' folders lie below. It leads to their reports, and to
// side-by-side.html where that was written. Returns its path.
std::filesystem::path write_index_page(const std::filesystem::path& folder, const std::string& suite,
                                       const std::vector<FinishedRun>& runs, bool side_by_side);

}  // namespace hacscale::harness
