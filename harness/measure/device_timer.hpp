// Times whole networks on a device of this machine, for comparisons and verifications.
#pragma once

#include "harness/compare/timed_network.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::harness {

// For so many networks that are timed together: seconds that this may take at most, compiling them included.
using SessionSeconds = std::function<double(std::size_t networks)>;

// The machine is waited for until it is as fast as it was for the rows of `table`, which the times stand
// beside. `device`, `settings` and `events` are copied; the backend must outlive the result.
// With `seconds_at_most`, what there was no time for is out_of_time.
TimeNetworks device_timer(const DeviceHandle& device, const Table& table, const MeasureSettings& settings,
                          const WorkEvents& events, SessionSeconds seconds_at_most = {});

}  // namespace hacscale::harness
