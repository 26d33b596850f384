#include "harness/suite/layout.hpp"

#include <algorithm>

#include "base/error.hpp"
#include "harness/suite/state_run.hpp"
#include "kernels/backend/backend_registry.hpp"

namespace hacscale::harness {

namespace {

bool several_devices(const Suite& suite) {
    return suite.devices.size() > 1 || suite.devices.front() == all_devices;
}

}  // namespace

std::filesystem::path device_folder(const Suite& suite, const std::filesystem::path& out,
                                    const std::string& device) {
    if (!several_devices(suite)) {
        return out;
    }
    std::string name = device;
    std::replace(name.begin(), name.end(), ':', '-');
    return out / name;
}

std::filesystem::path state_folder(const Suite& suite, const std::filesystem::path& of_device,
                                   const MeasuredState& state) {
    return states_of(suite).size() == 1 ? of_device : of_device / folder_name(state);
}

bool has_several_folders(const Suite& suite) {
    return several_devices(suite) || states_of(suite).size() > 1;
}

std::vector<std::string> device_ids(const Suite& suite) {
    if (suite.devices.front() != all_devices) {
        return suite.devices;
    }
    std::vector<std::string> ids;
    const BackendRegistry registry = BackendRegistry::load(suite.threads);
    for (const auto& backend : registry.backends()) {
        for (const BackendDevice& device : backend->devices()) {
            ids.push_back(device.id);
        }
    }
    if (ids.empty()) {
        throw MissingError(
            "devices: all: there is no device that can be used here; `hacscale devices` says why");
    }
    return ids;
}

}  // namespace hacscale::harness
