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
#include "training/load_data_set.hpp"
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
    std::filesystem::path data;         // of data_form()
    std::filesystem::path checkpoints;  // each run has a folder of its own in it
    std::string device = "cpu";
    int threads = 0;
    std::function<bool()> keep_going = [] { return true; };  // asked besides the user's interrupt
    std::string data_hash{};                                 // of data_form(); commands find it once
    std::int64_t image_memory = default_image_memory;
};

struct RunOutcome {
    RunKey key;
    RunStatus status = RunStatus::failed;
    std::string reason;                    // where there is no record: why not, in words
    std::filesystem::path checkpoints;     // of this run
    std::optional<AccuracyRecord> record;  // of `recorded`, and of `was_there`
};

// As fitted_to(), with a note where that changes the model.
ModelSpec fitted(const ModelSpec& model, const DataForm& form, Events& events);

// The network whose training FLOPs others are to have, which are in proportion to MACs, images and epochs.
struct FlopsGoal {
    std::string network;  // its name, or its MACs in words
    double macs = 0.0;    // for an image
};
// `other` is a model's name or file, which is fitted to the data as those that are trained are, or a number of MACs.
FlopsGoal flops_goal(const std::string& other, int resolution, const DataForm& form);
// The recipe over as many epochs as give the model the training FLOPs that the other network has with it; the name says so.
Recipe with_flops_of(const Recipe& recipe, const ModelSpec& model, const FlopsGoal& goal);

// What a run begins with.
struct RunStart {
    std::uint64_t seed = 1;
    std::vector<TrainedLayer> layers{};  // as TrainingRequest::start; empty: random weights of the seed
};

// Trains a model, as it fits the data, with a seed unless the records have it or another process is at it. The run's folder gets
// model.yaml and recipe.yaml. Errors of the trainer are thrown; so is any that would meet the next run too.
RunOutcome train_run(const ModelSpec& model, const Recipe& recipe, const RunStart& start,
                     const TrainSettings& settings, Trainer& trainer, AccuracyRecords& records,
                     Events& events);

// How many threads train and compute importance, by the rule of "profile" (kernels/host/processors.hpp). To be called before the trainer is loaded, for its OpenMP pins the thread that loads it. Warns as measuring
// does where the device is the CPU. Throws InputError for more threads than there are processors.
int training_threads(const host::CpuResources& resources, int wanted, const std::string& device,
                     Events& events);

}  // namespace hacscale::harness
