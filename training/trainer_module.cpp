#include "training/trainer_module.hpp"

#include <dlfcn.h>
#include <fmt/format.h>

#include <cstdlib>
#include <system_error>

#include "base/error.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

constexpr const char* module_file = "libhacscale_trainer.so";

std::string last_dl_error() {
    const char* text = dlerror();
    return text != nullptr ? text : "unknown error";
}

// Ends at the first stage that fails, with its reason.
TrainerLoadAttempt load(const fs::path& path, std::unique_ptr<Trainer>& trainer) {
    std::error_code error;
    if (!fs::exists(path, error)) return {path, "find", "there is no such file"};
    void* handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
    if (handle == nullptr) return {path, "open", last_dl_error()};
    using Entry = const TrainerModule* (*)();
    const auto entry = reinterpret_cast<Entry>(dlsym(handle, trainer_entry_name));
    if (entry == nullptr) return {path, "entry", last_dl_error()};
    const TrainerModule* module = entry();
    if (module->abi_version != trainer_abi_version) {
        return {
            path, "abi",
            fmt::format("it was built for interface version {}, this program has {}; install both from one "
                        "build",
                        module->abi_version, trainer_abi_version)};
    }
    try {
        trainer = module->create();
    } catch (const std::exception& failure) {
        return {path, "create", failure.what()};
    }
    return {path, "ready", ""};
}

}  // namespace

Trainer& LoadedTrainer::required() const {
    if (trainer) return *trainer;
    std::string reasons;
    for (const TrainerLoadAttempt& attempt : attempts) {
        reasons += fmt::format("; {}: {}", attempt.path.lexically_normal().string(), attempt.reason);
    }
    throw MissingError(
        fmt::format("the training module is not here: install libtorch (Debian: libtorch-dev) and build "
                    "with -DHACSCALE_TORCH=ON{}",
                    reasons));
}

std::vector<fs::path> module_folders() {
    if (const char* chosen = std::getenv("HACSCALE_MODULES"); chosen != nullptr && *chosen != '\0') {
        return {chosen};
    }
    std::error_code error;
    const fs::path program = fs::read_symlink("/proc/self/exe", error).parent_path();
    return {program / "modules", program / ".." / "modules", program / ".." / "lib" / "hacscale" / "modules"};
}

LoadedTrainer load_trainer() {
    LoadedTrainer loaded;
    for (const fs::path& folder : module_folders()) {
        loaded.attempts.push_back(load(folder / module_file, loaded.trainer));
        if (loaded.trainer) break;
    }
    return loaded;
}

}  // namespace hacscale
