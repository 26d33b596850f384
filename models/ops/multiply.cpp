// The product of two tensors, or their quotient, then an activation. The second tensor may have one number a channel, which is a
// gate made elsewhere, or one a pixel.
#include <array>

#include "models/ops/broadcast.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr std::array multiply_modes{Mode::plain,  Mode::per_channel,        Mode::per_pixel,
                                    Mode::divide, Mode::divide_per_channel, Mode::divide_per_pixel};

}  // namespace

constinit const Operator multiply_operator = operator_of_pair(
    LayerKind::multiply, "multiply", {"Mul", "Div"},
    [](KeyReader& key, LayerSpec& layer) { read_pair(key, layer, multiply_modes); },
    [](const LayerSpec& layer) { return fault_of_pair(layer, multiply_modes); },
    [](const ReferenceCall& call) {
        if (divides(call.layer.mode)) return outputs_of_pair(call, [](double x, double y) { return x / y; });
        return outputs_of_pair(call, [](double x, double y) { return x * y; });
    });

}  // namespace hacscale
