// What a choice is worth:
//     gain = sum over stages of width_s x worth(width / base width) + depth_s x worth(depth / base depth)
//            + sum over its blocks of inner_sb x worth(inner width / the derived one)
//            + resolution x worth(resolution / base resolution)
//            - imbalance x sum over neighbouring stages of max(width_s of the two) x max(0, |ln q| - ln 2)^2
// where q is the ratio of the two stages' width ratios.
// The base gains 0, and derived inner widths add nothing to their stage's width. Blocks beyond the
// base's have the inner coefficient of its last one. Below the base, gain is negative: a loss.
//
// worth(x) is ln x, or, where it saturates, (1 - x^-p) / p: equal slope at the base, less above, more below. A
// logarithm promises the same for every doubling; trained networks give less (docs/findings.md). The last
// term prices shapes that nobody would train: widths that alternate between narrow and wide ones cost a device
// little, and a sum over stages does not mind them. Neighbours whose ratios to the base differ by up to a factor
// of 2 are free, because networks that were trained show no harm from that (docs/method.md, "Gain").
//
// Coefficients come from one of five places.
//
//  - balanced, where nothing was measured: capacity's coefficients, saturating, with the price of imbalance.
//  - sensitivity: measured by short trainings; the unit is the file's, for example accuracy points. It does not
//    saturate, which did not predict better (docs/method.md, "Sensitivity"); imbalance is priced.
//  - importance: the stages' width coefficients are shared out in proportion to the importance of their
//    layers; their sum, and all else, are those of balanced.
//  - capacity, as it is. Capacity is sqrt(params x MACs) of one image: late stages hold
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

#include "models/graph/graph.hpp"
#include "models/stages/model_spec.hpp"
#include "models/stages/scaled_model.hpp"
#include "scaling/planner/chain_problem.hpp"
#include "scaling/space.hpp"

namespace hacscale {

enum class GainOrigin { capacity, equal, importance, sensitivity, balanced };

// p of worth(), and the factor of imbalance. Of twelve ResNet-20s at random widths and depths between half and twice the
// base's, trained and not fitted to, gain with these orders accuracies nearly as ln capacity does (rank correlation 0.84 and
// 0.89, which twelve networks cannot tell apart); with larger ones it orders them worse. So they are about the largest that
// the evidence bears, and no benefit that it showed.
constexpr double usual_saturation = 0.25;
constexpr double usual_imbalance = 0.5;

// worth() at a ratio whose logarithm this is.
double saturating_worth(double ln_ratio, double saturation);
// What two neighbours lose, for an imbalance and a greater coefficient of 1, when this is the logarithm of the quotient of their
// ratios to the base.
double parting_loss(double ln_quotient);

constexpr const char* capacity_unit = "ln capacity";

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
    std::string unit = capacity_unit;  // of a coefficient
    ScalingChoice base;                // what ratios are taken of
    ModelSpec model;                   // the base; what inner widths are derived from
    std::vector<StageGain> stages;
    std::optional<Coefficient> resolution;  // nothing: not known, so only the base's resolution can be judged
    double saturation = 0.0;                // p; 0: worth() is the logarithm
    double imbalance = 0.0;                 // 0: neighbours may differ as they like

    // InputError for another number of stages, or another resolution when its coefficient is not known.
    double of(const ScalingChoice& choice) const;
    // Of one dimension at this ratio to the base, for a coefficient of 1.
    double worth(int value, int base_value) const;
    // What two neighbouring stages of these widths lose by their imbalance; `stage` is the later one.
    double imbalance_loss(std::size_t stage, int width_before, int width) const;
};

// ln sqrt(params x MACs); a count of 0 is left out.
double ln_capacity(const Graph& network);

// What gains are when nothing is given.
Gain balanced_gain(const ModelSpec& base);
Gain capacity_gain(const ModelSpec& base);
Gain equal_gain(const ModelSpec& base);
// equal_gain() with worth() and the price of imbalance as the other gain has them.
Gain equal_weights_of(const Gain& gain);

// "capacity" instead of a file: capacity_gain().
constexpr const char* capacity_word = "capacity";
// Reads a sensitivity file, an importance file, or one of each (docs/formats.md); no file: balanced. Of two,
// the sensitivities say what stages are worth, and importance how their blocks share it. Throws InputError
// with file and line.
Gain load_gain(const std::vector<std::filesystem::path>& files, const ModelSpec& base);
Gain parse_gain(const std::string& text, const std::string& origin, const ModelSpec& base);

// Puts the gains of a space into the tables of stage_costs(), in gain quanta. InputError when inner widths
// are to be chosen and what they are worth is not known.
void set_gains(ChainProblem& problem, const ScalingSpace& space, const Gain& gain);

std::string_view name_of(GainOrigin origin);

}  // namespace hacscale
