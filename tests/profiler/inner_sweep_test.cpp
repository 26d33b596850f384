// Sweeps of spaces in which inner widths may be chosen block by block.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <random>
#include <set>

#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/sweep/sweep_planner.hpp"
#include "profiler/sweep/sweep_space.hpp"
#include "profiler/table/interpolation.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

// Steps at multiples of 32 channels on either side, and of 8 squeezed ones.
double stepped_us(const LayerSpec& layer) {
    const auto steps = [](int channels, int step) { return (channels + step - 1) / step; };
    return 3.0 + 0.4 * steps(layer.out_channels, 32) + 0.3 * steps(layer.in_channels, 32) +
           0.1 * steps(layer.squeeze_channels, 8) + 0.02 * layer.in_height * layer.in_width;
}

// From half of what follows to half as much again, on the rule's grid, as scaling has them.
std::vector<int> half_to_more(const ModelSpec& base, std::size_t stage, int block, int before, int width) {
    const InnerRule rule(base, static_cast<int>(stage));
    if (!rule.is_free(block)) return {0};
    const int input = block > 0 ? width : stage > 0 ? before : stage_input_width(base, 0);
    const int followed = rule.derived(block, input, width);
    std::vector<int> values{followed};
    for (int value = rule.grid(); value <= followed * 3 / 2; value += rule.grid()) {
        if (value * 2 >= followed && value != followed && value != input) values.push_back(value);
    }
    return values;
}

std::vector<int> every_eighth(int from, int to) {
    std::vector<int> widths;
    for (int width = from; width <= to; width += 8) widths.push_back(width);
    return widths;
}

ModelSpec blocks_model(BlockKind kind, double inner_ratio) {
    ModelSpec model = chain_model(std::string(name_of(kind)), {24, 32}, 8);
    model.stem = {ConvSpec{.width = 16, .kernel = 1}};
    int input = 16;
    for (StageSpec& stage : model.stages) {
        stage.block = kind;
        stage.depth = 2;
        stage.stride = 2;
        for (const int leader : {inner_derives_from_input(kind) ? input : stage.width, stage.width}) {
            stage.inner_widths.push_back(static_cast<int>(leader * inner_ratio));
        }
        input = stage.width;
    }
    return model;
}

class InnerSweep : public ::testing::TestWithParam<ModelSpec> {
protected:
    InnerSweep() {
        device_.machine.latency_us = stepped_us;
        space_ = {{every_eighth(16, 48), every_eighth(16, 64)}, {3, 3}, {8}};
    }
    void open_inner_widths() {
        space_.inner_options = [this](std::size_t stage, int block, int before, int width) {
            return half_to_more(base_, stage, block, before, width);
        };
    }
    SweepSummary run() { return sweep(device_.handle, table_, base_, space_, measure_, settings_, {}); }
    // As predict(), without reading the table again for each of thousands of choices. No row comes after.
    NetworkEstimate predicted(const ScalingChoice& choice) {
        const Graph network = lower(scaled(base_, choice));
        const std::int64_t footprint = footprint_bucket(pass_footprint(network, 1, DataType::f32));
        const auto [source, added] =
            sources_.try_emplace(footprint, table_, 1, DataType::f32, CacheState::network, footprint);
        return estimate(network, source->second);
    }
    // `take` one of the options of each block.
    template <typename Take>
    void choose_inner(ScalingChoice& choice, const Take& take) const {
        choice.inner_widths.clear();
        const ModelSpec following = scaled(base_, choice);
        for (std::size_t stage = 0; stage < choice.widths.size(); ++stage) {
            choice.inner_widths.push_back(following.stages[stage].inner_widths);
            for (int block = 0; block < choice.depths[stage]; ++block) {
                const int before = stage == 0 ? 0 : choice.widths[stage - 1];
                const int value = take(half_to_more(base_, stage, block, before, choice.widths[stage]));
                if (value > 0) choice.inner_widths[stage][block] = value;
            }
        }
    }

    TempFolder folder_;
    FakeDevice device_;
    DeviceRecord record_ = device_.record();
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &record_);
    ModelSpec base_ = GetParam();
    SweepSpace space_;
    MeasureSettings measure_ = quick_settings();
    SweepSettings settings_;
    std::map<std::int64_t, TableLatencySource> sources_;  // by the network's footprint
};

TEST_P(InnerSweep, LeavesNoChoiceUnpredictable) {
    open_inner_widths();
    const SweepSummary summary = run();
    EXPECT_TRUE(summary.complete);
    EXPECT_GT(summary.held_out_inner_widths, 0);
    EXPECT_LT(summary.host_networks.size(), 250u);

    // Every option of every block at every pair of neighbouring widths.
    ScalingChoice choice = choice_of(base_);
    choice.depths = space_.max_depths;
    for (const int first : space_.widths[0]) {
        for (const int second : space_.widths[1]) {
            choice.widths = {first, second};
            bool more = true;
            for (std::size_t index = 0; more; ++index) {
                more = false;
                choose_inner(choice, [&](const std::vector<int>& options) {
                    more = more || index + 1 < options.size();
                    return options[std::min(index, options.size() - 1)];
                });
                const NetworkEstimate estimate = predicted(choice);
                ASSERT_EQ(estimate.missing_layers, 0) << estimate.first_missing;
            }
        }
    }

    std::mt19937 random(31);
    const auto any = [&](const std::vector<int>& values) { return values[random() % values.size()]; };
    std::vector<double> errors;
    for (int i = 0; i < 60; ++i) {
        for (std::size_t stage = 0; stage < 2; ++stage) {
            choice.widths[stage] = any(space_.widths[stage]);
            choice.depths[stage] = 2 + static_cast<int>(random() % 2);
        }
        choose_inner(choice, any);
        const double truth = device_.truth_us(lower(scaled(base_, choice)));
        errors.push_back(std::abs(predicted(choice).latency_us / truth - 1.0));
    }
    std::sort(errors.begin(), errors.end());
    EXPECT_LE(errors[54], settings_.tolerance) << "nine of ten";
    EXPECT_LE(errors.back(), 2 * settings_.tolerance);
}

TEST_P(InnerSweep, MeasuresWhatFollowsAndNothingElseUnlessOpen) {
    std::set<LayerSpec> following;
    for (const int first : space_.widths[0]) {
        for (const int second : space_.widths[1]) {
            for (const Node& node : lower(scaled(base_, {{first, second}, {3, 3}, 8})).nodes) {
                following.insert(node.layer);
            }
        }
    }
    const auto others = [&] {
        int count = 0;
        table_.for_each({}, [&](const Row& row) { count += following.contains(row.key.layer) ? 0 : 1; });
        return count;
    };
    EXPECT_EQ(run().held_out_inner_widths, 0);
    EXPECT_EQ(others(), 0);
    open_inner_widths();
    run();
    EXPECT_GT(others(), 0);
}

TEST_P(InnerSweep, GoesOnWhereItWas) {
    open_inner_widths();
    run();
    const SweepSummary again = run();
    EXPECT_TRUE(again.complete);
    EXPECT_LE(again.host_networks.size(), 6u * 8) << "random networks only";
}

INSTANTIATE_TEST_SUITE_P(Blocks, InnerSweep, ::testing::ValuesIn([] {
                             std::vector<ModelSpec> models{blocks_model(BlockKind::basic, 1.0),
                                                           blocks_model(BlockKind::bottleneck, 0.5),
                                                           blocks_model(BlockKind::inverted_residual, 3.0)};
                             for (StageSpec& stage : models.back().stages) {
                                 stage.squeeze_excite = SqueezeExciteSpec{.from = SqueezeFrom::input};
                             }
                             models.push_back(blocks_model(BlockKind::inverted_residual, 2.0));
                             models.back().name = "no_expansion_at_first";
                             models.back().stages[0].inner_widths[0] = 16;
                             return models;
                         }()),
                         [](const auto& model) { return model.param.name; });

TEST(InnerCandidates, AreAllThatABlockMayHave) {
    const ModelSpec base = blocks_model(BlockKind::basic, 1.0);
    SweepSpace space{{every_eighth(16, 48), every_eighth(16, 64)}, {3, 3}, {8}};
    EXPECT_TRUE(detail::InnerCandidates(base, space).empty());
    space.inner_options = [&](std::size_t stage, int block, int before, int width) {
        return half_to_more(base, stage, block, before, width);
    };
    const detail::InnerCandidates inner(base, space);
    EXPECT_FALSE(inner.empty());
    EXPECT_EQ(inner.values(0), every_eighth(8, 72));
    EXPECT_EQ(inner.values(1), every_eighth(8, 96));
    EXPECT_EQ(inner.values(0)[inner.base_index(0)], 24);
    EXPECT_EQ(inner.home(0, inner.base_index(0)), 24);
    EXPECT_EQ(inner.home(0, 0), 16) << "8 is too few for the base's 24";
    EXPECT_EQ(inner.lists(choice_of(base), {0, 40}), (std::vector<std::vector<int>>{{}, {40, 40}}));
}

TEST(InnerCandidates, KeepAnExpansionConv) {
    const ModelSpec base = blocks_model(BlockKind::inverted_residual, 2.0);
    SweepSpace space{{every_eighth(16, 48), every_eighth(16, 64)}, {3, 3}, {8}};
    space.inner_options = [&](std::size_t stage, int block, int before, int width) {
        return half_to_more(base, stage, block, before, width);
    };
    const detail::InnerCandidates inner(base, space);
    ScalingChoice wider = choice_of(base);
    wider.widths = {32, 32};
    EXPECT_EQ(inner.lists(wider, {32, 0}), (std::vector<std::vector<int>>{{32, 40}, {}}));
    EXPECT_EQ(inner.values(1).front(), 24);
    EXPECT_EQ(inner.lists(choice_of(base), {0, 24}), (std::vector<std::vector<int>>{{}, {16, 24}}))
        << "outwards at the lower end";
}

}  // namespace
}  // namespace hacscale
