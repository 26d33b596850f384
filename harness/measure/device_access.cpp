#include "harness/measure/device_access.hpp"

#include <stdlib.h>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::harness {

DeviceRecord DeviceAccess::record() const {
    const BackendDevice& device = handle.device;
    return {device.id, device.name, device.fingerprint, device.properties};
}

DeviceAccess open_device(const std::string& id, int threads, Events& events) {
    if (is_cpu(device_id_of(id))) {
        take_cores(threads, events);
    }
    DeviceAccess access{BackendRegistry::load(threads, id), {}};
    access.handle = access.registry.find(id);
    for (const std::string& warning : access.handle.device.warnings) {
        events.warn(fmt::format("{}: {}", id, warning));
    }
    if (access.handle.device.threads > 0 && host::choose_threads(host::this_machine(), threads).above_quota) {
        events.keep_doubt(fmt::format(
            "{}: there are more threads than the CPU quota has cores, so times may be too long", id));
    }
    return access;
}

void check_same_device(const Table& table, const DeviceAccess& device) {
    const DeviceRecord recorded = table.device();
    const BackendDevice& here = device.handle.device;
    if (recorded.fingerprint != here.fingerprint) {
        throw InputError(
            fmt::format("{} was measured on {} (fingerprint {}), and {} here is {} (fingerprint {}): times "
                        "of the two do not compare; "
                        "profile this device into a table of its own",
                        table.file().string(), recorded.name, recorded.fingerprint, here.id, here.name,
                        here.fingerprint));
    }
}

std::unique_ptr<Instruments> CounterSettings::open(const BackendDevice& device) const {
    return none ? nullptr : open_instruments(device, instruments);
}

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

std::unique_ptr<NetworkRunner> compiled(const DeviceHandle& device, const std::string& network,
                                        const Graph& graph, const CompileOptions& options) {
    Compiled result = device.backend->compile(device.device.id, graph, options);
    if (!result.runner) {
        throw WorkError(fmt::format("{} cannot run {}: {}", device.device.id, network, result.reason));
    }
    return std::move(result.runner);
}

TimeNetworks device_timer(const DeviceHandle& device, const Table& table, const MeasureSettings& settings,
                          const WorkEvents& events, SessionSeconds seconds_at_most) {
    if (const std::optional<double> fastest = table.fastest_reference_us(settings.type)) {
        expect_speed(device, settings, *fastest);
    }
    return device_timer(device, settings, events, std::move(seconds_at_most));
}

TimeNetworks device_timer(const DeviceHandle& device, const MeasureSettings& settings,
                          const WorkEvents& events, SessionSeconds seconds_at_most) {
    return [device, settings, events, seconds_at_most](const std::vector<Network>& networks) {
        MeasureSettings in_session = settings;
        // Times of layers are not used, and a sweep over prefixes would take the most of the time.
        in_session.rows = RowMethod::stopwatch;
        in_session.layers_count = false;
        WorkEvents until_end = events;
        if (seconds_at_most) {
            const double seconds = seconds_at_most(networks.size());
            in_session.compile_seconds = compile_share * seconds;
            in_session.rules = within(settings.rules, (1.0 - compile_share) * seconds, networks.size());
            until_end.keep_going = [&events, &device, until_us = device.backend->clock_us() + 1e6 * seconds] {
                return events.keep_going() && device.backend->clock_us() < until_us;
            };
        }
        std::vector<const Network*> to_measure;
        for (const Network& network : networks) {
            to_measure.push_back(&network);
        }
        std::vector<TimedNetwork> timed;
        for (const NetworkMeasurement& measurement :
             measure_networks(device, to_measure, in_session, until_end)) {
            timed.push_back(timed_network(measurement, events));
        }
        return timed;
    };
}

namespace {

constexpr auto load_seen_for = std::chrono::milliseconds(100);
// Before a core counts as busy it is looked at once more, and longer: work that ends now disturbs nothing.
constexpr auto busy_seen_for = std::chrono::milliseconds(400);
constexpr auto asked_again_after = std::chrono::milliseconds(200);
constexpr double busy_from = 0.3;  // of a processor's time: more than a desktop at rest takes

std::vector<CoreLoad> loads_of(const std::vector<host::Core>& cores, std::chrono::milliseconds seen_for) {
    const auto before = host::processor_times("/");
    std::this_thread::sleep_for(seen_for);
    const auto after = host::processor_times("/");
    std::vector<CoreLoad> loads;
    for (const host::Core& core : cores) {
        loads.push_back({core, host::busy_share(core, before, after)});
    }
    return loads;
}

// Idle ones first; their order is kept otherwise, because cores of one processor need not be equal.
std::vector<host::Core> idle_first(std::vector<CoreLoad> loads) {
    std::stable_partition(loads.begin(), loads.end(),
                          [](const CoreLoad& load) { return load.busy < busy_from; });
    std::vector<host::Core> cores;
    for (CoreLoad& load : loads) {
        cores.push_back(std::move(load.core));
    }
    return cores;
}

std::vector<host::Core> wait_for_cores(host::CoreClaims& claims, const std::vector<host::Core>& cores,
                                       std::size_t count, Events& events) {
    bool told = false;
    while (!events.stop_requested()) {
        std::vector<host::Core> taken = claims.take(idle_first(loads_of(cores, load_seen_for)), count);
        if (!taken.empty()) {
            return taken;
        }
        if (!told) {
            events.warn(fmt::format(
                "cpu: another hacscale measures here, and fewer than {} of {} cores are free; waiting until "
                "it ends (HACSCALE_CORE_LOCKS= in the environment measures at once, and both are disturbed)",
                count, cores.size()));
            told = true;
        }
        std::this_thread::sleep_for(asked_again_after);
    }
    return {};
}

}  // namespace

std::optional<std::string> doubt_about(const std::vector<CoreLoad>& loads) {
    std::vector<std::string> busy;
    for (const CoreLoad& load : loads) {
        if (load.busy >= busy_from) {
            busy.push_back(fmt::format("{} ({:.0f} %)", load.core.front(), 100.0 * load.busy));
        }
    }
    if (busy.empty()) {
        return std::nullopt;
    }
    return fmt::format("cpu: other work keeps {} {} busy, so times may be too long",
                       busy.size() == 1 ? "core" : "cores", fmt::join(busy, " and "));
}

void take_cores(int threads, Events& events) {
    const host::CpuResources& room = host::this_machine();
    const int count = host::choose_threads(room, threads).threads;
    static std::unique_ptr<host::CoreClaims> claims;  // of the process, as OpenMP's threads are
    const std::filesystem::path folder = host::core_locks_folder();
    if (claims != nullptr || folder.empty()) {
        return;
    }
    claims = std::make_unique<host::CoreClaims>(folder);
    const std::size_t wanted = std::min(static_cast<std::size_t>(count), room.cores.size());
    const std::vector<host::Core> taken = wait_for_cores(*claims, room.cores, wanted, events);
    if (!claims->obstacle().empty()) {
        events.warn(
            fmt::format("cpu: cores cannot be claimed ({}): another hacscale may measure on the same ones",
                        claims->obstacle()));
    }
    if (doubt_about(loads_of(taken, load_seen_for))) {
        if (const auto doubt = doubt_about(loads_of(taken, busy_seen_for))) {
            events.warn(*doubt);
            events.keep_doubt(*doubt);
        }
    }
    if (!taken.empty()) {
        ::setenv("OMP_PLACES", host::openmp_places(taken, count).c_str(), 0);
    }
}

}  // namespace hacscale::harness
