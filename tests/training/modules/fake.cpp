// A trainer that trains nothing: it takes a moment, notes each run in $HACSCALE_FAKE_LOG, and gives figures
// that follow from the seed. Seed 13 fails.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "training/trainer_module.hpp"

namespace {

using namespace hacscale;

// One write to a file opened for appending is one line, whatever other processes write.
void note(const std::string& line) {
    const char* file = std::getenv("HACSCALE_FAKE_LOG");
    if (file == nullptr) return;
    const int descriptor = ::open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
    const bool written = ::write(descriptor, line.data(), line.size()) == static_cast<ssize_t>(line.size());
    ::close(descriptor);
    if (!written) throw std::runtime_error("the fake trainer's log cannot be written");
}

// Follows the gain model: points for each unit of the logarithm of width are 2, 4, 6 ... from the first stage
// to the last, and 1 for each of depth.
double validation_accuracy(const ModelSpec& model, std::uint64_t seed) {
    double points = 20.0 + static_cast<double>(seed);
    for (std::size_t s = 0; s < model.stages.size(); ++s) {
        points += 2.0 * static_cast<double>(s + 1) * std::log(model.stages[s].width);
        points += std::log(model.stages[s].depth);
    }
    return std::min(points / 100.0, 0.99);
}

class FakeTrainer : public Trainer {
public:
    std::string libraries() const override { return "abacus 1.0"; }
    std::string device_name(const std::string& device) const override { return "abacus on " + device; }

    // $HACSCALE_FAKE_LEADER: what the leading process says, in one that does not lead.
    bool leads(const std::string&) override { return std::getenv("HACSCALE_FAKE_LEADER") == nullptr; }
    int as_the_leader_says(int said) override {
        const char* leader = std::getenv("HACSCALE_FAKE_LEADER");
        return leader == nullptr ? said : std::atoi(leader);
    }

    std::optional<TrainingResult> train(const TrainingRequest& request,
                                        const TrainingEvents& events) override {
        note(fmt::format("{} {} {}\n", request.model.name, request.seed, ::getpid()));
        if (request.seed == 13) throw WorkError("the loss is no number any more");
        TrainingProgress progress;
        progress.epochs = request.recipe.epochs;
        progress.images_per_epoch = 10;
        for (progress.epoch = 0; progress.epoch < progress.epochs; ++progress.epoch) {
            if (!events.keep_going()) return std::nullopt;
            progress.images = 10;
            events.progress(progress);
            progress.validation_accuracy = 0.5;
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
        TrainingResult result;
        result.epochs = request.recipe.epochs;
        result.train_accuracy = 0.95;
        result.validation_accuracy = validation_accuracy(request.model, request.seed);
        result.test_accuracy = 0.89 + 0.01 * static_cast<double>(request.seed);
        result.seconds = 1.0;
        result.images_per_s = 100.0;
        return result;
    }

    std::int64_t parameters(const ModelSpec& model) override { return lower(model).params(); }
    std::vector<TrainedLayer> trained_layers(const ModelSpec& model, const std::filesystem::path&) override {
        return unnormalized(random_weights(lower(model), 7));
    }
    std::vector<float> evaluate(const ModelSpec& model, const std::filesystem::path&,
                                const std::vector<float>&, int batch) override {
        return std::vector<float>(static_cast<std::size_t>(model.classes) * batch);
    }
    void write_random_checkpoint(const ModelSpec&, std::uint64_t, const std::filesystem::path&) override {}
    std::optional<std::vector<LayerImportance>> importance(const ImportanceRequest& request,
                                                           const ImportanceEvents& events) override {
        std::vector<LayerImportance> figures;
        for (const Node& node : lower(request.model).nodes) {
            if (node.layer.kind != LayerKind::conv) continue;
            LayerImportance figure{node.name, 1.0 + node.stage, 0.25};
            for (int c = 0; c < node.layer.out_channels; ++c) figure.channels.push_back(1.0 + c);
            figure.whole = 1.0 + node.block;
            figures.push_back(std::move(figure));
        }
        events.progress(request.batches, request.batches);
        return figures;
    }
};

}  // namespace

extern "C" const hacscale::TrainerModule* hacscale_trainer_module() {
    static const TrainerModule module{
        trainer_abi_version, []() -> std::unique_ptr<Trainer> { return std::make_unique<FakeTrainer>(); }};
    return &module;
}
