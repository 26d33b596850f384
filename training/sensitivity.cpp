#include "training/sensitivity.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "base/error.hpp"
#include "training/importance.hpp"

namespace hacscale {
namespace {

constexpr int width_grid = 8;
constexpr double points_of_all = 100.0;
constexpr int draws_each = 20;

int raised_width(int width) {
    const int half_more = (width + width / 2 + width_grid / 2) / width_grid * width_grid;
    return std::max(half_more, width + width_grid);
}

int raised_depth(int depth) {
    return depth + std::max(1, depth / 2);
}

std::vector<std::size_t> chosen_stages(const ModelSpec& base, const std::vector<std::string>& names) {
    std::vector<std::size_t> chosen;
    for (std::size_t s = 0; names.empty() && s < base.stages.size(); ++s) chosen.push_back(s);
    for (const std::string& name : names) {
        const auto found = std::find_if(base.stages.begin(), base.stages.end(),
                                        [&](const StageSpec& stage) { return stage.name == name; });
        if (found == base.stages.end()) {
            std::string known;
            for (const StageSpec& stage : base.stages) known += " " + stage.name;
            throw InputError(fmt::format("{} has no stage '{}'; it has{}", base.name, name, known));
        }
        const auto stage = static_cast<std::size_t>(found - base.stages.begin());
        if (std::find(chosen.begin(), chosen.end(), stage) != chosen.end()) {
            throw InputError(fmt::format("the stage '{}' is named twice", name));
        }
        chosen.push_back(stage);
    }
    return chosen;
}

bool can_be(const ModelSpec& base, const ScalingChoice& choice) {
    try {
        scaled(base, choice);
        return true;
    } catch (const InputError&) {
        return false;
    }
}

int nearest_on_grid(double width) {
    return std::max(width_grid, static_cast<int>(std::lround(width / width_grid)) * width_grid);
}

// Half to twice the base's in each of `stages`: widths evenly in their logarithm, as their effect on the gain
// is; depths evenly.
ScalingChoice random_choice(const ScalingChoice& start, const std::vector<std::size_t>& stages,
                            std::mt19937_64& random) {
    // The standard's distributions differ from platform to platform.
    const auto uniform = [&] { return static_cast<double>(random() >> 11) * 0x1.0p-53; };
    ScalingChoice choice = start;
    for (const std::size_t s : stages) {
        choice.widths[s] = nearest_on_grid(start.widths[s] * std::exp2(2.0 * uniform() - 1.0));
        const int min_depth = (start.depths[s] + 1) / 2;
        const int max_depth = 2 * start.depths[s];
        choice.depths[s] = min_depth + static_cast<int>(uniform() * (max_depth - min_depth + 1));
    }
    return choice;
}

class StepList {
public:
    explicit StepList(const ModelSpec& base) : base_(base) {}

    // True when the step is in the list now: it is new, and a model can have it.
    bool add(const std::string& name, StepKind kind, int stage, const ScalingChoice& choice) {
        for (const SensitivityStep& step : steps) {
            if (step.choice == choice) return false;
        }
        if (!can_be(base_, choice)) return false;
        steps.push_back({name, kind, stage, choice});
        return true;
    }

    std::vector<SensitivityStep> steps;

private:
    const ModelSpec& base_;
};

MeasuredGain over_seeds(const std::vector<double>& values) {
    const MeanAndDeviation figure = mean_and_deviation(values);
    MeasuredGain gain;
    gain.seeds = static_cast<int>(values.size());
    gain.mean = figure.mean;
    gain.spread = figure.deviation;
    return gain;
}

double log_ratio(int value, int base) {
    return std::log(static_cast<double>(value) / base);
}

// Accuracy points of each step by seed.
using Points = std::vector<std::map<std::uint64_t, double>>;

MeasuredGain gain_over_base(const Points& points, std::size_t base, std::size_t step) {
    std::vector<double> gains;
    for (const auto& [seed, accuracy] : points[step]) {
        const auto found = points[base].find(seed);
        if (found != points[base].end()) gains.push_back(accuracy - found->second);
    }
    return over_seeds(gains);
}

// Of a choice, the ln ratios to the base: widths of all stages, then depths.
std::vector<double> ln_ratios(const ScalingChoice& base, const ScalingChoice& choice) {
    std::vector<double> ratios;
    for (std::size_t s = 0; s < base.widths.size(); ++s) {
        ratios.push_back(log_ratio(choice.widths[s], base.widths[s]));
    }
    for (std::size_t s = 0; s < base.depths.size(); ++s) {
        ratios.push_back(log_ratio(choice.depths[s], base.depths[s]));
    }
    return ratios;
}

struct TrainedStep {
    std::vector<double> ln_ratios;
    double points = 0.0;  // over the base's
};

// The coefficients of at least 0 with the least sum of squares, by cyclic coordinate descent: the sum is convex, and each step finds
// the least along one coordinate. A dimension that no network changes has 0.
std::vector<double> least_squares(const std::vector<TrainedStep>& steps, std::size_t dimensions) {
    constexpr int most_rounds = 10'000;
    constexpr double negligible_points = 1e-12;
    std::vector<std::vector<double>> products(dimensions, std::vector<double>(dimensions, 0.0));
    std::vector<double> wanted(dimensions, 0.0);
    for (const TrainedStep& step : steps) {
        for (std::size_t i = 0; i < dimensions; ++i) {
            wanted[i] += step.ln_ratios[i] * step.points;
            for (std::size_t k = 0; k < dimensions; ++k) {
                products[i][k] += step.ln_ratios[i] * step.ln_ratios[k];
            }
        }
    }
    std::vector<double> coefficients(dimensions, 0.0);
    for (int round = 0; round < most_rounds; ++round) {
        double change = 0.0;
        for (std::size_t i = 0; i < dimensions; ++i) {
            if (products[i][i] == 0.0) continue;
            double rest = wanted[i];
            for (std::size_t k = 0; k < dimensions; ++k) {
                if (k != i) rest -= products[i][k] * coefficients[k];
            }
            const double next = std::max(0.0, rest / products[i][i]);
            change = std::max(change, std::abs(next - coefficients[i]));
            coefficients[i] = next;
        }
        if (change < negligible_points) break;
    }
    return coefficients;
}

// Of these seeds, or of one of them: what the coefficients are fitted to.
std::vector<TrainedStep> trained_steps(const std::vector<DimensionSensitivity*>& dimensions,
                                       const ScalingChoice& start, const std::vector<SensitivityStep>& steps,
                                       const Points& points, std::size_t base_step,
                                       std::optional<std::uint64_t> only_seed) {
    std::vector<TrainedStep> trained;
    for (std::size_t i = 0; i < steps.size(); ++i) {
        if (steps[i].kind == StepKind::base || steps[i].kind == StepKind::held_out) continue;
        const std::vector<double> ratios = ln_ratios(start, steps[i].choice);
        bool known = true;
        for (std::size_t d = 0; d < ratios.size(); ++d)
            known = known && (ratios[d] == 0.0 || dimensions[d] != nullptr);
        if (!known) continue;
        for (const auto& [seed, accuracy] : points[i]) {
            const auto base = points[base_step].find(seed);
            if (base == points[base_step].end() || (only_seed && seed != *only_seed)) continue;
            trained.push_back({ratios, accuracy - base->second});
        }
    }
    return trained;
}

// In the dimensions that were raised alone.
void set_coefficients(const std::vector<DimensionSensitivity*>& dimensions, const ScalingChoice& start,
                      const std::vector<SensitivityStep>& steps, const Points& points,
                      std::size_t base_step) {
    const auto fitted = [&](std::optional<std::uint64_t> only_seed) {
        return least_squares(trained_steps(dimensions, start, steps, points, base_step, only_seed),
                             dimensions.size());
    };
    const std::vector<double> all = fitted(std::nullopt);
    std::vector<std::vector<double>> by_seed(dimensions.size());
    for (const auto& [seed, accuracy] : points[base_step]) {
        const std::vector<double> one = fitted(seed);
        for (std::size_t d = 0; d < dimensions.size(); ++d) by_seed[d].push_back(one[d]);
    }
    for (std::size_t d = 0; d < dimensions.size(); ++d) {
        if (dimensions[d] == nullptr) continue;
        MeasuredGain& coefficient = dimensions[d]->coefficient;
        coefficient.mean = all[d];
        coefficient.seeds = dimensions[d]->points.seeds;
        // A seed with which the dimension was not raised alone says too little of it.
        if (coefficient.seeds > 1 && coefficient.seeds == static_cast<int>(by_seed[d].size())) {
            coefficient.spread = mean_and_deviation(by_seed[d]).deviation;
        } else if (coefficient.seeds > 1) {
            coefficient.spread = dimensions[d]->points.spread.value_or(0.0) / dimensions[d]->ln_ratio;
        }
    }
}

std::optional<double> predicted(const Sensitivity& fit, const ScalingChoice& base,
                                const ScalingChoice& choice) {
    double sum = 0.0;
    const auto add = [&](const std::optional<DimensionSensitivity>& dimension, double ln_ratio) {
        if (ln_ratio == 0.0) return true;
        if (dimension) sum += dimension->coefficient.mean * ln_ratio;
        return dimension.has_value();
    };
    for (std::size_t s = 0; s < fit.stages.size(); ++s) {
        if (!add(fit.stages[s].width, log_ratio(choice.widths[s], base.widths[s])) ||
            !add(fit.stages[s].depth, log_ratio(choice.depths[s], base.depths[s]))) {
            return std::nullopt;
        }
    }
    return sum;
}

}  // namespace

std::vector<SensitivityStep> sensitivity_steps(const ModelSpec& base, const std::vector<std::string>& stages,
                                               int held_out) {
    const ScalingChoice start = choice_of(base);
    StepList list(base);
    list.add("base", StepKind::base, -1, start);
    ScalingChoice all_widths = start;
    ScalingChoice all_depths = start;
    ScalingChoice everything = start;
    const std::vector<std::size_t> chosen = chosen_stages(base, stages);
    for (const std::size_t s : chosen) {
        ScalingChoice choice = start;
        choice.widths[s] = raised_width(start.widths[s]);
        if (list.add(fmt::format("{}.width-{}", base.stages[s].name, choice.widths[s]), StepKind::width,
                     static_cast<int>(s), choice)) {
            all_widths.widths[s] = everything.widths[s] = choice.widths[s];
        }
    }
    for (const std::size_t s : chosen) {
        ScalingChoice choice = start;
        choice.depths[s] = raised_depth(start.depths[s]);
        if (list.add(fmt::format("{}.depth-{}", base.stages[s].name, choice.depths[s]), StepKind::depth,
                     static_cast<int>(s), choice)) {
            all_depths.depths[s] = everything.depths[s] = choice.depths[s];
        }
    }
    list.add("all-widths", StepKind::combination, -1, all_widths);
    list.add("all-depths", StepKind::combination, -1, all_depths);
    list.add("all-widths-and-depths", StepKind::combination, -1, everything);
    std::mt19937_64 random(1);
    int drawn = 0;
    // A small space can have fewer networks than are asked for.
    for (int attempts = 0; drawn < held_out && attempts < draws_each * held_out; ++attempts) {
        const ScalingChoice choice = random_choice(start, chosen, random);
        if (list.add(fmt::format("held-out-{}", drawn + 1), StepKind::held_out, -1, choice)) ++drawn;
    }
    return std::move(list.steps);
}

ModelSpec model_of(const ModelSpec& base, const SensitivityStep& step) {
    ModelSpec model = scaled(base, step.choice);
    if (step.kind != StepKind::base) model.name += "+" + step.name;
    return model;
}

std::vector<SensitivityRun> sensitivity_runs(const std::vector<SensitivityStep>& steps, int seeds) {
    const auto part = [](StepKind kind) {
        return kind == StepKind::held_out ? 2 : kind == StepKind::combination ? 1 : 0;
    };
    std::vector<SensitivityRun> runs;
    for (int now = 0; now < 3; ++now) {
        for (int seed = 1; seed <= seeds; ++seed) {
            for (std::size_t i = 0; i < steps.size(); ++i) {
                if (part(steps[i].kind) == now) runs.push_back({i, static_cast<std::uint64_t>(seed)});
            }
        }
    }
    return runs;
}

Sensitivity fit_sensitivity(const ModelSpec& base, const std::vector<SensitivityStep>& steps,
                            const std::vector<StepAccuracy>& accuracies) {
    Points points(steps.size());
    for (const StepAccuracy& one : accuracies) points.at(one.step)[one.seed] = points_of_all * one.accuracy;
    Sensitivity fit;
    fit.stages.resize(base.stages.size());
    const auto is_base = [](const SensitivityStep& step) { return step.kind == StepKind::base; };
    const auto found = std::find_if(steps.begin(), steps.end(), is_base);
    if (found == steps.end()) return fit;
    const auto base_step = static_cast<std::size_t>(found - steps.begin());
    std::vector<double> base_points;
    for (const auto& [seed, accuracy] : points[base_step]) base_points.push_back(accuracy);
    if (base_points.empty()) return fit;
    fit.base = over_seeds(base_points);

    const ScalingChoice start = choice_of(base);
    // Widths of all stages, then depths.
    std::vector<DimensionSensitivity*> dimensions(2 * base.stages.size(), nullptr);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const SensitivityStep& step = steps[i];
        if (step.kind != StepKind::width && step.kind != StepKind::depth) continue;
        DimensionSensitivity dimension;
        dimension.points = gain_over_base(points, base_step, i);
        if (dimension.points.seeds == 0) continue;
        const auto s = static_cast<std::size_t>(step.stage);
        const bool width = step.kind == StepKind::width;
        const std::size_t place = width ? s : base.stages.size() + s;
        dimension.ln_ratio = ln_ratios(start, step.choice)[place];
        std::optional<DimensionSensitivity>& entry = width ? fit.stages[s].width : fit.stages[s].depth;
        entry = dimension;
        dimensions[place] = &*entry;
    }
    set_coefficients(dimensions, start, steps, points, base_step);
    for (std::size_t i = 0; i < steps.size(); ++i) {
        const SensitivityStep& step = steps[i];
        if (step.kind != StepKind::combination && step.kind != StepKind::held_out) continue;
        const MeasuredGain gain = gain_over_base(points, base_step, i);
        if (gain.seeds == 0) continue;
        (step.kind == StepKind::combination ? fit.combinations : fit.held_out)
            .push_back({step.name, step.choice, gain, predicted(fit, start, step.choice)});
    }
    return fit;
}

}  // namespace hacscale
