#include "harness/compare/accuracies.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <algorithm>
#include <cctype>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "harness/compare/describe.hpp"
#include "models/formats/formats.hpp"
#include "records/record_file.hpp"
#include "records/run_folder.hpp"
#include "scaling/strategies/strategy.hpp"
#include "training/importance.hpp"
#include "training/plan.hpp"
#include "training/recipe.hpp"

namespace hacscale::harness {

namespace {

std::vector<records::StrategyRow*> rows_of(records::ComparisonRecord& comparison) {
    std::vector<records::StrategyRow*> rows{&comparison.base};
    for (records::StrategyRow& row : comparison.strategies) {
        rows.push_back(&row);
    }
    return rows;
}

}  // namespace

records::AccuracyFigures figures_of(const std::map<std::uint64_t, double>& percent_by_seed) {
    std::vector<double> percents;
    for (const auto& [seed, percent] : percent_by_seed) {
        percents.push_back(percent);
    }
    const MeanAndDeviation figure = mean_and_deviation(percents);
    records::AccuracyFigures figures;
    figures.seeds = static_cast<int>(percents.size());
    figures.mean = figure.mean;
    figures.deviation = figure.deviation;
    return figures;
}

KnownAccuracies::KnownAccuracies(const std::filesystem::path& file, const std::string& recipe,
                                 bool may_be_absent)
    : file_(file), recipe_(find_recipe(recipe)), recipe_hash_(recipe_hash(recipe_)) {
    if (!may_be_absent || std::filesystem::exists(file)) {
        records_ = AccuracyRecords::open_to_read(file).all();
    }
}

// The records of one network with one recipe.
struct KnownAccuracies::Found {
    std::map<std::uint64_t, const AccuracyRecord*> by_seed;

    std::optional<records::AccuracyFigures> figures() const {
        if (by_seed.empty()) {
            return std::nullopt;
        }
        std::map<std::uint64_t, double> percent_by_seed;
        std::vector<std::vector<double>> percent_by_epoch;
        for (const auto& [seed, record] : by_seed) {
            percent_by_seed.emplace(seed, 100.0 * record->result.test_accuracy);
            const std::vector<EpochFigures>& curve = record->result.learning_curve;
            percent_by_epoch.resize(std::max(percent_by_epoch.size(), curve.size()));
            for (std::size_t epoch = 0; epoch < curve.size(); ++epoch) {
                percent_by_epoch[epoch].push_back(100.0 * curve[epoch].validation_accuracy);
            }
        }
        records::AccuracyFigures result = figures_of(percent_by_seed);
        for (const std::vector<double>& percents : percent_by_epoch) {
            result.learning_curve.push_back(mean_and_deviation(percents).mean);
        }
        return result;
    }
};

KnownAccuracies::Found KnownAccuracies::found(const std::string& model_hash, const std::string& recipe_hash,
                                              bool from_random) const {
    Found found;
    for (const AccuracyRecord& record : records_) {
        if (record.key.model_hash != model_hash || record.key.recipe_hash != recipe_hash ||
            (from_random && !record.key.start_hash.empty())) {
            continue;
        }
        const auto [first, is_new] = found.by_seed.emplace(record.key.seed, &record);
        if (!is_new && first->second->key.start_hash != record.key.start_hash) {
            throw InputError(
                fmt::format("{}: {} was fine-tuned with seed {} from two different weights, and which of "
                            "them the comparison means is not known; keep a file of records for each "
                            "comparison",
                            file_.string(), record.key.model, record.key.seed));
        }
    }
    return found;
}

namespace {

// The hash of the recipe with which the base trains for as many FLOPs as a network of so many MACs; nothing where no recipe does.
std::optional<std::string> matched_recipe_hash(const Recipe& recipe, double base_macs, double macs) {
    try {
        return recipe_hash(stretched(recipe, epochs_of_equal_flops(recipe, base_macs, macs), ""));
    } catch (const InputError&) {  // more epochs than a recipe may have
        return std::nullopt;
    }
}

}  // namespace

void KnownAccuracies::add_to(records::ComparisonRecord& comparison) const {
    records::AccuracyOrigin origin{file_.string(), recipe_.name, recipe_hash_, "", ""};
    const std::vector<records::StrategyRow*> rows = rows_of(comparison);
    const bool from_random = std::any_of(records_.begin(), records_.end(), [&](const auto& record) {
        return record.key.start_hash.empty() && record.key.recipe_hash == recipe_hash_ &&
               std::any_of(rows.begin(), rows.end(),
                           [&](const auto* row) { return record.key.model_hash == row->model_hash; });
    });
    const auto accuracy_of = [&](const std::string& model_hash, const std::string& recipe_hash) {
        const Found of_network = found(model_hash, recipe_hash, from_random);
        for (const auto& [seed, record] : of_network.by_seed) {
            if (origin.data_hash.empty()) {
                origin.data_hash = record->key.data_hash;
            } else if (origin.data_hash != record->key.data_hash) {
                throw InputError(
                    fmt::format("{}: the networks compared were trained on different data, so their "
                                "accuracies do not compare; keep one file of records for each data set",
                                file_.string()));
            }
        }
        return of_network.figures();
    };
    for (records::StrategyRow* row : rows) {
        row->accuracy = accuracy_of(row->model_hash, recipe_hash_);
        row->matched_base.reset();
        if (row == &comparison.base || !row->macs || !comparison.base.macs) {
            continue;
        }
        const auto matched = matched_recipe_hash(recipe_, static_cast<double>(*comparison.base.macs),
                                                 static_cast<double>(*row->macs));
        if (matched) {
            row->matched_base = accuracy_of(comparison.base.model_hash, *matched);
        }
    }
    comparison.accuracies = std::move(origin);
    add_verdict(comparison);
}

std::vector<std::string> KnownAccuracies::other_recipes(const records::ComparisonRecord& comparison) const {
    std::set<std::string> hashes{comparison.base.model_hash};
    for (const records::StrategyRow& row : comparison.strategies) {
        hashes.insert(row.model_hash);
    }
    std::set<std::string> names;
    for (const AccuracyRecord& record : records_) {
        if (record.key.recipe_hash != recipe_hash_ && hashes.contains(record.key.model_hash)) {
            names.insert(record.key.recipe);
        }
    }
    return {names.begin(), names.end()};
}

void remove_accuracies(records::ComparisonRecord& comparison) {
    for (records::StrategyRow* row : rows_of(comparison)) {
        row->accuracy.reset();
        row->matched_base.reset();
    }
    comparison.accuracies.reset();
    add_verdict(comparison);
}

void add_accuracies(records::ComparisonRecord& comparison, const KnownAccuracies& known, Events& events) {
    known.add_to(comparison);
    const std::vector<std::string> others = known.other_recipes(comparison);
    if (comparison.accuracies->data_hash.empty() && !others.empty()) {
        events.warn(fmt::format(
            "{}: no accuracy is shown, because networks of {} were trained with the recipe {} and none "
            "with {}; --recipe chooses",
            comparison.accuracies->record, comparison.model, fmt::join(others, ", "), known.recipe()));
    }
}

void update_comparisons(const std::filesystem::path& folder,
                        const std::function<void(records::ComparisonRecord&)>& update,
                        const std::function<void()>& check) {
    std::map<std::filesystem::path, records::ComparisonRecord> comparisons;
    for (const std::filesystem::path& file : records::comparison_files(folder)) {
        records::ComparisonRecord record = records::read_comparison(file);
        update(record);
        comparisons.emplace(file, std::move(record));
    }
    if (comparisons.empty()) {
        throw InputError(
            fmt::format("{}: has no comparisons (compare-*.json) to enter accuracies into", folder.string()));
    }
    check();
    for (const auto& [file, record] : comparisons) {
        records::write_record(file, to_json(record));
    }
}

void add_accuracies_in_folder(const std::filesystem::path& folder, const KnownAccuracies& known,
                              Events& events) {
    update_comparisons(
        folder, [&](records::ComparisonRecord& record) { add_accuracies(record, known, events); }, [] {});
}

namespace {

namespace fs = std::filesystem;

// Names of models have at most 100 letters; this leaves room for strategy and budget.
constexpr std::size_t max_letters_of_base = 60;

bool is_yaml(const fs::path& file) {
    return file.extension() == ".yaml" || file.extension() == ".yml";
}

fs::path folder_of(const fs::path& plan) {
    return fs::absolute(plan).lexically_normal().parent_path();
}

// As a plan in `folder` names it.
std::string from_folder(const fs::path& file, const fs::path& folder) {
    return fs::absolute(file).lexically_normal().lexically_proximate(folder).string();
}

// A recipe's name stays as it is. A plan takes paths without YAML's suffix for what they are, so those stay
// absolute.
std::string recipe_from_folder(const std::string& recipe, const fs::path& folder) {
    if (is_yaml(recipe)) {
        return from_folder(recipe, folder);
    }
    return recipe.find('/') == std::string::npos ? recipe : fs::absolute(recipe).string();
}

// Files to write, and the order to write them in: the plan last, when all it names is there.
class FileSet {
public:
    void add(const fs::path& file, std::string content) { files_.emplace_back(file, std::move(content)); }

    void write() const {
        for (const auto& [file, content] : files_) {
            if (fs::exists(file) && read_if_there(file) != content) {
                throw InputError(
                    fmt::format("{}: the file is there with another content and is not overwritten, for it "
                                "may be in use; "
                                "name another plan, in a folder of its own, or remove the file first",
                                file.string()));
            }
        }
        for (const auto& [file, content] : files_) {
            if (!fs::exists(file)) {
                records::write_record(file, content);
            }
        }
    }

private:
    std::vector<std::pair<fs::path, std::string>> files_;
};

// After the network of a single comparison, else after the plan's file. Plans may have fewer kinds of letters in
// their names than models and files.
std::string plan_name(std::span<const records::ComparisonRecord> comparisons, const fs::path& file) {
    const records::ComparisonRecord& first = comparisons.front();
    std::string name = comparisons.size() == 1
                           ? fmt::format("compare-{}-{}", first.model.substr(0, max_letters_of_base),
                                         first.budget_in_names())
                           : "run-" + file.stem().string().substr(0, max_letters_of_base);
    const auto is_other = [](char letter) {
        return std::isalnum(static_cast<unsigned char>(letter)) == 0 && letter != '.' && letter != '_';
    };
    std::replace_if(name.begin(), name.end(), is_other, '-');
    return name;
}

// Images of three channels, as those of every data set are.
bool classifies_images(const ModelSpec& model) {
    return model.classes > 0 && model.in_channels == 3;
}

bool is_among(const std::vector<std::string>& strategies, const std::string& name) {
    return strategies.empty() || std::find(strategies.begin(), strategies.end(), name) != strategies.end();
}

}  // namespace

ModelSpec named_after(const std::string& base, const std::string& strategy, const Budget& budget,
                      ModelSpec chosen) {
    chosen.name = scaled_name(base, strategy, budget.file_text());
    chosen.source = fmt::format("{}, scaled by {} to {}{}", base, strategy, budget.text(),
                                budget.is_ratio() ? " times its latency" : "");
    return chosen;
}

void check_trainable(const ModelSpec& base) {
    if (classifies_images(base)) return;
    throw InputError(fmt::format(
        "{} takes images of {} channels and tells {} classes apart, but training plans are for networks that "
        "classify color images; leave --train out, and train the networks of --out with your own program",
        base.name, base.in_channels, base.classes));
}

std::string scaled_name(const std::string& model, const std::string& strategy, const std::string& budget) {
    return fmt::format("{}-{}-{}", model.substr(0, max_letters_of_base), strategy, budget);
}

fs::path TrainingPlanRequest::record_file() const {
    return record.empty() ? folder_of(plan) / "accuracy.db" : record;
}

void check(const TrainingPlanRequest& request) {
    if (!is_yaml(request.plan)) {
        throw InputError(fmt::format("{}: expected a name that ends in .yaml for the training plan",
                                     request.plan.string()));
    }
    check_seeds(request.seeds);
    for (const std::string& name : request.strategies) {
        find_strategy(name);
    }
}

std::map<std::string, ModelSpec> planned_choices(const TrainingPlanRequest& request, const std::string& model,
                                                 const Budget& budget) {
    std::map<std::string, ModelSpec> choices;
    if (request.plan.empty() || !fs::exists(request.plan)) {
        return choices;
    }
    for (const Strategy& strategy : strategies()) {
        const std::string name(strategy.name);
        const fs::path file =
            folder_of(request.plan) / (scaled_name(model, name, budget.file_text()) + ".yaml");
        if (fs::exists(file)) {
            choices.emplace(name, load_model(file));
        }
    }
    return choices;
}

WrittenPlan write_training_plan(std::span<const records::ComparisonRecord> comparisons,
                                const TrainingPlanRequest& request) {
    const fs::path folder = folder_of(request.plan);
    WrittenPlan written;
    FileSet files;
    PlanText plan;
    std::set<std::string> hashes;
    const auto add = [&](const ModelSpec& model, const std::string& hash, const std::string& file) {
        files.add(folder / file, to_yaml(model));
        if (hashes.insert(hash).second) {
            plan.models.push_back(file);
        }
    };
    for (const records::ComparisonRecord& comparison : comparisons) {
        const std::string& spec = comparison.base.spec;
        const std::optional<ModelSpec> base =
            spec.empty() ? std::nullopt : std::optional(parse_model(spec, comparison.model));
        if (!base || !classifies_images(*base)) {
            written.left_out.push_back(comparison.model);
            continue;
        }
        add(*base, comparison.base.model_hash, comparison.model + "-base.yaml");
        for (const records::StrategyRow& row : comparison.strategies) {
            if (!is_among(request.strategies, row.strategy)) {
                continue;
            }
            const std::string name =
                scaled_name(comparison.model, row.strategy, comparison.budget_in_names());
            const std::string file = name + ".yaml";
            // What could not be timed this time stays in the plan that it is in.
            const bool failed = row.status == records::StrategyStatus::failed && !fs::exists(folder / file);
            if (row.spec.empty() || failed) {
                written.left_out.push_back(comparisons.size() == 1 ? row.strategy : name);
            } else {
                const Budget budget = comparison.budget_given.empty() ? Budget(comparison.budget)
                                                                      : parse_budget(comparison.budget_given);
                add(named_after(comparison.model, row.strategy, budget, parse_model(row.spec, row.strategy)),
                    row.model_hash, file);
            }
        }
    }
    if (plan.models.empty()) {
        throw InputError(
            fmt::format("{}: no network to train: training plans are for networks with stages, of the zoo or "
                        "of a YAML file, that classify color images",
                        request.plan.string()));
    }
    plan.name = plan_name(comparisons, request.plan);
    plan.seeds = request.seeds;
    plan.recipe = recipe_from_folder(request.recipe, folder);
    plan.record = from_folder(request.record_file(), folder);
    plan.checkpoints = request.checkpoints.empty() ? "checkpoints" : from_folder(request.checkpoints, folder);
    files.add(request.plan, to_yaml(plan));
    records::make_record_folder(folder);
    files.write();
    written.networks = static_cast<int>(plan.models.size());
    return written;
}

}  // namespace hacscale::harness
