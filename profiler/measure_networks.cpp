#include "profiler/measure_networks.hpp"

#include <fmt/format.h>
#include <cmath>

#include "profiler/timing/drift_guard.hpp"

namespace hacscale {
namespace {

constexpr int most_repeats = 2;

bool drifted(double ratio) {
    return std::abs(ratio - 1.0) > DriftGuard::tolerance;
}

}  // namespace

ModelSpec for_device(ModelSpec model, const DeviceHandle& device) {
    model.layout = device.backend->preferred_layout(lower(model));
    return model;
}

std::int64_t pass_footprint(const Network& network, int batch, DataType type) {
    return network.weight_bytes(type) + network.peak_activation_bytes(batch, type);
}

std::vector<NetworkMeasurement> measure_networks(const DeviceHandle& device,
                                                 const std::vector<Network>& networks,
                                                 const MeasureSettings& settings, const WorkEvents& events) {
    std::vector<NetworkMeasurement> results(networks.size());
    std::vector<std::unique_ptr<NetworkRunner>> runners;
    std::vector<TimedSubject> subjects;
    std::vector<std::size_t> places;  // of each subject in `networks`
    for (std::size_t i = 0; i < networks.size() && events.keep_going(); ++i) {
        const Network& network = networks[i];
        events.progress(static_cast<double>(i), static_cast<double>(networks.size()), "compiling");
        Compiled compiled =
            device.backend->compile(device.device.id, network, {settings.batch, settings.type, 0});
        if (!compiled.runner) {
            results[i].reason = compiled.reason;
            continue;
        }
        compiled.runner->load(random_weights(network, settings.seed));
        const std::size_t pixels = static_cast<std::size_t>(network.resolution) * network.resolution;
        compiled.runner->set_input(
            random_values(settings.batch * network.in_channels * pixels, settings.seed + 1));
        for (std::size_t node = 0; node < network.nodes.size(); ++node) {
            results[i].implementations.push_back(compiled.runner->implementation(static_cast<int>(node)));
        }
        results[i].weight_bytes = compiled.runner->weight_bytes();
        results[i].activation_bytes = compiled.runner->activation_bytes();
        subjects.push_back({compiled.runner.get(), network.nodes.size()});
        places.push_back(i);
        runners.push_back(std::move(compiled.runner));
    }
    if (subjects.empty()) return results;

    DriftGuard guard(device, settings.type);
    double ratio = 1.0;
    for (int attempt = 0; attempt <= most_repeats && events.keep_going(); ++attempt) {
        const auto timings =
            time_networks(subjects, settings.rules, settings.seed + attempt, events.keep_going);
        for (std::size_t i = 0; i < places.size(); ++i) {
            if (timings[i].samples > 0) results[places[i]].timing = timings[i];
        }
        ratio = guard.ratio();
        if (!drifted(ratio)) break;
        if (attempt < most_repeats) guard = DriftGuard(device, settings.type);
    }
    if (drifted(ratio)) {
        for (const std::size_t place : places) {
            if (!results[place].measured()) continue;  // interrupted before its turn
            results[place].reason = fmt::format(
                "the machine drifted: the reference layer took {:.2f} times its first time", ratio);
        }
    }
    return results;
}

}  // namespace hacscale
