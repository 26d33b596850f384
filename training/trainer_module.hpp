// Finds and opens the module that trains: libhacscale_trainer.so, which needs libtorch. Every place that was
// looked at is kept with its reason, so that a missing or broken module is explained.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "training/trainer.hpp"

namespace hacscale {

constexpr int trainer_abi_version = 7;
// Exported by the module: extern "C" const hacscale::TrainerModule* hacscale_trainer_module();
constexpr const char* trainer_entry_name = "hacscale_trainer_module";

struct TrainerModule {
    int abi_version = trainer_abi_version;
    std::unique_ptr<Trainer> (*create)() = nullptr;
};

struct TrainerLoadAttempt {
    std::filesystem::path path;
    std::string stage;   // "find", "open", "entry", "abi", "create", or "ready"
    std::string reason;  // empty when ready
};

struct LoadedTrainer {
    std::unique_ptr<Trainer> trainer;  // null when no attempt was ready
    std::vector<TrainerLoadAttempt> attempts;

    // Throws MissingError with every reason, and what to install.
    Trainer& required() const;
};

// The first module that is ready, in $HACSCALE_MODULES or in folders named modules next to the program
// (module_folders in base/module.hpp).
LoadedTrainer load_trainer();

}  // namespace hacscale
