// hacscale sensitivity: what accuracy gains by each stage's width and depth, as a file that "scale" reads.
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <spdlog/logger.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <memory>
#include <set>

#include "base/clock.hpp"
#include "base/version.hpp"
#include "cli/commands.hpp"
#include "cli/printing/printing.hpp"
#include "cli/session.hpp"
#include "harness/train/gain_ranks.hpp"
#include "harness/train/train_run.hpp"
#include "harness/train/training_json.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"
#include "training/load_data_set.hpp"
#include "training/trainer_module.hpp"

namespace hacscale::cli {

namespace {

constexpr double us_per_minute = 60e6;

struct SensitivityOptions {
    std::string model;
    std::string recipe = "short";
    std::string out;
    std::string record = "accuracy.db";
    int seeds = 2;
    int held_out = 0;
    double minutes = 0.0;
    std::vector<std::string> stages;
    TrainSettings settings{"data/cifar-10", "checkpoints"};
};

// What the runs gave, and what is missing with its reason.
struct Measured {
    std::vector<StepAccuracy> accuracies;
    std::vector<LeftOut> left_out;
    // Of the runs, which may have been recorded elsewhere.
    std::set<std::string> devices, libraries;
};

Measured measure(const ModelSpec& base, const Recipe& recipe, const std::vector<SensitivityStep>& steps,
                 const SensitivityOptions& options, Trainer& trainer, AccuracyRecords& records,
                 Session& session) {
    const double end_us = now_us() + options.minutes * us_per_minute;
    const auto time_is_up = [&] { return options.minutes > 0.0 && now_us() >= end_us; };
    TrainSettings settings = options.settings;
    settings.keep_going = [&] { return !time_is_up(); };
    const auto stopped = [&]() -> std::string {
        if (interrupted()) return "interrupted";
        return time_is_up() ? fmt::format("the budget of {} minutes was spent", options.minutes) : "";
    };
    Measured measured;
    std::vector<SensitivityRun> runs = sensitivity_runs(steps, options.seeds);
    const std::size_t count = runs.size();
    for (std::size_t i = 0; i < runs.size(); ++i) {
        const SensitivityRun run = runs[i];
        const SensitivityStep& step = steps[run.step];
        const std::string what = fmt::format("{}, seed {}", step.name, run.seed);
        try {
            // Also when the time is up: what the records have costs nothing.
            const RunOutcome outcome =
                train_run(model_of(base, step), recipe, {run.seed, {}}, settings, trainer, records, session);
            if (outcome.record) {
                measured.accuracies.push_back(
                    {run.step, run.seed, outcome.record->result.validation_accuracy});
                measured.devices.insert(outcome.record->device);
                measured.libraries.insert(outcome.record->libraries);
            } else if (outcome.status == RunStatus::elsewhere && i < count) {
                runs.push_back(
                    run);  // once more at the end: the others may have finished it by then, or given up
            } else {
                measured.left_out.push_back({what, stopped().empty() ? outcome.reason : stopped()});
            }
        } catch (const WorkError& error) {
            // A run that fails does not keep the others from being done.
            session.log.error("{}: {}", what, error.what());
            measured.left_out.push_back({what, error.what()});
        }
    }
    return measured;
}

void add_stages_not_asked(const ModelSpec& base, const std::vector<SensitivityStep>& steps,
                          std::vector<LeftOut>& left_out) {
    for (std::size_t s = 0; s < base.stages.size(); ++s) {
        for (const StepKind kind : {StepKind::width, StepKind::depth}) {
            const bool planned = std::any_of(steps.begin(), steps.end(), [&](const SensitivityStep& step) {
                return step.kind == kind && step.stage == static_cast<int>(s);
            });
            if (planned) continue;
            left_out.push_back(
                {fmt::format("{}.{}", base.stages[s].name, kind == StepKind::width ? "width" : "depth"),
                 "not among --stages, or larger than a model may have"});
        }
    }
}

std::string with_spread(const MeasuredGain& gain) {
    return gain.spread ? fmt::format("{:.2f} +- {:.2f}", gain.mean, *gain.spread)
                       : fmt::format("{:.2f}", gain.mean);
}

void print_sensitivity(std::ostream& out, const ModelSpec& base, const Sensitivity& fit) {
    if (fit.base) {
        out << fmt::format("{}: validation accuracy {} %, {} seeds\n", base.name, with_spread(*fit.base),
                           fit.base->seeds);
    }
    const auto cell = [](const std::optional<DimensionSensitivity>& dimension) {
        return dimension ? with_spread(dimension->coefficient) : std::string("not measured");
    };
    TextTable table({{"stage", Align::left}, {"points per ln width"}, {"points per ln depth"}});
    for (std::size_t s = 0; s < fit.stages.size(); ++s) {
        table.add({base.stages[s].name, cell(fit.stages[s].width), cell(fit.stages[s].depth)});
    }
    table.print(out);
    for (const auto* checks : {&fit.combinations, &fit.held_out}) {
        for (const PredictionCheck& check : *checks) {
            const std::string predicted =
                check.predicted_points ? fmt::format("{:.2f}", *check.predicted_points) : "not known";
            out << fmt::format("{}: predicted {} points, measured {}\n", check.name, predicted,
                               with_spread(check.points));
        }
    }
    for (const GainRank& rank : gain_ranks(base, fit)) {
        if (!rank.correlation) continue;
        const std::string error =
            rank.mean_error ? fmt::format(", mean error {:.2f} points", *rank.mean_error) : "";
        out << fmt::format("{} networks held out, gain by {}: rank correlation {:.2f}{}\n",
                           fit.held_out.size(), rank.gain, *rank.correlation, error);
    }
}

ExitStatus sensitivity_command(const SensitivityOptions& given, Session& session) {
    const DataForm form = data_form(given.settings.data);
    const ModelSpec base = fitted(find_model(given.model), form, session);
    const Recipe recipe = find_recipe(given.recipe);
    const std::vector<SensitivityStep> steps = sensitivity_steps(base, given.stages, given.held_out);
    SensitivityOptions options = given;
    options.settings.data_hash = form.hash;
    options.settings.threads =
        training_threads(host::this_machine(), given.settings.threads, given.settings.device, session);
    const LoadedTrainer loaded = load_trainer();
    Trainer& trainer = loaded.required();
    AccuracyRecords records = AccuracyRecords::open(options.record);
    Measured measured = measure(base, recipe, steps, options, trainer, records, session);
    const bool complete = measured.left_out.empty();
    add_stages_not_asked(base, steps, measured.left_out);
    measured.left_out.push_back({"resolution", std::string(no_resolution_reason)});
    const Sensitivity fit = fit_sensitivity(base, steps, measured.accuracies);
    const records::Json provenance{{"recipe", recipe.name},
                                   {"recipe_hash", recipe_hash(recipe)},
                                   {"epochs", recipe.epochs},
                                   {"seeds", options.seeds},
                                   {"accuracy", "validation, top-1"},
                                   {"spread", "standard deviation over seeds"},
                                   {"data_hash", form.hash},
                                   {"device", fmt::format("{}", fmt::join(measured.devices, "; "))},
                                   {"libraries", fmt::format("{}", fmt::join(measured.libraries, "; "))},
                                   {"program_version", version()},
                                   {"made_at", records::timestamp()}};
    const records::Json document = sensitivity_json(base, fit, measured.left_out, provenance);
    records::write_record(options.out, records::text_of(document));
    if (session.json) {
        records::print_json(session.out, document);
    } else {
        print_sensitivity(session.out, base, fit);
    }
    if (!complete) {
        session.log.warn("{} names the runs that are missing; the same command goes on with them",
                         options.out);
    }
    return complete ? ExitStatus::done : ExitStatus::incomplete;
}

}  // namespace

Run declare_sensitivity(CLI::App& parser) {
    auto options = std::make_shared<SensitivityOptions>();
    parser.add_option("model", options->model, "A name of the zoo, or a YAML file")->required();
    parser.add_option("--out", options->out, "The sensitivity file")->required();
    parser.add_option("--recipe", options->recipe, "A recipe's name (quick, short, standard) or YAML file")
        ->capture_default_str();
    add_data_option(parser, options->settings.data);
    parser.add_option("--seeds", options->seeds, "Trainings of each network")
        ->check(CLI::Range(1, 1000))
        ->capture_default_str();
    parser
        .add_option("--held-out", options->held_out,
                    "Also train this many random networks, to check the gain on")
        ->check(CLI::Range(0, 1000))
        ->capture_default_str();
    parser.add_option("--minutes", options->minutes, "At most, for this call; 0: until all is done")
        ->check(CLI::Range(0.0, 1e6))
        ->capture_default_str();
    parser.add_option("--stages", options->stages, "Only these stages, by name")->delimiter(',');
    parser.add_option("--record", options->record, "The file of accuracy records; made if it is not there")
        ->capture_default_str();
    parser.add_option("--checkpoints", options->settings.checkpoints, "Folder for checkpoints")
        ->capture_default_str();
    parser.add_option("--device", options->settings.device, "cpu, or cuda:N")->capture_default_str();
    parser.add_option("--threads", options->settings.threads, "Of CPU work; 0: as for profile")
        ->check(CLI::Range(0, 4096))
        ->capture_default_str();
    return [options](Session& session) { return sensitivity_command(*options, session); };
}

}  // namespace hacscale::cli
