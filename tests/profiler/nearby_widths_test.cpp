#include "profiler/sweep/nearby_widths.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/structure/structure.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale {
namespace {

std::set<std::string> layers_of(const std::vector<Network>& networks) {
    std::set<std::string> keys;
    for (const Network& network : networks) {
        for (const Node& node : network.graph.nodes) keys.insert(node.layer.key());
    }
    return keys;
}

// With each group widened alone, every layer that this changes is in one of the networks.
TEST(NearbyWidths, HoldEachWidthAloneAndFewNetworksHoldThemAll) {
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35", "regnetx-200mf"}) {
        const Network base{.name = name, .graph = lower(find_model(name))};
        const std::vector<ChannelGroup> groups = channel_groups(base.graph);
        const std::vector<Network> networks = nearby_networks(base, 2, 8);
        EXPECT_LE(networks.size(), 4U * 4U) << name << ", of " << groups.size() << " groups";
        std::set<std::string> known = layers_of(networks);
        known.merge(layers_of({base}));
        for (const ChannelGroup& group : groups) {
            const int step = std::lcm(8, group.multiple);
            for (const int steps : {-2, -1, 1, 2}) {
                const int width = group.base_width / step * step + steps * step;
                if (width <= 0 || group.base_width % step != 0) continue;
                for (const Node& node : widened(base.graph, group, width).nodes) {
                    EXPECT_TRUE(known.contains(node.layer.key()))
                        << group.name << " at " << width << ": " << node.name;
                }
            }
        }
        for (const Network& network : networks) {
            EXPECT_EQ(validate(network.graph), std::nullopt);
            EXPECT_TRUE(network.weights.empty());
        }
    }
}

TEST(NearbyWidths, OfAWidthOffTheGridAreTheMultiplesAroundIt) {
    ModelSpec model = find_model("resnet8-cifar");
    model.stages.back().width = 60;
    const Network base{.name = "off", .graph = lower(model)};
    std::set<int> widths;
    for (const Network& network : nearby_networks(base, 1, 8)) {
        const Node& last = network.graph.nodes.back();
        widths.insert(last.layer.in_channels);
    }
    EXPECT_THAT(widths, ::testing::IsSupersetOf({56, 60, 64}));
    EXPECT_EQ(widths.size(), 3U);
}

TEST(NearbyWidths, RefuseNoneAndNoGrid) {
    const Network base{.name = "base", .graph = lower(find_model("resnet8-cifar"))};
    EXPECT_THROW(nearby_networks(base, 0, 8), InputError);
    EXPECT_THROW(nearby_networks(base, 1, 0), InputError);
}

}  // namespace
}  // namespace hacscale
