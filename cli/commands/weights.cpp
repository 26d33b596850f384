// hacscale export-weights and import-weights: a trained network's folded weights, out of a checkpoint into a
// file and from a file into a backend.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cmath>
#include <memory>

#include "base/text/lines.hpp"
#include "cli/commands.hpp"
#include "cli/printing/printing.hpp"
#include "harness/measure/device_access.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/weights/state_dict.hpp"
#include "models/zoo/zoo.hpp"
#include "records/json.hpp"
#include "training/batches.hpp"
#include "training/load_data_set.hpp"
#include "training/trainer_module.hpp"
#include "training/weights_file.hpp"

namespace hacscale::cli {

namespace {

struct WeightsExportOptions {
    std::string model;
    std::string checkpoint;
    std::string out;
    bool batch_norms = false;
};

struct ImportOptions {
    std::string model;
    std::string weights;
    std::string device = "cpu";
    int threads = 0;
    int batch = 100;
    std::string data;
};

std::int64_t count_of(const std::vector<LayerWeights>& weights) {
    std::size_t count = 0;
    for (const LayerWeights& layer : weights) {
        count += layer.weights.size() + layer.bias.size() + layer.weights2.size() + layer.bias2.size();
    }
    return static_cast<std::int64_t>(count);
}

ExitStatus export_command(const WeightsExportOptions& options, Session& session) {
    const ModelSpec model = find_model(options.model);
    const LoadedTrainer loaded = load_trainer();
    std::vector<LayerWeights> weights;
    if (options.batch_norms) {
        const std::vector<TrainedLayer> layers = loaded.required().trained_layers(model, options.checkpoint);
        write_state_dict(options.out, lower(model), layers);
        weights = folded(lower(model), layers);
    } else {
        weights = loaded.required().folded_weights(model, options.checkpoint);
        write_weights(options.out, model, weights);
    }
    if (session.json) {
        records::print_json(session.out, {{"model", model.name},
                                          {"model_hash", model_hash(model)},
                                          {"weights", options.out},
                                          {"numbers", count_of(weights)}});
    } else {
        session.out << fmt::format(
            "{}: {} numbers of {}, {}\n", options.out, with_separators(count_of(weights)), model.name,
            options.batch_norms ? "and those of its batch-norms" : "batch-norm folded");
    }
    return ExitStatus::done;
}

// One number larger than all others: which one.
int largest(const float* scores, int classes) {
    return static_cast<int>(std::max_element(scores, scores + classes) - scores);
}

// Another head would not take the weights, so the model is refused rather than fitted.
void require_classes(const ModelSpec& model, const DataForm& form) {
    if (fitted_to(model, form).classes != model.classes) {
        throw InputError(
            fmt::format("{} tells {} classes apart, and --data has the {} of {}; give the network that was "
                        "trained on them, "
                        "model.yaml in the folder of its checkpoint",
                        model.name, model.classes, form.classes, form.name));
    }
}

// Share of the validation images that the backend classifies rightly, 0..1. The test set is asked only at the
// end of a training.
double validation_accuracy(NetworkRunner& runner, const DataSet& data, int classes, int batch,
                           Session& session) {
    BatchLoader loader(data.validation, data.normalization, {.batch = batch});
    Progress progress(session);
    std::vector<float> images(static_cast<std::size_t>(batch) * data.validation.image_bytes());
    std::int64_t seen = 0;
    std::int64_t right = 0;
    loader.start(0);
    while (const std::optional<Batch> next = loader.next()) {
        // The last batch may be short; the runner's size is fixed, and what fills it up is not counted.
        std::copy_n(next->images, static_cast<std::size_t>(next->count) * data.validation.image_bytes(),
                    images.begin());
        runner.set_input(0, images);
        runner.run();
        const std::vector<float> scores = runner.output(0);
        for (int i = 0; i < next->count; ++i) {
            right +=
                largest(scores.data() + static_cast<std::ptrdiff_t>(i) * classes, classes) == next->labels[i];
        }
        seen += next->count;
        progress.set(static_cast<double>(seen), data.validation.count(), "validation images");
    }
    return seen == 0 ? 0.0 : static_cast<double>(right) / static_cast<double>(seen);
}

void check_outputs(NetworkRunner& runner, const ModelSpec& model, int batch) {
    const std::size_t pixels = static_cast<std::size_t>(model.resolution) * model.input_pixels_across();
    runner.set_input(0, random_values(pixels * model.in_channels * batch, 1));
    runner.run();
    const std::vector<float> scores = runner.output(0);
    if (!std::all_of(scores.begin(), scores.end(), [](float score) { return std::isfinite(score); })) {
        throw WorkError(
            fmt::format("{} with these weights puts out numbers that are not finite", model.name));
    }
}

ExitStatus import_command(const ImportOptions& options, Session& session) {
    ModelSpec model = find_model(options.model);
    const std::vector<LayerWeights> weights = read_weights(options.weights, model);
    std::optional<DataSet> data;
    if (!options.data.empty()) {
        require_classes(model, data_form(options.data));
        data = load_data_set(options.data, {{model.resolution, model.input_pixels_across()}});
    }
    const DeviceAccess device = open_device(options.device, options.threads, session);
    model.layout = device.handle.backend->preferred_layout(lower(model), {options.batch, DataType::f32});
    const std::unique_ptr<NetworkRunner> runner =
        compiled(device.handle, model.name, lower(model), {options.batch, DataType::f32, 0});
    runner->load(weights);
    check_outputs(*runner, model, options.batch);
    std::optional<double> accuracy;
    if (data) {
        accuracy = validation_accuracy(*runner, *data, model.classes, options.batch, session);
    }
    if (session.json) {
        records::print_json(session.out, {{"model", model.name},
                                          {"model_hash", model_hash(model)},
                                          {"weights", options.weights},
                                          {"numbers", count_of(weights)},
                                          {"device", device.handle.device.id},
                                          {"validation_accuracy", records::value_or_null(accuracy)}});
        return ExitStatus::done;
    }
    session.out << fmt::format("{}: {} numbers of {}, sound; {} runs the network with them\n",
                               options.weights, with_separators(count_of(weights)), model.name,
                               device.handle.device.id);
    if (accuracy) {
        session.out << fmt::format("validation accuracy {:.2f} %\n", 100.0 * *accuracy);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_export_weights(CLI::App& parser) {
    auto options = std::make_shared<WeightsExportOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--checkpoint", options->checkpoint, "A checkpoint that training wrote")->required();
    parser.add_option("--out", options->out, "The file of weights")->required();
    parser.add_flag("--batch-norms", options->batch_norms,
                    "Keep batch-norms apart: the state dict of the PyTorch code, to train on from");
    return [options](Session& session) { return export_command(*options, session); };
}

Run declare_import_weights(CLI::App& parser) {
    auto options = std::make_shared<ImportOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--weights", options->weights, "A file that export-weights wrote")->required();
    parser.add_option("--device", options->device, "As 'hacscale devices' names it")->capture_default_str();
    parser.add_option("--threads", options->threads, "Of CPU work; 0: one a core this process may use")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    parser.add_option("--batch", options->batch, "Images that run at once")
        ->check(CLI::Range(1, 65536))
        ->capture_default_str();
    parser.add_option("--data", options->data, "Folder of the data set that it was trained on");
    return [options](Session& session) { return import_command(*options, session); };
}

}  // namespace hacscale::cli
