// Random weights: as many as the layer holds, reproducible, and of a size that keeps activations alive.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "models/graph/graph_values.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/layer_families.hpp"

namespace hacscale {
namespace {

std::size_t count(const LayerWeights& weights) {
    return weights.weights.size() + weights.bias.size() + weights.weights2.size() + weights.bias2.size();
}

bool equal(const LayerWeights& a, const LayerWeights& b) {
    return a.weights == b.weights && a.bias == b.bias && a.weights2 == b.weights2 && a.bias2 == b.bias2;
}

TEST(LayerWeights, AreAsManyAsTheLayersCostSays) {
    for (const LayerKind kind : testing::all_kinds()) {
        for (const LayerSpec& layer : testing::layer_family(kind, 20, 1)) {
            EXPECT_EQ(count(random_weights(layer, 1)),
                      static_cast<std::size_t>(cost_of(layer, 1, DataType::f32).params))
                << layer.key();
        }
    }
}

TEST(LayerWeights, FollowTheSeed) {
    const LayerSpec layer = testing::layer_family(LayerKind::conv, 1, 1).front();
    EXPECT_TRUE(equal(random_weights(layer, 1), random_weights(layer, 1)));
    EXPECT_FALSE(equal(random_weights(layer, 1), random_weights(layer, 2)));
    const Graph network = lower(find_model("resnet20-cifar"));
    const auto weights = random_weights(network, 1);
    ASSERT_EQ(weights.size(), network.nodes.size());
    EXPECT_FALSE(equal(weights[1], weights[2])) << "equal layers have weights of their own";
}

TEST(LayerWeights, NumbersAreUniformInTheirRange) {
    const auto values = random_values(10'000, 3);
    EXPECT_EQ(values, random_values(10'000, 3));
    const auto [least, greatest] = std::minmax_element(values.begin(), values.end());
    EXPECT_GE(*least, -1.0F);
    EXPECT_LT(*greatest, 1.0F);
    EXPECT_LT(*least, -0.99F);
    EXPECT_GT(*greatest, 0.99F);
    double sum = 0.0;
    for (const float value : values) sum += value;
    EXPECT_NEAR(sum / 10'000, 0.0, 0.02);
}

TEST(LayerWeights, KeepActivationsAliveOverManyLayers) {
    // The chain of a hundred layers that timings would meet, narrow and small so that it is quick here.
    ModelSpec model;
    model.name = "deep";
    model.resolution = 4;
    model.stem = {ConvSpec{.width = 16}};
    model.stages = {
        {.block = BlockKind::basic, .width = 16, .depth = 25, .inner_widths = std::vector<int>(25, 16)},
        {.block = BlockKind::conv, .width = 16, .depth = 50}};
    const Graph network = lower(model);
    ASSERT_GT(network.nodes.size(), 100u);
    const auto output =
        reference_graph(network, 1, random_inputs(network, 1, 1), random_weights(network, 2)).front();
    double squares = 0.0;
    for (const double value : output) squares += value * value;
    const double size = std::sqrt(squares / static_cast<double>(output.size()));
    EXPECT_GT(size, 1e-3);
    EXPECT_LT(size, 1e6);
}

}  // namespace
}  // namespace hacscale
