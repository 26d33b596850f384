// What may be chosen: for each stage the widths and depths to look at, and the resolutions.
//
// Widths are multiples of a grid, since the kernels of every device work in groups of channels; depths are
// all integers between two ratios of the base depth. The base's own values are always among them, so the base
// is always a choice. The inner width of each block is derived from the stage's width and may, on its own, be
// chosen around the derived one.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "models/stages/model_spec.hpp"
#include "models/stages/scaled_model.hpp"

namespace hacscale {

struct SpaceSettings {
    int grid = 8;  // channels
    // Of each stage's base width, and of its base depth, of which at least one block always stays. Nothing: as
    // ratio_range() says for the budget in question, 0.5 to 2 for the base's latency.
    std::optional<double> min_width_ratio{};
    std::optional<double> max_width_ratio{};
    std::optional<double> min_depth_ratio{};
    std::optional<double> max_depth_ratio{};
    double min_inner_ratio = 1.0;  // of the derived inner width; both 1: inner widths are only derived
    double max_inner_ratio = 1.0;
    int inner_widths = 0;  // a block, at most, besides the derived one, spread evenly; 0: all on their grid
    std::vector<int> resolutions;  // pixels; the base's is added; empty: the base's alone
};

// Which inner widths a block may have.
class InnerSpace {
public:
    InnerSpace() = default;
    InnerSpace(const ModelSpec& base, const SpaceSettings& settings);

    // Whether there is anything to choose in some block.
    bool is_open() const { return max_ratio_ > min_ratio_; }
    // Of a block in a stage of this width, after a stage of the width before (of which the first stage has
    // none: the value is not looked at). First the derived width, then the others, ascending. One value,
    // 0, where a block has no inner width to choose.
    std::vector<int> options(std::size_t stage, int block, int width_before, int width) const;

private:
    int input_of(std::size_t stage, int block, int width_before, int width) const;

    ModelSpec base_;
    std::vector<InnerRule> rules_;  // one a stage
    double min_ratio_ = 1.0;
    double max_ratio_ = 1.0;
    int max_count_ = 0;
};

struct StageSpace {
    std::vector<int> widths;  // ascending
    std::vector<int> depths;  // ascending
    // The width is that of the stage before (tied_to_before()).
    bool tied_to_before = false;
};

struct ScalingSpace {
    std::vector<StageSpace> stages;
    std::vector<int> resolutions;  // ascending
    InnerSpace inner;

    // How many choices of widths, depths and resolution there are, as its decimal logarithm: the number
    // itself can exceed any integer type. Inner widths multiply it further.
    double log10_size() const;
    // The choice with another width of this stage, and of those after it that are tied to it.
    ScalingChoice with_width(ScalingChoice choice, std::size_t stage, int width) const;
    // Of widths, depths and resolution; inner widths are not looked at.
    bool contains(const ScalingChoice& choice) const;
};

// The settings with the ratios for this budget where none are given.
SpaceSettings for_budget(SpaceSettings settings, double budget);

// Throws InputError for ratios, grids or resolutions that make no sense for this base (a minimum above 1, a
// maximum below 1, a grid outside 1..1024, a resolution at which a map of the base shrinks to nothing).
ScalingSpace make_space(const ModelSpec& base, const SpaceSettings& settings);

// Which dimensions of a space may differ from the base.
enum class SearchDimensions {
    all,
    widths,  // of stages, and inner widths
    depths,
};

// The others at the base's values.
ScalingSpace restricted(const ScalingSpace& space, const ModelSpec& base, SearchDimensions dimensions);

// Throws InputError when a space given by hand does not fit the base: another number of stages, an empty
// list, values that do not ascend or are outside 1..65536, or the base's own values missing.
void check(const ScalingSpace& space, const ModelSpec& base);

// The step between resolutions that networks of this input size use: 8 pixels, or 4 for inputs up to 64
// pixels; of a rectangular input, the least multiple of it that leaves a whole width.
int resolution_step(const ModelSpec& base);

}  // namespace hacscale
