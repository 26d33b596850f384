// A made-up GPU: a clock between layers takes time on it, and not the same behind each.
#pragma once

#include "tests/made_up/made_up_backend.hpp"

namespace hacscale::testing {

inline std::unique_ptr<Backend> made_up_gpu(const std::string& id) {
    static FakeMachine machine = [] {
        FakeMachine gpu = made_up_machine();
        gpu.clock_us_behind = [](const LayerSpec& layer) { return layer.depthwise() ? 0.9 : 0.5; };
        return gpu;
    }();
    BackendDevice device;
    device.id = id;
    device.name = "A made-up GPU";
    device.fingerprint = "5eed5eed5eed9b01";
    device.properties = R"({"library":"made up"})";
    return std::make_unique<MadeUpBackend>(machine, device);
}

}  // namespace hacscale::testing
