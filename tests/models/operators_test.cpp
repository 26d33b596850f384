// What every entry of the table of operators must keep.
#include "models/ops/operator.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

#include "models/graph/graph_values.hpp"
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

// Channels of the output that change when one channel of a data input does.
std::set<int> reached_from(const LayerSpec& layer, int changed, int channel) {
    const LayerWeights weights = random_weights(layer, 3);
    const auto outputs = [&](double added) {
        std::vector<std::vector<double>> tensors;
        for (const auto& values : random_inputs(single_layer(layer), 1, 4)) {
            std::vector<double>& tensor = tensors.emplace_back();
            for (const float value : values) tensor.push_back(2.0 + value);
        }
        const MapSize shape = operator_of(layer.kind).input_shape(layer, changed);
        const std::int64_t area = std::int64_t{shape.height} * shape.width;
        for (std::int64_t i = 0; i < area; ++i)
            tensors[changed][channel * area + i] += added * static_cast<double>(1 + i);
        ReferenceInputs inputs;
        for (const std::vector<double>& tensor : tensors) inputs.push_back(&tensor);
        return reference_layer(layer, 1, inputs, weights);
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

// Gates and norms, which join channels by numbers that they compute from all of them, and tie nothing by that.
bool joins_by_statistics(LayerKind kind) {
    return kind == LayerKind::squeeze_excite || kind == LayerKind::eca || kind == LayerKind::layer_norm ||
           kind == LayerKind::group_norm || kind == LayerKind::grn;
}

TEST(Operators, ChannelTiesAreWhatTheReferenceJoins) {
    testing::Generator generate(12);
    std::set<ChannelTie> seen;
    for (int i = 0; i < 400; ++i) {
        LayerSpec layer = generate.layer();
        if (layer.kind != LayerKind::activation)
            layer.activation = Activation::none;  // none that is flat anywhere
        if (layer.kind == LayerKind::activation) layer.activation = Activation::softplus;
        layer.alpha = 0.0F;
        layer.in_height = std::min(layer.in_height, static_cast<int>(layer.window.span(0)) + 2);
        layer.in_width = std::min(layer.in_width, static_cast<int>(layer.window.span(1)) + 2);
        // A crop may leave nothing of the smaller map.
        if (joins_by_statistics(layer.kind) || validate(layer)) continue;
        const Operator& op = operator_of(layer.kind);
        const int input = generate.between(0, layer.inputs - 1);
        const int channel = generate.between(0, op.input_shape(layer, input).channels - 1);
        const ChannelTie tie = op.channel_tie(layer);
        seen.insert(tie);
        if (tie == ChannelTie::fixed) continue;
        if (op.input_shape(layer, input).channels != layer.in_channels && tie == ChannelTie::one_to_one)
            continue;
        const std::set<int> reached = reached_from(layer, input, channel);
        if (tie == ChannelTie::moved) {
            int joined = channel;  // among the channels of all inputs
            for (int before = 0; before < input; ++before) joined += op.input_shape(layer, before).channels;
            std::set<int> moved_to;
            for (int out = 0; out < layer.out_channels; ++out) {
                if (op.source_channel(layer, out) == joined) moved_to.insert(out);
            }
            EXPECT_EQ(reached, moved_to) << layer.key();
            continue;
        }
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
        if (layer.window.strides == Window().strides && layer.kind != LayerKind::transposed_conv) {
            EXPECT_GE(reached.size(), 1U) << layer.key();
        }
    }
    EXPECT_EQ(seen.size(), 5U);
}

}  // namespace
}  // namespace hacscale
