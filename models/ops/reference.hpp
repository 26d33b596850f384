// What every backend's outputs are compared with: each layer written out plainly, in double precision. Slow
// on purpose.
#pragma once

#include <vector>

#include "models/ops/layer_weights.hpp"

namespace hacscale {

// Dense NCHW in, dense NCHW out. `residual` has the output's size for a conv with a residual add and is empty
// otherwise.
std::vector<double> reference_layer(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                    const std::vector<double>& residual, const LayerWeights& weights);

// The same at some positions of the output only, which for a conv is so much less work.
std::vector<double> reference_outputs(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                      const std::vector<double>& residual, const LayerWeights& weights,
                                      const std::vector<std::size_t>& positions);

// ||actual - expected|| / ||expected||; infinite when anything is not a number or the sizes differ.
double relative_error(const std::vector<float>& actual, const std::vector<double>& expected);

}  // namespace hacscale
