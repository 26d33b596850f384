// The module of a made-up device that answers to "cpu": end-to-end tests that measure run on it instead of
// this machine, in-process or in a child process. See tests/README.md.
#include <cstdint>

#include "tests/profiler/fake_backend.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace {

using namespace hacscale;

// Between 0 and 1, the same for the same run.
double scattered_by(int run) {
    auto bits = static_cast<std::uint32_t>(run) * 2654435761U;
    bits ^= bits >> 16U;
    return static_cast<double>(bits % 1024U) / 1024.0;
}

// Latency rises in steps of 32 output and 16 input channels, so planners have something to find; runs scatter
// by 0.2 %, as on a quiet machine.
testing::FakeMachine made_up_machine() {
    testing::FakeMachine machine;
    machine.latency_us = testing::SyntheticSource::latency_us;
    machine.spike = [](int run) { return 1.0 + 0.002 * (scattered_by(run) - 0.5); };
    return machine;
}

class MadeUpCpu final : public testing::FakeBackend {
public:
    using FakeBackend::FakeBackend;
    std::vector<BackendDevice> devices() const override {
        BackendDevice device;
        device.id = "cpu";
        device.name = "A made-up device";
        device.fingerprint = "5eed5eed5eed5eed";
        device.properties = R"({"cores":2,"library":"made up"})";
        device.threads = 2;
        return {device};
    }
    // So much work that the fixed cost of a layer does not count: no network's utilization exceeds 1.
    std::vector<LayerSpec> peak_layers(DataType) const override {
        LayerSpec layer;
        layer.in_channels = layer.out_channels = 256;
        layer.in_height = layer.in_width = 56;
        layer.kernel = 3;
        layer.padding = 1;
        return {layer};
    }
};

std::unique_ptr<Backend> create() {
    static testing::FakeMachine machine = made_up_machine();
    return std::make_unique<MadeUpCpu>(machine);
}

}  // namespace

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "cpu", create};
    return &module;
}
