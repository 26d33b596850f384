// What makes two trainings the same one: they would give the same numbers, so one of them is enough.
#pragma once

#include <cstdint>
#include <string>

#include "models/stages/model_spec.hpp"
#include "training/recipe.hpp"

namespace hacscale {

struct RunKey {
    std::string model;  // its name, for people
    std::string model_hash;
    std::string recipe;  // its name, for people
    std::string recipe_hash;
    std::uint64_t seed = 1;
    std::string data_hash;
    bool operator==(const RunKey&) const = default;
};

RunKey run_key(const ModelSpec& model, const Recipe& recipe, std::uint64_t seed,
               const std::string& data_hash);

// Name of the folder that holds a run's checkpoints: readable, and different for different keys.
std::string folder_name(const RunKey& key);

}  // namespace hacscale
