// The GPU that these tests run on: the first one of this machine, or the simulation in simulated/.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "kernels/backend/backend.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::testing {

struct Gpu {
    Backend* backend = nullptr;  // null when there is no GPU
    BackendDevice device;
    std::string why_not;  // in words, when there is none
    bool simulated = false;
};

// Defined by the program that the tests are linked into: gpu.cpp or simulated/simulated_gpu.cpp.
Gpu& gpu();

// Skips, with the reason, where there is no GPU.
class GpuTest : public ::testing::Test {
protected:
    void SetUp() override {
        if (gpu().backend == nullptr) GTEST_SKIP() << "skipped: " << gpu().why_not;
    }
    static Backend& backend() { return *gpu().backend; }
    static const std::string& device() { return gpu().device.id; }
};

// How often something is done: the simulation computes on the CPU, and its times are the same in every run.
inline int times(int on_gpu, int simulated) {
    return gpu().simulated ? simulated : on_gpu;
}

// A network of the zoo; on the simulation a small one of it, on small images.
inline ModelSpec zoo_model(const std::string& name) {
    if (!gpu().simulated) return find_model(name);
    ModelSpec model = find_model(name.ends_with("-cifar") ? name : "resnet20-cifar");
    model.resolution = 8;
    return model;
}

// The error that a kernel may have against the double-precision reference, relative.
inline double layer_tolerance(DataType type) {
    return type == DataType::f32 ? 1e-4 : 2e-2;
}

}  // namespace hacscale::testing
