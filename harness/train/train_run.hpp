// One training from claim to record: nothing is trained twice, and only what was finished is recorded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "kernels/host/processors.hpp"
#include "training/records.hpp"
#include "training/trainer.hpp"

namespace hacscale::harness {

enum class RunStatus {
    recorded,     // trained to its end by this process
    was_there,    // the records had it
    elsewhere,    // another process is training it
    interrupted,  // the last checkpoint stands
    failed,
};

std::string_view name_of(RunStatus status);

// What is the same for every run of a plan.
struct TrainSettings {
    std::filesystem::path data;
    std::filesystem::path checkpoints;  // each run has a folder of its own in it
    std::string device = "cpu";
    int threads = 0;
    std::function<bool()> keep_going = [] { return true; };  // asked besides the user's interrupt
};

struct RunOutcome {
    RunKey key;
    RunStatus status = RunStatus::failed;
    std::string reason;                    // where there is no record: why not, in words
    std::filesystem::path checkpoints;     // of this run
    std::optional<AccuracyRecord> record;  // of `recorded`, and of `was_there`
};

// What a run begins with.
struct RunStart {
    std::uint64_t seed = 1;
    std::vector<TrainedLayer> layers{};  // as TrainingRequest::start; empty: random weights of the seed
};

// Trains a model with a seed unless the records have it or another process is at it. Errors of the trainer
// are thrown; so is any that would meet the next run too.
RunOutcome train_run(const ModelSpec& model, const Recipe& recipe, const RunStart& start,
                     const TrainSettings& settings, Trainer& trainer, AccuracyRecords& records,
                     Events& events);

// How many threads train and compute importance, by the rule of "profile" (kernels/host/processors.hpp). To be called before the trainer is loaded, for its OpenMP pins the thread that loads it. Warns as measuring
// does where the device is the CPU. Throws InputError for more threads than there are processors.
int training_threads(const host::CpuResources& resources, int wanted, const std::string& device,
                     Events& events);

}  // namespace hacscale::harness
