#include "training/recipe.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "base/hash.hpp"
#include "base/shipped_files.hpp"
#include "base/yaml/yaml_reader.hpp"

namespace hacscale {
namespace {

namespace fs = std::filesystem;
using detail::YamlFields;
using detail::YamlNode;

constexpr std::array schedules{LearningRateSchedule::one_cycle, LearningRateSchedule::cosine,
                               LearningRateSchedule::step};
constexpr int max_epochs = 100'000;
constexpr std::size_t max_letters_of_recipe = 100;
constexpr std::size_t max_decays = 100;
// Below it, the shares that are drawn are all but 0 and 1.
constexpr double smallest_mixup = 0.01;
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
                   "warmup_epochs", "decay_epochs", "decay_factor", "weight_decay", "label_smoothing",
                   "ema_decay", "augmentation", "precision", "channels_last"},
                  origin),
          origin_(origin) {}

    Recipe read() const {
        Recipe recipe;
        recipe.name = detail::read_name(fields_.required("name"), "name", origin_);
        recipe.epochs = fields_.required_integer("epochs", {1, max_epochs});
        recipe.batch = fields_.integer("batch", {1, 65'536}, recipe.batch);
        recipe.momentum = number("momentum", 0.0, 0.9999, recipe.momentum);
        recipe.nesterov = fields_.boolean("nesterov", recipe.nesterov);
        recipe.schedule = fields_.required_word(
            "schedule", [](const std::string& name) { return value_from(name, schedules); });
        const YamlNode& peak = fields_.required("peak_learning_rate");
        recipe.peak_learning_rate = detail::read_number(peak, "peak_learning_rate", 0.0, 100.0, origin_);
        recipe.warmup_epochs = number("warmup_epochs", 0.0, recipe.epochs,
                                      std::min<double>(recipe.warmup_epochs, recipe.epochs));
        read_decay(recipe);
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

    void read_decay(Recipe& recipe) const {
        const YamlNode* epochs = fields_.find("decay_epochs");
        if (recipe.schedule != LearningRateSchedule::step) {
            for (const char* key : {"decay_epochs", "decay_factor"}) {
                if (const YamlNode* node = fields_.find(key)) {
                    fail(*node, fmt::format("{}: only the schedule step has it", key));
                }
            }
            return;
        }
        recipe.decay_factor = number("decay_factor", 1e-6, 1.0, recipe.decay_factor);
        if (epochs == nullptr)
            fail(fields_.required("schedule"), "schedule: step needs the key 'decay_epochs'");
        if (epochs->kind != YamlNode::Kind::sequence || epochs->items.empty() ||
            epochs->items.size() > max_decays) {
            fail(*epochs, fmt::format("decay_epochs: expected a list of 1 to {} epochs", max_decays));
        }
        for (const YamlNode& item : epochs->items) {
            const int lowest = recipe.decay_epochs.empty() ? 1 : recipe.decay_epochs.back() + 1;
            const int highest = recipe.epochs - 1;
            const int epoch = detail::read_integer(item, "decay_epochs", {1, max_epochs}, origin_);
            if (epoch < lowest || epoch > highest) {
                fail(item, fmt::format("decay_epochs: expected ascending numbers from 1 to {}, found {}",
                                       highest, epoch));
            }
            recipe.decay_epochs.push_back(epoch);
        }
    }

    [[noreturn]] void fail(const YamlNode& node, const std::string& message) const {
        throw InputError(origin_, node.line, message);
    }

    Augmentation augmentation(const YamlNode& node) const {
        const YamlFields fields(
            node, "augmentation",
            {"flip", "crop_padding", "cutout", "random_resized_crop", "random_erasing", "mixup"}, origin_);
        Augmentation read;
        read.flip = fields.boolean("flip", read.flip);
        if (const YamlNode* crop = fields.find("random_resized_crop")) {
            read.random_resized_crop = random_resized_crop(*crop);
            read.crop_padding = 0;
        }
        read.crop_padding = fields.integer("crop_padding", {0, 64}, read.crop_padding);
        if (read.random_resized_crop && read.crop_padding > 0) {
            fail(*fields.find("crop_padding"),
                 "crop_padding: expected 0 beside random_resized_crop, which moves the image already");
        }
        read.cutout = fields.integer("cutout", {0, 1024}, read.cutout);
        if (const YamlNode* value = fields.find("random_erasing")) {
            read.random_erasing = detail::read_number_between(*value, "random_erasing", 0.0, 1.0, origin_);
        }
        if (const YamlNode* value = fields.find("mixup")) {
            read.mixup = detail::read_number_between(*value, "mixup", 0.0, 2.0, origin_);
            if (read.mixup > 0.0 && read.mixup < smallest_mixup) {
                fail(*value,
                     fmt::format("mixup: expected 0, or {} to 2, found {}", smallest_mixup, read.mixup));
            }
        }
        return read;
    }

    RandomResizedCrop random_resized_crop(const YamlNode& node) const {
        const YamlFields fields(node, "random_resized_crop", {"scale", "ratio"}, origin_);
        RandomResizedCrop read;
        std::tie(read.min_scale, read.max_scale) =
            range(fields, "scale", 0.01, 1.0, {read.min_scale, read.max_scale});
        std::tie(read.min_ratio, read.max_ratio) =
            range(fields, "ratio", 0.1, 10.0, {read.min_ratio, read.max_ratio});
        return read;
    }

    std::pair<double, double> range(const YamlFields& fields, std::string_view key, double low, double high,
                                    std::pair<double, double> otherwise) const {
        const YamlNode* node = fields.find(key);
        if (node == nullptr) return otherwise;
        if (node->kind != YamlNode::Kind::sequence || node->items.size() != 2) {
            fail(*node, fmt::format("{}: expected a list of the smallest and the largest", key));
        }
        const double first = detail::read_number_between(node->items[0], key, low, high, origin_);
        const double last = detail::read_number_between(node->items[1], key, low, high, origin_);
        if (first > last) fail(*node, fmt::format("{}: expected the smaller number first", key));
        return {first, last};
    }

    YamlFields fields_;
    const std::string& origin_;
};

// Keys that came later are named only where they are set, so that the hashes of older recipes stay.
std::string content(const Recipe& recipe) {
    const Augmentation& augmentation = recipe.augmentation;
    std::string more;
    if (augmentation.random_resized_crop) {
        const RandomResizedCrop& crop = *augmentation.random_resized_crop;
        more += fmt::format(", random_resized_crop: {{scale: [{}, {}], ratio: [{}, {}]}}", crop.min_scale,
                            crop.max_scale, crop.min_ratio, crop.max_ratio);
    }
    if (augmentation.random_erasing > 0.0)
        more += fmt::format(", random_erasing: {}", augmentation.random_erasing);
    if (augmentation.mixup > 0.0) more += fmt::format(", mixup: {}", augmentation.mixup);
    std::string decay;
    if (recipe.schedule == LearningRateSchedule::step) {
        decay = fmt::format("decay_epochs: [{}]\ndecay_factor: {}\n", fmt::join(recipe.decay_epochs, ", "),
                            recipe.decay_factor);
    }
    return fmt::format(
        "epochs: {}\nbatch: {}\nmomentum: {}\nnesterov: {}\nschedule: {}\npeak_learning_rate: {}\n"
        "warmup_epochs: {}\n{}weight_decay: {}\nlabel_smoothing: {}\nema_decay: {}\n"
        "augmentation: {{flip: {}, crop_padding: {}, cutout: {}{}}}\nprecision: {}\nchannels_last: {}\n",
        recipe.epochs, recipe.batch, recipe.momentum, recipe.nesterov, name_of(recipe.schedule),
        recipe.peak_learning_rate, recipe.warmup_epochs, decay, recipe.weight_decay, recipe.label_smoothing,
        recipe.ema_decay, augmentation.flip, augmentation.crop_padding, augmentation.cutout, more,
        name_of(recipe.precision), recipe.channels_last);
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

Recipe stretched(const Recipe& recipe, int epochs, const std::string& flops_of) {
    if (epochs == recipe.epochs) return recipe;
    Recipe longer = recipe;
    const double factor = static_cast<double>(epochs) / recipe.epochs;
    longer.epochs = epochs;
    longer.warmup_epochs = recipe.warmup_epochs * factor;
    longer.decay_epochs.clear();
    // Decays that fall together, or past the end, in a recipe that was shortened are one, or none.
    for (const int epoch : recipe.decay_epochs) {
        const int moved = std::max(1, static_cast<int>(std::lround(epoch * factor)));
        const int before = longer.decay_epochs.empty() ? 0 : longer.decay_epochs.back();
        if (moved > before && moved < epochs) longer.decay_epochs.push_back(moved);
    }
    longer.name = (recipe.name + "-flops-of-" + flops_of).substr(0, max_letters_of_recipe);
    // Networks may have letters in their names that recipes may not.
    std::replace_if(
        longer.name.begin(), longer.name.end(), [](char letter) { return letter == '+' || letter == '@'; },
        '-');
    return longer;
}

int epochs_of_equal_flops(const Recipe& recipe, double macs, double other_macs) {
    const double epochs = std::max(1.0, std::round(recipe.epochs * other_macs / macs));
    if (epochs <= max_epochs) return static_cast<int>(epochs);
    throw InputError(fmt::format("as many training FLOPs take {:.0f} epochs, and a recipe has at most {}",
                                 epochs, max_epochs));
}

std::string_view name_of(LearningRateSchedule schedule) {
    switch (schedule) {
        case LearningRateSchedule::one_cycle:
            return "one_cycle";
        case LearningRateSchedule::cosine:
            return "cosine";
        case LearningRateSchedule::step:
            return "step";
    }
    return "one_cycle";
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
    if (recipe.schedule == LearningRateSchedule::step) {
        const long epochs_done = step / std::max(steps_per_epoch, 1L);
        const auto decays = std::count_if(recipe.decay_epochs.begin(), recipe.decay_epochs.end(),
                                          [&](int epoch) { return epoch <= epochs_done; });
        return recipe.peak_learning_rate * std::pow(recipe.decay_factor, static_cast<double>(decays));
    }
    const double fall = (now - warmup) / (total - warmup);  // 0 at the peak, 1 at the end
    if (recipe.schedule == LearningRateSchedule::one_cycle) return recipe.peak_learning_rate * (1.0 - fall);
    return recipe.peak_learning_rate * 0.5 * (1.0 + std::cos(std::numbers::pi * fall));
}

}  // namespace hacscale
