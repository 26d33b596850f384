#include "kernels/backend/backend.hpp"

#include <cmath>

#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

constexpr std::size_t max_compared_outputs = 400;

double bound_for(DataType type) {
    if (type == DataType::i8) return 5e-2;
    return type == DataType::f32 ? 1e-4 : 2e-2;
}

std::vector<std::vector<double>> doubles(const std::vector<std::vector<float>>& tensors) {
    std::vector<std::vector<double>> result;
    for (const std::vector<float>& tensor : tensors) result.emplace_back(tensor.begin(), tensor.end());
    return result;
}

// Positions spread evenly over the tensor; the step is made odd, so that they don't fall into a rhythm with
// even sizes.
std::vector<std::size_t> spread(std::size_t count) {
    const std::size_t step = (count / max_compared_outputs) | 1;
    std::vector<std::size_t> positions;
    for (std::size_t i = 0; i < count; i += step) positions.push_back(i);
    positions.push_back(count - 1);
    return positions;
}

}  // namespace

SpotCheck spot_check(Backend& backend, const std::string& device, const LayerSpec& layer,
                     const CompileOptions& options) {
    const Graph network = single_layer(layer);
    const std::vector<LayerWeights> all_weights{random_weights(layer, 13)};
    CompileOptions with_weights = options;
    with_weights.weights = &all_weights;
    const Compiled compiled = backend.compile(device, network, with_weights);
    if (!compiled.runner) return {false, 0.0, compiled.reason};
    const std::size_t out =
        static_cast<std::size_t>(options.batch) * layer.out_channels * layer.out_height() * layer.out_width();
    const std::vector<std::vector<float>> inputs = random_inputs(network, options.batch, 11);
    const LayerWeights& weights = all_weights.front();
    compiled.runner->load(all_weights);
    set_inputs(*compiled.runner, inputs);
    compiled.runner->poison();
    compiled.runner->run();
    const std::vector<float> output = compiled.runner->output(0);

    SpotCheck check;
    const std::string kernel = " (" + compiled.runner->implementation(0) + ")";
    if (output.size() != out) {
        check.reason = "the output has " + std::to_string(output.size()) + " numbers instead of " +
                       std::to_string(out) + kernel;
        return check;
    }
    for (const float value : output) {
        if (std::isfinite(value)) continue;
        check.reason = "an output was not written or is not a number" + kernel;
        return check;
    }
    const std::vector<std::size_t> positions = spread(output.size());
    std::vector<float> actual;
    for (const std::size_t position : positions) actual.push_back(output[position]);
    const std::vector<std::vector<double>> read = doubles(inputs);
    ReferenceInputs tensors;
    for (const std::vector<double>& tensor : read) tensors.push_back(&tensor);
    const std::vector<double> expected = reference_outputs(layer, options.batch, tensors, weights, positions);
    check.relative_error = relative_error(actual, expected);
    check.right = check.relative_error <= bound_for(options.type);
    if (!check.right) {
        check.reason = "the output differs from the reference by " + std::to_string(check.relative_error) +
                       " (relative, allowed " + std::to_string(bound_for(options.type)) + ")" + kernel;
    }
    return check;
}

}  // namespace hacscale
