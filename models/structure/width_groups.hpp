// Which widths of a ModelSpec are one number. A network's widths are numbers in its ModelSpec: those of the plain layers of
// stem and head, of each stage, and the inner width of each block. Each sets the channels of some layers; widths that set
// channels of one group (channel_groups.hpp) can only change together. The edges at the base's own widths say what is tied.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale {

struct WidthParameter {
    enum class Place { stem, stage, inner, head };
    Place place = Place::stage;
    int index = 0;  // of the plain layer in stem or head; of the stage otherwise
    int block = 0;  // inner only
    bool operator==(const WidthParameter&) const = default;
};

struct WidthGroup {
    // In the order of the network, at least one. More than one where layers tie them.
    std::vector<WidthParameter> parameters;
    std::string name;    // of the parameters, as "stem.conv1 + stage1" or "stage1.block2 inner"
    int base_width = 0;  // channels
    int multiple = 1;    // the width is a multiple of it, for a grouped conv
};

// All widths that can be chosen, in the order of the network; the channels of the input and what the last
// layer puts out cannot. `base` passes check().
std::vector<WidthGroup> width_groups(const ModelSpec& base);

// The base with this group at `width` and everything else as it is. What it returns may fail check().
ModelSpec widened(const ModelSpec& base, const WidthGroup& group, int width);

}  // namespace hacscale
