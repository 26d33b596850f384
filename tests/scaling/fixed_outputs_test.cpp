// Plans keep what a network puts out and its residual adds, in every strategy.
#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "scaling/costs.hpp"
#include "scaling/gain.hpp"
#include "scaling/stage_context.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/scaling/random_chain.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

// The last conv carries the classes (Springenberg et al. 2015, All-CNN-C).
const char* const all_conv = R"(
name: allcnn-c
input: {channels: 3, resolution: 32}
classes: 10
stages:
  - {name: a, block: conv, width: 96, depth: 2}
  - {name: b, block: conv, width: 96, depth: 1, stride: 2}
  - {name: c, block: conv, width: 192, depth: 2}
  - {name: d, block: conv, width: 192, depth: 1, stride: 2}
  - {name: e, block: conv, width: 192, depth: 1}
  - {name: f, block: conv, width: 192, depth: 1, kernel: 1}
head:
  - conv: {width: 10, kernel: 1, batch_norm: false, bias: true, activation: none}
  - global_avg_pool
)";

// One block a stage, as searched networks have it: three adds go from one stage to the next.
const char* const searched = R"(
name: searched
input: {channels: 3, resolution: 64}
classes: 100
activation: relu6
stem:
  - conv: {width: 32, kernel: 3, stride: 2}
stages:
  - {name: b1, block: inverted_residual, width: 16, depth: 1, expansion: 1}
  - {name: b2, block: inverted_residual, width: 24, depth: 1, stride: 2, kernel: 5, expansion: 3}
  - {name: b3, block: inverted_residual, width: 24, depth: 1, kernel: 7, expansion: 6}
  - {name: b4, block: inverted_residual, width: 24, depth: 1, kernel: 3, expansion: 3}
  - {name: b5, block: inverted_residual, width: 40, depth: 1, stride: 2, kernel: 7, expansion: 3}
  - {name: b6, block: inverted_residual, width: 40, depth: 1, kernel: 5, expansion: 6}
head:
  - global_avg_pool
  - linear: {}
)";

// Two of its stages are outputs, the last one among them.
const char* const backbone = R"(
name: backbone
input: {channels: 3, resolution: [64, 96]}
stem:
  - conv: {width: 16, kernel: 3, stride: 2}
stages:
  - {name: s1, block: basic, width: 16, depth: 2}
  - {name: s2, block: basic, width: 32, depth: 2, stride: 2}
  - {name: s3, block: basic, width: 48, depth: 2, stride: 2}
outputs: [s2, s3]
)";

int adds_of_first_blocks(const Graph& network) {
    int adds = 0;
    for (const Node& node : network.nodes) adds += node.block == 0 && node.layer.residual ? 1 : 0;
    return adds;
}

class FixedOutputs : public ::testing::TestWithParam<const char*> {};

TEST_P(FixedOutputs, StayInEveryStrategy) {
    const ModelSpec base = parse_model(GetParam(), "test");
    const Graph network = lower(base);
    const SyntheticSource source;
    const StageContext context(base, source, {}, capacity_gain(base));
    int larger = 0;
    for (const Strategy& strategy : strategies()) {
        const Fit found = fit(strategy, context, context.budget_us(1.5));
        if (found.status != FitStatus::ok) continue;
        const Graph scaled_network = lower(scaled(base, found.result.choice));
        larger += scaled_network.macs() > network.macs() ? 1 : 0;
        EXPECT_EQ(adds_of_first_blocks(scaled_network), adds_of_first_blocks(network)) << strategy.name;
        ASSERT_EQ(scaled_network.outputs.size(), network.outputs.size()) << strategy.name;
        for (std::size_t i = 0; i < network.outputs.size(); ++i) {
            EXPECT_EQ(scaled_network.tensors[scaled_network.outputs[i]].channels,
                      network.tensors[network.outputs[i]].channels)
                << strategy.name;
        }
    }
    EXPECT_GT(larger, 5);
}

INSTANTIATE_TEST_SUITE_P(Networks, FixedOutputs, ::testing::Values(all_conv, searched, backbone),
                         [](const auto& tested) {
                             std::string name = parse_model(tested.param, "test").name;
                             std::erase(name, '-');
                             return name;
                         });

TEST(FixedOutputs, TheCasesHaveTheirCounts) {
    const Graph network = lower(parse_model(all_conv, "test"));
    EXPECT_EQ(network.params(), 1'370'986);
    EXPECT_EQ(network.macs(), 281'174'016);
    EXPECT_EQ(adds_of_first_blocks(lower(parse_model(searched, "test"))), 3);
}

// The costs that plans are made from include what several outputs keep in memory.
TEST(FixedOutputs, CostsOfTheBaseAreThoseOfTheWholeNetwork) {
    const ModelSpec base = parse_model(backbone, "test");
    const SyntheticSource source;
    SpaceSettings settings;
    const ScalingSpace space = make_space(base, settings);
    const StageCosts costs = stage_costs(base, space, source);
    ChainChoice base_choice;
    for (std::size_t s = 0; s < base.stages.size(); ++s) {
        const auto at = [](const std::vector<int>& values, int value) {
            return static_cast<int>(std::find(values.begin(), values.end(), value) - values.begin());
        };
        base_choice.widths.push_back(at(space.stages[s].widths, base.stages[s].width));
        base_choice.depths.push_back(at(space.stages[s].depths, base.stages[s].depth));
    }
    const auto point = testing::evaluate(costs.problem, base_choice);
    ASSERT_TRUE(point);
    const Graph network = lower(base);
    EXPECT_NEAR(static_cast<double>(point->cost) / picoseconds_per_us, estimate(network, source).latency_us,
                1e-3);
    EXPECT_EQ(point->usage.peak_bytes, network.peak_activation_bytes(1, DataType::f32));
}

}  // namespace
}  // namespace hacscale
