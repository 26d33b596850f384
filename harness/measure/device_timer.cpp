#include "harness/measure/device_timer.hpp"

#include "models/stages/lowering.hpp"
#include "profiler/profile.hpp"

namespace hacscale::harness {

namespace {

// Of a session's time, for compiling; most networks have layers whose kernels are chosen already.
constexpr double compile_share = 0.4;

TimedNetwork timed_network(const NetworkMeasurement& measurement, const WorkEvents& events) {
    TimedNetwork network;
    network.reason = measurement.reason;
    if (measurement.measured()) {
        network.latency_us = measurement.timing.total.median;
        network.ci95_us = measurement.timing.total.half_width;
        network.upper = measurement.timing.upper;
        network.converged = measurement.timing.converged && measurement.reason.empty();
    } else if (network.reason.empty()) {
        network.out_of_time = events.keep_going();
        network.reason =
            network.out_of_time ? "there was no time left to time it" : "interrupted before it was timed";
    }
    return network;
}

}  // namespace

TimeNetworks device_timer(const DeviceHandle& device, const Table& table, const MeasureSettings& settings,
                          const WorkEvents& events, SessionSeconds seconds_at_most) {
    expect_pace_of(table, device, settings);
    return [device, settings, events, seconds_at_most](const std::vector<ModelSpec>& models) {
        MeasureSettings in_session = settings;
        // Times of layers are not used, and a sweep over prefixes would take the most of the time.
        in_session.rows = RowMethod::stopwatch;
        in_session.layers_count = false;
        WorkEvents until_end = events;
        if (seconds_at_most) {
            const double seconds = seconds_at_most(models.size());
            in_session.compile_seconds = compile_share * seconds;
            in_session.rules = within(settings.rules, (1.0 - compile_share) * seconds, models.size());
            until_end.keep_going = [&events, &device, until_us = device.backend->clock_us() + 1e6 * seconds] {
                return events.keep_going() && device.backend->clock_us() < until_us;
            };
        }
        std::vector<Graph> networks;
        for (const ModelSpec& model : models) {
            networks.push_back(lower(model));
        }
        std::vector<TimedNetwork> timed;
        for (const NetworkMeasurement& measurement :
             measure_networks(device, networks, in_session, until_end)) {
            timed.push_back(timed_network(measurement, events));
        }
        return timed;
    };
}

}  // namespace hacscale::harness
