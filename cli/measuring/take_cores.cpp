#include "cli/measuring/take_cores.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>
#include <stdlib.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "cli/interrupt.hpp"
#include "kernels/host/core_claims.hpp"
#include "kernels/host/processor_load.hpp"
#include "kernels/host/thread_choice.hpp"

namespace hacscale::cli {

namespace {

constexpr auto load_seen_for = std::chrono::milliseconds(100);
constexpr auto asked_again_after = std::chrono::milliseconds(200);
constexpr double busy_from = 0.3;  // of a processor's time: more than a desktop at rest takes

struct ObservedCore {
    host::Core processors;
    double busy = 0.0;  // 0..1
};

// Idle ones first; their order is kept otherwise, because cores of one processor need not be equal.
std::vector<ObservedCore> observed(const std::vector<host::Core>& cores) {
    const auto before = host::processor_times("/");
    std::this_thread::sleep_for(load_seen_for);
    const auto after = host::processor_times("/");
    std::vector<ObservedCore> all;
    for (const host::Core& core : cores) {
        all.push_back({core, host::busy_share(core, before, after)});
    }
    std::stable_partition(all.begin(), all.end(),
                          [](const ObservedCore& core) { return core.busy < busy_from; });
    return all;
}

void warn_of_busy(const std::vector<ObservedCore>& all, const std::vector<host::Core>& taken,
                  Session& session) {
    std::vector<std::string> busy;
    for (const ObservedCore& core : all) {
        if (core.busy >= busy_from && std::find(taken.begin(), taken.end(), core.processors) != taken.end()) {
            busy.push_back(fmt::format("{} ({:.0f} %)", core.processors.front(), 100.0 * core.busy));
        }
    }
    if (!busy.empty()) {
        session.log.warn("cpu: other work keeps {} {} busy, so times may be too long",
                         busy.size() == 1 ? "core" : "cores", fmt::join(busy, " and "));
    }
}

std::vector<host::Core> wait_for_cores(host::CoreClaims& claims, const std::vector<host::Core>& cores,
                                       std::size_t count, Session& session) {
    bool told = false;
    while (!interrupted()) {
        const std::vector<ObservedCore> all = observed(cores);
        std::vector<host::Core> in_order;
        for (const ObservedCore& core : all) {
            in_order.push_back(core.processors);
        }
        std::vector<host::Core> taken = claims.take(in_order, count);
        if (!taken.empty()) {
            warn_of_busy(all, taken, session);
            return taken;
        }
        if (!told) {
            session.log.warn(
                "cpu: another hacscale measures here, and fewer than {} of {} cores are free; waiting until "
                "it ends (HACSCALE_CORE_LOCKS= in the environment measures at once, and both are disturbed)",
                count, cores.size());
            told = true;
        }
        std::this_thread::sleep_for(asked_again_after);
    }
    return {};
}

}  // namespace

void take_cores(int threads, Session& session) {
    const host::Room& room = host::this_machine();
    const int count = host::choose_threads(room, threads).threads;
    static std::unique_ptr<host::CoreClaims> claims;  // of the process, as OpenMP's threads are
    const std::filesystem::path folder = host::core_locks_folder();
    if (claims != nullptr || folder.empty()) {
        return;
    }
    claims = std::make_unique<host::CoreClaims>(folder);
    const std::size_t wanted = std::min(static_cast<std::size_t>(count), room.cores.size());
    const std::vector<host::Core> taken = wait_for_cores(*claims, room.cores, wanted, session);
    if (!claims->obstacle().empty()) {
        session.log.warn("cpu: cores cannot be claimed ({}): another hacscale may measure on the same ones",
                         claims->obstacle());
    }
    if (!taken.empty()) {
        ::setenv("OMP_PLACES", host::openmp_places(taken, count).c_str(), 0);
    }
}

}  // namespace hacscale::cli
