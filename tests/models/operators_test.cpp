// What every entry of the table of operators must keep.
#include "models/ops/operator.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "models/ops/layer_spec.hpp"
#include "models/ops/reference.hpp"
#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

TEST(Operators, AreInTheOrderOfTheirKindsAndNamedOnce) {
    std::set<std::string_view> names;
    for (std::size_t i = 0; i < all_operators().size(); ++i) {
        const Operator& op = *all_operators()[i];
        EXPECT_EQ(op.kind, static_cast<LayerKind>(i));
        EXPECT_EQ(&operator_of(op.kind), &op);
        EXPECT_TRUE(names.insert(op.name).second) << op.name;
    }
}

TEST(Operators, WeightsAreTheNumbersThatAreCounted) {
    testing::Generator generate(11);
    for (int i = 0; i < 300; ++i) {
        const LayerSpec layer = generate.layer();
        const Operator& op = operator_of(layer.kind);
        const LayerWeights weights = random_weights(layer, 1);
        std::int64_t total = 0;
        for (const WeightPart& part : op.weights(layer)) {
            const std::int64_t elements =
                std::accumulate(part.shape.begin(), part.shape.end(), std::int64_t{1}, std::multiplies<>());
            EXPECT_EQ((weights.*part.values).size(), static_cast<std::size_t>(elements))
                << layer.key() << " " << part.name;
            total += elements;
        }
        EXPECT_EQ(total, op.product_weights(layer) + op.offsets(layer)) << layer.key();
    }
}

// Channels of the output that change when one channel of the input does.
std::set<int> reached_from(const LayerSpec& layer, int channel) {
    const LayerWeights weights = random_weights(layer, 3);
    const std::size_t area = static_cast<std::size_t>(layer.in_height) * layer.in_width;
    const auto outputs = [&](double added) {
        std::vector<double> input(layer.in_channels * area);
        for (std::size_t i = 0; i < input.size(); ++i) input[i] = 1.0 + static_cast<double>(i % 7);
        for (std::size_t i = 0; i < area; ++i) input[channel * area + i] += added;
        const std::size_t out =
            static_cast<std::size_t>(layer.out_channels) * layer.out_height() * layer.out_width();
        return reference_layer(layer, 1, input, std::vector<double>(layer.residual ? out : 0), weights);
    };
    const std::vector<double> before = outputs(0.0);
    const std::vector<double> after = outputs(1.0);
    const std::size_t plane = static_cast<std::size_t>(layer.out_height()) * layer.out_width();
    std::set<int> reached;
    for (std::size_t i = 0; i < before.size(); ++i) {
        if (before[i] != after[i]) reached.insert(static_cast<int>(i / plane));
    }
    return reached;
}

TEST(Operators, ChannelTiesAreWhatTheReferenceJoins) {
    testing::Generator generate(12);
    std::set<ChannelTie> seen;
    for (int i = 0; i < 400; ++i) {
        LayerSpec layer = generate.layer();
        layer.activation = Activation::none;  // none that is flat anywhere
        layer.in_height = std::min(layer.in_height, static_cast<int>(layer.window.span(0)) + 2);
        layer.in_width = std::min(layer.in_width, static_cast<int>(layer.window.span(1)) + 2);
        if (layer.kind == LayerKind::squeeze_excite) continue;  // its gate joins channels, and ties nothing
        const int channel = generate.between(0, layer.in_channels - 1);
        const ChannelTie tie = operator_of(layer.kind).channel_tie(layer);
        const std::set<int> reached = reached_from(layer, channel);
        seen.insert(tie);
        for (const int out : reached) {
            if (tie == ChannelTie::one_to_one) {
                EXPECT_EQ(out, channel) << layer.key();
            } else {
                EXPECT_EQ(out / (layer.out_channels / layer.groups),
                          channel / (layer.in_channels / layer.groups))
                    << layer.key();
            }
        }
        const std::size_t joined = tie == ChannelTie::one_to_one ? 1 : layer.out_channels / layer.groups;
        EXPECT_LE(reached.size(), joined) << layer.key();
        if (layer.window.strides == Window().strides) {
            EXPECT_GE(reached.size(), 1U) << layer.key();
        }
    }
    EXPECT_EQ(seen.size(), 3U);
}

}  // namespace
}  // namespace hacscale
