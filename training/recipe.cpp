#include "training/recipe.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/shipped_files.hpp"
#include "base/yaml/yaml_reader.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using detail::YamlFields;
using detail::YamlNode;

constexpr std::array schedules{LearningRateSchedule::one_cycle, LearningRateSchedule::cosine};
constexpr std::array precisions{TrainingPrecision::f32, TrainingPrecision::bf16};

template <typename Value, std::size_t count>
Value value_from(std::string_view name, const std::array<Value, count>& values) {
    std::string known;
    for (const Value value : values) {
        if (name_of(value) == name) return value;
        known += (known.empty() ? "" : " or ") + std::string(name_of(value));
    }
    throw InputError(fmt::format("expected {}, found '{:.60}'", known, name));
}

class RecipeReader {
public:
    RecipeReader(const YamlNode& root, const std::string& origin)
        : fields_(root, "a recipe",
                  {"name", "epochs", "batch", "momentum", "nesterov", "schedule", "peak_learning_rate",
                   "warmup_epochs", "weight_decay", "label_smoothing", "ema_decay", "augmentation",
                   "precision", "channels_last"},
                  origin),
          origin_(origin) {}

    Recipe read() const {
        Recipe recipe;
        recipe.name = detail::read_name(fields_.required("name"), "name", origin_);
        recipe.epochs = fields_.required_integer("epochs", {1, 100'000});
        recipe.batch = fields_.integer("batch", {1, 65'536}, recipe.batch);
        recipe.momentum = number("momentum", 0.0, 0.9999, recipe.momentum);
        recipe.nesterov = fields_.boolean("nesterov", recipe.nesterov);
        recipe.schedule = fields_.required_word(
            "schedule", [](const std::string& name) { return value_from(name, schedules); });
        const YamlNode& peak = fields_.required("peak_learning_rate");
        recipe.peak_learning_rate = detail::read_number(peak, "peak_learning_rate", 0.0, 100.0, origin_);
        recipe.warmup_epochs = number("warmup_epochs", 0.0, recipe.epochs,
                                      std::min<double>(recipe.warmup_epochs, recipe.epochs));
        recipe.weight_decay = number("weight_decay", 0.0, 1.0, recipe.weight_decay);
        recipe.label_smoothing = number("label_smoothing", 0.0, 0.9, recipe.label_smoothing);
        recipe.ema_decay = number("ema_decay", 0.0, 0.999999, recipe.ema_decay);
        if (const YamlNode* node = fields_.find("augmentation")) recipe.augmentation = augmentation(*node);
        recipe.precision = fields_.word(
            "precision", [](const std::string& name) { return value_from(name, precisions); },
            recipe.precision);
        recipe.channels_last = fields_.boolean("channels_last", recipe.channels_last);
        if (recipe.nesterov && recipe.momentum == 0.0) {
            throw InputError(origin_, fields_.line(), "nesterov: expected false where momentum is 0");
        }
        return recipe;
    }

private:
    double number(std::string_view key, double low, double high, double otherwise) const {
        const YamlNode* node = fields_.find(key);
        return node == nullptr ? otherwise : detail::read_number_between(*node, key, low, high, origin_);
    }

    Augmentation augmentation(const YamlNode& node) const {
        const YamlFields fields(node, "augmentation", {"flip", "crop_padding", "cutout"}, origin_);
        Augmentation read;
        read.flip = fields.boolean("flip", read.flip);
        read.crop_padding = fields.integer("crop_padding", {0, 64}, read.crop_padding);
        read.cutout = fields.integer("cutout", {0, 64}, read.cutout);
        return read;
    }

    YamlFields fields_;
    const std::string& origin_;
};

std::string content(const Recipe& recipe) {
    return fmt::format(
        "epochs: {}\nbatch: {}\nmomentum: {}\nnesterov: {}\nschedule: {}\npeak_learning_rate: {}\n"
        "warmup_epochs: {}\nweight_decay: {}\nlabel_smoothing: {}\nema_decay: {}\n"
        "augmentation: {{flip: {}, crop_padding: {}, cutout: {}}}\nprecision: {}\nchannels_last: {}\n",
        recipe.epochs, recipe.batch, recipe.momentum, recipe.nesterov, name_of(recipe.schedule),
        recipe.peak_learning_rate, recipe.warmup_epochs, recipe.weight_decay, recipe.label_smoothing,
        recipe.ema_decay, recipe.augmentation.flip, recipe.augmentation.crop_padding,
        recipe.augmentation.cutout, name_of(recipe.precision), recipe.channels_last);
}

}  // namespace

Recipe parse_recipe(std::string_view yaml, const std::string& origin) {
    const YamlNode root = detail::parse_yaml(yaml, origin);
    return RecipeReader(root, origin).read();
}

Recipe load_recipe(const fs::path& file) {
    return parse_recipe(detail::read_yaml_file(file, "a recipe"), file.string());
}

fs::path recipe_folder() {
    return shipped_folder("HACSCALE_RECIPES", "recipes", HACSCALE_RECIPE_FOLDER);
}

std::vector<std::string> recipe_names() {
    return shipped_names(recipe_folder());
}

Recipe find_recipe(const std::string& name_or_file) {
    return load_recipe(shipped_file(recipe_folder(), name_or_file, "recipe"));
}

std::string to_yaml(const Recipe& recipe) {
    // In quotes, because YAML takes "null" and "-" for other things than text.
    return fmt::format("name: \"{}\"\n{}", recipe.name, content(recipe));
}

std::string recipe_hash(const Recipe& recipe) {
    return hex_hash(content(recipe));
}

std::string_view name_of(LearningRateSchedule schedule) {
    return schedule == LearningRateSchedule::one_cycle ? "one_cycle" : "cosine";
}

TrainingPrecision training_precision_from_name(std::string_view name) {
    return value_from(name, precisions);
}

std::string_view name_of(TrainingPrecision precision) {
    return precision == TrainingPrecision::f32 ? "f32" : "bf16";
}

// Steps are taken at their middles, so that neither the first nor the last one of a run has the rate 0.
double learning_rate(const Recipe& recipe, long step, long steps_per_epoch) {
    const double total = static_cast<double>(recipe.epochs) * static_cast<double>(steps_per_epoch);
    const double warmup = std::min(recipe.warmup_epochs * static_cast<double>(steps_per_epoch), total);
    const double now = std::clamp(static_cast<double>(step) + 0.5, 0.5, total - 0.5);
    if (now < warmup) return recipe.peak_learning_rate * now / warmup;
    const double fall = (now - warmup) / (total - warmup);  // 0 at the peak, 1 at the end
    if (recipe.schedule == LearningRateSchedule::one_cycle) return recipe.peak_learning_rate * (1.0 - fall);
    return recipe.peak_learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * fall));
}

}  // namespace hacscale
