#include "harness/measure/take_cores.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "kernels/host/processors.hpp"
#include "kernels/host/thread_choice.hpp"

namespace hacscale::harness {

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
