// hacscale train: trains networks, one or a plan of many, and records their accuracy.
#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <optional>

#include "cli/commands.hpp"
#include "cli/options.hpp"
#include "cli/printing/printing.hpp"
#include "cli/session.hpp"
#include "harness/train/train_run.hpp"
#include "harness/train/training_json.hpp"
#include "models/stages/fitted_model.hpp"
#include "models/zoo/zoo.hpp"
#include "training/load_data_set.hpp"
#include "training/plan.hpp"
#include "training/stage_weights.hpp"
#include "training/trainer_module.hpp"

namespace hacscale::cli {

namespace {

struct TrainOptions {
    std::string model;
    std::string plan;
    std::string recipe = "short";
    std::uint64_t seed = 1;
    std::string start;
    std::string record;
    int resolution = 0;
    std::string match_flops;
    int image_memory_mib = static_cast<int>(default_image_memory >> 20);
    TrainSettings settings{"data/cifar-10", "checkpoints"};
    bool list = false;
    bool details = false;
};

std::string share_text(double share) {
    return fmt::format("{:.2f}", 100.0 * share);
}

std::string share_text(const std::optional<double>& share) {
    return share ? share_text(*share) : "";
}

void print_outcomes(std::ostream& out, const std::vector<RunOutcome>& outcomes) {
    for (const RunOutcome& outcome : outcomes) {
        const std::string what =
            fmt::format("{}, recipe {}, seed {}", outcome.key.model, outcome.key.recipe, outcome.key.seed);
        if (!outcome.record) {
            out << fmt::format("{}: {}\n", what, outcome.reason);
            continue;
        }
        const TrainingResult& result = outcome.record->result;
        out << fmt::format(
            "{}: test accuracy {} %, validation {} %, training {} %; {} epochs in {:.0f} s, {:.0f} "
            "images/s{}\n",
            what, share_text(result.test_accuracy), share_text(result.validation_accuracy),
            share_text(result.train_accuracy), result.epochs, result.seconds, result.images_per_s,
            outcome.status == RunStatus::was_there ? " (recorded before)" : "");
    }
}

void print_runs(std::ostream& out, const AccuracyRecords& records) {
    TextTable runs({{"model", Align::left},
                    {"recipe", Align::left},
                    {"seed"},
                    {"epochs"},
                    {"train %"},
                    {"validation %"},
                    {"test %"},
                    {"hours"},
                    {"images/s"},
                    {"precision", Align::left},
                    {"device", Align::left},
                    {"finished", Align::left}});
    for (const AccuracyRecord& record : records.all()) {
        const TrainingResult& result = record.result;
        runs.add({record.key.model, record.key.recipe, std::to_string(record.key.seed),
                  std::to_string(result.epochs), share_text(result.train_accuracy),
                  share_text(result.validation_accuracy), share_text(result.test_accuracy),
                  fmt::format("{:.2f}", result.seconds / 3600.0), fmt::format("{:.0f}", result.images_per_s),
                  std::string(name_of(result.precision)), record.device, record.finished_at});
    }
    runs.print(out);
    out << "\n";
}

// The name comes last: it may be longer than everything else together.
void print_summaries(std::ostream& out, std::vector<AccuracySummary> summaries) {
    out << "test accuracy in %, mean +- standard deviation (seeds)\n";
    const auto heading = [](const AccuracySummary& summary) {
        return fmt::format("{}{}, {}", summary.key.recipe,
                           summary.key.start_hash.empty() ? "" : " from weights", summary.device);
    };
    std::stable_sort(summaries.begin(), summaries.end(),
                     [&](const auto& a, const auto& b) { return heading(a) < heading(b); });
    std::string last;
    for (const AccuracySummary& summary : summaries) {
        if (const std::string now = heading(summary); now != last) {
            out << now << ":\n";
            last = now;
        }
        const std::string spread = summary.deviation_test_accuracy
                                       ? "+- " + share_text(summary.deviation_test_accuracy)
                                       : std::string();
        out << fmt::format("  {:>5} {:<7} ({})  {}\n", share_text(summary.mean_test_accuracy), spread,
                           summary.seeds, summary.key.model);
    }
}

// What was given on the command line holds for a plan too, since machines that share one differ.
TrainingPlan plan_of(const TrainOptions& options, const CLI::App& parser) {
    const auto given = [&](const char* name) { return parser.count(name) > 0; };
    TrainingPlan plan;
    if (!options.plan.empty()) {
        if (!options.model.empty() || given("--recipe") || given("--seed") || given("--start") ||
            given("--resolution")) {
            throw InputError(
                "--plan says which models, seeds and recipe: give none of them, no --start and no "
                "--resolution, "
                "beside it");
        }
        plan = load_plan(options.plan);
    } else if (options.model.empty() || options.record.empty()) {
        throw InputError(
            "expected a model and --record FILE for its accuracy, or --plan FILE; 'hacscale train "
            "--help' has examples");
    } else {
        plan.models = {find_model(options.model)};
        if (options.resolution > 0) plan.models = {with_resolution(plan.models.front(), options.resolution)};
        plan.seeds = {options.seed};
        plan.recipe = find_recipe(options.recipe);
    }
    const bool single = options.plan.empty();
    if (plan.data.empty() || given("--data")) plan.data = options.settings.data;
    if (single || given("--record")) plan.record = options.record;
    if (single || given("--checkpoints")) plan.checkpoints = options.settings.checkpoints;
    if (single || given("--device")) plan.device = options.settings.device;
    if (single || given("--threads")) plan.threads = options.settings.threads;
    if (given("--match-flops")) plan.match_flops = options.match_flops;
    return plan;
}

// A run that fails does not keep the others from being done; an input or a component that is at fault would
// fail them all.
RunOutcome attempt(const PlannedRun& run, const TrainingPlan& plan, const std::optional<FlopsGoal>& goal,
                   const std::vector<TrainedLayer>& start, const TrainSettings& settings, Trainer& trainer,
                   AccuracyRecords& records, Session& session) {
    const Recipe recipe = goal ? with_flops_of(plan.recipe, *run.model, *goal) : plan.recipe;
    try {
        return train_run(*run.model, recipe, {run.seed, start}, settings, trainer, records, session);
    } catch (const WorkError& error) {
        if (runs_of(plan).size() == 1) {
            throw;
        }
        session.log.error("{} seed {}: {}", run.model->name, run.seed, error.what());
        RunOutcome outcome;
        outcome.key = run_key(*run.model, recipe, run.seed, settings.data_hash);
        outcome.checkpoints = settings.checkpoints / folder_name(outcome.key);
        outcome.reason = error.what();
        return outcome;
    }
}

ExitStatus status_of(const std::vector<RunOutcome>& outcomes, bool whole_plan) {
    const auto is_missing = [&](const RunOutcome& outcome) {
        return outcome.status == RunStatus::failed || outcome.status == RunStatus::interrupted ||
               (outcome.status == RunStatus::elsewhere && !whole_plan);
    };
    return std::any_of(outcomes.begin(), outcomes.end(), is_missing) ? ExitStatus::incomplete
                                                                     : ExitStatus::done;
}

ExitStatus list_records(const TrainOptions& options, Session& session) {
    if (options.record.empty()) {
        throw InputError("expected --record FILE: the accuracy records to list");
    }
    const AccuracyRecords records = AccuracyRecords::open_to_read(options.record);
    if (session.json) {
        records::print_json(session.out, records_json(records));
    } else {
        if (options.details) {
            print_runs(session.out, records);
        }
        print_summaries(session.out, records.summaries());
        if (!options.details) {
            session.out << "every run: --details\n";
        }
    }
    return ExitStatus::done;
}

ExitStatus train_command(const TrainOptions& options, const CLI::App& parser, Session& session) {
    TrainingPlan plan = plan_of(options, parser);
    // A folder that is not there, and a network that does not fit, are found before anything is loaded.
    const DataForm form = data_form(plan.data);
    for (ModelSpec& model : plan.models) model = fitted(model, form, session);
    std::optional<FlopsGoal> goal;
    if (!plan.match_flops.empty()) goal = flops_goal(plan.match_flops, options.resolution, form);
    const int threads = training_threads(host::this_machine(), plan.threads, plan.device, session);
    const LoadedTrainer loaded = load_trainer();
    Trainer& trainer = loaded.required();
    const std::vector<TrainedLayer> start = options.start.empty()
                                                ? std::vector<TrainedLayer>()
                                                : read_stage_weights(plan.models.front(), options.start);
    AccuracyRecords records = AccuracyRecords::open(plan.record);
    TrainSettings settings{plan.data, plan.checkpoints, plan.device, threads};
    settings.data_hash = form.hash;
    settings.image_memory = std::int64_t{options.image_memory_mib} << 20;
    std::vector<RunOutcome> outcomes;
    for (const PlannedRun& run : runs_of(plan)) {
        if (interrupted()) {
            break;
        }
        outcomes.push_back(attempt(run, plan, goal, start, settings, trainer, records, session));
    }
    if (session.json) {
        records::print_json(session.out, outcomes_json(outcomes));
    } else {
        print_outcomes(session.out, outcomes);
    }
    if (interrupted()) {
        session.log.warn("interrupted; the same command goes on from the last checkpoint");
    }
    return status_of(outcomes, !options.plan.empty());
}

}  // namespace

Run declare_train(CLI::App& parser) {
    auto options = std::make_shared<TrainOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file");
    parser.add_option("--plan", options->plan, "A training plan's YAML file: many models and seeds");
    parser.add_option("--recipe", options->recipe, "A recipe's name (quick, short, standard) or YAML file")
        ->capture_default_str();
    parser.add_option("--seed", options->seed, "Of weights, order and augmentation")->capture_default_str();
    parser.add_option(
        "--start", options->start,
        "Weights to go on from: a checkpoint, or a safetensors file with batch-norms; else random");
    add_data_option(parser, options->settings.data);
    parser
        .add_option("--resolution", options->resolution, "Train the model at this input size; else its own")
        ->check(CLI::Range(1, 65536));
    parser.add_option("--match-flops", options->match_flops,
                      "Train for as many FLOPs as this network takes with the recipe: a model, or its MACs");
    parser
        .add_option("--image-memory", options->image_memory_mib,
                    "MiB that decoded JPEG images may take; a larger set is decoded in each epoch")
        ->check(CLI::Range(0, 1 << 24))
        ->capture_default_str();
    parser.add_option("--record", options->record, "The file of accuracy records; made if it is not there");
    parser
        .add_option("--checkpoints", options->settings.checkpoints,
                    "Folder for checkpoints, each run's in one of its own")
        ->capture_default_str();
    parser.add_option("--device", options->settings.device, "cpu, or cuda:N")->capture_default_str();
    parser.add_option("--threads", options->settings.threads, "Of CPU work; 0: as for profile")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    CLI::Option* list = parser.add_flag("--list", options->list,
                                        "Show the mean and deviation of the recorded accuracies over seeds");
    add_details_option(parser, options->details)->needs(list);
    return [options, &parser](Session& session) {
        return options->list ? list_records(*options, session) : train_command(*options, parser, session);
    };
}

}  // namespace hacscale::cli
