// A device of this machine, opened for measuring, and what measuring tells the person who waits for it.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "kernels/host/processors.hpp"
#include "models/graph/network.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"
#include "profiler/timing/statistics.hpp"

namespace hacscale::harness {

struct DeviceAccess {
    BackendRegistry registry;  // owns the backend that `handle` points to
    DeviceHandle handle;

    DeviceRecord record() const;
};

// Says what may spoil timings there, and takes cores for the CPU (take_cores(), below). `threads` as
// BackendRegistry::load(). Throws MissingError when the device is not here.
DeviceAccess open_device(const std::string& id, int threads, Events& events);

// Throws InputError, naming both, when the table's rows are of another device or library version.
void check_same_device(const Table& table, const DeviceAccess& device);

// What the device's instruments are asked beside times.
struct CounterSettings {
    bool none = false;
    InstrumentOptions instruments;

    // Null where they are not wanted, or the device has none.
    std::unique_ptr<Instruments> open(const BackendDevice& device) const;
};

// A network compiled to be run as it is. Throws WorkError, naming the network, where the device cannot run it.
std::unique_ptr<NetworkRunner> compiled(const DeviceHandle& device, const std::string& network,
                                        const Graph& graph, const CompileOptions& options);

// Whole networks timed on a device, as comparisons and verifications need them: by whom is not their concern,
// so that tests can time with a formula.
struct TimedNetwork {
    double latency_us = 0.0;  // median of one inference; 0 when it could not be timed
    double ci95_us = 0.0;
    bool converged = false;    // the interval is as narrow as was asked for
    std::string reason;        // why it could not be timed
    bool out_of_time = false;  // it was not timed because the time was up
    UpperPercentiles upper{};  // microseconds, of the passes that the median is of

    bool timed() const { return latency_us > 0.0; }
};

// All in interleaved rounds, so that their ratios hold although the machine drifts. One answer a network.
using TimeNetworks = std::function<std::vector<TimedNetwork>(const std::vector<Network>&)>;

// For so many networks that are timed together: seconds that this may take at most, compiling them included.
using SessionSeconds = std::function<double(std::size_t networks)>;

// The machine is waited for until it is as fast as it was for the rows of `table`, which the times stand
// beside. `device`, `settings` and `events` are copied; the backend must outlive the result.
// With `seconds_at_most`, what there was no time for is out_of_time.
TimeNetworks device_timer(const DeviceHandle& device, const Table& table, const MeasureSettings& settings,
                          const WorkEvents& events, SessionSeconds seconds_at_most = {});
// Beside no table.
TimeNetworks device_timer(const DeviceHandle& device, const MeasureSettings& settings,
                          const WorkEvents& events, SessionSeconds seconds_at_most = {});

// A core of the CPU for what this process measures, which no other process of this program measures on.
struct CoreLoad {
    host::Core core;
    double busy = 0.0;  // 0..1, with work of other processes
};

// The warning where other work runs on some of the cores; nothing where they are idle.
std::optional<std::string> doubt_about(const std::vector<CoreLoad>& loads);

// To be called before any backend is loaded, because OpenMP pins threads when its library is loaded; what
// was taken is kept until the process ends, and later calls change nothing. `threads` as
// BackendRegistry::load(). Of the cores that are free, those come first that other work leaves idle. Waits
// until there are enough, and says so; a core that other work keeps busy is a doubt (Events::keep_doubt). Throws
// InputError for more threads than there are processors. Nothing is taken where $HACSCALE_CORE_LOCKS is
// empty.
void take_cores(int threads, Events& events);

}  // namespace hacscale::harness
