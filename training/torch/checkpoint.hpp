// A run's state on disk, one file, replaced as a whole after each epoch: whoever is killed, the file is that
// of an epoch's end, and the run resumes from there with the same numbers. Nothing of it is random beyond the
// seed: batches follow from (seed, epoch), so there is no generator's state to keep.
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "training/torch/network.hpp"
#include "training/trainer.hpp"

namespace hacscale::training {

// What a checkpoint belongs to; a run resumes only from one that is equal in all of it.
struct RunIdentity {
    std::string model;   // model_hash()
    std::string recipe;  // recipe_hash(); "" for a checkpoint that no run made
    std::string seed;
    std::string data;     // hash of the data set; "" likewise
    std::string start{};  // of the weights that the run began with; "" for random ones
    bool operator==(const RunIdentity&) const = default;
};

// How far a run is, apart from its tensors.
struct RunProgress {
    std::int64_t epochs_done = 0;
    std::int64_t steps_done = 0;
    double train_accuracy = 0.0;  // of the last epoch
    double validation_accuracy = 0.0;
    double seconds = 0.0;                        // of the whole run so far, validation included
    double step_seconds = 0.0;                   // of steps and the waits for their images
    double wait_seconds = 0.0;                   // of waits for images
    std::int64_t images = 0;                     // seen
    std::vector<EpochFigures> learning_curve{};  // of the epochs done; empty in files of older programs
};

struct Checkpoint {
    RunIdentity identity;
    RunProgress progress;
    std::vector<at::Tensor> network;  // numbers_of()
    std::vector<at::Tensor> average;  // of the moving average; empty where there is none
    std::vector<at::Tensor> velocities;
};

// Of a run's folder; a path of a file stays as it is.
std::filesystem::path checkpoint_file(const std::filesystem::path& folder_or_file);

// Written next to the target, flushed to the disk, and renamed. Throws WorkError, and leaves the file that was
// there.
void save(const Checkpoint& checkpoint, const std::filesystem::path& file);
// Throws InputError where there is no such file or it is none of ours.
Checkpoint load_checkpoint(const std::filesystem::path& file);

// What differs, in words; empty when nothing does.
std::string difference(const RunIdentity& wanted, const RunIdentity& found);
// Copies tensors of a checkpoint over those of equal shapes; InputError where the shapes are another model's.
void restore(const std::vector<at::Tensor>& from, const std::vector<at::Tensor>& to,
             const std::filesystem::path& file);

}  // namespace hacscale::training
