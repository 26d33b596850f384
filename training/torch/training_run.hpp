// One run: a network, a recipe and a seed, from the first step or from a checkpoint, to its accuracies.
#pragma once

#include <memory>
#include <optional>

#include "training/batches.hpp"
#include "training/data_set.hpp"
#include "training/recent_speed.hpp"
#include "training/torch/captured_step.hpp"
#include "training/torch/checkpoint.hpp"
#include "training/torch/compute.hpp"
#include "training/torch/optimizer.hpp"
#include "training/torch/process_group.hpp"
#include "training/trainer.hpp"

namespace hacscale::training {

class TrainingRun {
public:
    // Reads the data, and the checkpoint where the folder has one. Throws InputError for a model that does
    // not fit the data and for a checkpoint of another run.
    TrainingRun(const TrainingRequest& request, ProcessGroup& group);

    // As Trainer::train().
    std::optional<TrainingResult> run(const TrainingEvents& events);
    // That this session has waited for images so far.
    double wait_seconds() const { return loader_->wait_seconds(); }

private:
    // Sums over an epoch's steps, where the network is, so that a GPU is not waited for at each step.
    struct Totals {
        at::Tensor sums;  // double: loss times images, right answers, images
        double loss() const;
        double accuracy() const;
    };

    // What a batch's logits are compared with. Of mixed images also the label mixed in and the first one's share, else undefined.
    struct Labels {
        at::Tensor labels, other_labels, shares;
    };

    void resume();
    void share_start();  // rank 0's state becomes everybody's
    bool train_epoch(const TrainingEvents& events);
    bool step(const Batch& batch, bool keep_going);
    // Forward and backward pass; what they came to is added to the totals.
    void find_gradients(const at::Tensor& images, const Labels& labels);
    Labels labels_of(const Batch& batch) const;
    at::Tensor loss_of(const at::Tensor& logits, const Labels& labels) const;
    // A whole step on tensors in GPU memory.
    void step_on_device(const StepTensors& tensors);
    void report(const TrainingEvents& events, std::int64_t steps);
    bool finish_epoch(const TrainingEvents& events);
    void save_checkpoint() const;
    std::optional<TrainingResult> final_result(const TrainingEvents& events);
    // The network whose accuracy counts: the moving average where there is one.
    TorchNetwork& judged() { return average_ ? *average_ : *network_; }
    // True when all processes say so.
    bool all_agree(bool here);
    double session_seconds() const;
    TrainingSpent spent() const;

    const TrainingRequest& request_;
    const Recipe& recipe_;
    ProcessGroup& group_;
    DataSet data_;
    ComputeSettings settings_;
    std::filesystem::path file_;
    RunIdentity identity_;
    RunProgress progress_;
    std::unique_ptr<TorchNetwork> network_;
    std::unique_ptr<TorchNetwork> average_;  // rank 0 only, which is the one that judges
    std::unique_ptr<Optimizer> optimizer_;
    std::unique_ptr<MovingAverage> moving_average_;
    std::unique_ptr<BatchLoader> loader_;
    Totals totals_;
    std::unique_ptr<CapturedStep> captured_;  // of one process on a GPU

    double started_us_ = 0.0;
    double seconds_before_ = 0.0;  // of earlier sessions of this run
    // By this process.
    double session_step_seconds_ = 0.0;
    std::int64_t session_images_ = 0;
    RecentSpeed speed_;
    std::optional<double> last_validation_;
};

}  // namespace hacscale::training
