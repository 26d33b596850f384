// The first GPU of this machine, for tests that need one.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/backend_registry.hpp"

namespace hacscale::testing {

struct Gpu {
    const BackendRegistry registry = BackendRegistry::load();
    Backend* backend = nullptr;  // null when there is no GPU
    BackendDevice device;
    std::string why_not;  // in words, when there is none
};

inline Gpu& gpu() {
    static Gpu* const found = [] {
        auto* gpu = new Gpu;  // never freed: CUDA's libraries do not like to be used while a program ends
        gpu->why_not = "the cuda module was not found";
        for (const LoadAttempt& attempt : gpu->registry.attempts()) {
            if (attempt.backend == "cuda") gpu->why_not = attempt.reason;
        }
        for (const auto& backend : gpu->registry.backends()) {
            if (backend->name() != "cuda") continue;
            gpu->backend = backend.get();
            gpu->device = backend->devices().front();
        }
        return gpu;
    }();
    return *found;
}

// Skips, with the reason, where there is no GPU.
class GpuTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (gpu().backend == nullptr) GTEST_SKIP() << "skipped: " << gpu().why_not;
    }
    static Backend& backend() { return *gpu().backend; }
    static const std::string& device() { return gpu().device.id; }
};

// The error that a kernel may have against the double-precision reference, relative.
inline double layer_tolerance(DataType type) {
    return type == DataType::f32 ? 1e-4 : 2e-2;
}

}  // namespace hacscale::testing
