#include "tests/gpu/gpu.hpp"

#include "kernels/backend/backend_registry.hpp"

namespace hacscale::testing {

Gpu& gpu() {
    static Gpu* const found = [] {
        // Never freed: CUDA's libraries do not like to be used while a program ends.
        const auto* const registry = new BackendRegistry(BackendRegistry::load());
        auto* gpu = new Gpu;
        gpu->why_not = "the cuda module was not found";
        for (const LoadAttempt& attempt : registry->attempts()) {
            if (attempt.backend == "cuda") gpu->why_not = attempt.reason;
        }
        for (const auto& backend : registry->backends()) {
            if (backend->name() != "cuda") continue;
            gpu->backend = backend.get();
            gpu->device = backend->devices().front();
        }
        return gpu;
    }();
    return *found;
}

}  // namespace hacscale::testing
