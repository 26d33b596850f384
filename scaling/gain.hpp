// What a choice is worth:
//     gain = sum over stages of width_s x ln(width / base width) + depth_s x ln(depth / base depth)
//            + sum over its blocks of inner_sb x ln(inner width / the derived one)
//            + resolution x ln(resolution / base resolution)
// The base gains 0, and derived inner widths add nothing to their stage's width. Blocks beyond the
// base's have the inner coefficient of its last one. Coefficients come from one of four places.
//
//  - sensitivity: measured by short trainings; the unit is the file's, for example accuracy points.
//  - importance: the stages' width coefficients are shared out in proportion to the importance of their
//    layers; their sum, and the other coefficients, are those of capacity.
//  - capacity, where nothing was measured. Capacity is sqrt(params x MACs) of one image: late stages hold
//    most params and early ones most MACs, and either alone would put all growth at one end. ln capacity is
//    not additive over stages, so each coefficient is its mean slope between the base and the base with that
//    one dimension doubled: ln(capacity ratio) / ln 2. The gain is then ln(capacity ratio) to first order,
//    exact for one doubled dimension.
//  - equal: capacity with its differences between stages taken out; each stage has the mean coefficients.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "models/stages/scaled_model.hpp"
#include "scaling/planner/chain_problem.hpp"
#include "scaling/space.hpp"

namespace hacscale {

enum class GainOrigin { capacity, equal, importance, sensitivity };

struct Coefficient {
    double value = 0.0;
    double spread = 0.0;  // one standard deviation; 0 where none is known
};

struct StageGain {
    Coefficient width;
    Coefficient depth;
    // One a block of the base, 0 for a block without a free inner width. It is the share of the width's
    // coefficient that belongs to the block's inner layers: by their importance, or where that is not known
    // by capacity. Empty: not known.
    std::vector<double> inner{};
};

struct Gain {
    GainOrigin origin = GainOrigin::capacity;
    std::string unit = "ln capacity";  // of a coefficient
    ScalingChoice base;                // what ratios are taken of
    ModelSpec model;                   // the base; what inner widths are derived from
    std::vector<StageGain> stages;
    std::optional<Coefficient> resolution;  // nothing: not known, so only the base's resolution can be judged

    // InputError for another number of stages, or another resolution when its coefficient is not known.
    double of(const ScalingChoice& choice) const;
};

Gain capacity_gain(const ModelSpec& base);
Gain equal_gain(const ModelSpec& base);

// Reads a sensitivity file, an importance file, or one of each (docs/formats.md); no file: capacity. Of two,
// the sensitivities say what stages are worth, and importance how their blocks share it. Throws InputError
// with file and line.
Gain load_gain(const std::vector<std::filesystem::path>& files, const ModelSpec& base);
Gain parse_gain(const std::string& text, const std::string& origin, const ModelSpec& base);

// Puts the gains of a space into the tables of stage_costs(), in gain quanta. InputError when inner widths
// are to be chosen and what they are worth is not known.
void set_gains(ChainProblem& problem, const ScalingSpace& space, const Gain& gain);

std::string_view name_of(GainOrigin origin);

}  // namespace hacscale
