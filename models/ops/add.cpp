// The sum of two tensors, then an activation: a residual add that no conv can take over. The second tensor may have one number
// a channel or one a pixel.
#include <array>

#include "models/ops/broadcast.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr std::array add_modes{Mode::plain, Mode::per_channel, Mode::per_pixel};

}  // namespace

constinit const Operator add_operator = operator_of_pair(
    LayerKind::add, "add", {"Add", "Sum"},
    [](KeyReader& key, LayerSpec& layer) { read_pair(key, layer, add_modes); },
    [](const LayerSpec& layer) { return fault_of_pair(layer, add_modes); },
    [](const ReferenceCall& call) {
        return outputs_of_pair(call, [](double x, double y) { return x + y; });
    });

}  // namespace hacscale
