#include "scaling/space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "scaling/budget.hpp"

namespace hacscale {
namespace {

constexpr int largest_size = 65536;    // of a width or a resolution, as ModelSpec allows
constexpr double largest_ratio = 100;  // beyond this a space is a mistake

void check_ratios(std::string_view what, double low, double high) {
    if (!(low > 0.0 && low <= 1.0)) {
        throw InputError(
            fmt::format("the least {} ratio is {}, expected more than 0 and at most 1", what, low));
    }
    if (!(high >= 1.0 && high <= largest_ratio)) {
        throw InputError(
            fmt::format("the largest {} ratio is {}, expected 1 to {}", what, high, largest_ratio));
    }
}

void insert_sorted(std::vector<int>& values, int value) {
    const auto at = std::lower_bound(values.begin(), values.end(), value);
    if (at == values.end() || *at != value) values.insert(at, value);
}

// Ratios come from decimal texts, so a product that should be an integer may be off in its last bits.
constexpr double rounding = 1e-9;

std::vector<int> widths_of(const StageSpec& stage, const SpaceSettings& settings) {
    const double low = std::ceil(stage.width * *settings.min_width_ratio / settings.grid - rounding);
    const double high = std::floor(stage.width * *settings.max_width_ratio / settings.grid + rounding);
    std::vector<int> widths;
    for (int multiple = std::max(1, static_cast<int>(low)); multiple <= static_cast<int>(high); ++multiple) {
        if (multiple * settings.grid <= largest_size) widths.push_back(multiple * settings.grid);
    }
    insert_sorted(widths, stage.width);
    return widths;
}

std::vector<int> depths_of(const StageSpec& stage, const SpaceSettings& settings) {
    const int low =
        std::max(1, static_cast<int>(std::ceil(stage.depth * *settings.min_depth_ratio - rounding)));
    const int high = static_cast<int>(std::floor(stage.depth * *settings.max_depth_ratio + rounding));
    std::vector<int> depths;
    for (int depth = low; depth <= std::min(high, max_stage_depth); ++depth) depths.push_back(depth);
    return depths;
}

void check_values(const std::vector<int>& values, int base, int largest, const std::string& what) {
    if (values.empty()) throw InputError(what + ": the list is empty; give at least the base's value");
    if (values.front() < 1 || values.back() > largest) {
        throw InputError(fmt::format("{}: values must be within 1 and {}", what, largest));
    }
    if (std::adjacent_find(values.begin(), values.end(), std::greater_equal<>()) != values.end()) {
        throw InputError(what + ": values must ascend, each given once");
    }
    if (!std::binary_search(values.begin(), values.end(), base)) {
        throw InputError(fmt::format("{}: the base's value {} is missing; add it", what, base));
    }
}

// `most` of these values, spread evenly, the first and the last among them; all of them where there are
// fewer.
std::vector<int> spread(const std::vector<int>& values, std::size_t max_count) {
    if (max_count == 0 || values.size() <= max_count) return values;
    if (max_count == 1) return {values.back()};
    std::vector<int> some;
    for (std::size_t i = 0; i < max_count; ++i)
        some.push_back(values[i * (values.size() - 1) / (max_count - 1)]);
    return some;
}

}  // namespace

InnerSpace::InnerSpace(const ModelSpec& base, const SpaceSettings& settings)
    : base_(base),
      min_ratio_(settings.min_inner_ratio),
      max_ratio_(settings.max_inner_ratio),
      max_count_(settings.inner_widths) {
    for (int stage = 0; stage < static_cast<int>(base.stages.size()); ++stage) {
        rules_.emplace_back(base, stage);
    }
}

int InnerSpace::input_of(std::size_t stage, int block, int width_before, int width) const {
    if (block > 0) return width;
    if (stage > 0) return width_before;
    ScalingChoice choice = choice_of(base_);
    choice.widths.front() = width;
    return stage_input_width(scaled(base_, choice), 0);
}

std::vector<int> InnerSpace::options(std::size_t stage, int block, int width_before, int width) const {
    if (rules_.empty() || !rules_[stage].is_free(block)) return {0};
    const InnerRule& rule = rules_[stage];
    const int input = input_of(stage, block, width_before, width);
    const int derived = rule.derived(block, input, width);
    std::vector<int> values{derived};
    if (!is_open()) return values;
    const int grid = rule.grid();
    const int low = std::max(1, static_cast<int>(std::ceil(derived * min_ratio_ / grid - rounding)));
    const int high =
        static_cast<int>(std::floor(std::min<double>(derived * max_ratio_, largest_size) / grid + rounding));
    std::vector<int> others;
    for (int multiple = low; multiple <= high; ++multiple) {
        const int value = multiple * grid;
        // An inner width equal to its input would say that there is no expansion conv.
        if (value != derived && value != input) others.push_back(value);
    }
    others = spread(others, static_cast<std::size_t>(max_count_));
    values.insert(values.end(), others.begin(), others.end());
    return values;
}

double ScalingSpace::log10_size() const {
    double sum = std::log10(static_cast<double>(resolutions.size()));
    for (const StageSpace& stage : stages) {
        sum +=
            std::log10(static_cast<double>(stage.widths.size()) * static_cast<double>(stage.depths.size()));
    }
    return sum;
}

ScalingChoice ScalingSpace::with_width(ScalingChoice choice, std::size_t stage, int width) const {
    choice.widths[stage] = width;
    for (std::size_t i = stage + 1; i < stages.size() && stages[i].tied_to_before; ++i) {
        choice.widths[i] = width;
    }
    return choice;
}

bool ScalingSpace::contains(const ScalingChoice& choice) const {
    if (choice.widths.size() != stages.size() || choice.depths.size() != stages.size()) return false;
    for (std::size_t i = 0; i < stages.size(); ++i) {
        if (!std::binary_search(stages[i].widths.begin(), stages[i].widths.end(), choice.widths[i])) {
            return false;
        }
        if (!std::binary_search(stages[i].depths.begin(), stages[i].depths.end(), choice.depths[i])) {
            return false;
        }
    }
    return std::binary_search(resolutions.begin(), resolutions.end(), choice.resolution);
}

SpaceSettings for_budget(SpaceSettings settings, double budget) {
    const RatioRange range = ratio_range(budget);
    settings.min_width_ratio = settings.min_width_ratio.value_or(range.least);
    settings.max_width_ratio = settings.max_width_ratio.value_or(range.largest);
    settings.min_depth_ratio = settings.min_depth_ratio.value_or(range.least);
    settings.max_depth_ratio = settings.max_depth_ratio.value_or(range.largest);
    return settings;
}

ScalingSpace make_space(const ModelSpec& base, const SpaceSettings& given) {
    const SpaceSettings settings = for_budget(given, 1.0);
    if (settings.grid < 1 || settings.grid > 1024) {
        throw InputError(fmt::format("the width grid is {}, expected 1 to 1024 channels", settings.grid));
    }
    check_ratios("width", *settings.min_width_ratio, *settings.max_width_ratio);
    check_ratios("depth", *settings.min_depth_ratio, *settings.max_depth_ratio);
    check_ratios("inner width", settings.min_inner_ratio, settings.max_inner_ratio);
    if (settings.inner_widths < 0) {
        throw InputError(
            fmt::format("at most {} inner widths a block, expected 0 (all) or more", settings.inner_widths));
    }
    ScalingSpace space;
    const std::vector<bool> fixed = given_widths(base);
    for (std::size_t i = 0; i < base.stages.size(); ++i) {
        const StageSpec& stage = base.stages[i];
        space.stages.push_back({fixed[i] ? std::vector<int>{stage.width} : widths_of(stage, settings),
                                depths_of(stage, settings), tied_to_before(base, i)});
    }
    space.resolutions = {base.resolution};
    for (const int resolution : settings.resolutions) insert_sorted(space.resolutions, resolution);
    space.inner = InnerSpace(base, settings);
    check(space, base);
    return space;
}

void check(const ScalingSpace& space, const ModelSpec& base) {
    if (base.stages.empty()) throw InputError("the base model has no stages; there is nothing to scale");
    if (space.stages.size() != base.stages.size()) {
        throw InputError(fmt::format("the scaling space has {} stages, but the model has {}",
                                     space.stages.size(), base.stages.size()));
    }
    for (std::size_t i = 0; i < space.stages.size(); ++i) {
        const StageSpec& stage = base.stages[i];
        const std::string where = fmt::format("scaling space, stage {}", i + 1);
        check_values(space.stages[i].widths, stage.width, largest_size, where + ", widths");
        check_values(space.stages[i].depths, stage.depth, max_stage_depth, where + ", depths");
    }
    check_values(space.resolutions, base.resolution, largest_size, "scaling space, resolutions");
    for (const int resolution : space.resolutions) {
        ScalingChoice choice = choice_of(base);
        choice.resolution = resolution;
        try {
            scaled(base, choice);
        } catch (const InputError& error) {
            throw InputError(fmt::format("scaling space, resolution {}: {}", resolution, error.what()));
        }
    }
}

int resolution_step(const ModelSpec& base) {
    const int step = base.resolution <= 64 ? 4 : 8;
    // Heights that leave a whole width.
    return std::lcm(step, base.resolution / std::gcd(base.resolution, base.input_pixels_across()));
}

ScalingSpace restricted(const ScalingSpace& space, const ModelSpec& base, SearchDimensions dimensions) {
    if (dimensions == SearchDimensions::all) return space;
    ScalingSpace result = space;
    result.resolutions = {base.resolution};
    for (std::size_t s = 0; s < result.stages.size(); ++s) {
        if (dimensions == SearchDimensions::widths) result.stages[s].depths = {base.stages[s].depth};
        if (dimensions == SearchDimensions::depths) result.stages[s].widths = {base.stages[s].width};
    }
    if (dimensions == SearchDimensions::depths) result.inner = InnerSpace();
    return result;
}

}  // namespace hacscale
