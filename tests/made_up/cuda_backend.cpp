// The module of a made-up device that answers to "cuda:0": a clock between layers takes time on it, and not the same
// behind each.
#include "tests/made_up/made_up_backend.hpp"

namespace {

using namespace hacscale;

std::unique_ptr<Backend> create() {
    static testing::FakeMachine machine = [] {
        testing::FakeMachine gpu = testing::made_up_machine();
        gpu.clock_us_behind = [](const LayerSpec& layer) { return layer.depthwise() ? 0.9 : 0.5; };
        return gpu;
    }();
    BackendDevice device;
    device.id = "cuda:0";
    device.name = "A made-up GPU";
    device.fingerprint = "5eed5eed5eed9b01";
    device.properties = R"({"library":"made up"})";
    return std::make_unique<testing::MadeUpBackend>(machine, device);
}

}  // namespace

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "cuda", create};
    return &module;
}
