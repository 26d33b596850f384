// The module's entry, and what the program asks of it.
#include <ATen/Version.h>
#include <torch/version.h>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "training/load_data_set.hpp"
#include "training/torch/compute.hpp"
#include "training/torch/importance.hpp"
#include "training/torch/network.hpp"
#include "training/torch/training_run.hpp"
#include "training/trainer_module.hpp"

namespace hacscale::training {
namespace {

// libtorch's exceptions carry a stack of addresses that says nothing to who reads it.
template <typename Work>
auto with_plain_errors(const Work& work) {
    try {
        return work();
    } catch (const c10::Error& error) {
        throw WorkError(std::string("libtorch failed: ") + error.what_without_backtrace());
    }
}

// The network that a checkpoint's accuracies are of: the moving average where it has one.
std::unique_ptr<TorchNetwork> network_of(const ModelSpec& model,
                                         const std::filesystem::path& folder_or_file) {
    const std::filesystem::path file = checkpoint_file(folder_or_file);
    const Checkpoint checkpoint = load_checkpoint(file);
    if (checkpoint.identity.model != model_hash(model)) {
        throw InputError("checkpoint " + file.string() + " is of a model with hash " +
                         checkpoint.identity.model + ", not of " + model.name + " (" + model_hash(model) +
                         ")");
    }
    auto network = std::make_unique<TorchNetwork>(lower(model));
    restore(checkpoint.average.empty() ? checkpoint.network : checkpoint.average, numbers_of(*network), file);
    network->eval();
    return network;
}

class TorchTrainer : public Trainer {
public:
    std::string libraries() const override { return std::string("libtorch ") + TORCH_VERSION; }

    std::string device_name(const std::string& device) const override { return name_of(device_of(device)); }

    bool leads(const std::string& device) override {
        return with_plain_errors([&] { return group(device).rank() == 0; });
    }

    int as_the_leader_says(int said) override {
        if (!group_ || group_->size() == 1) return said;
        return with_plain_errors([&] {
            at::Tensor word = at::full({1}, said, at::TensorOptions(at::kLong).device(device_));
            group_->broadcast(word);
            return static_cast<int>(word.item<std::int64_t>());
        });
    }

    std::optional<TrainingResult> train(const TrainingRequest& request,
                                        const TrainingEvents& events) override {
        return with_plain_errors([&] {
            prepare(device_of(request.device), request.threads);
            return TrainingRun(request, group(request.device)).run(events);
        });
    }

    std::int64_t parameters(const ModelSpec& model) override {
        return with_plain_errors([&] { return TorchNetwork(lower(model)).parameter_count(); });
    }

    std::vector<TrainedLayer> trained_layers(const ModelSpec& model,
                                             const std::filesystem::path& checkpoint) override {
        return with_plain_errors([&] { return layers_of(*network_of(model, checkpoint)); });
    }

    std::vector<float> evaluate(const ModelSpec& model, const std::filesystem::path& checkpoint,
                                const std::vector<float>& images, int batch) override {
        const std::size_t wanted = static_cast<std::size_t>(batch) * model.in_channels * model.resolution *
                                   model.input_pixels_across();
        if (batch < 1 || images.size() != wanted) {
            throw InputError("a batch of " + std::to_string(batch) + " images for " + model.name + " has " +
                             std::to_string(wanted) + " numbers, not " + std::to_string(images.size()));
        }
        return with_plain_errors([&] {
            const at::NoGradGuard no_grad;
            const auto network = network_of(model, checkpoint);
            ComputeSettings settings;
            settings.channels_last = false;
            ImageSet shape;
            shape.channels = model.in_channels;
            shape.height = model.resolution;
            shape.width = model.input_pixels_across();
            const at::Tensor logits =
                network->forward(images_tensor(images.data(), batch, shape, settings)).contiguous();
            const float* first = logits.data_ptr<float>();
            return std::vector<float>(first, first + logits.numel());
        });
    }

    void write_random_checkpoint(const ModelSpec& model, std::uint64_t seed,
                                 const std::filesystem::path& checkpoint) override {
        with_plain_errors([&] {
            TorchNetwork network(lower(model));
            network.randomize(seed);
            Checkpoint made;
            made.identity = {model_hash(model), "", std::to_string(seed), ""};
            made.network = numbers_of(network);
            save(made, checkpoint);
        });
    }

    std::optional<std::vector<LayerImportance>> importance(const ImportanceRequest& request,
                                                           const ImportanceEvents& events) override {
        return with_plain_errors([&] {
            const DataSet data = load_data_set(request.data, {input_size(request.model)});
            require_fit(request.model, data.train);
            const auto network = network_of(request.model, request.checkpoint);
            return measured_importance(*network, data.train, data.normalization, request, events);
        });
    }

private:
    // Opened once: its port is taken until the process ends.
    ProcessGroup& group(const std::string& device) {
        if (!group_) {
            device_ = device_of(device);
            group_ = open_process_group(device_);
        }
        return *group_;
    }

    at::Device device_ = at::Device(at::kCPU);  // that the group's messages are on
    std::unique_ptr<ProcessGroup> group_;
};

std::unique_ptr<Trainer> create() {
    return std::make_unique<TorchTrainer>();
}

constexpr TrainerModule module{trainer_abi_version, create};

}  // namespace
}  // namespace hacscale::training

extern "C" const hacscale::TrainerModule* hacscale_trainer_module() {
    return &hacscale::training::module;
}
