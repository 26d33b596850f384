// A plan of trainings: models x seeds with one recipe, as a YAML file (docs/formats.md, "Training plans").
// Any number of processes may work through one plan at once: what is finished is known from the records, what
// is being done from locks (records.hpp), and no run is done twice.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "training/recipe.hpp"

namespace hacscale {

struct TrainingPlan {
    std::string name;
    std::vector<ModelSpec> models;
    std::vector<std::uint64_t> seeds;
    Recipe recipe;
    std::filesystem::path data;         // folder of the data set; empty where the plan names none
    std::filesystem::path record;       // file of accuracy records
    std::filesystem::path checkpoints;  // folder
    std::string device = "cpu";
    int threads = 0;  // 0: as --threads 0 of "profile"
    // A network, by name or file, whose training FLOPs with the recipe each model is to have; empty: as many epochs for all.
    std::string match_flops{};
};

// What a plan's file says, before its models and its recipe are looked up: names, or paths relative to the
// plan's folder.
struct PlanText {
    std::string name;
    std::vector<std::string> models;
    std::vector<std::uint64_t> seeds;
    std::string recipe;
    std::string record;
    std::string checkpoints;
};

// parse_plan() reads it. The data is left to the machine that trains, and so are device and threads.
std::string to_yaml(const PlanText& plan);

// InputError, naming the seed, when one is there twice or is above what a plan may hold, or there is none.
void check_seeds(const std::vector<std::uint64_t>& seeds);

struct PlannedRun {
    const ModelSpec* model = nullptr;  // of the plan
    std::uint64_t seed = 1;
};

// In the order in which they are worked through: every model with the first seed, then with the next one, so
// that models can be compared before all is done.
std::vector<PlannedRun> runs_of(const TrainingPlan& plan);

// Relative paths are relative to the plan's folder. Throws InputError with file and line; models and the
// recipe are read here, so that a mistake is found before the first run.
TrainingPlan load_plan(const std::filesystem::path& file);
TrainingPlan parse_plan(std::string_view yaml, const std::string& origin,
                        const std::filesystem::path& folder);

}  // namespace hacscale
