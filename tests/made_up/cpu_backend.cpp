// The module of a made-up device that answers to "cpu".
#include "tests/made_up/made_up_backend.hpp"

namespace {

using namespace hacscale;

std::unique_ptr<Backend> create() {
    static testing::FakeMachine machine = testing::made_up_machine();
    BackendDevice device;
    device.id = "cpu";
    device.name = "A made-up device";
    device.fingerprint = "5eed5eed5eed5eed";
    device.properties = R"({"cores":2,"library":"made up"})";
    device.threads = 2;
    return std::make_unique<testing::MadeUpBackend>(machine, device);
}

}  // namespace

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "cpu", create};
    return &module;
}
