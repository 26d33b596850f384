// Importance on small networks with random numbers, checked against what it stands for.
#include "training/torch/importance.hpp"

#include <ATen/ATen.h>
#include <gtest/gtest.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>
#include <array>
#include <numeric>

#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "tests/training/training_support.hpp"
#include "training/torch/new_channels.hpp"
#include "training/torch/optimizer.hpp"

namespace hacscale::training {
namespace {

constexpr std::uint64_t seed = 5;

struct Images {
    at::Tensor images, labels;
};

Images made_up_images(std::int64_t count) {
    at::manual_seed(11);
    return {at::randn({count, 3, 32, 32}), at::randint(10, {count}, at::kLong)};
}

std::unique_ptr<TorchNetwork> random_network(const ModelSpec& model) {
    auto network = std::make_unique<TorchNetwork>(lower(model));
    network->randomize(3);
    network->eval();
    return network;
}

std::vector<double> figures_of(TorchNetwork& network, ImportanceMeasure measure, const Images& batch) {
    std::vector<double> figures;
    for (const LayerFigures& layer :
         importance_of_batch(network, measure, seed, batch.images, batch.labels)) {
        figures.push_back(layer.importance);
    }
    return figures;
}

// Place of a layer among the figures.
std::size_t place_of(const TorchNetwork& network, ImportanceMeasure measure, const std::string& layer) {
    const std::vector<std::size_t> measured = measured_nodes(network, measure);
    for (std::size_t i = 0; i < measured.size(); ++i) {
        if (network.network().nodes[measured[i]].name == layer) return i;
    }
    ADD_FAILURE() << "no figure for " << layer;
    return 0;
}

NodeModule& node_of(TorchNetwork& network, const std::string& layer) {
    for (std::size_t i = 0; i < network.nodes().size(); ++i) {
        if (network.network().nodes[i].name == layer) return *network.nodes()[i];
    }
    throw std::runtime_error("no layer " + layer);
}

void silence(NodeModule& node) {
    const at::NoGradGuard no_grad;
    node.gamma.zero_();
    node.beta.zero_();
}

TEST(ImportanceOfBatch, ALayerWhoseOutputIsScaledByZeroHasNone) {
    const Images batch = made_up_images(8);
    for (const auto measure : {ImportanceMeasure::taylor, ImportanceMeasure::fisher}) {
        const auto network = random_network(testing::small_model());
        const std::size_t place = place_of(*network, measure, "stage1.block1.conv1");
        EXPECT_GT(figures_of(*network, measure, batch)[place], 0.0);
        silence(node_of(*network, "stage1.block1.conv1"));
        const std::vector<double> figures = figures_of(*network, measure, batch);
        EXPECT_EQ(figures[place], 0.0);
        EXPECT_GT(std::accumulate(figures.begin(), figures.end(), 0.0), 0.0);
    }
}

// What pruning ranks by: of Taylor squares of what the layer's figure has the absolute values of.
TEST(ImportanceOfBatch, ChannelsAndTheWholeLayerHaveFigures) {
    const Images batch = made_up_images(8);
    const auto network = random_network(testing::small_model());
    const auto measured = measured_nodes(*network, ImportanceMeasure::taylor);
    const auto taylor =
        importance_of_batch(*network, ImportanceMeasure::taylor, seed, batch.images, batch.labels);
    const auto fisher =
        importance_of_batch(*network, ImportanceMeasure::fisher, seed, batch.images, batch.labels);
    for (std::size_t i = 0; i < measured.size(); ++i) {
        const auto channels = static_cast<std::size_t>(network->nodes()[measured[i]]->layer().out_channels);
        ASSERT_EQ(taylor[i].channels.size(), channels);
        ASSERT_EQ(fisher[i].channels.size(), channels);
        double absolute = 0.0;
        for (const double square : taylor[i].channels) absolute += std::sqrt(square);
        EXPECT_NEAR(taylor[i].importance, absolute, 1e-9 + 1e-9 * absolute);
        EXPECT_LE(std::sqrt(taylor[i].whole), absolute * (1.0 + 1e-9) + 1e-12);
        EXPECT_NEAR(fisher[i].importance,
                    std::accumulate(fisher[i].channels.begin(), fisher[i].channels.end(), 0.0),
                    1e-9 * fisher[i].importance);
        EXPECT_GE(fisher[i].whole, 0.0);
    }
    EXPECT_TRUE(importance_of_batch(*network, ImportanceMeasure::growth, seed, batch.images, batch.labels)[0]
                    .channels.empty());
}

std::vector<float> as_floats(const at::Tensor& tensor) {
    if (!tensor.defined()) return {};
    const at::Tensor dense = tensor.detach().to(at::kFloat).contiguous(at::MemoryFormat::Contiguous);
    return {dense.data_ptr<float>(), dense.data_ptr<float>() + dense.numel()};
}

// y = gamma (Wx + b - mean) / sqrt(var + eps) + beta becomes W' = s W, b' = s (b - mean) + beta with s = gamma / sqrt(var + eps).
std::vector<LayerWeights> folded_by_libtorch(const TorchNetwork& network) {
    const at::NoGradGuard no_grad;
    const auto in_double = [](const at::Tensor& tensor) { return tensor.detach().to(at::kDouble); };
    std::vector<LayerWeights> weights;
    for (const auto& node : network.nodes()) {
        if (!node->has_batch_norm()) {
            weights.push_back({as_floats(node->weight), as_floats(node->bias), as_floats(node->weight2),
                               as_floats(node->bias2)});
            continue;
        }
        const at::Tensor scale =
            in_double(node->gamma) / (in_double(node->running_var) + node->batch_norm_epsilon()).sqrt();
        at::Tensor shift = -in_double(node->running_mean);
        if (node->bias.defined()) shift = shift + in_double(node->bias);
        shift = scale * shift + in_double(node->beta);
        if (node->layer().kind == LayerKind::scale_shift) {
            weights.push_back({as_floats(scale), as_floats(shift), {}, {}});
            continue;
        }
        std::vector<std::int64_t> per_output(static_cast<std::size_t>(node->weight.dim()), 1);
        per_output[0] = -1;
        weights.push_back(
            {as_floats(in_double(node->weight) * scale.view(per_output)), as_floats(shift), {}, {}});
    }
    return weights;
}

TEST(Layers, GoIntoAnotherNetworkOfTheModel) {
    const auto network = random_network(testing::small_model());
    const std::vector<TrainedLayer> layers = layers_of(*network);
    TorchNetwork other(network->network());
    other.initialize(9);
    set_layers(other, layers);
    other.eval();
    const Images batch = made_up_images(4);
    EXPECT_TRUE(at::equal(other.forward(batch.images), network->forward(batch.images)));
    // Folding outside of libtorch gives what it gives there.
    const std::vector<LayerWeights> outside = folded(network->network(), layers);
    const std::vector<LayerWeights> here = folded_by_libtorch(*network);
    for (std::size_t n = 0; n < here.size(); ++n) {
        ASSERT_EQ(outside[n].weights.size(), here[n].weights.size());
        for (std::size_t i = 0; i < here[n].weights.size(); ++i) {
            EXPECT_NEAR(outside[n].weights[i], here[n].weights[i], 1e-6);
        }
        for (std::size_t i = 0; i < here[n].bias.size(); ++i) {
            EXPECT_NEAR(outside[n].bias[i], here[n].bias[i], 1e-6);
        }
    }
    EXPECT_THROW(set_layers(other, unnormalized(here)), InputError);
    EXPECT_THROW(set_layers(other, {}), InputError);
    std::vector<TrainedLayer> shorter = layers;
    shorter[0].products.weights.pop_back();
    EXPECT_THROW(set_layers(other, shorter), InputError);
}

TEST(ImportanceOfBatch, NewChannelsThatNobodyHearsAreWorthNothing) {
    const Images batch = made_up_images(8);
    const auto network = random_network(testing::small_model());
    const std::size_t place = place_of(*network, ImportanceMeasure::growth, "stage1.block1.conv1");
    EXPECT_GT(figures_of(*network, ImportanceMeasure::growth, batch)[place], 0.0);
    silence(node_of(*network, "stage1.block1.conv2"));  // what reads it is scaled by zero
    EXPECT_EQ(figures_of(*network, ImportanceMeasure::growth, batch)[place], 0.0);
}

TEST(ImportanceOfBatch, TaylorIsWhatTheBatchNormsGradientsSay) {
    const Images batch = made_up_images(8);
    const auto network = random_network(testing::small_model());
    const std::vector<double> figures = figures_of(*network, ImportanceMeasure::taylor, batch);
    const auto measured = measured_nodes(*network, ImportanceMeasure::taylor);
    network->zero_grad();
    torch::autograd::backward({at::cross_entropy_loss(network->forward(batch.images), batch.labels)}, {});
    int compared = 0;
    for (std::size_t i = 0; i < measured.size(); ++i) {
        const NodeModule& node = *network->nodes()[measured[i]];
        if (!node.has_batch_norm()) continue;
        const double expected =
            (node.gamma * node.gamma.grad() + node.beta * node.beta.grad()).abs().sum().item<double>();
        EXPECT_NEAR(figures[i], expected, 1e-4 * expected + 1e-7);
        ++compared;
    }
    EXPECT_GE(compared, 5);
}

TEST(ImportanceOfBatch, FisherIsTheMeanOverSingleImages) {
    const Images batch = made_up_images(4);
    const auto network = random_network(testing::small_model());
    const std::vector<double> whole = figures_of(*network, ImportanceMeasure::fisher, batch);
    std::vector<double> mean(whole.size(), 0.0);
    for (std::int64_t i = 0; i < 4; ++i) {
        const Images one{batch.images.narrow(0, i, 1), batch.labels.narrow(0, i, 1)};
        const std::vector<double> single = figures_of(*network, ImportanceMeasure::fisher, one);
        for (std::size_t layer = 0; layer < mean.size(); ++layer) mean[layer] += single[layer] / 4.0;
    }
    for (std::size_t layer = 0; layer < mean.size(); ++layer) {
        EXPECT_NEAR(whole[layer], mean[layer], 1e-4 * mean[layer]);
    }
}

TEST(ImportanceOfBatch, NewChannelsDoNotChangeTheOutput) {
    const Images batch = made_up_images(4);
    const auto network = random_network(testing::small_model());
    NewChannels channels(*network, seed);
    const at::Tensor with = channels.forward(batch.images);
    EXPECT_TRUE(at::allclose(with, network->forward(batch.images), 1e-5, 1e-6));
}

// ---- Growth against layers that really are widened ----

constexpr const char* chain_yaml =
    "name: chain\ninput: {channels: 3, resolution: 32}\nclasses: 10\n"
    "stem:\n  - conv: {width: 8, stride: 2}\n"
    "stages:\n"
    "  - {name: stage1, block: conv, width: 8, depth: 1}\n"
    "  - {name: stage2, block: conv, width: 16, depth: 1, stride: 2}\n"
    "  - {name: stage3, block: conv, width: 24, depth: 1, stride: 2}\n"
    "head:\n  - global_avg_pool\n  - linear: {}\n";

constexpr int channels_added = 64;

// A chain with more channels in one stage: what they read is random, what reads them is zero.
class WidenedChain {
public:
    WidenedChain(const ModelSpec& base, TorchNetwork& narrow, std::size_t stage, const Images& batch)
        : batch_(batch) {
        ModelSpec spec = base;
        spec.stages[stage].width += channels_added;
        wide_ = std::make_unique<TorchNetwork>(lower(spec));
        wide_->eval();
        const at::NoGradGuard no_grad;
        std::vector<at::Tensor> outputs;
        narrow.forward(batch.images, &outputs);
        const std::size_t widened = stage + 1;  // after the stem's conv
        for (std::size_t i = 0; i < narrow.nodes().size(); ++i) {
            const NodeModule& from = *narrow.nodes()[i];
            NodeModule& to = *wide_->nodes()[i];
            if (to.weight.defined()) {
                to.weight.zero_();
                to.weight.narrow(0, 0, from.weight.size(0))
                    .narrow(1, 0, from.weight.size(1))
                    .copy_(from.weight);
                if (to.bias.defined()) to.bias.copy_(from.bias);
            }
            if (to.has_batch_norm()) copy_batch_norm(from, to);
            if (i != widened) continue;
            const at::Tensor added = to.weight.narrow(0, from.weight.size(0), channels_added);
            added.normal_();
            const at::Tensor made =
                at::conv2d(outputs[i - 1], added, {}, to.layer().stride(), to.layer().padding());
            to.running_mean.narrow(0, from.weight.size(0), channels_added).copy_(made.mean({0, 2, 3}));
            to.running_var.narrow(0, from.weight.size(0), channels_added)
                .copy_(made.var({0, 2, 3}, /*unbiased=*/false));
        }
        for (std::size_t i = widened + 1; !reader_.defined(); ++i) reader_ = wide_->nodes()[i]->weight;
        old_ = reader_.size(1) - channels_added;
    }

    double loss() {
        const at::NoGradGuard no_grad;
        return at::cross_entropy_loss(wide_->forward(batch_.images), batch_.labels).item<double>();
    }
    // Of the loss in the weights that read the new channels.
    at::Tensor gradient() {
        wide_->zero_grad();
        torch::autograd::backward({at::cross_entropy_loss(wide_->forward(batch_.images), batch_.labels)}, {});
        return reader_.grad().narrow(1, old_, channels_added).clone();
    }
    void step(const at::Tensor& gradient, double rate) {
        const at::NoGradGuard no_grad;
        reader_.narrow(1, old_, channels_added).sub_(gradient, rate);
    }

private:
    static void copy_batch_norm(const NodeModule& from, NodeModule& to) {
        const std::int64_t count = from.gamma.size(0);
        to.gamma.fill_(1.0);
        to.beta.zero_();
        to.gamma.narrow(0, 0, count).copy_(from.gamma);
        to.beta.narrow(0, 0, count).copy_(from.beta);
        to.running_mean.narrow(0, 0, count).copy_(from.running_mean);
        to.running_var.narrow(0, 0, count).copy_(from.running_var);
    }

    const Images& batch_;
    std::unique_ptr<TorchNetwork> wide_;
    at::Tensor reader_;
    std::int64_t old_ = 0;
};

TEST(Growth, PredictsSignAndOrderOfTheLossChangeOfWidenedLayers) {
    const ModelSpec base = parse_model(chain_yaml, "chain.yaml");
    const Images batch = made_up_images(32);
    const auto narrow = random_network(base);
    const double loss = at::cross_entropy_loss(narrow->forward(batch.images), batch.labels).item<double>();
    const std::vector<double> figures = figures_of(*narrow, ImportanceMeasure::growth, batch);
    std::array<double, 3> predicted{};  // fall for each unit of learning rate
    for (std::size_t stage = 0; stage < 3; ++stage) {
        predicted[stage] = figures[stage + 1] / base.stages[stage].width * channels_added;
    }
    const double rate = 0.02 * loss / *std::max_element(predicted.begin(), predicted.end());
    std::array<double, 3> falls{};
    for (std::size_t stage = 0; stage < 3; ++stage) {
        WidenedChain wide(base, *narrow, stage, batch);
        EXPECT_NEAR(wide.loss(), loss, 1e-5) << "widening changes nothing yet";
        wide.step(wide.gradient(), rate);
        falls[stage] = loss - wide.loss();
        EXPECT_GT(falls[stage], 0.0);
        // Other random channels than those that were asked, so only about as large.
        EXPECT_GT(falls[stage], 0.4 * rate * predicted[stage]);
        EXPECT_LT(falls[stage], 2.5 * rate * predicted[stage]);
    }
    std::array<std::size_t, 3> by_prediction{0, 1, 2}, by_fall{0, 1, 2};
    std::sort(by_prediction.begin(), by_prediction.end(),
              [&](std::size_t a, std::size_t b) { return predicted[a] < predicted[b]; });
    std::sort(by_fall.begin(), by_fall.end(),
              [&](std::size_t a, std::size_t b) { return falls[a] < falls[b]; });
    EXPECT_EQ(by_prediction, by_fall);
}

}  // namespace
}  // namespace hacscale::training
