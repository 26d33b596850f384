// Fills a table: runs networks on a device and keeps a row for each of their layers.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "models/graph/latency_source.hpp"
#include "models/graph/network.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

struct ProfileRequest {
    std::vector<Network> host_networks;  // whose layers are wanted, in the layout for the device
    MeasureSettings settings;
    std::set<CacheState> caches{CacheState::network};
    bool run_all = false;       // also host networks all of whose layers are known: their rows gain samples
    bool check_outputs = true;  // compare each kernel with the reference before its time counts
    // Rows that failed are tried again. Without, they are left alone, and so is a host network that has nothing
    // else to tell: for going on after what failed took the device with it.
    bool retry_failed = true;
    // Noisy rows that were measured until then (as Row::measured_at) count as lacking; empty: none does.
    std::string noisy_until{};
};

struct HostNetworkResult {
    std::size_t host_network = 0;  // its place in the request
    std::string model;
    MedianEstimate total;  // of the whole network, microseconds; median 0 when not measured
    bool measured = false;
    bool converged = false;
    std::optional<double> reference_us;   // as Row::reference_us
    UpperPercentiles upper{};             // of the same passes as `total`
    std::optional<double> profiled_us{};  // as NetworkTiming::profiled_us
};

// A network that was measured without layers that the device does not support.
struct PartOfNetwork {
    std::string model;
    std::size_t dropped = 0;    // layers, of
    std::size_t layers = 0;     // all
    std::string first_dropped;  // its key
};

struct ProfileSummary {
    int measured = 0;                  // rows written now, those without a value included
    int reused = 0;                    // rows that were in the table already
    int noisy = 0;                     // of those written
    int failed = 0;                    // of those written; unsupported ones included
    int given_up = 0;                  // rows that failed before and were not tried again
    std::int64_t dropped_records = 0;  // kernels that the tracing library lost count of
    std::vector<ClockCost> clocks;     // of each network that was timed where a clock takes time
    std::vector<PartOfNetwork> parts{};
    bool interrupted = false;
    std::vector<HostNetworkResult> host_networks;  // those that were run

    // Of another request for the same table: rows, dropped records and clocks.
    void add_rows(const ProfileSummary& part);
};

// Only what the table lacks is measured: a host network all of whose layers are there at its footprint is not run,
// unless run_all. A layer that is there already and is timed again in another host network keeps the mean of both,
// by samples. Rows that were measured while the machine was slower than for others of the table
// (Row::machine_was_slower) count as lacking, and are replaced when it is faster. A noisy row is replaced by one that is
// not. Rows are committed a group of
// host networks at a time, so an interruption loses seconds.
//
// A network that the device does not support makes those of its layers `unsupported` that it does not support
// alone either, and is not tried again: its other layers are timed in what is left of it without them. When none is to blame, or the network was not compiled for a reason that
// may pass (NoRunner: no memory, a failure), those that have no row yet are `failed`, and the next command tries
// them again. Where the settings have instruments, rows have readings.
//
// Throws DeviceLost when the device is lost. What was committed stays, and the rows to be measured when it
// happened are `failed` with the reason: those that a network lacks, or one layer where it ran alone. A fresh
// process continues with retry_failed = false.
ProfileSummary profile(const DeviceHandle& device, Table& table, const ProfileRequest& request,
                       const WorkEvents& events);

// What the table says of a whole network: the sum over its layers, at its own footprint.
NetworkEstimate predict(const Table& table, const Graph& network, const MeasureSettings& settings,
                        CacheState cache);

}  // namespace hacscale
