#include "harness/measure/device_access.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include "base/error.hpp"
#include "cli/interrupt.hpp"
#include "harness/measure/take_cores.hpp"
#include "kernels/host/thread_choice.hpp"

namespace hacscale::cli {

DeviceRecord DeviceAccess::record() const {
    const BackendDevice& device = handle.device;
    return {device.id, device.name, device.fingerprint, device.properties};
}

DeviceAccess open_device(const std::string& id, int threads, Session& session) {
    if (id == "cpu") {
        take_cores(threads, session);
    }
    DeviceAccess access{BackendRegistry::load(threads), {}};
    access.handle = access.registry.find(id);
    for (const std::string& warning : access.handle.device.warnings) {
        session.log.warn("{}: {}", id, warning);
    }
    if (access.handle.device.threads > 0 && host::choose_threads(host::this_machine(), threads).above_quota) {
        session.doubts.push_back(fmt::format(
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

WorkEvents work_events(Progress& progress) {
    return {
        [] { return !interrupted(); },
        [&progress](double done, double total, const std::string& what) { progress.set(done, total, what); }};
}

}  // namespace hacscale::cli
