// Times whole networks on a device of this machine, for comparisons and verifications.
#pragma once

#include "cli/comparison/timed_network.hpp"
#include "profiler/measure_networks.hpp"

namespace hacscale::cli {

// `device`, `settings` and `events` are copied; the backend must outlive the result.
TimeNetworks device_timer(const DeviceHandle& device, const MeasureSettings& settings,
                          const WorkEvents& events);

}  // namespace hacscale::cli
