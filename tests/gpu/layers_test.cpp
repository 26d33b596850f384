// Every kind of layer in every data type on the GPU against the double-precision reference, over generated
// shapes and poisoned outputs.
#include <gtest/gtest.h>

#include <tuple>

#include "models/graph/single_layer.hpp"
#include "models/ops/reference.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/kernels/layer_families.hpp"

namespace hacscale {
namespace {

std::vector<double> doubles(const std::vector<float>& values) {
    return {values.begin(), values.end()};
}

class GpuLayer : public testing::GpuTest,
                 public ::testing::WithParamInterface<std::tuple<LayerKind, DataType>> {};

TEST_P(GpuLayer, EqualsTheReference) {
    const auto [kind, type] = GetParam();
    if (const std::string reason = backend().refusal(device(), type); !reason.empty()) {
        GTEST_SKIP() << "skipped: " << reason;
    }
    std::uint64_t seed = 300;
    for (LayerSpec layer : testing::layer_family(kind, kind == LayerKind::conv ? 30 : 12, 7)) {
        layer.layout = Layout::channels_last;
        const auto batch = static_cast<int>(1 + seed % 3);
        const Network network = single_layer(layer);
        const std::vector<LayerWeights> weights{random_weights(layer, ++seed)};
        const auto images = static_cast<std::size_t>(batch);
        const std::vector<float> input =
            random_values(images * layer.in_channels * layer.in_height * layer.in_width, ++seed);
        std::vector<float> residual;
        if (layer.residual) {
            residual =
                random_values(images * layer.out_channels * layer.out_height() * layer.out_width(), ++seed);
        }
        const Compiled compiled = backend().compile(device(), network, {batch, type});
        ASSERT_TRUE(compiled.runner) << layer.key() << ": " << compiled.reason;
        compiled.runner->load(weights);
        compiled.runner->set_input(input);
        compiled.runner->set_residual(residual);
        compiled.runner->poison();
        compiled.runner->run();
        const auto expected = reference_network(network, batch, doubles(input), weights, doubles(residual));
        EXPECT_LT(relative_error(compiled.runner->output(), expected), testing::layer_tolerance(type))
            << layer.key() << " batch " << batch << " by " << compiled.runner->implementation(0);
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, GpuLayer,
                         ::testing::Combine(::testing::Values(LayerKind::conv, LayerKind::max_pool,
                                                              LayerKind::global_avg_pool, LayerKind::linear,
                                                              LayerKind::squeeze_excite,
                                                              LayerKind::scale_shift),
                                            ::testing::ValuesIn(all_data_types)),
                         [](const auto& tested) {
                             return std::string(name_of(std::get<0>(tested.param))) + "_" +
                                    std::string(name_of(std::get<1>(tested.param)));
                         });

}  // namespace
}  // namespace hacscale
