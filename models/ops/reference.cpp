#include "models/ops/reference.hpp"

#include <cmath>
#include <limits>

#include "models/ops/operator.hpp"

namespace hacscale {

std::vector<double> reference_outputs(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                      const std::vector<double>& residual, const LayerWeights& weights,
                                      const std::vector<std::size_t>& positions) {
    const Operator& op = operator_of(layer.kind);
    const ReferenceCall call{layer, batch, input, residual, weights};
    std::vector<double> outputs;
    outputs.reserve(positions.size());
    if (op.reference_at != nullptr) {
        for (const std::size_t i : positions) outputs.push_back(op.reference_at(call, i));
        return outputs;
    }
    const std::vector<double> all = op.reference(call);
    for (const std::size_t i : positions) outputs.push_back(all[i]);
    return outputs;
}

std::vector<double> reference_layer(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                    const std::vector<double>& residual, const LayerWeights& weights) {
    return operator_of(layer.kind).reference({layer, batch, input, residual, weights});
}

double relative_error(const std::vector<float>& actual, const std::vector<double>& expected) {
    if (actual.size() != expected.size()) return std::numeric_limits<double>::infinity();
    double difference = 0.0;
    double norm = 0.0;
    for (std::size_t i = 0; i < actual.size(); ++i) {
        const double d = static_cast<double>(actual[i]) - expected[i];
        difference += d * d;
        norm += expected[i] * expected[i];
    }
    const double error = norm > 0.0 ? std::sqrt(difference / norm) : std::sqrt(difference);
    return std::isfinite(error) ? error : std::numeric_limits<double>::infinity();
}

}  // namespace hacscale
