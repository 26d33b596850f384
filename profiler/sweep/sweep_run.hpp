// What sweeps of models and of graphs share: what they are told, the networks that they run for a table until their time is up, and
// what they say of it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "profiler/profile.hpp"

namespace hacscale {

struct SweepSettings {
    double tolerance = 0.05;     // relative error of a held-out stage or network
    double max_seconds = 600.0;  // for the whole sweep; what is not looked at by then stays interpolated
    int coarse_widths = 4;       // K; at resolutions other than the base's it is 3
    bool retry_failed = true;    // as in ProfileRequest
    std::string noisy_until{};   // as in ProfileRequest
};

// A network that was run for a table.
struct HostNetwork {
    Network network;
    std::optional<double> reference_us;  // as Row::reference_us
};

struct SweepSummary {
    ProfileSummary profile;
    std::vector<HostNetwork> host_networks;
    int held_out_widths = 0;  // stage widths predicted and then measured; those off by more were refined
    int held_out_inner_widths = 0;  // likewise, of inner widths
    std::vector<double>
        network_errors;     // of the last round of random networks: predicted over measured, minus one
    bool complete = false;  // every search ended by itself, the last round of networks within the tolerance
    bool out_of_time = false;  // where it is not complete: for want of time, not of exactness

    // Of the last round of networks, in absolute value; 0 when there was none.
    double worst_network_error() const;
};

namespace detail {

// Runs networks for a table and keeps the account of it.
class SweepRun {
public:
    // All of these must outlive this. `name`: of the network that is swept, for messages.
    SweepRun(const DeviceHandle& device, Table& table, std::string name, const MeasureSettings& measure,
             const SweepSettings& settings, const WorkEvents& events);

    const Table& table() const { return table_; }
    const MeasureSettings& measure() const { return measure_; }
    const SweepSettings& settings() const { return settings_; }
    bool out_of_time() const;

    // Each network may take its share of the time, where so many are to be run.
    void share_time(std::size_t networks);
    void run(std::vector<Network> networks);
    // Predicts these, which are none that were chosen to be measured, runs all of them, and compares. Whether each was predicted
    // within the tolerance, before the time was up.
    bool predicts(std::vector<Network> networks);
    // `complete`: whether every search ended by itself.
    SweepSummary summary(bool complete) const;

    int held_out_widths = 0;
    int held_out_inner_widths = 0;

private:
    std::vector<HostNetworkResult> run(std::vector<Network> networks, bool run_all);

    const DeviceHandle& device_;
    Table& table_;
    std::string name_;
    MeasureSettings measure_;
    const SweepSettings& settings_;
    const WorkEvents& events_;
    double deadline_us_;
    SweepSummary summary_;
};

}  // namespace detail

}  // namespace hacscale
