// hacscale importance: how important each layer of a trained network is, as a file that "scale" reads.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/text/wording.hpp"
#include "base/version.hpp"
#include "cli/commands.hpp"
#include "cli/printing/printing.hpp"
#include "cli/session.hpp"
#include "harness/train/train_run.hpp"
#include "harness/train/training_json.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"
#include "training/load_data_set.hpp"
#include "training/trainer_module.hpp"

namespace hacscale::cli {

namespace {

struct ImportanceOptions {
    std::string model;
    std::string measure = "taylor";
    std::string out;
    std::string scores;
    ImportanceRequest request;
};

records::Json provenance_of(const ImportanceRequest& request, const DataForm& form, Trainer& trainer) {
    return {{"checkpoint", request.checkpoint.string()},
            {"unit", unit_of(request.measure)},
            {"batches", request.batches},
            {"batch", request.batch},
            {"seed", request.seed},
            {"spread", "standard deviation over batches"},
            {"data_hash", form.hash},
            {"device", trainer.device_name(request.device)},
            {"libraries", trainer.libraries()},
            {"program_version", version()},
            {"made_at", records::timestamp()}};
}

void print_layers(std::ostream& out, const std::vector<LayerImportance>& layers) {
    TextTable table({{"layer", Align::left}, {"importance"}, {"+-"}});
    for (const LayerImportance& layer : layers) {
        table.add({layer.layer, plain_number(layer.mean, 4), plain_number(layer.deviation, 2)});
    }
    table.print(out);
}

ExitStatus importance_command(const ImportanceOptions& options, Session& session) {
    ImportanceRequest request = options.request;
    request.measure = importance_measure_from_name(options.measure);
    if (!options.scores.empty() && request.measure == ImportanceMeasure::growth) {
        throw InputError("--scores: growth says nothing of single channels; give --measure taylor or fisher");
    }
    // A folder that is not there is found before anything is loaded.
    const DataForm form = data_form(request.data);
    request.model = fitted(find_model(options.model), form, session);
    request.workers = training_threads(host::this_machine(), request.workers, request.device, session);
    const LoadedTrainer loaded = load_trainer();
    Trainer& trainer = loaded.required();
    Progress progress(session);
    ImportanceEvents events;
    events.keep_going = [] { return !interrupted(); };
    events.progress = [&](int done, int batches) { progress.set(done, batches, options.measure); };
    const auto layers = trainer.importance(request, events);
    session.progress_ended();
    if (!layers) {
        throw WorkError("interrupted; no importance file was written");
    }
    const records::Json provenance = provenance_of(request, form, trainer);
    const records::Json document = importance_json(request.model, request.measure, *layers, provenance);
    records::write_record(options.out, records::text_of(document));
    if (!options.scores.empty()) {
        records::write_record(options.scores, records::text_of(scores_json(request.model, request.measure,
                                                                           *layers, provenance)));
    }
    if (session.json) {
        records::print_json(session.out, document);
    } else {
        print_layers(session.out, *layers);
        session.out << fmt::format("{}, {} batches of {}; +- is the standard deviation over batches\n",
                                   unit_of(request.measure), request.batches, request.batch);
    }
    return ExitStatus::done;
}

}  // namespace

Run declare_importance(CLI::App& parser) {
    auto options = std::make_shared<ImportanceOptions>();
    ImportanceRequest& request = options->request;
    request.data = "data/cifar-10";
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--checkpoint", request.checkpoint, "A checkpoint that training wrote")->required();
    parser.add_option("--out", options->out, "The importance file")->required();
    parser.add_option("--scores", options->scores,
                      "Also write each channel's and block's, as \"scale --scores\" reads them");
    parser.add_option("--measure", options->measure, "taylor, fisher or growth")->capture_default_str();
    add_data_option(parser, request.data);
    parser.add_option("--batches", request.batches, "How many batches of training images")
        ->check(CLI::Range(1, 1'000'000))
        ->capture_default_str();
    parser.add_option("--batch", request.batch, "Images a batch")
        ->check(CLI::Range(1, 65536))
        ->capture_default_str();
    parser.add_option("--seed", request.seed, "Of the order of images, and of new channels")
        ->capture_default_str();
    parser.add_option("--device", request.device, "cpu, or cuda:N")->capture_default_str();
    parser.add_option("--workers", request.workers, "Batches computed at once; 0: as --threads 0 of profile")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    return [options](Session& session) { return importance_command(*options, session); };
}

}  // namespace hacscale::cli
