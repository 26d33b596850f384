#include "scaling/costs.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/scaling/random_chain.hpp"
#include "tests/scaling/synthetic_source.hpp"
#include "tests/test_name.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

// A few widths and depths a stage, so that the whole zoo is quick: the base's, the ends of the range and some
// between.
ScalingSpace sparse_space(const ModelSpec& base, std::mt19937_64& random) {
    SpaceSettings settings;
    settings.resolutions = {base.resolution + resolution_step(base)};
    settings.min_inner_ratio = 0.5;
    settings.max_inner_ratio = 1.5;
    settings.inner_widths = 3;
    ScalingSpace space = make_space(base, settings);
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        std::vector<int>& widths = space.stages[s].widths;
        if (space.stages[s].tied_to_before) {
            widths = space.stages[s - 1].widths;
            continue;
        }
        std::vector<int> some;
        for (const int width : widths) {
            const bool end = width == widths.front() || width == widths.back();
            if (end || width == base.stages[s].width || random() % widths.size() < 2) some.push_back(width);
        }
        widths = some;
    }
    return space;
}

// Of half the stages the inner widths follow.
ChainChoice random_chain_choice(const ScalingSpace& space, std::mt19937_64& random) {
    ChainChoice choice;
    choice.chain = static_cast<int>(random() % space.resolutions.size());
    int width_before = 0;
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        const StageSpace& stage = space.stages[s];
        // A stage that an add ties to the one before has the same widths to choose from.
        const bool tied = stage.tied_to_before;
        choice.widths.push_back(tied ? choice.widths.back()
                                     : static_cast<int>(random() % stage.widths.size()));
        choice.depths.push_back(static_cast<int>(random() % stage.depths.size()));
        const int width = stage.widths[static_cast<std::size_t>(choice.widths.back())];
        std::vector<int>& options = choice.options.emplace_back();
        const int blocks = stage.depths[static_cast<std::size_t>(choice.depths.back())];
        const bool follows = random() % 2 == 0;
        for (int block = 0; block < blocks; ++block) {
            const std::size_t count = space.inner.options(s, block, width_before, width).size();
            options.push_back(follows ? 0 : static_cast<int>(random() % count));
        }
        width_before = width;
    }
    return choice;
}

class StageCostsOfTheZoo : public ::testing::TestWithParam<std::string> {};

TEST_P(StageCostsOfTheZoo, EqualTheWholeNetworks) {
    const ModelSpec base = find_model(GetParam());
    const SyntheticSource source;
    std::mt19937_64 random(1);
    const ScalingSpace space = sparse_space(base, random);
    const StageCosts latency = stage_costs(base, space, source);
    const StageCosts macs = stage_costs(base, space, source, {.model = CostModel::macs});
    ASSERT_NO_THROW(check(latency.problem));
    int feasible = 0;
    for (int i = 0; i < 30; ++i) {
        const ChainChoice indices = random_chain_choice(space, random);
        const auto point = testing::evaluate(latency.problem, indices);
        if (!point) {
            const ScalingChoice choice = choice_from(space, indices);
            if (keeps_skips(base, choice.widths)) {
                EXPECT_THROW(scaled(base, choice), InputError);
            }
            continue;
        }
        ++feasible;
        const Graph network = lower(scaled(base, choice_from(space, indices)));
        const double rounding_us = 0.5e-6 * static_cast<double>(network.nodes.size()) + 1e-9;
        EXPECT_NEAR(static_cast<double>(point->cost) / picoseconds_per_us,
                    estimate(network, source).latency_us, rounding_us);
        EXPECT_EQ(point->usage.params, network.params());
        EXPECT_EQ(point->usage.macs, network.macs());
        EXPECT_EQ(point->usage.weight_bytes, network.weight_bytes(DataType::f32));
        EXPECT_EQ(point->usage.peak_bytes, network.peak_activation_bytes(1, DataType::f32));
        EXPECT_EQ(testing::evaluate(macs.problem, indices)->cost, network.macs());
    }
    EXPECT_GT(feasible, 15);
}

INSTANTIATE_TEST_SUITE_P(Zoo, StageCostsOfTheZoo, ::testing::ValuesIn(zoo_names()),
                         [](const auto& tested) { return testing::test_name(tested.param); });

TEST(StageCosts, MissingLayersMakeOptionsInfeasibleAndAreCounted) {
    const ModelSpec base = find_model("resnet20-cifar");
    const int stage2_width = base.stages[1].width;
    const SyntheticSource source(
        [&](const LayerSpec& layer) {
            return layer.out_channels > stage2_width && layer.in_channels == stage2_width;
        },
        [](const LayerSpec& layer) { return layer.kind == LayerKind::linear; });
    const ScalingSpace space = make_space(base, {});
    const StageCosts costs = stage_costs(base, space, source);
    EXPECT_GT(costs.coverage.missing_layers, 0);
    EXPECT_GT(costs.coverage.interpolated_layers, 0);
    EXPECT_GT(costs.coverage.distinct_layers, costs.coverage.missing_layers);
    EXPECT_GT(costs.coverage.infeasible_options, 0);
    EXPECT_GT(costs.coverage.options, costs.coverage.infeasible_options);
    EXPECT_EQ(source.estimate(LayerSpec::from_key(costs.coverage.first_missing)).kind, EstimateKind::missing);

    std::mt19937_64 random(2);
    int infeasible = 0;
    for (int i = 0; i < 200; ++i) {
        const ChainChoice indices = random_chain_choice(space, random);
        const Graph network = lower(scaled(base, choice_from(space, indices)));
        const bool missing = estimate(network, source).missing_layers > 0;
        EXPECT_EQ(testing::evaluate(costs.problem, indices).has_value(), !missing);
        infeasible += missing ? 1 : 0;
    }
    EXPECT_GT(infeasible, 0);
}

TEST(StageCosts, RoundsToPicosecondsAndRefusesTheImpossible) {
    EXPECT_EQ(picoseconds(1.5), 1'500'000);
    EXPECT_EQ(picoseconds(0.0000004), 0);
    EXPECT_THROW(picoseconds(-1.0), InputError);
    EXPECT_THROW(picoseconds(std::numeric_limits<double>::infinity()), InputError);
    EXPECT_THROW(picoseconds(std::numeric_limits<double>::quiet_NaN()), InputError);
}

}  // namespace
}  // namespace hacscale
