// Training a network, as the rest of the program sees it. What does the work needs libtorch and lives in a
// module that is loaded at run time (training/trainer_module.hpp), so that the program runs where libtorch is
// not.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "models/ops/layer_weights.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/model_spec.hpp"
#include "models/weights/trained_layers.hpp"
#include "training/data_set.hpp"
#include "training/importance.hpp"
#include "training/recipe.hpp"

namespace hacscale {

struct TrainingRequest {
    ModelSpec model;
    Recipe recipe;
    std::filesystem::path data;  // folder of the data set (data_set.hpp)
    std::uint64_t seed = 1;
    // Checkpoints are kept here, one folder a run; a run whose folder has one resumes from it, and ends with
    // the same numbers as one that was never stopped.
    std::filesystem::path checkpoint_folder;
    std::string device = "cpu";  // or "cuda:N"
    int threads = 0;             // 0: all the processors this process may use; commands choose
    // What training begins with, one entry a node of lower(model), and its fingerprint (stage_weights.hpp); empty: random weights of the
    // seed.
    std::vector<TrainedLayer> start{};
    std::string start_hash{};
    // Of decoded images; a folder of images that needs more is decoded anew in each epoch. The numbers are the same.
    std::int64_t image_memory = default_image_memory;
};

struct TrainingProgress {
    int epoch = 0;  // from 0
    int epochs = 0;
    std::int64_t images = 0;  // of this epoch, so far
    std::int64_t images_per_epoch = 0;
    double images_per_s = 0.0;  // over this epoch and the one before
    double seconds_left = 0.0;
    double loss = 0.0;                          // mean over this epoch so far
    std::optional<double> validation_accuracy;  // of the last finished epoch, 0..1
};

struct TrainingEvents {
    std::function<bool()> keep_going = [] { return true; };
    std::function<void(const TrainingProgress&)> progress = [](const TrainingProgress&) {};
};

// What one epoch came to.
struct EpochFigures {
    double loss = 0.0;                 // mean over its images, as they were augmented
    double train_accuracy = 0.0;       // 0..1, on the same images
    double validation_accuracy = 0.0;  // 0..1, after it
    bool operator==(const EpochFigures&) const = default;
};

struct TrainingResult {
    int epochs = 0;
    double train_accuracy = 0.0;  // 0..1, on the augmented images of the last epoch
    double validation_accuracy = 0.0;
    double test_accuracy = 0.0;  // asked once, at the end
    double seconds = 0.0;        // of training, over all sessions of the run
    double images_per_s = 0.0;
    double data_wait_share = 0.0;  // of the time, waiting for images
    // Of the products. f32 also where the recipe says bf16 and the device has no fast bf16.
    TrainingPrecision precision = TrainingPrecision::f32;
    // One an epoch; empty where a checkpoint of an older program, which kept none, was gone on from.
    std::vector<EpochFigures> learning_curve{};
};

class Trainer {
public:
    virtual ~Trainer() = default;
    virtual std::string libraries() const = 0;  // names and versions, for records: "libtorch 1.13.1"
    virtual std::string device_name(const std::string& device) const = 0;

    // Of several processes that train one network together (torchrun's variables), one leads: it decides what
    // is trained, locks it and records it. The first call connects them.
    virtual bool leads(const std::string& device) = 0;
    // What the leading process says, in all of them; all call it at the same place, after leads().
    virtual int as_the_leader_says(int said) = 0;

    // Nothing when `keep_going` said no: the last checkpoint is kept. WorkError for a loss that is no number
    // any more (the run is not recorded), a full disk, a checkpoint of another model or recipe.
    virtual std::optional<TrainingResult> train(const TrainingRequest& request,
                                                const TrainingEvents& events) = 0;

    // Learned parameters of the network as it is trained; equal to Graph::params() of the lowered model.
    virtual std::int64_t parameters(const ModelSpec& model) = 0;
    // The trained network's numbers, batch-norms apart, one entry a node of the lowered network; TrainingRequest::start takes them.
    // Throws InputError for a checkpoint of another model.
    virtual std::vector<TrainedLayer> trained_layers(const ModelSpec& model,
                                                     const std::filesystem::path& checkpoint) = 0;
    // The same with batch-norms folded: what NetworkRunner::load() takes.
    std::vector<LayerWeights> folded_weights(const ModelSpec& model,
                                             const std::filesystem::path& checkpoint) {
        return folded(lower(model), trained_layers(model, checkpoint));
    }
    // The network in evaluation mode on these images (dense NCHW), before folding, in f32: logits
    // [batch][classes].
    virtual std::vector<float> evaluate(const ModelSpec& model, const std::filesystem::path& checkpoint,
                                        const std::vector<float>& images, int batch) = 0;
    // A checkpoint of random weights and batch-norm statistics, for tests and for starting points.
    virtual void write_random_checkpoint(const ModelSpec& model, std::uint64_t seed,
                                         const std::filesystem::path& checkpoint) = 0;
    // Of each layer that the measure is defined for, in running order, on training images as they are, in
    // evaluation mode and f32. The same for any number of workers. Nothing when `keep_going` said no.
    // InputError for a checkpoint of another model, or a model that does not fit the data.
    virtual std::optional<std::vector<LayerImportance>> importance(const ImportanceRequest& request,
                                                                   const ImportanceEvents& events) = 0;
};

}  // namespace hacscale
