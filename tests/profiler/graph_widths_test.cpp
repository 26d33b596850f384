#include "profiler/sweep/graph_widths.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/structure/structure.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/table/interpolation.hpp"
#include "tests/profiler/profile_support.hpp"

namespace hacscale {
namespace {

using Pair = std::pair<int, int>;

// Of each layer of the base by name, the pairs of input and output channels that it has in these networks.
std::map<std::string, std::set<Pair>> pairs_of(const std::vector<Network>& networks) {
    std::map<std::string, std::set<Pair>> pairs;
    for (const Network& network : networks) {
        for (const Node& node : network.graph.nodes) {
            pairs[node.name].emplace(node.layer.in_channels, node.layer.out_channels);
        }
    }
    return pairs;
}

// All that a layer may have: each of its input widths with each of its output widths, but equal ones where they are tied.
TEST(GraphWidths, EachLayerMeetsEachPairOfLevels) {
    for (const char* name : {"resnet50", "mobilenetv2-1.0", "mobilenetv3-small-1.0", "vgg16"}) {
        const Network base{.name = name, .graph = lower(find_model(name))};
        const std::vector<Network> networks = networks_of_pairs(base, {.min_ratio = 0.5, .max_ratio = 1.0});
        EXPECT_LE(networks.size(), 25U) << name;
        const auto pairs = pairs_of(networks);
        for (const auto& [layer, seen] : pairs) {
            std::set<int> in;
            std::set<int> out;
            for (const auto& [read, written] : seen) {
                in.insert(read);
                out.insert(written);
            }
            const bool tied = std::all_of(seen.begin(), seen.end(),
                                          [](const Pair& pair) { return pair.first == pair.second; });
            EXPECT_EQ(seen.size(), tied ? in.size() : in.size() * out.size()) << name << " " << layer;
        }
        for (const Network& network : networks) EXPECT_EQ(validate(network.graph), std::nullopt) << name;
    }
}

TEST(GraphWidths, HaveTheirOwnWidthAndBothEndsOnTheGrid) {
    const Network base{.name = "resnet18", .graph = lower(find_model("resnet18"))};
    std::set<int> widths;
    for (const Network& network :
         networks_of_pairs(base, {.min_ratio = 0.25, .max_ratio = 2.0, .grid = 16, .levels = 3})) {
        widths.insert(network.graph.nodes.front().layer.out_channels);
    }
    EXPECT_THAT(widths, ::testing::ElementsAre(16, 64, 80, 128));
}

TEST(GraphWidths, NetworksToCheckAreReproducibleAndKeepOutputs) {
    const Network base{.name = "resnet20-cifar", .graph = lower(find_model("resnet20-cifar"))};
    const auto widths_of = [&base](std::uint64_t seed) {
        std::vector<int> widths;
        for (const Network& network : drawn_networks(base, {}, 3, seed)) {
            EXPECT_EQ(network.graph.nodes.back().layer.out_channels, 10);
            for (const Node& node : network.graph.nodes) {
                EXPECT_TRUE(node.layer.out_channels == 10 || node.layer.out_channels % 8 == 0) << node.name;
                widths.push_back(node.layer.out_channels);
            }
        }
        return widths;
    };
    EXPECT_EQ(widths_of(1), widths_of(1));
    EXPECT_NE(widths_of(1), widths_of(2));
}

TEST(GraphWidths, SweepLeavesNoLayerMissingAndSaysHowFarItIsOff) {
    testing::FakeDevice device;
    device.machine.latency_us = [](const LayerSpec& layer) {
        return 2.0 + 0.01 * layer.in_channels * layer.out_channels / layer.groups + 0.1 * layer.in_height;
    };
    const TempFolder folder;
    const DeviceRecord record = device.record();
    Table table = Table::open(folder / "t.db", OpenMode::create, &record);
    const Network base{.name = "resnet20-cifar", .graph = lower(find_model("resnet20-cifar"))};
    const GraphWidths widths{.min_ratio = 0.25, .max_ratio = 1.0};
    const SweepSummary summary = sweep(device.handle, table, base, widths, testing::quick_settings(), {}, {});
    EXPECT_TRUE(summary.complete);
    EXPECT_EQ(summary.network_errors.size(), 4U);
    EXPECT_LT(summary.worst_network_error(), 0.02);
    for (const Network& network : drawn_networks(base, widths, 5, 99)) {
        const NetworkEstimate known =
            predict(table, network.graph, testing::quick_settings(), CacheState::network);
        EXPECT_EQ(known.missing_layers, 0) << known.first_missing;
    }
}

TEST(GraphWidths, RefuseRatiosWithoutTheOwnWidths) {
    const Network base{.name = "resnet8-cifar", .graph = lower(find_model("resnet8-cifar"))};
    EXPECT_THROW(networks_of_pairs(base, {.min_ratio = 1.5}), InputError);
    EXPECT_THROW(networks_of_pairs(base, {.min_ratio = 0.0}), InputError);
    EXPECT_THROW(networks_of_pairs(base, {.max_ratio = 0.9}), InputError);
    EXPECT_THROW(networks_of_pairs(base, {.grid = 0}), InputError);
    EXPECT_THROW(networks_of_pairs(base, {.levels = 1}), InputError);
    EXPECT_THROW(drawn_networks(base, {.grid = 0}, 1, 1), InputError);
}

}  // namespace
}  // namespace hacscale
