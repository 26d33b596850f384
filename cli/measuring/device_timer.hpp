// Times whole networks on a device of this machine, for comparisons and verifications.
#pragma once

#include "cli/comparison/timed_network.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {

// The machine is waited for until it is as fast as it was for the rows of `table`, which the times stand
// beside. `device`, `settings` and `events` are copied; the backend must outlive the result.
TimeNetworks device_timer(const DeviceHandle& device, const Table& table, const MeasureSettings& settings,
                          const WorkEvents& events);

}  // namespace hacscale::cli
