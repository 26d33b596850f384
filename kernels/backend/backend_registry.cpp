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

// The module that an id names: "cuda" for "cuda:0", "openvino" for "openvino@cpu", "onnxruntime_cuda" for "onnxruntime@cuda:0".
std::string backend_of_device(const std::string& id) {
    const std::size_t at = id.find('@');
    const std::size_t colon = id.find(':');
    if (at == std::string::npos) return id.substr(0, colon);
    const std::string runtime = id.substr(0, at);
    return is_cpu(id) ? runtime : runtime + "_" + id.substr(at + 1, colon - at - 1);
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

std::string device_id_of(const std::string& name) {
    for (const std::string_view backend : {"onednn@", "cudnn@"}) {
        if (name.starts_with(backend)) return name.substr(backend.size());
    }
    return name;
}

bool is_cpu(const std::string& device_id) {
    return device_id == "cpu" || device_id.ends_with("@cpu");
}

BackendRegistry BackendRegistry::load(int threads, const std::string& device) {
    BackendRegistry registry;
    registry.thread_warnings_ = prepare_openmp(threads);
    const std::string id = device_id_of(device);
    registry.load_modules(backend_of_device(id));
    if (!id.empty() && !registry.found(id)) registry.load_modules("");
    return registry;
}

void BackendRegistry::load_modules(const std::string& only) {
    std::set<std::string> seen;
    for (const LoadAttempt& attempt : attempts_) seen.insert(attempt.backend);
    for (const auto& folder : backend_folders()) {
        std::vector<std::filesystem::path> files;
        std::error_code error;
        for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
            const std::string backend = backend_name_of(entry.path());
            if (!backend.empty() && (only.empty() || backend == only)) files.push_back(entry.path());
        }
        std::sort(files.begin(), files.end());
        for (const auto& file : files) {
            if (!seen.insert(backend_name_of(file)).second) continue;  // an earlier folder wins
            attempts_.push_back(load_module(file, backends_));
        }
    }
}

std::vector<BackendDevice> BackendRegistry::devices_of(const Backend& backend) const {
    std::vector<BackendDevice> devices = backend.devices();
    for (BackendDevice& device : devices) {
        if (device.threads == 0) continue;
        device.warnings.insert(device.warnings.begin(), thread_warnings_.begin(), thread_warnings_.end());
    }
    return devices;
}

std::optional<DeviceHandle> BackendRegistry::found(const std::string& id) const {
    for (const auto& backend : backends_) {
        for (const BackendDevice& device : devices_of(*backend)) {
            if (device.id == id) return DeviceHandle{backend.get(), device};
        }
    }
    return std::nullopt;
}

DeviceHandle BackendRegistry::find(const std::string& name) const {
    const std::string id = device_id_of(name);
    if (const std::optional<DeviceHandle> device = found(id)) return *device;
    std::string known;
    for (const auto& backend : backends_) {
        for (const BackendDevice& device : devices_of(*backend)) {
            known += (known.empty() ? "" : ", ") + device.id;
        }
    }
    std::string text =
        "device '" + name + "' is not here (devices found: " + (known.empty() ? "none" : known) + ")";
    const std::string kind = backend_of_device(id);
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
