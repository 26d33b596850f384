#include "training/trainer_module.hpp"

#include <fmt/format.h>

#include <system_error>

#include "base/error.hpp"
#include "base/module.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;

constexpr const char* module_file = "libhacscale_trainer.so";

// Ends at the first stage that fails, with its reason.
TrainerLoadAttempt load(const fs::path& path, std::unique_ptr<Trainer>& trainer) {
    std::error_code error;
    if (!fs::exists(path, error)) return {path, "find", "there is no such file"};
    const auto opened = open_module<TrainerModule>(path, trainer_entry_name, trainer_abi_version);
    if (opened.description == nullptr) return {path, opened.stage, opened.reason};
    try {
        trainer = opened.description->create();
    } catch (const std::exception& failure) {
        return {path, "create", failure.what()};
    }
    return {path, "ready", ""};
}

// $HACSCALE_MODULES when set, else next to the program.
std::vector<fs::path> trainer_folders() {
    return module_folders("HACSCALE_MODULES", "modules");
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

LoadedTrainer load_trainer() {
    LoadedTrainer loaded;
    for (const fs::path& folder : trainer_folders()) {
        loaded.attempts.push_back(load(folder / module_file, loaded.trainer));
        if (loaded.trainer) break;
    }
    return loaded;
}

}  // namespace hacscale
