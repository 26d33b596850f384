#include "harness/measure/device_access.hpp"

#include <fmt/format.h>

#include "base/error.hpp"
#include "harness/measure/take_cores.hpp"
#include "kernels/host/thread_choice.hpp"

namespace hacscale::harness {

DeviceRecord DeviceAccess::record() const {
    const BackendDevice& device = handle.device;
    return {device.id, device.name, device.fingerprint, device.properties};
}

DeviceAccess open_device(const std::string& id, int threads, Events& events) {
    if (id == "cpu") {
        take_cores(threads, events);
    }
    DeviceAccess access{BackendRegistry::load(threads), {}};
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

}  // namespace hacscale::harness
