// What may be chosen: for each stage the widths and depths to look at, and the resolutions.
//
// Widths are multiples of a grid, since the kernels of every device work in groups of channels; depths are
// all integers between two ratios of the base depth. The base's own values are always among them, so the base
// is always a choice.
#pragma once

#include <vector>

#include "models/model_spec.hpp"
#include "models/scaled_model.hpp"

namespace hacscale {

struct SpaceSettings {
    int grid = 8;                  // channels
    double min_width_ratio = 0.5;  // of each stage's base width
    double max_width_ratio = 2.0;
    double min_depth_ratio = 0.5;  // of each stage's base depth; at least one block always stays
    double max_depth_ratio = 2.0;
    std::vector<int> resolutions;  // pixels; the base's is added; empty: the base's alone
};

struct StageSpace {
    std::vector<int> widths;  // ascending
    std::vector<int> depths;  // ascending
};

struct ScalingSpace {
    std::vector<StageSpace> stages;
    std::vector<int> resolutions;  // ascending

    // How many choices there are, as its decimal logarithm: the number itself can exceed any integer type.
    double log10_size() const;
    bool contains(const ScalingChoice& choice) const;
};

// Throws InputError for ratios, grids or resolutions that make no sense for this base (a minimum above 1, a
// maximum below 1, a grid outside 1..1024, a resolution at which a map of the base shrinks to nothing).
ScalingSpace make_space(const ModelSpec& base, const SpaceSettings& settings);

// Throws InputError when a space given by hand does not fit the base: another number of stages, an empty
// list, values that do not ascend or are outside 1..65536, or the base's own values missing.
void check(const ScalingSpace& space, const ModelSpec& base);

// The step between resolutions that networks of this input size use: 8 pixels, or 4 for inputs up to 64
// pixels.
int resolution_step(const ModelSpec& base);

}  // namespace hacscale
