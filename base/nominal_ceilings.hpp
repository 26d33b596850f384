// What a GPU could do at best by its published figures: multiprocessors x FLOP per clock x clock, and memory
// clock x bus width. They stand beside the measured ceilings; utilization never refers to them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace hacscale {

struct NominalCeilings {
    std::optional<double> flops_per_s;  // empty for GPUs and data types that the table lacks
    std::optional<double> bytes_per_s;
};

// `property` gives a device property by the name that records have for it ("multiprocessors", "clock_mhz"),
// as text, empty where there is none. Both figures are empty for a CPU.
NominalCeilings nominal_ceilings(const std::function<std::string(std::string_view)>& property,
                                 std::string_view dtype);

}  // namespace hacscale
