// One measurement of one layer on one device, as the table keeps it, with what the device's instruments told of it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "profiler/instruments/instruments.hpp"

namespace hacscale {

// All of it is absent where a device has no instruments (CPUs) or they were not asked. docs/formats.md,
// "Exported columns", and docs/gpu.md define each figure.
struct Readings {
    std::optional<double> kernel_time_us;
    std::optional<double> occupancy_theoretical;
    std::optional<double> occupancy_grid_limited;
    std::optional<double> occupancy_achieved;
    std::optional<double> tensor_active;
    std::optional<double> sm_busy;
    std::optional<double> l2_hit_rate;
    std::optional<double> dram_bytes;
    std::optional<double> sm_throughput;  // only when asked for
    std::optional<double> energy_mj;      // the layer's share, by time, of one inference of its network
    // The device as its group of measurements ended.
    std::optional<double> sm_clock_mhz;
    std::optional<double> memory_clock_mhz;
    std::optional<double> temperature_c;
    std::optional<double> power_w;
    std::string throttle_reasons;  // why clocks were held down meanwhile, in words; empty when they were not
    std::map<std::string, std::string> reasons;  // why a figure is missing, by the name of its column
    std::vector<KernelLaunch> kernels;           // in launch order
    bool operator==(const Readings&) const = default;
};

// Other tools' tables are in milliseconds.
inline constexpr double us_a_ms = 1000.0;

// How warm the caches were; docs/method.md, "Cache states".
enum class CacheState : std::uint8_t {
    network,  // weights last touched one pass of a whole network ago, input just produced by the layer before
    warm,     // the isolated layer, again and again
    cold,     // the isolated layer, with its weights and tensors driven out of all caches before each run
};

enum class RowStatus : std::uint8_t {
    ok,
    noisy,  // the time was up before the interval was narrow enough, or the machine was slow; the value is kept
    failed,       // no value; `reason` says why (out of memory, a library error)
    unsupported,  // the device or library has no way to run this layer; `reason` says why
};

// Whether rows of this status carry a latency: ok and noisy ones do. The table keeps no value of the others.
constexpr bool has_latency(RowStatus status) {
    return status == RowStatus::ok || status == RowStatus::noisy;
}

// Counts of a layer do not overflow with it.
constexpr int max_batch = 65536;

// What identifies a row within a table; a table holds rows of one device fingerprint only.
struct RowKey {
    LayerSpec layer;
    int batch = 1;
    DataType type = DataType::f32;
    CacheState cache = CacheState::network;
    // For the network state, how far one pass goes: the bytes of weights and activations of the network that
    // the layer was timed in, rounded to half an octave by footprint_bucket(). 0 for warm and cold.
    std::int64_t footprint_bytes = 0;
    auto operator<=>(const RowKey&) const = default;
};

// Rounds to the nearest power of the square root of two, at least 64 KiB: footprints that close act alike.
std::int64_t footprint_bucket(std::int64_t bytes);

// Rows that were measured while the machine was slower than for others do not fit those others. A smaller factor
// is within what two tables of one machine differ by anyway.
constexpr double slower_machine_from = 1.15;
constexpr bool machine_was_slower(std::optional<double> reference_us, std::optional<double> by_us) {
    return reference_us && by_us && *reference_us > slower_machine_from * *by_us;
}

// `reason` says why there is no latency, or why it is noisy. Why a reading is missing is in `readings.reasons`, by
// column; the export computes utilization and says in `utilization_reason` why it is absent.
struct Row {
    RowKey key;
    RowStatus status = RowStatus::ok;
    std::string reason;  // empty when ok
    // Of one inference. In the network state the mean over the passes whose whole time is between the quartiles
    // (timing/network_timer.hpp says why), warm and cold the median. A row merged from several measurements, or from
    // several places of one network, has their mean.
    double latency_us = 0.0;
    double ci95_us = 0.0;      // half-width of the 95 % confidence interval of that mean or median
    std::int64_t samples = 0;  // timed runs that latency_us is computed from
    // The fastest of these runs; absent in rows of tables before schema 5. By prefixes, the difference of the fastest sweeps.
    std::optional<double> min_us;
    std::string implementation;  // what ran: the library's name of the kernel or plan
    std::string host_network;    // the network it was timed in (network state), else empty
    std::string measured_at;     // UTC, ISO 8601
    // How fast the machine was: the time of a reference network meanwhile, microseconds (timing/machine_state.hpp).
    // Absent where it was not read, as for warm and cold.
    std::optional<double> reference_us;
    // How it was timed inside its network, a RowMethod's name; empty in rows of before there were two, which are of the
    // stopwatch, and for warm and cold.
    std::string timed_by;
    // What the clock took, which was taken off latency_us, in microseconds; only where it takes time.
    std::optional<double> overhead_us;
    Readings readings;  // of the device's instruments; GPUs only

    bool machine_was_slower(std::optional<double> by_us) const {
        return has_latency(status) && hacscale::machine_was_slower(reference_us, by_us);
    }
    bool operator==(const Row&) const = default;
};

std::string_view name_of(CacheState cache);
std::string_view name_of(RowStatus status);
CacheState cache_state_from_name(std::string_view name);  // throws InputError
RowStatus row_status_from_name(std::string_view name);    // throws InputError

}  // namespace hacscale
