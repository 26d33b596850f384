// Compares what kernels put out with the reference, before their times count.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>

#include "profiler/measure_networks.hpp"
#include "profiler/table/row.hpp"

namespace hacscale::detail {

class OutputCheck {
public:
    // Does nothing unless `enabled`. `device` and `settings` outlive it.
    OutputCheck(const DeviceHandle& device, const MeasureSettings& settings, bool enabled)
        : device_(device), settings_(settings), enabled_(enabled) {}

    // A row whose kernel is wrong fails, since it has no latency worth keeping. Each kernel of a layer is run
    // once. Throws DeviceLost.
    void operator()(Row& row, std::int64_t footprint_bytes);

private:
    const DeviceHandle& device_;
    const MeasureSettings& settings_;
    bool enabled_;
    std::map<std::pair<LayerSpec, std::string>, std::string> faults_;  // by layer and kernel; empty: none
};

}  // namespace hacscale::detail
