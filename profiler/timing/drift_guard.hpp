// Notices that the machine has become faster or slower since the work began, by timing one small layer again
// and again.
#pragma once

#include <memory>

#include "kernels/backend_registry.hpp"

namespace hacscale {

class DriftGuard {
public:
    // Times the reference layer for the first time, once its time has settled: a GPU that was idle, as during
    // compilation, takes a while to raise its clocks. Waits for half a second at most.
    DriftGuard(const DeviceHandle& device, DataType type);

    // Time of the reference layer now over the first time; 1 is no drift.
    double ratio();
    static constexpr double tolerance = 0.03;

private:
    double reference_us();
    double settled_us();

    std::unique_ptr<NetworkRunner> runner_;
    double first_us_ = 0.0;
};

}  // namespace hacscale
