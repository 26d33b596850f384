// A made-up device as a module's backend: end-to-end tests that measure run on it instead of this machine's devices,
// in-process or in a child process. See tests/README.md.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>

#include "tests/profiler/fake_backend.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale::testing {

// Between 0 and 1, the same for the same run.
inline double scattered_by(int run) {
    auto bits = static_cast<std::uint32_t>(run) * 2654435761U;
    bits ^= bits >> 16U;
    return static_cast<double>(bits % 1024U) / 1024.0;
}

// Latency rises in steps of 32 output and 16 input channels, so planners have something to find; runs scatter
// by 0.2 %, as on a quiet machine.
inline FakeMachine made_up_machine() {
    FakeMachine machine;
    machine.latency_us = SyntheticSource::latency_us;
    machine.spike = [](int run) { return 1.0 + 0.002 * (scattered_by(run) - 0.5); };
    return machine;
}

class MadeUpBackend final : public FakeBackend {
public:
    MadeUpBackend(FakeMachine& machine, BackendDevice device)
        : FakeBackend(machine), device_(std::move(device)) {}
    // "cuda" for "cuda:0", "onnxruntime_cuda" for "onnxruntime@cuda:0".
    std::string name() const override {
        std::string kind = device_.id.substr(0, device_.id.find(':'));
        std::replace(kind.begin(), kind.end(), '@', '_');
        return kind;
    }
    std::vector<BackendDevice> devices() const override { return {device_}; }
    std::string unsupported_reason(const std::string&, DataType type) const override {
        return type == DataType::f16 && device_.id == "cpu" ? "the made-up CPU has no f16" : "";
    }
    // So much work that the fixed cost of a layer does not count: no network's utilization exceeds 1.
    std::vector<LayerSpec> peak_layers(DataType) const override {
        LayerSpec layer;
        layer.in_channels = layer.out_channels = 256;
        layer.in_height = layer.in_width = 56;
        layer.window = Window::square(3, 1, 1);
        return {layer};
    }

private:
    BackendDevice device_;
};

}  // namespace hacscale::testing
