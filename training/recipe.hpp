// How a network is trained: everything that decides the result but the network, the data and the seed. Read
// from YAML (docs/formats.md, "Recipes"); those that come with the program are in training/recipes/.
// The same recipe and epochs for every network is what makes accuracies comparable, so records name a recipe
// by its hash.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "training/augmentation.hpp"

namespace hacscale {

enum class LearningRateSchedule {
    one_cycle,  // linear rise to the peak, then linear fall to 0
    cosine,     // linear rise to the peak, then half a cosine down to 0
    step,       // linear rise to the peak, then lower by a factor at each of some epochs
};

// Of the activations and weights that convs compute with; weights are kept and updated in f32 in either case.
enum class TrainingPrecision { f32, bf16 };

struct Recipe {
    std::string name;
    int epochs = 16;
    int batch = 128;  // over all processes of one run
    // Stochastic gradient descent.
    double momentum = 0.9;
    bool nesterov = true;
    LearningRateSchedule schedule = LearningRateSchedule::one_cycle;
    double peak_learning_rate = 0.2;
    double warmup_epochs = 3.0;  // of the rise; at most `epochs`
    std::vector<int>
        decay_epochs{};  // of `step`: the rate falls after so many epochs; ascending, below `epochs`
    double decay_factor = 0.1;
    double weight_decay = 0.0005;  // of conv and linear weights; not of biases and batch-norm
    double label_smoothing = 0.0;
    double ema_decay =
        0.0;  // of the weights' moving average, a step; 0: there is none, else it is what counts
    Augmentation augmentation;
    TrainingPrecision precision = TrainingPrecision::bf16;
    bool channels_last = true;
    bool operator==(const Recipe&) const = default;
};

// At most 1 MiB. Throws InputError with file and line for an unknown or repeated key, a wrong type, or a
// value out of range.
Recipe load_recipe(const std::filesystem::path& file);
// `origin` stands for the file in messages.
Recipe parse_recipe(std::string_view yaml, const std::string& origin);
// A path, or the name of a recipe that comes with the program ("short"). InputError names those there are.
Recipe find_recipe(const std::string& name_or_file);
// The folder of the recipes that come with the program: $HACSCALE_RECIPES, else next to it
// (../share/hacscale/recipes), else the source tree's.
std::filesystem::path recipe_folder();
std::vector<std::string> recipe_names();  // sorted

// Every key that recipes had from the start, defaults included, and later ones that are set, in one fixed order, so that a
// recipe's hash stays what it was; parse_recipe(to_yaml(r)) == r.
std::string to_yaml(const Recipe& recipe);
// Stable fingerprint of what the recipe does, its name left out.
std::string recipe_hash(const Recipe& recipe);

// The recipe over another number of epochs, with warmup and decays at the same parts of it, under a name that says of which network the
// training FLOPs are. Returns the recipe as it is where the number of epochs is its own.
Recipe stretched(const Recipe& recipe, int epochs, const std::string& flops_of);
// How many epochs of a network of `macs` multiplies an image take as many training FLOPs as the recipe's epochs take of one of
// `other_macs`: rounded, at least one. Throws InputError for more epochs than a recipe may have.
int epochs_of_equal_flops(const Recipe& recipe, double macs, double other_macs);

// Of optimizer step `step` (from 0) when an epoch has `steps_per_epoch`. Above 0 at every step.
double learning_rate(const Recipe& recipe, long step, long steps_per_epoch);

std::string_view name_of(LearningRateSchedule schedule);
std::string_view name_of(TrainingPrecision precision);
TrainingPrecision training_precision_from_name(std::string_view name);  // throws InputError

}  // namespace hacscale
