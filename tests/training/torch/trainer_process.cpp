// Trains in a process of its own, so that tests can kill it, or have several at once:
//   trainer_process MODEL.yaml RECIPE.yaml DATA CHECKPOINTS SEED OUT
// Writes the accuracies and all folded weights to OUT, bit for bit. $TRAINER_KILL_AT names the step (of all
// epochs) at which the process kills itself as `kill -9` would, $TRAINER_KILL_IN the epoch (from 0) in which
// it does so when it first hears of progress, $TRAINER_STOP_AT the step after which it asks to stop.
// $TRAINER_DEVICE is where to train, cpu without it, $TRAINER_START a checkpoint to begin with. Exit status: that of the error, 5 when it was stopped.
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "training/recipe.hpp"
#include "training/stage_weights.hpp"
#include "training/trainer_module.hpp"

namespace {

int number_from(const char* variable) {
    const char* text = std::getenv(variable);
    return text != nullptr ? std::atoi(text) : -1;
}

void write_floats(std::ofstream& out, const std::vector<float>& values) {
    out.write(reinterpret_cast<const char*>(values.data()),
              static_cast<std::streamsize>(values.size() * sizeof(float)));
}

int run(char** arguments) {
    using namespace hacscale;
    const LoadedTrainer loaded = load_trainer();
    Trainer& trainer = loaded.required();
    TrainingRequest request;
    request.model = load_model(arguments[1]);
    request.recipe = load_recipe(arguments[2]);
    request.data = arguments[3];
    request.checkpoint_folder = arguments[4];
    request.seed = std::stoull(arguments[5]);
    request.threads = 1;
    if (const char* device = std::getenv("TRAINER_DEVICE")) request.device = device;
    if (const char* start = std::getenv("TRAINER_START")) {
        request.start = read_stage_weights(request.model, start);
        request.start_hash = fingerprint(request.start);
    }
    int steps = 0;
    TrainingEvents events;
    events.keep_going = [&] { return steps != number_from("TRAINER_STOP_AT"); };
    events.progress = [&](const TrainingProgress& progress) {
        if (progress.images < progress.images_per_epoch) ++steps;
        if (steps == number_from("TRAINER_KILL_AT") || progress.epoch == number_from("TRAINER_KILL_IN")) {
            std::raise(SIGKILL);
        }
    };
    const auto result = trainer.train(request, events);
    if (!result) return 5;
    if (!trainer.leads(request.device)) return 0;
    std::ofstream out(arguments[6], std::ios::binary);
    for (const double value : {result->train_accuracy, result->validation_accuracy, result->test_accuracy}) {
        out.write(reinterpret_cast<const char*>(&value), sizeof value);
    }
    for (const LayerWeights& layer : trainer.folded_weights(request.model, request.checkpoint_folder)) {
        for (const auto* part : {&layer.weights, &layer.bias, &layer.weights2, &layer.bias2}) {
            write_floats(out, *part);
        }
    }
    std::ofstream curve(arguments[6] + std::string(".curve"), std::ios::binary);
    for (const EpochFigures& epoch : result->learning_curve) {
        curve.write(reinterpret_cast<const char*>(&epoch), sizeof epoch);
    }
    return out.flush() && curve.flush() ? 0 : 1;
}

}  // namespace

int main(int count, char** arguments) {
    if (count != 7) return 2;
    try {
        return run(arguments);
    } catch (const hacscale::Error& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return static_cast<int>(error.status());
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}
