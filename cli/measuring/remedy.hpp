// Commands that measure what an answer lacks, as they can be pasted: with the device, state and threads of
// the table.
#pragma once

#include <filesystem>
#include <string>

#include "cli/comparison/table_view.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {

struct Remedy {
    std::string model;  // as it was named
    std::filesystem::path table;
    DeviceRecord device;
    MeasuredState state;

    // "hacscale profile MODEL --table T ...", and `more` options.
    std::string profile(const std::string& more = "") const;
    // The same into a table of its own, and for longer: what a table has is not measured again, noisy or not.
    std::string profile_noisy() const;
};

}  // namespace hacscale::cli
