#include "cli/commands/train.hpp"

#include <fmt/format.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>

#include "cli/interrupt.hpp"
#include "harness/train/train_run.hpp"
#include "harness/train/training_json.hpp"
#include "harness/train/training_threads.hpp"
#include "models/zoo/zoo.hpp"
#include "training/cifar10.hpp"
#include "training/plan.hpp"
#include "training/trainer_module.hpp"

namespace hacscale::cli {

namespace {

struct TrainOptions {
    std::string model;
    std::string plan;
    std::string recipe = "short";
    std::uint64_t seed = 1;
    std::string record;
    TrainSettings settings{"data/cifar-10", "checkpoints"};
    bool list = false;
};

// What was given on the command line holds for a plan too, since machines that share one differ.
TrainingPlan plan_of(const TrainOptions& options, const CLI::App& parser) {
    const auto given = [&](const char* name) { return parser.count(name) > 0; };
    TrainingPlan plan;
    if (!options.plan.empty()) {
        if (!options.model.empty() || given("--recipe") || given("--seed")) {
            throw InputError("--plan says which models, seeds and recipe: give none of them beside it");
        }
        plan = load_plan(options.plan);
    } else if (options.model.empty() || options.record.empty()) {
        throw InputError(
            "expected a model and --record FILE for its accuracy, or --plan FILE; 'hacscale train "
            "--help' has examples");
    } else {
        plan.models = {find_model(options.model)};
        plan.seeds = {options.seed};
        plan.recipe = find_recipe(options.recipe);
    }
    const bool single = options.plan.empty();
    if (plan.data.empty() || given("--data")) plan.data = options.settings.data;
    if (single || given("--record")) plan.record = options.record;
    if (single || given("--checkpoints")) plan.checkpoints = options.settings.checkpoints;
    if (single || given("--device")) plan.device = options.settings.device;
    if (single || given("--threads")) plan.threads = options.settings.threads;
    return plan;
}

// A run that fails does not keep the others from being done; an input or a component that is at fault would
// fail them all.
RunOutcome attempt(const PlannedRun& run, const TrainingPlan& plan, const TrainSettings& settings,
                   Trainer& trainer, AccuracyRecords& records, Session& session) {
    try {
        return train_run(*run.model, plan.recipe, run.seed, settings, trainer, records, session);
    } catch (const WorkError& error) {
        if (runs_of(plan).size() == 1) {
            throw;
        }
        session.log.error("{} seed {}: {}", run.model->name, run.seed, error.what());
        RunOutcome outcome;
        outcome.key = run_key(*run.model, plan.recipe, run.seed, cifar10_hash(settings.data));
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
        print_json(session.out, records_json(records));
    } else {
        print_records(session.out, records);
    }
    return ExitStatus::done;
}

ExitStatus train_command(const TrainOptions& options, const CLI::App& parser, Session& session) {
    const TrainingPlan plan = plan_of(options, parser);
    cifar10_hash(plan.data);  // a folder that is not there is found before anything is loaded
    const int threads = training_threads(host::this_machine(), plan.threads, plan.device, session);
    const LoadedTrainer loaded = load_trainer();
    Trainer& trainer = loaded.required();
    AccuracyRecords records = AccuracyRecords::open(plan.record);
    const TrainSettings settings{plan.data, plan.checkpoints, plan.device, threads};
    std::vector<RunOutcome> outcomes;
    for (const PlannedRun& run : runs_of(plan)) {
        if (interrupted()) {
            break;
        }
        outcomes.push_back(attempt(run, plan, settings, trainer, records, session));
    }
    if (session.json) {
        print_json(session.out, outcomes_json(outcomes));
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
    parser.add_option("--data", options->settings.data, "Folder of CIFAR-10's binary files")
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
    parser.add_flag("--list", options->list, "Show the records, and mean and deviation over seeds");
    return [options, &parser](Session& session) {
        return options->list ? list_records(*options, session) : train_command(*options, parser, session);
    };
}

}  // namespace hacscale::cli
