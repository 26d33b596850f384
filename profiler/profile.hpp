// Fills a table: runs networks on a device and keeps a row for each of their layers.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "profiler/latency_source.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale {

struct ProfileRequest {
    std::vector<ModelSpec> carriers;  // the networks whose layers are wanted, in the layout for the device
    MeasureSettings settings;
    std::set<CacheState> caches{CacheState::network};
    bool run_all = false;       // also carriers all of whose layers are known: their rows gain samples
    bool check_outputs = true;  // compare each kernel with the reference before its time counts
};

struct CarrierResult {
    std::string model;
    MedianEstimate total;  // of the whole network, microseconds; median 0 when not measured
    bool measured = false;
    bool converged = false;
};

struct ProfileSummary {
    int measured = 0;  // rows written now, those without a value included
    int reused = 0;    // rows that were in the table already
    int noisy = 0;     // of those written
    int failed = 0;    // of those written; unsupported ones included
    bool interrupted = false;
    std::vector<CarrierResult> carriers;  // those that were run, in the request's order
};

// Only what the table lacks is measured: a carrier all of whose layers are there at its footprint is not run,
// unless run_all. A layer that is there already and is timed again in another carrier keeps the mean of both,
// by samples. Rows are committed a group of carriers at a time, so an interruption loses seconds. Rows that
// failed are tried again.
ProfileSummary profile(const DeviceHandle& device, Table& table, const ProfileRequest& request,
                       const WorkEvents& events);

// The row's key for a layer of a network in a state.
RowKey row_key(const LayerSpec& layer, const Network& network, const MeasureSettings& settings,
               CacheState cache);

// What the table says of a whole network: the sum over its layers, at its own footprint.
NetworkEstimate predict(const Table& table, const Network& network, const MeasureSettings& settings,
                        CacheState cache);

}  // namespace hacscale
