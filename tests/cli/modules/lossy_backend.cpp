// A backend whose device is lost as soon as it runs a network with the layer that
// $HACSCALE_TEST_FATAL_CHANNELS names by its output channels; "all" is any network. As with a real device,
// nothing works in that process afterwards.
#include <cstdlib>
#include <string>

#include "base/error.hpp"
#include "tests/profiler/fake_backend.hpp"

namespace {

using hacscale::DeviceLost;
using hacscale::Graph;

bool fatal(const Graph& network) {
    const char* channels = std::getenv("HACSCALE_TEST_FATAL_CHANNELS");
    if (channels == nullptr) return false;
    if (std::string(channels) == "all") return true;
    for (const auto& node : network.nodes) {
        if (std::to_string(node.layer.out_channels) == channels) return true;
    }
    return false;
}

std::unique_ptr<hacscale::Backend> create() {
    static hacscale::testing::FakeMachine machine;
    static bool lost = false;
    machine.before_run = [](const Graph& network) {
        lost = lost || fatal(network);
        if (lost) throw DeviceLost("an illegal memory access was encountered");
    };
    machine.before_compile = [](const Graph&) {
        if (lost) throw DeviceLost("an illegal memory access was encountered");
    };
    return std::make_unique<hacscale::testing::FakeBackend>(machine);
}

}  // namespace

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "lossy", create};
    return &module;
}
