#include "models/weights/trained_layers.hpp"

#include <gmock/gmock.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/graph/graph_values.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "models/weights/state_dict.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale {
namespace {

using ::testing::Each;

// Batch-norms behind and in front of convs, convs with a bias beside them, and squeeze-excite.
constexpr const char* small_yaml =
    "name: small\ninput: {channels: 3, resolution: 16}\nclasses: 10\nstem:\n  - conv: {width: 8, bias: "
    "true}\nstages:\n"
    "  - {name: stage1, block: basic, width: 8, depth: 2}\n"
    "  - {name: stage2, block: inverted_residual, width: 16, depth: 2, stride: 2, expansion: 4,\n"
    "     squeeze_excite: {ratio: 0.25}}\n"
    "  - {name: stage3, block: preact_basic, width: 24, depth: 2}\n"
    "  - {name: stage4, block: bottleneck, width: 32, depth: 2, stride: 2, inner_ratio: 0.5}\n"
    "head:\n  - norm\n  - global_avg_pool\n  - linear: {}\n";

std::vector<ModelSpec> networks() {
    return {parse_model(small_yaml, "small.yaml"), find_model("resnet8-cifar")};
}

// As training leaves them: batch-norms wherever the network learns one.
std::vector<TrainedLayer> trained(const Graph& graph, unsigned seed) {
    std::vector<TrainedLayer> layers = unnormalized(random_weights(graph, seed));
    std::mt19937 random(seed);
    std::uniform_real_distribution<float> uniform(0.5F, 1.5F);
    for (std::size_t n = 0; n < layers.size(); ++n) {
        const Node& node = graph.nodes[n];
        if (!learns_batch_norm(node)) continue;
        BatchNormNumbers& norm = layers[n].norm;
        for (std::vector<float>* const numbers : {&norm.scale, &norm.shift, &norm.mean, &norm.variance}) {
            for (int c = 0; c < node.layer.out_channels; ++c) numbers->push_back(uniform(random));
        }
        const std::int64_t offsets = node.learned_params - product_weights(node.layer);
        if (offsets == 2 * node.layer.out_channels) layers[n].products.bias.clear();
        if (node.layer.kind == LayerKind::scale_shift) layers[n].products = {};
    }
    return layers;
}

double difference(const std::vector<float>& a, const std::vector<float>& b) {
    EXPECT_EQ(a.size(), b.size());
    double largest = 1e-3;
    double most = 0.0;
    for (std::size_t i = 0; i < std::min(a.size(), b.size()); ++i) {
        largest = std::max<double>(largest, std::abs(a[i]));
        most = std::max<double>(most, std::abs(a[i] - b[i]));
    }
    return most / largest;
}

// Other widths and depths, some more and some less than the base's.
ModelSpec target_of(const ModelSpec& base, unsigned seed) {
    std::mt19937 random(seed);
    ScalingChoice choice = choice_of(base);
    for (std::size_t s = 0; s < choice.depths.size(); ++s) {
        if (random() % 2 == 0)
            choice.depths[s] = std::max(1, choice.depths[s] + (random() % 2 == 0 ? 1 : -1));
    }
    for (int attempt = 0; attempt < 20; ++attempt) {
        ScalingChoice wider = choice;
        for (std::size_t s = 0; s < choice.widths.size(); ++s) {
            if (!given_widths(base)[s])
                wider.widths[s] = std::max(8, choice.widths[s] + 8 * (static_cast<int>(random() % 4) - 1));
        }
        if (keeps_skips(base, wider.widths)) return scaled(base, wider);
    }
    return scaled(base, choice);
}

TEST(TrainedLayers, ScaledAndFoldedTheyAreTheFoldedAndScaledOnes) {
    int zeroed = 0;
    for (const ModelSpec& base : networks()) {
        const Graph graph = lower(base);
        for (unsigned seed = 0; seed < 6; ++seed) {
            const std::vector<TrainedLayer> layers = trained(graph, seed);
            const ScaledNetwork made = scaled_network(base, folded(graph, layers), target_of(base, seed));
            const std::vector<TrainedLayer> scaled = scaled_layers(graph, layers, made);
            const std::vector<LayerWeights> weights = folded(made.network.graph, scaled);
            ASSERT_EQ(weights.size(), made.network.weights.size());
            for (std::size_t n = 0; n < weights.size(); ++n) {
                const Node& node = made.network.graph.nodes[n];
                SCOPED_TRACE(base.name + " " + node.name);
                EXPECT_LT(difference(weights[n].bias, made.network.weights[n].bias), 1e-5);
                EXPECT_LT(difference(weights[n].weights, made.network.weights[n].weights), 1e-5);
                EXPECT_LT(difference(weights[n].weights2, made.network.weights[n].weights2), 1e-5);
                EXPECT_EQ(scaled[n].norm.there(), learns_batch_norm(node));
            }
            // Blocks that add nothing have products all the same, which learn.
            for (const int n : made.zeroed) {
                const TrainedLayer& layer = scaled[static_cast<std::size_t>(n)];
                if (!layer.norm.there()) continue;
                EXPECT_THAT(layer.norm.scale, Each(0.0F));
                EXPECT_TRUE(std::ranges::any_of(layer.products.weights, [](float x) { return x != 0.0F; }));
                ++zeroed;
            }
        }
    }
    EXPECT_GT(zeroed, 3);
}

TEST(TrainedLayers, WeightsWithoutBatchNormsAreScaledAsTheyAre) {
    const ModelSpec base = find_model("resnet8-cifar");
    const Graph graph = lower(base);
    const std::vector<LayerWeights> weights = random_weights(graph, 3);
    const ScaledNetwork made = scaled_network(base, weights, target_of(base, 1));
    const std::vector<TrainedLayer> scaled = scaled_layers(graph, unnormalized(weights), made);
    EXPECT_FALSE(has_batch_norms(scaled));
    for (std::size_t n = 0; n < scaled.size(); ++n) {
        EXPECT_EQ(scaled[n].products.weights, made.network.weights[n].weights);
        EXPECT_EQ(scaled[n].products.bias, made.network.weights[n].bias);
    }
}

TEST(TrainedLayers, AStateDictGivesThemBack) {
    const testing::TempFolder folder;
    const std::filesystem::path file = folder / "w.safetensors";
    for (const ModelSpec& model : networks()) {
        const Graph graph = lower(model);
        const std::vector<TrainedLayer> layers = trained(graph, 5);
        write_state_dict(file, graph, layers);
        const std::vector<TrainedLayer> read = read_trained_layers(file, graph);
        for (std::size_t n = 0; n < layers.size(); ++n) {
            SCOPED_TRACE(model.name + " " + graph.nodes[n].name);
            EXPECT_EQ(read[n].products.weights, layers[n].products.weights);
            EXPECT_EQ(read[n].products.bias, layers[n].products.bias);
            EXPECT_EQ(read[n].products.weights2, layers[n].products.weights2);
            EXPECT_EQ(read[n].norm.scale, layers[n].norm.scale);
            EXPECT_EQ(read[n].norm.variance, layers[n].norm.variance);
        }
    }
    const Graph graph = lower(find_model("resnet8-cifar"));
    EXPECT_THROW(write_state_dict(folder / "no" / "w", graph, trained(graph, 1)), WorkError);
}

}  // namespace
}  // namespace hacscale
