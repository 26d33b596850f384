// What the accuracy records know of the networks of a comparison.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "records/comparison.hpp"
#include "scaling/budget.hpp"
#include "training/recipe.hpp"
#include "training/records.hpp"

namespace hacscale::harness {

class KnownAccuracies {
public:
    // InputError when `file` holds no accuracy records, or when there is no such file and it is not
    // `may_be_absent`, and for a recipe that is not known.
    KnownAccuracies(const std::filesystem::path& file, const std::string& recipe, bool may_be_absent);

    // Fills `accuracy` of every row whose network was trained with the recipe, on whatever device: a network
    // is known by its hash, and of one seed the first record counts. `matched_base` of a row is the base's with as many epochs of
    // the recipe as make the training FLOPs of both equal (`train --match-flops`). Where any was trained from random weights,
    // runs that began with others are left out, because the two do not compare. The verdict is recomputed. InputError
    // when the records come from different data, which does not compare either, or when a network was fine-tuned with one
    // seed from several weights.
    void add_to(records::ComparisonRecord& comparison) const;

    // Recipes, other than the one asked for, with which networks of the comparison were trained.
    std::vector<std::string> other_recipes(const records::ComparisonRecord& comparison) const;

    const std::string& recipe() const { return recipe_.name; }

private:
    struct Found;
    Found found(const std::string& model_hash, const std::string& recipe_hash, bool from_random) const;

    std::filesystem::path file_;
    Recipe recipe_;
    std::string recipe_hash_;
    std::vector<AccuracyRecord> records_;
};

// Mean and deviation over seeds.
records::AccuracyFigures figures_of(const std::map<std::uint64_t, double>& percent_by_seed);

// Takes out what add_to() put in, and recomputes the verdict.
void remove_accuracies(records::ComparisonRecord& comparison);

// add_to(), and a message when the records know the networks by other recipes only.
void add_accuracies(records::ComparisonRecord& comparison, const KnownAccuracies& known, Events& events);

// Reads the comparisons stored in a folder of records, updates each, and replaces them when `check` has not thrown. InputError
// when there is none, or when one is not what this program writes; no file has been changed then.
void update_comparisons(const std::filesystem::path& folder,
                        const std::function<void(records::ComparisonRecord&)>& update,
                        const std::function<void()>& check);

// add_accuracies() for the comparisons stored in a folder of records (compare-*.json), which are replaced.
// What was measured stays as it is. InputError when there is none, or when one is not what this program
// writes; no file has been changed then.
void add_accuracies_in_folder(const std::filesystem::path& folder, const KnownAccuracies& known,
                              Events& events);

// A training plan for the networks of comparisons: the bases and what each strategy chose, with the same
// recipe and seeds, so that `hacscale train --plan` gives the accuracies that the comparisons lack.
//
// Beside the plan is a model file for each strategy, MODEL-STRATEGY-BUDGET.yaml, and MODEL-base.yaml. They
// are how the same comparison, run again after the training, measures the very networks that were trained:
// a new search depends on timings.
struct TrainingPlanRequest {
    std::filesystem::path plan;  // the file to write; models go into its folder
    std::vector<std::uint64_t> seeds{1, 2, 3};
    std::string recipe = "short";           // a name, or a file
    std::filesystem::path record;           // empty: accuracy.db in the plan's folder
    std::filesystem::path checkpoints;      // empty: checkpoints in the plan's folder
    std::vector<std::string> strategies{};  // whose choices; empty: all that were compared

    std::filesystem::path record_file() const;
};

// InputError when the request cannot be met whatever the comparison finds: it has a seed twice or a strategy that there is
// not, or the plan's file name does not end in .yaml.
void check(const TrainingPlanRequest& request);
// InputError when the network does not classify images of three channels, as those of every data set are.
void check_trainable(const ModelSpec& base);

// The network that a strategy chose, under a name that says where it comes from: MODEL-STRATEGY-BUDGET.
ModelSpec named_after(const std::string& base, const std::string& strategy, const Budget& budget,
                      ModelSpec chosen);

// "MODEL-STRATEGY-BUDGET", the name of a strategy's choice in a plan; long names of models are cut off.
std::string scaled_name(const std::string& model, const std::string& strategy, const std::string& budget);

// The networks that strategies chose when the plan was written; none while it is not there. InputError for a
// model file that is none.
std::map<std::string, ModelSpec> planned_choices(const TrainingPlanRequest& request, const std::string& model,
                                                 const Budget& budget);

struct WrittenPlan {
    int networks = 0;
    // Strategies that chose nothing, or nothing that could be timed; networks without stages or for other data.
    std::vector<std::string> left_out;
};

// Writes the plan and the model files. The plan has networks that strategies agree on once. Files that are
// there with the same content stay. InputError, and nothing is written, when one is there with another
// content: runs of it may be under way.
WrittenPlan write_training_plan(std::span<const records::ComparisonRecord> comparisons,
                                const TrainingPlanRequest& request);

}  // namespace hacscale::harness
