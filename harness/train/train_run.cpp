#include "harness/train/train_run.hpp"

#include <fmt/format.h>

#include <charconv>
#include <utility>

#include "base/version.hpp"
#include "harness/suite/run_clock.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/fitted_model.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "records/record_file.hpp"
#include "training/records.hpp"
#include "training/stage_weights.hpp"

namespace hacscale::harness {

namespace {

// "41000000": a positive number and nothing else.
std::optional<double> number_in(const std::string& text) {
    double number = 0.0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || rest != end || !(number >= 1.0)) {
        return std::nullopt;
    }
    return number;
}

// Of this device where there is one, else of any other.
std::optional<AccuracyRecord> recorded(const AccuracyRecords& records, const RunKey& key,
                                       const std::string& device) {
    if (!records.has(key)) {
        return std::nullopt;
    }
    std::optional<AccuracyRecord> found;
    for (AccuracyRecord& record : records.all()) {
        const RunKey& other = record.key;
        if (other.model_hash != key.model_hash || other.recipe_hash != key.recipe_hash ||
            other.seed != key.seed || other.data_hash != key.data_hash ||
            other.start_hash != key.start_hash) {
            continue;
        }
        if (!found || record.device == device) {
            found = std::move(record);
        }
    }
    return found;
}

// The bar, and a line for each finished epoch.
class EpochReport {
public:
    EpochReport(const RunKey& key, Events& events)
        : what_(fmt::format("{} seed {}", key.model, key.seed)), events_(events), progress_(events) {}

    void operator()(const TrainingProgress& now) {
        if (epoch_ >= 0 && now.epoch > epoch_) {
            const std::string accuracy =
                now.validation_accuracy
                    ? fmt::format(", validation accuracy {:.2f} %", 100.0 * *now.validation_accuracy)
                    : "";
            events_.note(fmt::format("{}: epoch {} of {} done, loss {:.4f}{}, {:.0f} images/s, about {} left",
                                     what_, now.epoch, now.epochs, loss_, accuracy, images_per_s_,
                                     duration_text(now.seconds_left)));
        }
        epoch_ = now.epoch;
        loss_ = now.loss;
        images_per_s_ = now.images_per_s;
        const double images = static_cast<double>(now.images_per_epoch);
        progress_.set(now.epoch * images + static_cast<double>(now.images), now.epochs * images, what_);
    }

private:
    const std::string what_;
    Events& events_;
    Progress progress_;
    int epoch_ = -1;
    double loss_ = 0.0;
    double images_per_s_ = 0.0;
};

}  // namespace

std::string_view name_of(RunStatus status) {
    switch (status) {
        case RunStatus::recorded:
            return "recorded";
        case RunStatus::was_there:
            return "was_there";
        case RunStatus::elsewhere:
            return "elsewhere";
        case RunStatus::interrupted:
            return "interrupted";
        case RunStatus::failed:
            return "failed";
    }
    return "failed";
}

ModelSpec fitted(const ModelSpec& model, const DataForm& form, Events& events) {
    ModelSpec fitting = fitted_to(model, form);
    if (fitting.name != model.name) {
        events.note(
            fmt::format("{} is trained as {}: its last layer tells the {} classes of {} apart, instead of {}",
                        model.name, fitting.name, form.classes, form.name, model.classes));
    }
    return fitting;
}

FlopsGoal flops_goal(const std::string& other, int resolution, const DataForm& form) {
    if (const std::optional<double> macs = number_in(other)) {
        return {fmt::format("{:.0f}-macs", *macs), *macs};
    }
    const ModelSpec found = find_model(other);
    const ModelSpec fitting = fitted_to(resolution > 0 ? with_resolution(found, resolution) : found, form);
    return {found.name, static_cast<double>(lower(fitting).macs())};
}

Recipe with_flops_of(const Recipe& recipe, const ModelSpec& model, const FlopsGoal& goal) {
    const double macs = static_cast<double>(lower(model).macs());
    return stretched(recipe, epochs_of_equal_flops(recipe, macs, goal.macs), goal.network);
}

namespace {

// What the leading process finds out before a run, with the run's lock held or not; nothing where it is to be
// trained.
std::optional<RunStatus> obstacle(RunOutcome& outcome, bool locked, const std::string& device,
                                  const AccuracyRecords& records, const std::function<bool()>& keep_going) {
    if (!locked) {
        outcome.reason = fmt::format("it is being trained by {}", RunLock::holder(outcome.checkpoints));
        return RunStatus::elsewhere;
    }
    // Asked under the lock: whoever held it before may have finished the run meanwhile.
    if ((outcome.record = recorded(records, outcome.key, device))) {
        return RunStatus::was_there;
    }
    if (!keep_going()) {
        outcome.reason = "interrupted before it began";
        return RunStatus::interrupted;
    }
    return std::nullopt;
}

constexpr int to_be_trained = -1;

// What other commands need to know the run by: the network may have been fitted to the data, the recipe stretched.
void keep_what_is_trained(const std::filesystem::path& folder, const ModelSpec& model, const Recipe& recipe) {
    for (const auto& [name, text] :
         {std::pair("model.yaml", to_yaml(model)), std::pair("recipe.yaml", to_yaml(recipe))}) {
        if (!std::filesystem::exists(folder / name)) {
            records::write_record(folder / name, text);
        }
    }
}

}  // namespace

RunOutcome train_run(const ModelSpec& model, const Recipe& recipe, const RunStart& start,
                     const TrainSettings& settings, Trainer& trainer, AccuracyRecords& records,
                     Events& events) {
    RunOutcome outcome;
    outcome.key = run_key(model, recipe, start.seed, settings.data_hash, fingerprint(start.layers));
    outcome.checkpoints = settings.checkpoints / folder_name(outcome.key);
    const std::string device = trainer.device_name(settings.device);
    const auto keep_going = [&settings, &events] {
        return !events.stop_requested() && settings.keep_going();
    };
    const bool leads = trainer.leads(settings.device);
    const std::optional<RunLock> lock =
        leads ? RunLock::try_lock(outcome.checkpoints) : std::optional<RunLock>();
    int said = to_be_trained;
    if (leads) {
        if (const auto status = obstacle(outcome, lock.has_value(), device, records, keep_going)) {
            said = static_cast<int>(*status);
        }
    } else {
        outcome.reason = "the process of rank 0 decides and records";
    }
    said = trainer.as_the_leader_says(said);
    if (said != to_be_trained) {
        outcome.status = static_cast<RunStatus>(said);
        return outcome;
    }
    if (leads) {
        keep_what_is_trained(outcome.checkpoints, model, recipe);
    }
    EpochReport report(outcome.key, events);
    const TrainingRequest request{model,
                                  recipe,
                                  settings.data,
                                  start.seed,
                                  outcome.checkpoints,
                                  settings.device,
                                  settings.threads,
                                  start.layers,
                                  outcome.key.start_hash,
                                  settings.image_memory};
    const std::optional<TrainingResult> result = trainer.train(request, {keep_going, std::ref(report)});
    if (!result) {
        outcome.status = RunStatus::interrupted;
        outcome.reason = "interrupted; the same command goes on from the last finished epoch";
        return outcome;
    }
    if (leads) {
        records.append(
            {outcome.key, *result, device, trainer.libraries(), std::string(version()), std::string()});
        outcome.record = recorded(records, outcome.key, device);
    }
    outcome.status = RunStatus::recorded;
    return outcome;
}

int training_threads(const host::CpuResources& resources, int wanted, const std::string& device,
                     Events& events) {
    const host::ThreadChoice choice = host::choose_threads(resources, wanted);
    if (device == "cpu") {
        for (const std::string& warning : choice.warnings) {
            events.warn(fmt::format("{}: {}", device, warning));
        }
    }
    return choice.threads;
}

}  // namespace hacscale::harness
