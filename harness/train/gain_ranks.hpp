// How well gains rank networks that no coefficient was fitted to, and how near they come to their points.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"
#include "training/sensitivity.hpp"

namespace hacscale::harness {

struct GainRank {
    std::string gain;                   // "sensitivity", "capacity", "equal"
    std::optional<double> correlation;  // of ranks, with the points measured; nothing where it is undefined
    // Mean of |predicted - measured|, accuracy points. A gain in another unit is multiplied by what fits the combinations best (least
    // squares); nothing without them.
    std::optional<double> mean_error{};
};

// Over the networks held out: of the sensitivities' predictions, and, for comparison, of the two gains that
// need no training. The first is nothing where a prediction is.
std::vector<GainRank> gain_ranks(const ModelSpec& base, const Sensitivity& fit);

}  // namespace hacscale::harness
