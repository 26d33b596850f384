// Every kind of layer in every data type on the GPU against the double-precision reference, over generated
// shapes and poisoned outputs.
#include <gtest/gtest.h>

#include <tuple>

#include "kernels/cuda/cuda_device.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/kernels/layer_families.hpp"

namespace hacscale {
namespace {

class GpuLayer : public testing::GpuTest,
                 public ::testing::WithParamInterface<std::tuple<LayerKind, DataType>> {};

TEST_P(GpuLayer, EqualsTheReference) {
    const auto [kind, type] = GetParam();
    if (const std::string reason = backend().unsupported_reason(device(), type); !reason.empty()) {
        GTEST_SKIP() << "skipped: " << reason;
    }
    std::uint64_t seed = 300;
    for (LayerSpec layer : testing::layer_family(kind, kind == LayerKind::conv ? 30 : 12, 7)) {
        layer.layout = Layout::channels_last;
        const auto batch = static_cast<int>(1 + seed % 3);
        const Graph network = single_layer(layer);
        const std::vector<LayerWeights> weights{random_weights(layer, ++seed)};
        const std::vector<std::vector<float>> inputs = random_inputs(network, batch, ++seed);
        const Compiled compiled = backend().compile(device(), network, {batch, type});
        ASSERT_TRUE(compiled.runner) << layer.key() << ": " << compiled.reason;
        compiled.runner->load(weights);
        set_inputs(*compiled.runner, inputs);
        compiled.runner->poison();
        compiled.runner->run();
        const auto expected = reference_graph(network, batch, inputs, weights).front();
        EXPECT_LT(relative_error(compiled.runner->output(0), expected), testing::layer_tolerance(type))
            << layer.key() << " batch " << batch << " by " << compiled.runner->implementation(0);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, GpuLayer,
                         ::testing::Combine(::testing::ValuesIn(testing::all_kinds()),
                                            ::testing::ValuesIn(cuda::data_types)),
                         [](const auto& tested) {
                             return std::string(name_of(std::get<0>(tested.param))) + "_" +
                                    std::string(name_of(std::get<1>(tested.param)));
                         });

}  // namespace
}  // namespace hacscale
