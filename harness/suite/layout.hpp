// Where a run's files are. With one device and one state, all of them in the run's folder; several devices
// have a folder each, which holds the device's table, and several states a folder each below that. What a
// suite says decides, not what is found on a machine, so that shards of one suite look alike everywhere.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "harness/suite/state_run.hpp"
#include "harness/suite/suite.hpp"

namespace hacscale::harness {

inline constexpr const char* table_file = "table.db";

// OUT, or OUT/cuda-0
std::filesystem::path device_folder(const Suite& suite, const std::filesystem::path& out,
                                    const std::string& device);
// OUT, or OUT/cuda-0/batch8-f16-network
std::filesystem::path state_folder(const Suite& suite, const std::filesystem::path& of_device,
                                   const MeasuredState& state);
bool has_several_folders(const Suite& suite);

// The suite's devices by name; for "all", those of this machine. MissingError when it has none.
std::vector<std::string> device_ids(const Suite& suite);

// The page of a run with several devices or states: what each came to, and where its report is.

struct FinishedRun {
    std::string device;
    MeasuredState state;
    std::filesystem::path folder;
    StateResult result;
};

// index.html in `folder`, which the runs' folders are below. It leads to their reports, and to
// side-by-side.html where that was written. Returns its path.
std::filesystem::path write_index_page(const std::filesystem::path& folder, const std::string& suite,
                                       const std::vector<FinishedRun>& runs, bool side_by_side);

}  // namespace hacscale::harness
