// A made-up device whose passes scatter as a real machine's do, and whose speed drifts while it is measured.
#pragma once

#include <cmath>
#include <functional>
#include <optional>
#include <random>
#include <vector>

#include "profiler/measure_networks.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace hacscale::testing {

using Random = std::mt19937_64;

inline double uniform(Random& random, double low, double high) {
    return std::uniform_real_distribution<double>(low, high)(random);
}

// How many times as long as on the quiet machine a run takes that begins then: microseconds since the first pass that is
// timed together with the speed. Is asked once for each run.
using Drift = std::function<double(double us)>;

inline double no_drift(double) {
    return 1.0;
}

// Each run takes 1 % more or less (the standard deviation of a lognormal distribution). One run of a hundred is
// interrupted and takes up to twice as long, and one reading of the speed of a thousand comes out at half the time.
class DriftingDevice {
public:
    DriftingDevice(std::uint64_t seed, Drift drift) : random_(seed), drift_(std::move(drift)) {
        FakeMachine& machine = device_.machine;
        machine.latency_us = latency_us;
        machine.spike = [this](int) { return scatter(); };
        machine.before_run = [this](const Graph& network) {
            device_.machine.slowdown = slowdown(is_reference(network));
        };
    }

    static Network network(int width) { return chain("chain", {width, width}); }
    static double truth_us(const Network& network) {
        double sum_us = 0.0;
        for (const Node& node : network.graph.nodes) sum_us += latency_us(node.layer);
        return sum_us;
    }

    const DeviceHandle& handle() const { return device_.handle; }
    std::vector<NetworkMeasurement> measure(const std::vector<Network>& networks,
                                            const MeasureSettings& settings) {
        std::vector<const Network*> to_measure;
        for (const Network& network : networks) to_measure.push_back(&network);
        return measure_networks(device_.handle, to_measure, settings, {});
    }
    // How long the measurement took since then.
    double measured_for_us() const { return device_.machine.clock_us - begin_us_.value_or(0.0); }

private:
    // The reference network's maps are larger than those of chains. It takes as long as on a real machine.
    static double latency_us(const LayerSpec& layer) {
        return layer.in_height > 4 ? 27.0 : 10.0 * layer.out_channels;
    }

    double scatter() {
        const double factor = std::exp(std::normal_distribution<double>(0.0, 0.01)(random_));
        return uniform(random_, 0.0, 1.0) < 0.01 ? factor * uniform(random_, 1.0, 2.0) : factor;
    }

    double slowdown(bool reads_speed) {
        const double now_us = device_.machine.clock_us;
        has_read_speed_ = has_read_speed_ || reads_speed;
        if (has_read_speed_ && !reads_speed && !begin_us_) begin_us_ = now_us;
        const double drift = drift_(begin_us_ ? now_us - *begin_us_ : 0.0);
        if (!reads_speed) return drift;
        constexpr int runs_of_reading = 6;
        if (lucky_runs_ == 0 && uniform(random_, 0.0, 1.0) < 1e-3 / runs_of_reading)
            lucky_runs_ = runs_of_reading;
        if (lucky_runs_ == 0) return drift;
        --lucky_runs_;
        return 0.5 * drift;
    }

    Random random_;
    Drift drift_;
    FakeDevice device_;
    std::optional<double> begin_us_;
    bool has_read_speed_ = false;
    int lucky_runs_ = 0;
};

}  // namespace hacscale::testing
