// The reference itself, against values worked out by hand: everything else is compared with it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <functional>
#include <limits>
#include <thread>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "tests/models/generated.hpp"

namespace hacscale {
namespace {

using ::testing::DoubleNear;
using ::testing::Pointwise;
using Values = std::vector<double>;

LayerSpec layer_of(LayerKind kind, int channels, int height, int width) {
    LayerSpec layer;
    layer.kind = kind;
    layer.in_channels = layer.out_channels = channels;
    layer.in_height = height;
    layer.in_width = width;
    layer.bias = kind == LayerKind::conv || kind == LayerKind::linear;
    return layer;
}

void expect_near(const Values& actual, const Values& expected) {
    EXPECT_THAT(actual, Pointwise(DoubleNear(1e-6), expected));
}

TEST(Reference, ConvSlidesItsKernelOverThePaddedInput) {
    // 1 2 3      1 0
    // 4 5 6  by  0 2  , padding 1: windows start at -1.
    LayerSpec layer = layer_of(LayerKind::conv, 1, 2, 3);
    layer.window = Window::square(2, 1, 1);
    const LayerWeights weights{{1, 0, 0, 2}, {10}, {}, {}};
    expect_near(reference_layer(layer, 1, {1, 2, 3, 4, 5, 6}, {}, weights),
                {12, 14, 16, 10,    //
                 18, 21, 24, 13,    // 10 + 2*4, 10 + 1 + 2*5, 10 + 2 + 2*6, 10 + 3
                 10, 14, 15, 16});  // nothing below: the upper left weight meets 4, 5, 6
}

TEST(Reference, ConvWithAStrideSkipsWindows) {
    LayerSpec layer = layer_of(LayerKind::conv, 1, 5, 5);
    layer.window = Window::square(3, 2);
    layer.bias = false;
    Values input(25);
    for (std::size_t i = 0; i < 25; ++i) input[i] = static_cast<double>(i);
    // The centre weight alone: the pixels (1,1), (1,3), (3,1), (3,3).
    expect_near(reference_layer(layer, 1, input, {}, {{0, 0, 0, 0, 1, 0, 0, 0, 0}, {}, {}, {}}),
                {6, 8, 16, 18});
}

TEST(Reference, ConvMixesChannelsAndKeepsImagesApart) {
    LayerSpec layer = layer_of(LayerKind::conv, 2, 1, 2);
    layer.out_channels = 3;
    const LayerWeights weights{{1, 0, 0, 1, 2, -1}, {0, 100, 0.5}, {}, {}};
    const Values one{1, 2, 30, 40};  // channel 0: 1 2, channel 1: 30 40
    const Values expected{1, 2, 130, 140, -27.5, -35.5};
    expect_near(reference_layer(layer, 1, one, {}, weights), expected);
    Values both = expected;
    both.insert(both.end(), {0, 0, 100, 100, 0.5, 0.5});
    expect_near(reference_layer(layer, 2, {1, 2, 30, 40, 0, 0, 0, 0}, {}, weights), both);
}

TEST(Reference, GroupsSeeTheirOwnChannelsOnly) {
    LayerSpec layer = layer_of(LayerKind::conv, 4, 1, 1);
    layer.groups = 2;
    layer.out_channels = 2;
    layer.bias = false;
    expect_near(reference_layer(layer, 1, {1, 2, 3, 4}, {}, {{1, 10, 100, 1000}, {}, {}, {}}), {21, 4300});
    layer.groups = 4;
    layer.out_channels = 4;
    expect_near(reference_layer(layer, 1, {1, 2, 3, 4}, {}, {{1, 10, 100, 1000}, {}, {}, {}}),
                {1, 20, 300, 4000});
}

TEST(Reference, ResidualIsAddedBeforeTheActivation) {
    LayerSpec layer = layer_of(LayerKind::conv, 1, 1, 3);
    layer.residual = true;
    layer.activation = Activation::relu;
    expect_near(reference_layer(layer, 1, {1, 2, 3}, {-5, 1, -4}, {{2}, {0}, {}, {}}), {0, 5, 2});
}

TEST(Reference, MaxPoolNeverPicksThePadding) {
    LayerSpec layer = layer_of(LayerKind::max_pool, 1, 3, 3);
    layer.window = Window::square(3, 2, 1);
    expect_near(reference_layer(layer, 1, {-9, -8, -7, -6, -5, -4, -3, -2, -1}, {}, {}), {-5, -4, -2, -1});
}

TEST(Reference, WindowsHaveTwoDimensionsFourPadsAndDilations) {
    //  0  1  2  3        1
    //  4  5  6  7   by   .   , one row of padding above, none below, every second column
    //  8  9 10 11       10
    LayerSpec layer = layer_of(LayerKind::conv, 1, 3, 4);
    layer.window = {.kernel = {2, 1}, .strides = {1, 2}, .pads = {1, 0, 0, 0}, .dilations = {2, 1}};
    Values input(12);
    for (std::size_t i = 0; i < input.size(); ++i) input[i] = static_cast<double>(i);
    expect_near(reference_layer(layer, 1, input, {}, {{1, 10}, {0}, {}, {}}),
                {40, 60,     // the first tap is in the padding
                 80, 102});  // 0 + 10*8, 2 + 10*10
    layer.kind = LayerKind::max_pool;
    layer.window = {.kernel = {1, 3}, .pads = {0, 0, 0, 2}};
    expect_near(reference_layer(layer, 1, input, {}, {}), {2, 3, 3, 3, 6, 7, 7, 7, 10, 11, 11, 11});
}

TEST(Reference, AvgPoolDoesNotCountPadding) {
    LayerSpec layer = layer_of(LayerKind::avg_pool, 1, 3, 3);
    layer.window = {.kernel = {2, 2}, .strides = {2, 2}, .pads = {0, 1, 1, 0}};
    // Columns 0 and then 1 to 2; rows 0 to 1 and then 2.
    expect_near(reference_layer(layer, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9}, {}, {}), {2.5, 4, 7, 8.5});
}

TEST(Reference, GlobalAvgPoolIsTheMeanOfEachChannel) {
    const LayerSpec layer = layer_of(LayerKind::global_avg_pool, 2, 2, 2);
    expect_near(reference_layer(layer, 2, {1, 2, 3, 4, 0, 0, 0, 2, 5, 5, 5, 5, -1, 1, -1, 1}, {}, {}),
                {2.5, 0.5, 5, 0});
}

TEST(Reference, LinearFlattensChannelsFirst) {
    LayerSpec layer = layer_of(LayerKind::linear, 2, 1, 2);
    layer.out_channels = 2;
    layer.activation = Activation::relu;
    const LayerWeights weights{{1, 10, 100, 1000, -1, 0, 0, 0}, {0.5, 1.5}, {}, {}};
    expect_near(reference_layer(layer, 2, {1, 2, 3, 4, 2, 0, 0, 0}, {}, weights), {4321.5, 0.5, 2.5, 0});
}

TEST(Reference, SqueezeExciteScalesEachChannelByItsGate) {
    LayerSpec layer = layer_of(LayerKind::squeeze_excite, 2, 1, 2);
    layer.squeeze_channels = 1;
    layer.activation = Activation::relu;
    layer.gate = Activation::hard_sigmoid;
    // Means 2 and 6; hidden = relu(2 + 6 - 5) = 3; gates = hard_sigmoid(3 - 3) = 0.5, hard_sigmoid(6) = 1.
    const LayerWeights weights{{1, 1}, {-5}, {1, 2}, {-3, 0}};
    expect_near(reference_layer(layer, 1, {1, 3, 4, 8}, {}, weights), {0.5, 1.5, 4, 8});
    // A hidden value below zero is cut to 0: gates hard_sigmoid(-3) = 0 and hard_sigmoid(0) = 0.5.
    expect_near(reference_layer(layer, 1, {-1, -3, 1, 1}, {}, weights), {0, 0, 0.5, 0.5});
    layer.gate = Activation::sigmoid;
    const double first = 1.0 / (1.0 + std::exp(3.0));
    expect_near(reference_layer(layer, 1, {-1, -3, 1, 1}, {}, weights), {-first, -3 * first, 0.5, 0.5});
}

TEST(Reference, ScaleShiftGoesByChannel) {
    LayerSpec layer = layer_of(LayerKind::scale_shift, 2, 1, 2);
    layer.activation = Activation::relu;
    const LayerWeights weights{{2, -1}, {1, 3}, {}, {}};
    expect_near(reference_layer(layer, 1, {1, -2, 1, 5}, {}, weights), {3, 0, 2, 0});
}

TEST(Reference, ActivationsHaveTheirPublishedForms) {
    const auto at = [](Activation activation, const Values& inputs) {
        LayerSpec layer = layer_of(LayerKind::scale_shift, 1, 1, static_cast<int>(inputs.size()));
        layer.activation = activation;
        return reference_layer(layer, 1, inputs, {}, {{1}, {0}, {}, {}});
    };
    const Values inputs{-4, -1, 0, 1, 4, 8};
    expect_near(at(Activation::none, inputs), inputs);
    expect_near(at(Activation::relu, inputs), {0, 0, 0, 1, 4, 8});
    expect_near(at(Activation::relu6, inputs), {0, 0, 0, 1, 4, 6});
    expect_near(at(Activation::hard_sigmoid, inputs), {0, 1.0 / 3, 0.5, 2.0 / 3, 1, 1});
    expect_near(at(Activation::hard_swish, inputs), {0, -1.0 / 3, 0, 2.0 / 3, 4, 8});
    expect_near(at(Activation::sigmoid, {0, std::log(3.0), -std::log(3.0)}), {0.5, 0.75, 0.25});
    expect_near(at(Activation::silu, {0, std::log(3.0)}), {0, 0.75 * std::log(3.0)});
}

// Worked out from the definitions in the documentation of PyTorch's functions, to eight digits.
TEST(Reference, ActivationsOfLaterNetworksHaveTheirPublishedForms) {
    const auto at = [](Activation activation, float alpha) {
        LayerSpec layer = layer_of(LayerKind::activation, 1, 1, 4);
        layer.activation = activation;
        layer.alpha = alpha;
        return reference_layer(layer, 1, {-2, -0.5, 0, 1.5}, {}, {});
    };
    expect_near(at(Activation::gelu, 0.0F), {-0.04550026, -0.15426877, 0, 1.39978921});
    expect_near(at(Activation::gelu_tanh, 0.0F), {-0.04540231, -0.15428599, 0, 1.39957157});
    expect_near(at(Activation::leaky_relu, 0.5F), {-1, -0.25, 0, 1.5});
    expect_near(at(Activation::mish, 0.0F), {-0.25250148, -0.22074377, 0, 1.40337827});
    expect_near(at(Activation::softplus, 0.0F), {0.12692801, 0.47407698, 0.69314718, 1.70141328});
    expect_near(at(Activation::elu, 2.0F), {-1.72932943, -0.78693868, 0, 1.5});
    expect_near(at(Activation::tanh, 0.0F), {-0.96402758, -0.46211716, 0, 0.90514825});
}

TEST(Reference, LayersOfSeveralInputsTakeThemInOrder) {
    const Values two{1, -2, 3, -4};
    const Values more{10, 20, 30, 40};
    LayerSpec layer = layer_of(LayerKind::add, 2, 1, 2);
    layer.inputs = 2;
    layer.activation = Activation::relu;
    expect_near(reference_layer(layer, 1, {&two, &two}, {}), {2, 0, 6, 0});
    layer.kind = LayerKind::multiply;
    expect_near(reference_layer(layer, 1, {&two, &more}, {}), {10, 0, 90, 0});
    const Values gate{2, -1};
    layer.mode = Mode::per_channel;
    layer.activation = Activation::none;
    expect_near(reference_layer(layer, 1, {&two, &gate}, {}), {2, -4, -3, 4});
    // Two images of one and two channels.
    LayerSpec concat = layer_of(LayerKind::concat, 3, 1, 1);
    concat.inputs = 2;
    expect_near(reference_layer(concat, 2, {&gate, &more}, {}), {2, 10, 20, -1, 30, 40});
    LayerSpec slice = layer_of(LayerKind::slice, 2, 1, 1);
    slice.out_channels = 1;
    slice.first_channel = 1;
    expect_near(reference_layer(slice, 2, {&more}, {}), {20, 40});
}

TEST(Reference, AvgPoolCountsPaddingWhereItsModeSaysSo) {
    LayerSpec layer = layer_of(LayerKind::avg_pool, 1, 2, 2);
    layer.window = Window::square(2, 2, 1);
    layer.mode = Mode::count_padding;
    expect_near(reference_layer(layer, 1, {1, 2, 3, 4}, {}, {}), {0.25, 0.5, 0.75, 1});
}

TEST(Reference, PadLaysZerosAroundTheMap) {
    LayerSpec layer = layer_of(LayerKind::pad, 1, 1, 2);
    layer.window.pads = {1, 0, 0, 2};
    expect_near(reference_layer(layer, 1, {5, 6}, {}, {}), {0, 0, 0, 0, 5, 6, 0, 0});
}

TEST(Reference, PadMirrorsRepeatsAndCrops) {
    LayerSpec layer = layer_of(LayerKind::pad, 1, 1, 3);
    layer.window.pads = {0, 2, 0, 1};
    layer.mode = Mode::reflect;
    expect_near(reference_layer(layer, 1, {5, 6, 7}, {}, {}), {7, 6, 5, 6, 7, 6});
    layer.mode = Mode::edge;
    expect_near(reference_layer(layer, 1, {5, 6, 7}, {}, {}), {5, 5, 5, 6, 7, 7});
    layer.mode = Mode::ones;
    layer.window.pads = {0, -1, 0, 1};
    expect_near(reference_layer(layer, 1, {5, 6, 7}, {}, {}), {6, 7, 1});
}

TEST(Reference, TransposedConvSpreadsEachElementOverItsWindow) {
    LayerSpec layer = layer_of(LayerKind::transposed_conv, 1, 1, 2);
    layer.window = {{1, 3}, {1, 2}, {0, 1, 0, 0}, {1, 1}};
    layer.bias = true;
    // 2 * (1 10 100) from element -1 on, and 3 * (1 10 100) from 1 on.
    expect_near(reference_layer(layer, 1, {2, 3}, {}, {{1, 10, 100}, {0.5}, {}, {}}),
                {20.5, 203.5, 30.5, 300.5});
    LayerSpec grouped = layer_of(LayerKind::transposed_conv, 2, 1, 1);
    grouped.groups = 2;
    grouped.out_channels = 4;
    grouped.bias = false;
    expect_near(reference_layer(grouped, 1, {1, 2}, {}, {{1, 2, 3, 4}, {}, {}, {}}), {1, 2, 6, 8});
}

// ONNX's documentation of Resize has the formulas; a row of 1 2 3 4 shows each.
TEST(Reference, ResizeTakesTheElementsThatItsModeSays) {
    const auto row = [](Mode mode, int size, const Values& in) {
        LayerSpec layer = layer_of(LayerKind::resize, 1, 1, static_cast<int>(in.size()));
        layer.size = {1, size};
        layer.mode = mode;
        return reference_layer(layer, 1, in, {}, {});
    };
    const Values in{1, 2, 3, 4};
    expect_near(row(Mode::nearest, 8, in), {1, 1, 2, 2, 3, 3, 4, 4});
    expect_near(row(Mode::nearest, 3, in), {1, 2, 3});
    expect_near(row(Mode::nearest, 2, in), {1, 3});
    // At 0.5 and 2.5 elements, between two: down, or up.
    expect_near(row(Mode::nearest_half_pixel, 2, in), {1, 3});
    expect_near(row(Mode::nearest_half_pixel_up, 2, in), {2, 4});
    expect_near(row(Mode::nearest_half_pixel, 3, in), {1, 2, 4});
    expect_near(row(Mode::bilinear, 8, in), {1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4});
    expect_near(row(Mode::bilinear, 2, in), {1.5, 3.5});
    expect_near(row(Mode::bilinear_align_corners, 7, in), {1, 1.5, 2, 2.5, 3, 3.5, 4});
    expect_near(row(Mode::bilinear_align_corners, 1, in), {1});
}

TEST(Reference, ResizeGoesByBothAxes) {
    LayerSpec layer = layer_of(LayerKind::resize, 1, 2, 2);
    layer.size = {3, 3};
    layer.mode = Mode::bilinear_align_corners;
    expect_near(reference_layer(layer, 1, {0, 2, 4, 10}, {}, {}), {0, 1, 2, 2, 4, 6, 4, 7, 10});
}

TEST(Reference, NormsHaveAMeanOfZeroAndAVarianceOfOneBeforeTheirScale) {
    LayerSpec layer = layer_of(LayerKind::layer_norm, 2, 1, 2);
    layer.epsilon = 0.25F;
    // Pixels (1, 4) and (3, 2): variances of 2.25 and 0.25.
    const LayerWeights weights{{2, 1}, {0, 10}, {}, {}};
    const double near = 0.5 / std::sqrt(0.5);
    expect_near(reference_layer(layer, 1, {1, 3, 4, 2}, {}, weights),
                {2 * -1.5 / std::sqrt(2.5), 2 * near, 10 + 1.5 / std::sqrt(2.5), 10 - near});
    layer.kind = LayerKind::group_norm;  // one group: mean 2.5, variance 1.25
    expect_near(reference_layer(layer, 1, {1, 3, 4, 2}, {}, weights),
                {2 * -1.5 / std::sqrt(1.5), 2 * 0.5 / std::sqrt(1.5), 10 + 1.5 / std::sqrt(1.5),
                 10 - 0.5 / std::sqrt(1.5)});
    layer.groups = 2;  // means 2 and 3, variances 1
    layer.activation = Activation::relu;
    const double one = 1 / std::sqrt(1.25);
    expect_near(reference_layer(layer, 1, {1, 3, 4, 2}, {}, weights), {0, 2 * one, 10 + one, 10 - one});
}

TEST(Reference, GlobalResponseNormComparesChannels) {
    LayerSpec layer = layer_of(LayerKind::grn, 2, 1, 2);
    layer.epsilon = 0.5F;
    // Norms 5 and 0: their mean is 2.5, so the first channel's share is 5 / 3.
    expect_near(reference_layer(layer, 1, {3, 4, 0, 0}, {}, {{3, 1}, {0, 7}, {}, {}}),
                {3 * 6.0, 4 * 6.0, 7, 7});
}

TEST(Reference, ShufflesMoveChannels) {
    LayerSpec shuffle = layer_of(LayerKind::channel_shuffle, 6, 1, 1);
    shuffle.groups = 2;
    expect_near(reference_layer(shuffle, 1, {0, 1, 2, 3, 4, 5}, {}, {}), {0, 3, 1, 4, 2, 5});
    // Eight channels of one pixel, or two of 2 x 2: PyTorch's order, then ONNX's DCR.
    LayerSpec split = layer_of(LayerKind::pixel_shuffle, 8, 1, 1);
    split.window.strides = {2, 2};
    split.out_channels = 2;
    LayerSpec join = layer_of(LayerKind::space_to_depth, 2, 2, 2);
    join.window.strides = {2, 2};
    join.out_channels = 8;
    const Values in{0, 1, 2, 3, 4, 5, 6, 7};
    split.mode = join.mode = Mode::channels_first;
    expect_near(reference_layer(split, 1, in, {}, {}), in);
    split.mode = join.mode = Mode::blocks_first;
    const Values apart{0, 2, 4, 6, 1, 3, 5, 7};
    expect_near(reference_layer(split, 1, in, {}, {}), apart);
    expect_near(reference_layer(join, 1, apart, {}, {}), in);
}

TEST(Reference, SlopesAndGatesGoByChannel) {
    const LayerSpec prelu = layer_of(LayerKind::prelu, 2, 1, 2);
    expect_near(reference_layer(prelu, 1, {-2, 4, -2, 4}, {}, {{0.5, 0}, {}, {}, {}}), {-1, 4, 0, 4});
    LayerSpec eca = layer_of(LayerKind::eca, 3, 1, 1);
    eca.window.kernel[1] = 3;
    eca.gate = Activation::hard_sigmoid;
    // Sums of neighbours: 10 * 1 + 100 * 3, 1 + 10 * 3 - 3 * 100, 3 - 30; the gates are 1, 0 and 0.
    expect_near(reference_layer(eca, 1, {1, 3, -3}, {}, {{1, 10, 100}, {}, {}, {}}), {1, 0, 0});
}

// Backwards, on three threads.
const ForEach on_three_threads = [](std::size_t count, const std::function<void(std::size_t)>& work) {
    std::vector<std::jthread> pool;
    for (std::size_t thread = 0; thread < 3; ++thread) {
        pool.emplace_back([&work, count, thread] {
            for (std::size_t i = count; i-- > 0;) {
                if (i % 3 == thread) work(i);
            }
        });
    }
};

TEST(Reference, OutputsAreTheSameToTheBitOnAnyNumberOfThreads) {
    testing::Generator generator(3);
    for (int i = 0; i < 200; ++i) {
        const LayerSpec layer = generator.layer();
        const LayerCost cost = cost_of(layer, 1, DataType::f32);
        if (cost.macs > 2'000'000 || cost.activations > 50'000)
            continue;  // seconds without the compiler's help
        const Graph graph = single_layer(layer);
        std::vector<Values> inputs;
        for (const std::vector<float>& values : random_inputs(graph, 2, 1)) {
            inputs.emplace_back(values.begin(), values.end());
        }
        ReferenceInputs read;
        for (const Values& values : inputs) read.push_back(&values);
        const LayerWeights weights = random_weights(layer, 2);
        const Values expected = reference_layer(layer, 2, read, weights);
        EXPECT_EQ(reference_layer(layer, 2, read, weights, on_three_threads), expected) << layer.key();
        std::vector<std::size_t> positions;
        for (std::size_t at = 0; at < expected.size(); at += 1 + expected.size() / 50)
            positions.push_back(at);
        const Values some = reference_outputs(layer, 2, read, weights, positions);
        for (std::size_t k = 0; k < positions.size(); ++k)
            EXPECT_EQ(some[k], expected[positions[k]]) << layer.key();
    }
}

TEST(Reference, OutputsAtPositionsEqualTheWholeLayer) {
    for (const LayerKind kind : {LayerKind::conv, LayerKind::scale_shift}) {
        LayerSpec layer = layer_of(kind, 4, 5, 6);
        if (kind == LayerKind::conv) {
            layer.window = Window::square(3, 1, 1);
            layer.groups = 2;
            layer.residual = true;
        }
        const auto floats = random_values(2 * 4 * 5 * 6, 1);
        const Values input(floats.begin(), floats.end());
        const LayerWeights weights = random_weights(layer, 2);
        const Values whole = reference_layer(layer, 2, input, input, weights);
        const std::vector<std::size_t> positions{0, 7, 100, 239};
        Values expected;
        for (const std::size_t position : positions) expected.push_back(whole[position]);
        ReferenceInputs inputs{&input};
        if (layer.residual) inputs.push_back(&input);
        EXPECT_EQ(reference_outputs(layer, 2, inputs, weights, positions), expected);
    }
}

TEST(Reference, NetworksFollowTheirWires) {
    // x -> scale by 2 -> conv by 1 that adds x, -> conv by 1 that adds the first node's output.
    Graph network;
    const LayerSpec scale = layer_of(LayerKind::scale_shift, 1, 1, 2);
    LayerSpec add = layer_of(LayerKind::conv, 1, 1, 2);
    add.residual = true;
    add.bias = false;
    const TensorId x = network.add_input(1, 1, 2);
    const TensorId scaled = network.add_node({.layer = scale, .inputs = {x}, .name = "scale"});
    const TensorId sum = network.add_node({.layer = add, .inputs = {scaled, x}, .name = "adds the input"});
    network.outputs = {network.add_node({.layer = add, .inputs = {sum, scaled}, .name = "adds the scaled"}),
                       sum};
    const std::vector<LayerWeights> weights{{{2}, {0}, {}, {}}, {{10}, {}, {}, {}}, {{100}, {}, {}, {}}};
    // 1 -> 2 -> 20 + 1 -> 2100 + 2
    const auto outputs = reference_graph(network, 1, {{1, 3}}, weights);
    ASSERT_EQ(outputs.size(), 2U);
    expect_near(outputs[0], {2102, 6306});
    expect_near(outputs[1], {21, 63});
}

TEST(Reference, SingleLayersTakeTheirResidualFromOutside) {
    LayerSpec add = layer_of(LayerKind::conv, 1, 1, 2);
    add.residual = true;
    expect_near(reference_graph(single_layer(add), 1, {{1, 2}, {10, 20}}, {{{3}, {1}, {}, {}}}).front(),
                {14, 27});
}

TEST(RelativeError, IsTheRatioOfNorms) {
    EXPECT_DOUBLE_EQ(relative_error({3, 4}, {3, 4}), 0.0);
    EXPECT_DOUBLE_EQ(relative_error({3, 4.5}, {3, 4}), 0.1);
    EXPECT_DOUBLE_EQ(relative_error({0, 0}, {0, 0}), 0.0);
    EXPECT_DOUBLE_EQ(relative_error({0, 2}, {0, 0}), 2.0);
    const double infinite = std::numeric_limits<double>::infinity();
    EXPECT_EQ(relative_error({1}, {1, 2}), infinite);
    EXPECT_EQ(relative_error({std::nanf(""), 2}, {1, 2}), infinite);
    EXPECT_EQ(relative_error({std::numeric_limits<float>::infinity(), 2}, {1, 2}), infinite);
}

}  // namespace
}  // namespace hacscale
