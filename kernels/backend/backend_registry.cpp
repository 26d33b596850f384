#include "kernels/backend/backend_registry.hpp"

#include <stdlib.h>

#include <algorithm>
#include <set>

#include "base/error.hpp"
#include "base/module.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale {
namespace {

constexpr std::string_view module_prefix = "libhacscale_backend_";
constexpr std::string_view module_suffix = ".so";

std::string backend_name_of(const std::filesystem::path& path) {
    const std::string file = path.filename().string();
    if (!file.starts_with(module_prefix) || !file.ends_with(module_suffix)) return {};
    return file.substr(module_prefix.size(), file.size() - module_prefix.size() - module_suffix.size());
}

// Loads one module; on success `backends` gains its backend.
LoadAttempt load_module(const std::filesystem::path& path, std::vector<std::unique_ptr<Backend>>& backends) {
    const auto opened = open_module<BackendModule>(path, backend_entry_name, backend_abi_version);
    LoadAttempt attempt{path, backend_name_of(path), opened.stage, opened.reason, opened.description};
    if (attempt.module == nullptr) return attempt;
    try {
        backends.push_back(attempt.module->create());
        attempt.stage = "ready";
    } catch (const std::exception& error) {
        attempt.reason = error.what();
    }
    return attempt;
}

// OpenMP reads these when its library is loaded. What the user has set for pinning stays.
std::vector<std::string> prepare_openmp(int threads) {
    host::keep_allowed_processors();
    const host::CpuResources& room = host::this_machine();
    const host::ThreadChoice choice = host::choose_threads(room, threads);
    setenv("OMP_NUM_THREADS", std::to_string(choice.threads).c_str(), 1);
    // Pinned threads that spin between layers: a layer of ten microseconds has no time to wake a sleeping
    // thread.
    setenv("OMP_PROC_BIND", "close", 0);
    setenv("OMP_PLACES", host::openmp_places(room.cores, choice.threads).c_str(), 0);
    setenv("OMP_WAIT_POLICY", "active", 0);
    setenv("OMP_DYNAMIC", "false", 0);
    return choice.warnings;
}

}  // namespace

std::vector<std::filesystem::path> backend_folders() {
    return module_folders("HACSCALE_BACKENDS", "backends");
}

BackendRegistry BackendRegistry::load(int threads) {
    BackendRegistry registry;
    registry.thread_warnings_ = prepare_openmp(threads);
    std::set<std::string> seen;
    for (const auto& folder : backend_folders()) {
        std::vector<std::filesystem::path> files;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
            if (!backend_name_of(entry.path()).empty()) files.push_back(entry.path());
        }
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            if (!seen.insert(backend_name_of(file)).second) continue;  // an earlier folder wins
            registry.attempts_.push_back(load_module(file, registry.backends_));
        }
    }
    return registry;
}

std::vector<BackendDevice> BackendRegistry::devices_of(const Backend& backend) const {
    std::vector<BackendDevice> devices = backend.devices();
    for (BackendDevice& device : devices) {
        if (device.threads == 0) continue;
        device.warnings.insert(device.warnings.begin(), thread_warnings_.begin(), thread_warnings_.end());
    }
    return devices;
}

DeviceHandle BackendRegistry::find(const std::string& device_id) const {
    std::string known;
    for (const auto& backend : backends_) {
        for (const BackendDevice& device : devices_of(*backend)) {
            if (device.id == device_id) return {backend.get(), device};
            known += (known.empty() ? "" : ", ") + device.id;
        }
    }
    std::string text =
        "device '" + device_id + "' is not here (devices found: " + (known.empty() ? "none" : known) + ")";
    const std::string kind = device_id.substr(0, device_id.find(':'));
    bool module_there = false;
    for (const LoadAttempt& attempt : attempts_) {
        if (attempt.backend != kind) continue;
        module_there = true;
        if (!attempt.ready()) text += "; the " + attempt.backend + " backend cannot run: " + attempt.reason;
    }
    if (!module_there) text += "; no backend module for '" + kind + "' is installed";
    throw MissingError(text + "; see 'hacscale devices'");
}

}  // namespace hacscale
