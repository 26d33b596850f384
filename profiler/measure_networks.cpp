#include "profiler/measure_networks.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <algorithm>

#include "models/graph/graph_values.hpp"
#include "profiler/timing/machine_state.hpp"
#include "profiler/timing/rounds.hpp"

namespace hacscale {

MeasureSettings without_energy(MeasureSettings settings) {
    settings.energy_seconds = 0.0;
    return settings;
}

void expect_speed(const DeviceHandle& device, const MeasureSettings& settings, double reference_us) {
    (*settings.speeds)[{device.device.id, settings.type}].expect(reference_us);
}

Network for_device(Network network, const DeviceHandle& device, int batch, DataType type) {
    network.graph.set_layout(device.backend->preferred_layout(network.graph, {batch, type}));
    return network;
}

std::int64_t pass_footprint(const Graph& network, int batch, DataType type) {
    return network.weight_bytes(type) + network.peak_activation_bytes(batch, type);
}

namespace {

class Measuring {
public:
    Measuring(const DeviceHandle& device, const std::vector<const Network*>& networks,
              const MeasureSettings& settings, const WorkEvents& events)
        : device_(device),
          networks_(networks),
          settings_(settings),
          events_(events),
          results_(networks.size()) {}

    std::vector<NetworkMeasurement> run() {
        const double compiled_until_us = device_.backend->clock_us() + 1e6 * settings_.compile_seconds;
        for (std::size_t i = 0; i < networks_.size() && events_.keep_going(); ++i) {
            if (i > 0 && device_.backend->clock_us() > compiled_until_us) break;
            events_.progress(static_cast<double>(i), static_cast<double>(networks_.size()), "compiling");
            naming(i, "it was compiled", [&] { compile(i); });
        }
        if (timed_.empty()) return std::move(results_);
        time();
        for (std::size_t i = 0; settings_.instruments != nullptr && i < places_.size(); ++i) {
            if (!results_[places_[i]].measured() || !events_.keep_going()) continue;
            naming(places_[i], "its counters were read (--no-counters does without)", [&] { inspect(i); });
        }
        return std::move(results_);
    }

private:
    // What is thrown when the device is lost says which network was on it, and what for.
    template <typename Work>
    void naming(std::size_t network, const char* doing, const Work& work) {
        try {
            work();
        } catch (const DeviceLost& lost) {
            throw DeviceLostInTurn(fmt::format("{} (the device was lost while {})", lost.what(), doing),
                                   network);
        }
    }

    void compile(std::size_t place) {
        const Graph& network = networks_[place]->graph;
        NetworkMeasurement& result = results_[place];
        const std::vector<LayerWeights> weights = weights_of(*networks_[place], settings_.seed);
        Compiled compiled = device_.backend->compile(device_.device.id, network,
                                                     {settings_.batch, settings_.type, 0, &weights});
        if (!compiled.runner) {
            result.reason = compiled.reason;
            result.why_no_runner = compiled.why;
            return;
        }
        if (settings_.rows == RowMethod::prefix && !compiled.runner->times_prefixes()) {
            throw InputError(fmt::format(
                "layers of {} cannot be timed by prefixes, which is for GPUs (--rows)", device_.device.id));
        }
        if (settings_.rows == RowMethod::stopwatch && settings_.layers_count &&
            compiled.runner->kernels_overlap()) {
            throw InputError(
                "kernels overlap here, and a clock between layers would keep them apart: time layers by "
                "prefixes "
                "(--rows prefix, or rows: prefix in a suite)");
        }
        compiled.runner->load(weights);
        set_inputs(*compiled.runner, random_inputs(network, settings_.batch, settings_.seed + 1));
        for (std::size_t node = 0; node < network.nodes.size(); ++node) {
            result.implementations.push_back(compiled.runner->implementation(static_cast<int>(node)));
        }
        result.weight_bytes = compiled.runner->weight_bytes();
        result.activation_bytes = compiled.runner->activation_bytes();
        const RowMethod rows = compiled.runner->has_profiler() ? RowMethod::profiler : settings_.rows;
        timed_.push_back({compiled.runner.get(), network.nodes.size(), rows, settings_.layers_count});
        places_.push_back(place);
        runners_.push_back(std::move(compiled.runner));
    }

    void time() {
        SpeedHistory& history = (*settings_.speeds)[{device_.device.id, settings_.type}];
        MachineSpeed machine_speed(device_, settings_.type, history);
        ThrottleGuard throttle(settings_.instruments);
        for (int attempt = 0; attempt <= max_repeats && events_.keep_going(); ++attempt) {
            if (attempt > 0) pause(settings_.cool_down_seconds, events_.keep_going);
            throttle.begin();
            time_once(attempt, machine_speed, throttle);
            throttle.end();
            if (!throttle.throttled()) break;
        }
        bool any_measured = false;
        bool ever_fast = false;
        for (const std::size_t place : places_) {
            NetworkMeasurement& result = results_[place];
            if (!result.measured()) continue;  // interrupted before its turn
            any_measured = true;
            if (result.timing.reference_us) history.add_measured(*result.timing.reference_us);
            const double slowdown = result.timing.slowdown;
            const bool slow = slowdown > 1.0 + MachineSpeed::tolerance;
            ever_fast = ever_fast || !slow;
            result.reason = throttle.reason();
            if (slow) {
                result.reason += fmt::format(
                    "{}the machine was slower all the time: the reference network took {:.2f} times its "
                    "shortest time",
                    result.reason.empty() ? "" : "; ", slowdown);
            }
            if (!slow && !result.timing.unsteady.empty()) {
                result.reason +=
                    (result.reason.empty() ? "the machine was not steady: " : "; ") + result.timing.unsteady;
            }
            result.state = throttle.state();
        }
        if (any_measured) history.waited_in_vain = !ever_fast;
    }

    void time_once(int attempt, MachineSpeed& machine_speed, ThrottleGuard& throttle) {
        naming(places_.front(), "it was run before the timing",
               [&] { spin_up(*runners_.front(), settings_.spin_seconds, events_.keep_going); });
        // Asked before each visit, that is, right after one.
        const auto watch_and_go = [&] {
            throttle.look(device_.backend->clock_us());
            return events_.keep_going();
        };
        try {
            const auto timings = time_networks(timed_, settings_.rules, settings_.seed + attempt,
                                               watch_and_go, &machine_speed);
            for (std::size_t i = 0; i < places_.size(); ++i) {
                if (timings[i].samples > 0) results_[places_[i]].timing = timings[i];
            }
        } catch (const DeviceLostInTurn& lost) {
            naming(places_[lost.index()], "it was timed", [&] { throw DeviceLost(lost.what()); });
        }
    }

    void inspect(std::size_t index) {
        NetworkMeasurement& result = results_[places_[index]];
        NetworkRunner& runner = *runners_[index];
        result.readings = settings_.instruments->inspect(runner, networks_[places_[index]]->graph);
        if (settings_.energy_seconds <= 0.0) {
            result.energy_reason = "it is measured for networks as they are, not at other widths";
            return;
        }
        const EnergyReading energy =
            measure_energy(*settings_.instruments, runner, settings_.energy_seconds, events_.keep_going);
        spdlog::debug("the device computed {:.1f} % of the time in which its energy was counted",
                      100.0 * energy.duty);
        result.energy_mj = energy.inference_mj;
        result.energy_reason = energy.reason;
    }

    const DeviceHandle& device_;
    const std::vector<const Network*>& networks_;
    const MeasureSettings& settings_;
    const WorkEvents& events_;
    std::vector<NetworkMeasurement> results_;
    std::vector<std::unique_ptr<NetworkRunner>> runners_;
    std::vector<TimedNetwork> timed_;
    std::vector<std::size_t> places_;  // in networks_ of each of them
};

}  // namespace

std::vector<NetworkMeasurement> measure_networks(const DeviceHandle& device,
                                                 const std::vector<const Network*>& networks,
                                                 const MeasureSettings& settings, const WorkEvents& events) {
    return Measuring(device, networks, settings, events).run();
}

}  // namespace hacscale
