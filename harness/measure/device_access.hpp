// A device of this machine, opened for measuring, and what measuring tells the person who waits for it.
#pragma once

#include <filesystem>
#include <string>

#include "cli/progress.hpp"
#include "cli/session.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/table/table.hpp"

namespace hacscale::cli {

struct DeviceAccess {
    BackendRegistry registry;  // owns the backend that `handle` points to
    DeviceHandle handle;

    DeviceRecord record() const;
};

// Says what may spoil timings there, and takes cores for the CPU (take_cores.hpp). `threads` as
// BackendRegistry::load(). Throws MissingError when the
// device is not here.
DeviceAccess open_device(const std::string& id, int threads, Session& session);

// Throws InputError, naming both, when the table's rows are of another device or library version.
void check_same_device(const Table& table, const DeviceAccess& device);

// Work goes on until an interrupt comes (cli/interrupt.hpp). `progress` must outlive the result.
WorkEvents work_events(Progress& progress);

}  // namespace hacscale::cli
