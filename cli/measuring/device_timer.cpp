#include "cli/measuring/device_timer.hpp"

#include "profiler/profile.hpp"

namespace hacscale::cli {

namespace {

TimedNetwork timed_network(const NetworkMeasurement& measurement) {
    TimedNetwork network;
    network.reason = measurement.reason;
    if (measurement.measured()) {
        network.latency_us = measurement.timing.total.median;
        network.ci95_us = measurement.timing.total.half_width;
        network.converged = measurement.timing.converged && measurement.reason.empty();
    } else if (network.reason.empty()) {
        network.reason = "interrupted before it was timed";
    }
    return network;
}

}  // namespace

TimeNetworks device_timer(const DeviceHandle& device, const Table& table, const MeasureSettings& settings,
                          const WorkEvents& events) {
    expect_pace_of(table, device, settings);
    return [device, settings, events](const std::vector<ModelSpec>& models) {
        std::vector<Network> networks;
        for (const ModelSpec& model : models) {
            networks.push_back(lower(model));
        }
        std::vector<TimedNetwork> timed;
        for (const NetworkMeasurement& measurement : measure_networks(device, networks, settings, events)) {
            timed.push_back(timed_network(measurement));
        }
        return timed;
    };
}

}  // namespace hacscale::cli
