// What layers with a number for each element of an image share: map_bias and map_scale.
#pragma once

#include <vector>

#include "models/ops/layer_weights.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {

inline std::int64_t elements_of_map(const LayerSpec& layer) {
    return MapSize{layer.in_channels, layer.in_height, layer.in_width}.elements();
}

// combine(x, number) for each element x of each image, and the activation.
template <typename Combine>
std::vector<double> outputs_with_map(const ReferenceCall& call, const std::vector<float>& map,
                                     Combine combine) {
    std::vector<double> result;
    result.reserve(call.input().size());
    for (const double x : call.input()) {
        const auto number = static_cast<double>(map[result.size() % map.size()]);
        result.push_back(activate(call.layer, combine(x, number)));
    }
    return result;
}

}  // namespace hacscale
