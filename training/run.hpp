// One training run: what makes two trainings the same one, since they would give the same numbers, and the lock that keeps
// two processes from doing it twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "models/stages/model_spec.hpp"
#include "training/recipe.hpp"

namespace hacscale {

struct RunKey {
    std::string model;  // its name, for people
    std::string model_hash;
    std::string recipe;  // its name, for people
    std::string recipe_hash;
    std::uint64_t seed = 1;
    std::string data_hash;
    bool operator==(const RunKey&) const = default;
};

RunKey run_key(const ModelSpec& model, const Recipe& recipe, std::uint64_t seed,
               const std::string& data_hash);

// Name of the folder that holds a run's checkpoints: readable, and different for different keys.
std::string folder_name(const RunKey& key);

// Locks one run for this process, with an advisory lock (flock) on a file in the run's folder; the
// kernel drops it when the process ends in whatever way, so a killed process never blocks a run. It holds
// between machines as far as their shared file system carries flock: NFS does on Linux (since 2.6.12), Lustre
// when it is mounted with the option flock.
class RunLock {
public:
    // Nothing when another process has it. Makes the folder. Throws WorkError when the folder cannot be
    // written or its file system has no locks.
    static std::optional<RunLock> try_lock(const std::filesystem::path& run_folder);
    // Who has the run, as far as its file says: "process 4711 on node17".
    static std::string holder(const std::filesystem::path& run_folder);

    ~RunLock();
    RunLock(RunLock&& other) noexcept;
    RunLock& operator=(RunLock&&) = delete;

private:
    explicit RunLock(int descriptor) : descriptor_(descriptor) {}
    int descriptor_ = -1;
};

}  // namespace hacscale
