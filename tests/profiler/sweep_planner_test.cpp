// Sweeps over a device whose latency is a staircase over width, and what they leave to interpolation.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <set>

#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/sweep/sweep_planner.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using namespace testing;

// Steps of a sixth to a tenth of a layer's time, at multiples of 32 channels.
double staircase_us(const LayerSpec& layer) {
    const auto steps = [](int channels) { return (channels + 31) / 32; };
    return 3.0 + 0.5 * steps(layer.out_channels) + 0.3 * steps(layer.in_channels) +
           0.02 * layer.in_height * layer.in_width;
}

std::vector<int> in_eights(int from, int to) {
    std::vector<int> widths;
    for (int width = from; width <= to; width += 8) widths.push_back(width);
    return widths;
}

class Sweep : public ::testing::Test {
protected:
    Sweep() {
        device_.machine.latency_us = staircase_us;
        base_ = chain_model("base", {32, 64, 64}, 8);
        for (StageSpec& stage : base_.stages) {
            stage.depth = 2;
            stage.stride = 2;  // so that no two stages share a layer
        }
        space_ = {{in_eights(16, 128), in_eights(16, 128), in_eights(16, 128)}, {4, 4, 4}, {8}};
    }
    SweepSummary run(const WorkEvents& events = {}) {
        return sweep(device_.handle, table_, base_, space_, measure_, settings_, events);
    }
    ScalingChoice random_choice(std::mt19937& random) const {
        const auto any = [&](const std::vector<int>& values) { return values[random() % values.size()]; };
        ScalingChoice choice = choice_of(base_);
        for (std::size_t stage = 0; stage < choice.widths.size(); ++stage) {
            choice.widths[stage] = any(space_.widths[stage]);
            choice.depths[stage] = static_cast<int>(
                choice.depths[stage] + random() % (space_.max_depths[stage] - choice.depths[stage] + 1));
        }
        choice.resolution = any(space_.resolutions);
        return choice;
    }
    // How many widths of the stages' last layers have rows, over all stages.
    int widths_measured() const {
        std::set<std::pair<int, int>> widths;  // (map size, width)
        table_.for_each({.kind = LayerKind::conv}, [&](const Row& row) {
            const LayerSpec& layer = row.key.layer;
            if (layer.stride() == 1 && layer.in_height < base_.resolution) {
                widths.emplace(layer.in_height, layer.out_channels);
            }
        });
        return static_cast<int>(widths.size());
    }
    // Predicted over true latency, minus one, of random choices.
    std::vector<double> held_out_errors(int count) const {
        std::mt19937 random(77);
        std::vector<double> errors;
        for (int i = 0; i < count; ++i) {
            const Graph network = lower(scaled(base_, random_choice(random)));
            const NetworkEstimate estimate = predict(table_, network, measure_, CacheState::network);
            EXPECT_EQ(estimate.missing_layers, 0) << estimate.first_missing;
            errors.push_back(std::abs(estimate.latency_us / device_.truth_us(network) - 1.0));
        }
        std::sort(errors.begin(), errors.end());
        return errors;
    }

    TempFolder folder_;
    FakeDevice device_;
    DeviceRecord record_ = device_.record();
    Table table_ = Table::open(folder_ / "t.db", OpenMode::create, &record_);
    ModelSpec base_;
    SweepSpace space_;
    MeasureSettings measure_ = quick_settings();
    SweepSettings settings_;
};

TEST_F(Sweep, PredictsWhatItDidNotMeasure) {
    const SweepSummary summary = run();
    EXPECT_TRUE(summary.complete);
    EXPECT_FALSE(summary.profile.interrupted);
    EXPECT_GT(summary.held_out_widths, 0);
    EXPECT_FALSE(summary.network_errors.empty());
    for (const double error : summary.network_errors) EXPECT_LE(std::abs(error), settings_.tolerance);
    // The grid has 15^3 widths and 3^3 depths.
    EXPECT_LT(summary.host_networks.size(), 15u * 15 * 15 / 10);

    const std::vector<double> errors = held_out_errors(50);
    EXPECT_LE(errors[45], settings_.tolerance) << "nine of ten";
    EXPECT_LE(errors.back(), 2 * settings_.tolerance);
}

TEST_F(Sweep, FindsASteepStep) {
    // Twice the time above 72 channels, in either direction: what is across the step cannot be
    // interpolated.
    device_.machine.latency_us = [](const LayerSpec& layer) {
        return 4.0 * (layer.out_channels > 72 ? 2.0 : 1.0) * (layer.in_channels > 72 ? 1.3 : 1.0);
    };
    const SweepSummary summary = run();
    EXPECT_LT(summary.host_networks.size(), 15u * 15 * 15 / 10);
    // Each width of each stage, the others as in the base.
    for (std::size_t stage = 0; stage < space_.widths.size(); ++stage) {
        for (const int width : space_.widths[stage]) {
            ScalingChoice choice = choice_of(base_);
            choice.widths[stage] = width;
            const Graph network = lower(scaled(base_, choice));
            const double predicted = predict(table_, network, measure_, CacheState::network).latency_us;
            EXPECT_NEAR(predicted / device_.truth_us(network), 1.0, 2 * settings_.tolerance)
                << "stage " << stage + 1 << " width " << width;
        }
    }
    const std::vector<double> errors = held_out_errors(50);
    EXPECT_LE(errors[45], settings_.tolerance) << "nine of ten";
    EXPECT_LE(errors.back(), 2 * settings_.tolerance);
}

TEST_F(Sweep, NeedsFewCarriersWhereLatencyIsStraight) {
    device_.machine.latency_us = [](const LayerSpec& layer) { return 2.0 + 0.05 * layer.out_channels; };
    const SweepSummary straight = run();
    EXPECT_TRUE(straight.complete);
    const std::vector<double> errors = held_out_errors(50);
    EXPECT_LE(errors.back(), 0.01);
    EXPECT_LT(straight.host_networks.size(), 60u);
}

// No width says anything of its neighbours.
double erratic_us(const LayerSpec& layer) {
    std::mt19937 random(static_cast<unsigned>(1000 * layer.in_channels + layer.out_channels));
    return 3.0 + 0.001 * static_cast<double>(random() % 1000);
}

TEST_F(Sweep, RefinesToTheLastWidthWhereNothingCanBeInterpolated) {
    device_.machine.latency_us = erratic_us;
    settings_.tolerance = 1e-4;
    const SweepSummary summary = run();
    // Of fifteen widths the coarse ones are four and the base's.
    EXPECT_EQ(summary.held_out_widths, 3 * (15 - 5));
    EXPECT_FALSE(summary.complete);
    EXPECT_FALSE(summary.out_of_time) << "it could not be exact enough, and had the time";
    EXPECT_GT(summary.worst_network_error(), settings_.tolerance);
    EXPECT_EQ(widths_measured(), 3 * 15);
    const std::int64_t rows = table_.size();

    // All is known now, and looked at again without a host network but the random networks.
    const SweepSummary again = run();
    EXPECT_EQ(again.held_out_widths, summary.held_out_widths);
    EXPECT_LE(again.host_networks.size(), 6u * 8);
    EXPECT_GE(table_.size(), rows);
}

TEST_F(Sweep, LooksNoFurtherThanItsToleranceAsks) {
    device_.machine.latency_us = erratic_us;
    settings_.tolerance = 0.5;
    const SweepSummary summary = run();
    // One between each two neighbours that have one between them.
    EXPECT_LE(summary.held_out_widths, 3 * 4);
    EXPECT_TRUE(summary.complete);
}

TEST_F(Sweep, RefinesOnAfterAnInterruption) {
    device_.machine.latency_us = erratic_us;
    settings_.tolerance = 1e-4;
    // The networks of the coarse widths and of some widths between them, but not all.
    int host_networks = 0;
    device_.machine.before_compile = [&](const Graph& network) {
        host_networks += network.nodes.size() > 1 && !is_reference(network);
    };
    const SweepSummary interrupted = run({[&] { return host_networks < 38; }});
    EXPECT_TRUE(interrupted.profile.interrupted);
    EXPECT_LT(widths_measured(), 3 * 15);
    EXPECT_GT(interrupted.host_networks.size(), 0u);
    const SweepSummary resumed = run();
    EXPECT_FALSE(resumed.profile.interrupted);
    EXPECT_EQ(resumed.held_out_widths, 3 * (15 - 5));
    EXPECT_EQ(widths_measured(), 3 * 15);
}

TEST_F(Sweep, CoversOtherResolutionsToo) {
    space_.resolutions = {8, 12};
    const SweepSummary summary = run();
    EXPECT_TRUE(summary.complete);
    const std::vector<double> errors = held_out_errors(50);
    EXPECT_LE(errors[45], settings_.tolerance);
    EXPECT_LE(errors.back(), 2 * settings_.tolerance);
}

TEST_F(Sweep, GoesOnWhereItWas) {
    const SweepSummary first = run();
    const std::int64_t rows = table_.size();
    const SweepSummary second = run();
    EXPECT_TRUE(second.complete);
    EXPECT_LE(second.host_networks.size(), 6u * 8) << "random networks only";
    EXPECT_LT(second.host_networks.size(), first.host_networks.size());
    EXPECT_GE(table_.size(), rows);
}

TEST_F(Sweep, EndsAtItsDeadline) {
    settings_.max_seconds = 0.2;
    settings_.tolerance = 1e-6;
    // So that a sweep to the end would take a minute or more.
    device_.machine.latency_us = [](const LayerSpec& layer) { return 100.0 * staircase_us(layer); };
    const SweepSummary summary = run();
    EXPECT_GE(device_.machine.clock_us, 0.2e6);
    EXPECT_LT(device_.machine.clock_us, 10e6);
    EXPECT_FALSE(summary.complete);
    EXPECT_TRUE(summary.out_of_time);
    EXPECT_FALSE(summary.profile.interrupted) << "the deadline is no interruption";
}

TEST_F(Sweep, StopsWhenTold) {
    const WorkEvents events{[] { return false; }};
    const SweepSummary summary = run(events);
    EXPECT_FALSE(summary.complete);
    EXPECT_TRUE(summary.profile.interrupted);
    EXPECT_TRUE(summary.host_networks.empty());
    EXPECT_EQ(table_.size(), 0);
}

TEST_F(Sweep, RefusesSpacesThatDoNotFit) {
    const SweepSpace good = space_;
    const auto refused = [&](const std::string& part) {
        expect_error<InputError>([&] { run(); }, {part});
        EXPECT_EQ(device_.machine.compiled, 0);
        space_ = good;
    };
    space_.widths.pop_back();
    refused("another number of stages than base");
    space_.max_depths.push_back(3);
    refused("another number of stages than base");
    space_.widths[1] = {16, 24};
    refused("stage2");
    space_.widths[0] = {64, 32};
    refused("stage1");
    space_.widths[0] = {16, 32, 32};
    refused("stage1");
    space_.widths[2].clear();
    refused("stage3");
    space_.max_depths[1] = 1;
    refused("stage2");
    space_.resolutions = {};
    refused("resolutions");
    space_.resolutions = {12, 16};
    refused("resolutions");
    settings_.coarse_widths = 1;
    refused("coarse");
}

}  // namespace
}  // namespace hacscale
