// A training plan for the networks of a comparison: the base and what each strategy chose, with the same
// recipe and seeds, so that `hacscale train --plan` gives the accuracies that the comparison lacks.
//
// Beside the plan lies a model file for each strategy, MODEL-STRATEGY-BUDGET.yaml, and MODEL-base.yaml. They
// are how the same comparison, run again after the training, measures the very networks that were trained:
// what it would choose anew depends on timings.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "records/comparison.hpp"

namespace hacscale::harness {

struct TrainingPlanRequest {
    std::filesystem::path plan;  // the file to write; models go into its folder
    std::vector<std::uint64_t> seeds{1, 2, 3};
    std::string recipe = "short";       // a name, or a file
    std::filesystem::path record;       // empty: accuracy.db in the plan's folder
    std::filesystem::path checkpoints;  // empty: checkpoints in the plan's folder

    std::filesystem::path record_file() const;
};

// InputError when the request cannot be met whatever the comparison finds: a seed stands there twice, or the
// plan's name is none for a file of YAML.
void check(const TrainingPlanRequest& request);

// The networks that strategies chose when the plan was written; none while it is not there. InputError for a
// model file that is none.
std::map<std::string, ModelSpec> planned_choices(const TrainingPlanRequest& request, const std::string& model,
                                                 double budget);

struct WrittenPlan {
    int networks = 0;
    std::vector<std::string> left_out;  // strategies that chose nothing, or nothing that could be timed
};

// Writes the plan and the model files. The plan has networks that strategies agree on once. Files that are
// there with the same content stay. InputError, and nothing is written, when one is there with another
// content: runs of it may be under way.
WrittenPlan write_training_plan(const records::ComparisonRecord& comparison,
                                const TrainingPlanRequest& request);

}  // namespace hacscale::harness
