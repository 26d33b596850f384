// The device of the GPU tests where they run on the simulation, and a check after each test that nothing was
// done that a real device would answer with undefined behaviour.
#include <stdlib.h>

#include "tests/gpu/gpu.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/new_backend.hpp"

extern "C" const hacscale::BackendModule* hacscale_backend_module();

namespace hacscale::testing {
namespace {

class MistakeListener final : public ::testing::EmptyTestEventListener {
    void OnTestEnd(const ::testing::TestInfo&) override {
        for (const std::string& mistake : simulated::Device::instance().take_mistakes()) {
            ADD_FAILURE() << mistake;
        }
    }
};

[[maybe_unused]] const bool listening = [] {
    ::testing::UnitTest::GetInstance()->listeners().Append(new MistakeListener);
    // What a simulated device chose must not stand in the user's cache.
    ::setenv("HACSCALE_PLAN_CACHE", "", 1);
    return true;
}();

}  // namespace

std::unique_ptr<Backend> new_backend() {
    return hacscale_backend_module()->create();
}

Gpu& gpu() {
    static Gpu* const simulation = [] {
        auto* gpu = new Gpu;
        gpu->backend = new_backend().release();
        gpu->device = gpu->backend->devices().front();
        gpu->simulated = true;
        return gpu;
    }();
    return *simulation;
}

}  // namespace hacscale::testing
