// A device of this machine, opened for measuring, and what measuring tells the person who waits for it.
#pragma once

#include <memory>
#include <string>

#include "harness/events.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "profiler/instruments/instruments.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::harness {

struct DeviceAccess {
    BackendRegistry registry;  // owns the backend that `handle` points to
    DeviceHandle handle;

    DeviceRecord record() const;
};

// Says what may spoil timings there, and takes cores for the CPU (take_cores.hpp). `threads` as
// BackendRegistry::load(). Throws MissingError when the
// device is not here.
DeviceAccess open_device(const std::string& id, int threads, Events& events);

// Throws InputError, naming both, when the table's rows are of another device or library version.
void check_same_device(const Table& table, const DeviceAccess& device);

// What the device's instruments are asked beside times.
struct CounterSettings {
    bool none = false;
    InstrumentOptions instruments;

    // Null where they are not wanted, or the device has none.
    std::unique_ptr<Instruments> open(const BackendDevice& device) const;
};

}  // namespace hacscale::harness
