// Finds and loads backend modules: every file named libhacscale_backend_*.so in the module folders. There is
// no second list. Each attempt is kept with its outcome, so that `hacscale devices` can say why a backend is
// not there.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"

namespace hacscale {

struct LoadAttempt {
    std::filesystem::path path;
    std::string backend;                    // "cpu" from libhacscale_backend_cpu.so
    std::string stage;                      // "open", "entry", "abi", "create", or "ready"
    std::string reason;                     // empty when ready
    const BackendModule* module = nullptr;  // from stage "create" on
    bool ready() const { return stage == "ready"; }
};

struct DeviceHandle {
    Backend* backend = nullptr;
    BackendDevice device;
};

class BackendRegistry {
public:
    // threads: how many threads CPU work uses, as host::choose_threads() understands it. OpenMP takes it, and
    // where threads are pinned, from the environment when its library is loaded: so it can be chosen only
    // once a process. Throws InputError for more threads than there are processors.
    // `device`: only the module that has it is loaded, as others bring libraries of their own into the process; all
    // of them where it is empty, or where that module does not have the device.
    static BackendRegistry load(int threads = 0, const std::string& device = {});

    const std::vector<LoadAttempt>& attempts() const { return attempts_; }
    const std::vector<std::unique_ptr<Backend>>& backends() const { return backends_; }
    // With what is to be said of the number of threads among the warnings of a CPU.
    std::vector<BackendDevice> devices_of(const Backend& backend) const;
    // By its id, or by BACKEND@id ("onednn@cpu", "cudnn@cuda:0"). Throws MissingError when no backend has the device, listing
    // those there are and why others are not.
    DeviceHandle find(const std::string& name) const;

private:
    void load_modules(const std::string& only);
    std::optional<DeviceHandle> found(const std::string& id) const;

    std::vector<LoadAttempt> attempts_;
    std::vector<std::unique_ptr<Backend>> backends_;
    std::vector<std::string> thread_warnings_;
};

// A device's one id: "cpu" for "onednn@cpu", "cuda:0" for "cudnn@cuda:0"; every other text as it is.
std::string device_id_of(const std::string& name);
// Whether the device is this machine's CPU, by whatever backend.
bool is_cpu(const std::string& device_id);

// $HACSCALE_BACKENDS when set, else the folders beside the program: backends/, ../backends/,
// ../lib/hacscale/backends/.
std::vector<std::filesystem::path> backend_folders();

}  // namespace hacscale
