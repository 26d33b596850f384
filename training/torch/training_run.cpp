#include "training/torch/training_run.hpp"

#include <torch/csrc/autograd/autograd.h>

#include <cmath>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "training/load_data_set.hpp"
#include "training/torch/compute.hpp"

namespace hacscale::training {
namespace {

constexpr double us_per_s = 1e6;
// Steps between looks at the loss on a GPU, which would wait for it otherwise.
constexpr std::int64_t steps_between_reports_on_gpu = 50;

}  // namespace

double TrainingRun::Totals::loss() const {
    return sums[0].item<double>() / std::max(1.0, sums[2].item<double>());
}

double TrainingRun::Totals::accuracy() const {
    return sums[1].item<double>() / std::max(1.0, sums[2].item<double>());
}

TrainingRun::TrainingRun(const TrainingRequest& request, ProcessGroup& group)
    : request_(request),
      recipe_(request.recipe),
      group_(group),
      data_(load_data_set(request.data, {input_size(request.model), request.image_memory})),
      settings_(settings_for(request.recipe, device_of(request.device), data_)),
      file_(request.checkpoint_folder / "checkpoint.pt"),
      identity_{model_hash(request.model), recipe_hash(request.recipe), std::to_string(request.seed),
                data_.hash, request.start_hash} {
    require_fit(request.model, data_.train);
    const Graph lowered = lower(request.model);
    network_ = std::make_unique<TorchNetwork>(lowered);
    network_->initialize(request.seed);
    if (!request.start.empty()) set_layers(*network_, request.start);
    place(*network_, settings_);
    optimizer_ = std::make_unique<Optimizer>(*network_, recipe_);
    if (recipe_.ema_decay > 0.0 && group_.rank() == 0) {
        average_ = std::make_unique<TorchNetwork>(lowered);
        place(*average_, settings_);
        copy_numbers(*network_, *average_);
        moving_average_ = std::make_unique<MovingAverage>(*network_, *average_);
    }
    BatchSettings batches;
    batches.batch = recipe_.batch;
    batches.channels_last = recipe_.channels_last;
    batches.training = recipe_.augmentation;
    batches.seed = request.seed;
    batches.threads = settings_.loader_threads;
    batches.rank = group_.rank();
    batches.ranks = group_.size();
    loader_ = std::make_unique<BatchLoader>(data_.train, data_.normalization, batches);
    totals_.sums = at::zeros({3}, at::TensorOptions(at::kDouble).device(settings_.device));
    if (group_.rank() == 0) resume();
    share_start();
    seconds_before_ = progress_.seconds;
}

void TrainingRun::resume() {
    if (!std::filesystem::exists(file_)) return;
    const Checkpoint checkpoint = load_checkpoint(file_);
    const std::string different = difference(identity_, checkpoint.identity);
    if (!different.empty()) {
        throw InputError("the checkpoint " + file_.string() + " is of another run (" + different +
                         "); give another checkpoint folder, or remove it");
    }
    restore(checkpoint.network, numbers_of(*network_), file_);
    restore(checkpoint.velocities, optimizer_->velocities(), file_);
    if (average_) restore(checkpoint.average, numbers_of(*average_), file_);
    progress_ = checkpoint.progress;
    if (progress_.epochs_done > 0) last_validation_ = progress_.validation_accuracy;
}

void TrainingRun::share_start() {
    if (group_.size() == 1) return;
    const at::NoGradGuard no_grad;
    at::Tensor counts =
        at::tensor({progress_.epochs_done, progress_.steps_done}, at::kLong).to(settings_.device);
    group_.broadcast(counts);
    progress_.epochs_done = counts[0].item<std::int64_t>();
    progress_.steps_done = counts[1].item<std::int64_t>();
    std::vector<at::Tensor> shared = numbers_of(*network_);
    shared.insert(shared.end(), optimizer_->velocities().begin(), optimizer_->velocities().end());
    for (at::Tensor& tensor : shared) {
        at::Tensor dense = tensor.detach().contiguous(at::MemoryFormat::Contiguous).clone();
        group_.broadcast(dense);
        tensor.copy_(dense);
    }
}

std::optional<TrainingResult> TrainingRun::run(const TrainingEvents& events) {
    started_us_ = now_us();
    const SideStream stream(settings_.device);
    if (group_.size() == 1) {
        const BatchShape shape{recipe_.batch, &data_.train, recipe_.channels_last,
                               recipe_.augmentation.mixup > 0.0};
        captured_ = capture_step(settings_.device, shape,
                                 [this](const StepTensors& tensors) { step_on_device(tensors); });
    }
    while (progress_.epochs_done < recipe_.epochs) {
        if (!train_epoch(events)) return std::nullopt;
    }
    return final_result(events);
}

bool TrainingRun::train_epoch(const TrainingEvents& events) {
    network_->train();
    loader_->start(static_cast<int>(progress_.epochs_done));
    totals_.sums.zero_();
    speed_.begin_epoch(spent());
    const double waited_before = loader_->wait_seconds();
    const double start_us = now_us();
    const double step_seconds_before = session_step_seconds_;
    std::int64_t steps = 0;
    while (const auto batch = loader_->next()) {
        if (!step(*batch, events.keep_going())) return false;
        ++steps;
        session_images_ += std::int64_t{batch->count} * group_.size();
        session_step_seconds_ = step_seconds_before + (now_us() - start_us) / us_per_s;
        if (settings_.device.is_cpu() || steps % steps_between_reports_on_gpu == 0) report(events, steps);
    }
    progress_.images += steps * recipe_.batch;
    progress_.step_seconds += session_step_seconds_ - step_seconds_before;
    progress_.wait_seconds += loader_->wait_seconds() - waited_before;
    report(events, steps);
    return finish_epoch(events);
}

bool TrainingRun::step(const Batch& batch, bool keep_going) {
    if (group_.size() == 1 && !keep_going) return false;
    const auto steps_per_epoch = static_cast<long>(loader_->batches_per_epoch());
    const double rate = learning_rate(recipe_, static_cast<long>(progress_.steps_done), steps_per_epoch);
    const double kept = kept_share(recipe_.ema_decay, progress_.steps_done);
    if (captured_) {
        captured_->run(batch, rate, kept);
    } else {
        find_gradients(images_tensor(batch.images, batch.count, data_.train, settings_), labels_of(batch));
        // Processes are stopped each at its own moment: they learn of each other's with the gradients.
        if (average_gradients(group_, optimizer_->parameters(), keep_going ? 0.0 : 1.0) > 0.0) return false;
        optimizer_->step(rate);
        if (moving_average_) moving_average_->update(kept);
    }
    ++progress_.steps_done;
    return true;
}

TrainingRun::Labels TrainingRun::labels_of(const Batch& batch) const {
    Labels labels{labels_tensor(batch.labels, batch.count, settings_), {}, {}};
    if (batch.shares != nullptr) {
        labels.other_labels = labels_tensor(batch.other_labels, batch.count, settings_);
        labels.shares =
            at::from_blob(const_cast<float*>(batch.shares), {batch.count}, at::kFloat).to(settings_.device);
    }
    return labels;
}

// Of mixed images, each image's losses against its two labels, in their shares.
at::Tensor TrainingRun::loss_of(const at::Tensor& logits, const Labels& labels) const {
    if (!labels.shares.defined()) {
        return at::cross_entropy_loss(logits, labels.labels, {}, at::Reduction::Mean, -100,
                                      recipe_.label_smoothing);
    }
    const auto against = [&](const at::Tensor& one) {
        return at::cross_entropy_loss(logits, one, {}, at::Reduction::None, -100, recipe_.label_smoothing);
    };
    return at::mean(labels.shares * against(labels.labels) +
                    (1.0 - labels.shares) * against(labels.other_labels));
}

void TrainingRun::find_gradients(const at::Tensor& images, const Labels& labels) {
    optimizer_->clear_gradients();
    const at::Tensor logits = network_->forward(images);
    const at::Tensor loss = loss_of(logits, labels);
    torch::autograd::backward({loss}, {});

    const at::NoGradGuard no_grad;
    const std::int64_t count = images.size(0);
    totals_.sums[0].add_(loss.detach(), count);
    totals_.sums[1].add_(logits.argmax(1).eq(labels.labels).sum());
    totals_.sums[2].add_(count);
}

void TrainingRun::step_on_device([[maybe_unused]] const StepTensors& tensors) {
#ifdef HACSCALE_TORCH_CUDA
    find_gradients(tensors.images.to(settings_.type), {tensors.labels, tensors.other_labels, tensors.shares});
    optimizer_->step(tensors.learning_rate);
    if (moving_average_) moving_average_->update(tensors.kept);
#endif
}

void TrainingRun::report(const TrainingEvents& events, std::int64_t steps) {
    TrainingProgress now;
    now.epoch = static_cast<int>(progress_.epochs_done);
    now.epochs = recipe_.epochs;
    now.images = steps * recipe_.batch;
    now.images_per_epoch = loader_->images_per_epoch();
    now.images_per_s = speed_.images_per_s(spent());
    now.loss = totals_.loss();
    now.validation_accuracy = last_validation_;
    if (!std::isfinite(now.loss)) {
        throw WorkError("training " + request_.model.name + " with seed " + std::to_string(request_.seed) +
                        " failed in epoch " + std::to_string(now.epoch + 1) + ", step " +
                        std::to_string(steps) +
                        ": the loss is no finite number; lower the recipe's peak_learning_rate");
    }
    const double images_left =
        static_cast<double>((now.epochs - now.epoch) * now.images_per_epoch - now.images);
    now.seconds_left = speed_.seconds_left(images_left, spent());
    events.progress(now);
}

bool TrainingRun::finish_epoch(const TrainingEvents& events) {
    group_.sum(totals_.sums);
    progress_.train_accuracy = totals_.accuracy();
    bool go_on = true;
    if (group_.rank() == 0) {
        const auto validation =
            accuracy(judged(), data_.validation, data_.normalization, settings_, events.keep_going);
        go_on = validation.has_value();
        if (go_on) {
            progress_.validation_accuracy = *validation;
            last_validation_ = validation;
            // Without the epochs before it, an epoch is no curve's beginning.
            if (static_cast<std::int64_t>(progress_.learning_curve.size()) == progress_.epochs_done) {
                progress_.learning_curve.push_back({totals_.loss(), progress_.train_accuracy, *validation});
            }
            ++progress_.epochs_done;
            progress_.seconds = seconds_before_ + session_seconds();
            save_checkpoint();
        }
    } else {
        ++progress_.epochs_done;
    }
    return all_agree(go_on);
}

void TrainingRun::save_checkpoint() const {
    Checkpoint checkpoint;
    checkpoint.identity = identity_;
    checkpoint.progress = progress_;
    checkpoint.network = numbers_of(*network_);
    if (average_) checkpoint.average = numbers_of(*average_);
    checkpoint.velocities = optimizer_->velocities();
    save(checkpoint, file_);
}

std::optional<TrainingResult> TrainingRun::final_result(const TrainingEvents& events) {
    at::Tensor accuracies = at::zeros({2}, at::kDouble);
    bool complete = true;
    if (group_.rank() == 0) {
        // The figures that are kept are those of the network as it would be used: f32.
        ComputeSettings exact = settings_;
        exact.type = at::kFloat;
        const auto validation =
            accuracy(judged(), data_.validation, data_.normalization, exact, events.keep_going);
        const auto test = validation
                              ? accuracy(judged(), data_.test, data_.normalization, exact, events.keep_going)
                              : std::nullopt;
        complete = test.has_value();
        if (complete) accuracies = at::tensor({*validation, *test}, at::kDouble);
    }
    if (!all_agree(complete)) return std::nullopt;
    accuracies = accuracies.to(settings_.device);
    group_.broadcast(accuracies);

    TrainingResult result;
    result.epochs = recipe_.epochs;
    result.train_accuracy = progress_.train_accuracy;
    result.validation_accuracy = accuracies[0].item<double>();
    result.test_accuracy = accuracies[1].item<double>();
    result.seconds = seconds_before_ + session_seconds();
    result.images_per_s = static_cast<double>(progress_.images) / std::max(1e-9, progress_.step_seconds);
    result.data_wait_share = progress_.wait_seconds / std::max(1e-9, progress_.step_seconds);
    if (static_cast<int>(progress_.learning_curve.size()) == recipe_.epochs) {
        result.learning_curve = progress_.learning_curve;
    }
    result.precision = settings_.type == at::kBFloat16 ? TrainingPrecision::bf16 : TrainingPrecision::f32;
    return result;
}

bool TrainingRun::all_agree(bool here) {
    if (group_.size() == 1) return here;
    at::Tensor objections =
        at::full({1}, here ? 0.0 : 1.0, at::TensorOptions(at::kDouble).device(settings_.device));
    group_.sum(objections);
    return objections.item<double>() == 0.0;
}

double TrainingRun::session_seconds() const {
    return (now_us() - started_us_) / us_per_s;
}

TrainingSpent TrainingRun::spent() const {
    return {static_cast<double>(session_images_), session_step_seconds_, session_seconds()};
}

}  // namespace hacscale::training
