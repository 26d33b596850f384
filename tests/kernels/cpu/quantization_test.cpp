// Networks of 8-bit integers on the CPU: which tensors are integers, their scales, and that integers are multiplied exactly.
#include "kernels/cpu/quantization.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "kernels/cpu/conv_plans.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/cpu_network_runner.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cpu {
namespace {

using ::testing::ElementsAre;
using ::testing::Pointwise;

TEST(Quantization, SpansReachOverZeroAndAllNumbers) {
    std::vector<float> values(37, 0.5F);
    EXPECT_EQ(range_of(values.data(), values.size()).low, 0.0F);
    EXPECT_EQ(range_of(values.data(), values.size()).high, 0.5F);
    values[3] = -2.0F;  // among whole vectors
    values[36] = 7.0F;  // behind them
    EXPECT_EQ(range_of(values.data(), values.size()).low, -2.0F);
    EXPECT_EQ(range_of(values.data(), values.size()).high, 7.0F);
}

TEST(Quantization, IntegersAreUnsignedWhereNoNumberIsNegative) {
    EXPECT_EQ(as_integers({0.0F, 5.1F}), (Stored{Element::u8, 5.1F / 255.0F}));
    EXPECT_EQ(as_integers({-2.54F, 1.0F}), (Stored{Element::s8, 2.54F / 127.0F}));
    EXPECT_EQ(as_integers({-1.0F, 2.54F}), (Stored{Element::s8, 2.54F / 127.0F}));
    EXPECT_EQ(as_integers({0.0F, 0.0F}), (Stored{Element::u8, 1.0F}));
    EXPECT_EQ(as_integers({-1e-44F, 0.0F}), (Stored{Element::s8, 1.0F}));
}

TEST(Quantization, EachChannelOfTheWeightsHasItsScale) {
    LayerSpec layer = LayerSpec::from_key("conv_i2x4x4_o3_k1_s1_p0_g1");
    const LayerWeights weights{{0.5F, -1.0F, 0.0F, 0.0F, 2.0F, 0.25F}, {}, {}, {}};
    const auto limit = static_cast<float>(weight_limit(layer, Element::u8));
    EXPECT_THAT(weight_scales(layer, weights, Element::u8), ElementsAre(1.0F / limit, 1.0F, 2.0F / limit));
}

TEST(Quantization, RoundsToTheNearestAndCutsAtTheEnds) {
    const Stored as_signed{Element::s8, 0.5F};
    const Stored as_unsigned{Element::u8, 0.5F};
    // Long enough for whole vectors and a rest.
    std::vector<float> values;
    for (int i = -150; i < 300; ++i) values.push_back(0.5F * (static_cast<float>(i) + 0.25F));
    for (const Stored& form : {as_signed, as_unsigned}) {
        std::vector<std::byte> integers(values.size());
        convert(reinterpret_cast<const std::byte*>(values.data()), {}, integers.data(), form, values.size());
        std::vector<float> back(values.size());
        convert(integers.data(), form, reinterpret_cast<std::byte*>(back.data()), {}, back.size());
        const bool is_signed = form.element == Element::s8;
        for (int i = -150; i < 300; ++i) {
            const int nearest = is_signed ? std::clamp(i, -127, 127) : std::clamp(i, 0, 255);
            EXPECT_EQ(back[static_cast<std::size_t>(i + 150)], 0.5F * static_cast<float>(nearest)) << i;
        }
    }
}

// Names of tensors' elements, in the order in which the nodes write them.
std::vector<std::string> written_elements(const Graph& graph, const ValueRange& range) {
    const auto always = [](const LayerSpec&) { return true; };
    const Quantization result = quantize(graph, std::vector<ValueRange>(graph.tensors.size(), range), always);
    std::vector<std::string> names;
    for (const Node& node : graph.nodes) {
        const Element element = result.stored[node.outputs.front()].element;
        names.emplace_back(element == Element::f32 ? "f32" : element == Element::u8 ? "u8" : "s8");
    }
    return names;
}

TensorId append_layer(Graph& graph, const std::string& key, TensorIds inputs) {
    Node node;
    node.layer = LayerSpec::from_key(key);
    node.inputs = std::move(inputs);
    return graph.add_node(node);
}

TEST(Quantization, IntegersGoFromConvsThroughPoolsToConvs) {
    Graph graph;
    TensorId at = graph.add_input(4, 8, 8);
    at = append_layer(graph, "conv_i4x8x8_o8_k3_s1_p1_g1_bias_relu", {at});
    at = append_layer(graph, "max_pool_i8x8x8_k2_s2_p0", {at});
    const TensorId added = at;
    at = append_layer(graph, "conv_i8x4x4_o8_k3_s1_p1_g1_bias_relu", {at});
    at = append_layer(graph, "conv_i8x4x4_o8_k3_s1_p1_g1_bias_add", {at, added});
    at = append_layer(graph, "activation_i8x4x4_silu", {at});
    at = append_layer(graph, "conv_i8x4x4_o8_k1_s1_p0_g1", {at});
    graph.outputs = {at};
    ASSERT_EQ(validate(graph).value_or(""), "");
    EXPECT_THAT(written_elements(graph, {-1.0F, 1.0F}), ElementsAre("s8", "s8", "s8", "f32", "f32", "f32"));
    EXPECT_THAT(written_elements(graph, {0.0F, 1.0F}), ElementsAre("u8", "u8", "u8", "f32", "f32", "f32"));
}

TEST(Quantization, WhatTheNetworkPutsOutIsNumbers) {
    Graph graph;
    const TensorId first = append_layer(graph, "conv_i4x8x8_o8_k3_s1_p1_g1", {graph.add_input(4, 8, 8)});
    const TensorId last = append_layer(graph, "conv_i8x8x8_o8_k3_s1_p1_g1", {first});
    graph.outputs = {first, last};
    EXPECT_THAT(written_elements(graph, {0.0F, 1.0F}), ElementsAre("f32", "f32"));
}

TEST(Quantization, PoolsOfNumbersStayAsTheyAre) {
    Graph graph;
    TensorId at = append_layer(graph, "max_pool_i4x8x8_k2_s2_p0", {graph.add_input(4, 8, 8)});
    at = append_layer(graph, "conv_i4x4x4_o8_k3_s1_p1_g1", {at});
    at = append_layer(graph, "max_pool_i8x4x4_k2_s2_p0", {at});
    graph.outputs = {at};
    EXPECT_THAT(written_elements(graph, {0.0F, 1.0F}), ElementsAre("f32", "f32", "f32"));
}

// What the layer puts out of integers, when every scale is a power of 2.
struct ExactCase {
    std::string key;
    Element source = Element::u8;
    Element residual = Element::f32;
    Element output = Element::f32;
    int batch = 2;
    bool at_the_ends = false;  // the largest sources and weights that there are, instead of small ones
};

Stored stored_as(Element element, float scale) {
    return {element, element == Element::f32 ? 1.0F : scale};
}

// Small multiples of the scale, of either sign where the element has one. Even ones only, which halved weights keep.
std::vector<float> small_steps(std::size_t count, bool is_signed, float scale, std::uint64_t seed) {
    std::vector<float> values = random_values(count, seed);
    for (float& value : values) {
        const float steps = 2.0F * std::floor(value * 4.0F);
        value = (is_signed ? steps : std::abs(steps)) * scale;
    }
    return values;
}

// The largest even multiples of the scale up to `most`, of random sign where the element has one.
std::vector<float> largest_steps(std::size_t count, bool is_signed, int most, float scale,
                                 std::uint64_t seed) {
    const auto largest = static_cast<float>(most - most % 2) * scale;
    std::vector<float> values = random_values(count, seed);
    for (float& value : values) value = is_signed && value < 0.0F ? -largest : largest;
    return values;
}

std::vector<std::byte> as_stored(const std::vector<float>& nchw, const TensorShape& shape,
                                 const Stored& form) {
    std::vector<std::byte> numbers(shape.bytes(DataType::f32));
    write_tensor(nchw, shape, DataType::f32, numbers.data());
    if (!form.is_integer()) return numbers;
    std::vector<std::byte> integers(shape.elements());
    convert(numbers.data(), {}, integers.data(), form, integers.size());
    return integers;
}

// All that may be chosen for the layer.
std::vector<std::unique_ptr<CpuLayer>> kernels_for(const LayerContext& context) {
    std::vector<std::unique_ptr<CpuLayer>> kernels;
    if (context.layer.kind != LayerKind::conv) {
        kernels.push_back(make_layer(context));
        return kernels;
    }
    const ConvPlans plans = conv_plans(context);
    for (const auto* list : {&plans.good, &plans.last_resorts}) {
        for (const ConvPlan& plan : *list) {
            try {
                kernels.push_back(plan.build(context));
            } catch (const dnnl::error&) {
                continue;  // oneDNN offers some that it cannot build
            }
        }
    }
    return kernels;
}

bool computes_in_f32(const std::string& implementation) {
    return implementation.ends_with(":f32");
}

// How far a kernel's results may be off: integers are multiplied exactly, Winograd's sums in f32 round, and may so come out at the next
// integer.
float rounding_of(const CpuLayer& kernel, const Stored& output, const std::vector<float>& expected) {
    if (!computes_in_f32(kernel.implementation())) return 0.0F;
    if (output.is_integer()) return output.scale;
    const ValueRange range = range_of(expected.data(), expected.size());
    // A value near 0 may be the sum of larger ones.
    return std::max(1e-3F, 1e-5F * std::max(-range.low, range.high));
}

void expect_exact(const ExactCase& tested) {
    const LayerSpec layer = LayerSpec::from_key(tested.key);
    SCOPED_TRACE(tested.key + " batch " + std::to_string(tested.batch) + " " +
                 std::to_string(static_cast<int>(tested.source)) +
                 std::to_string(static_cast<int>(tested.residual)) +
                 std::to_string(static_cast<int>(tested.output)));
    const int batch = tested.batch;
    if (!computes_with_integers(layer, batch)) return;
    constexpr float output_scale = 8.0F;
    WeightPool pool;
    LayerContext context{layer, batch, DataType::i8, input_shape(layer, batch, channel_block(), false),
                         output_shape(layer, batch, channel_block())};
    context.pool = &pool;
    context.integers = {stored_as(tested.source, 0.25F), stored_as(tested.output, output_scale),
                        stored_as(tested.residual, 2.0F)};
    for (int c = 0; c < layer.out_channels; ++c) {
        context.integers.weight_scales.push_back(c % 2 == 0 ? 0.5F : 2.0F);
    }

    const auto count = [](const TensorShape& shape) {
        return static_cast<std::size_t>(shape.batch) * shape.channels * shape.height * shape.width;
    };
    LayerWeights weights = random_weights(layer, 1);
    const std::size_t row = weights.weights.size() / static_cast<std::size_t>(layer.out_channels);
    const std::size_t weight_count = weights.weights.size();
    weights.weights = tested.at_the_ends
                          ? largest_steps(weight_count, true, weight_limit(layer, tested.source), 1.0F, 2)
                          : small_steps(weight_count, true, 1.0F, 2);
    for (std::size_t i = 0; i < weights.weights.size(); ++i) {
        weights.weights[i] *= context.integers.weight_scales[i / row];
    }
    for (std::size_t c = 0; c < weights.bias.size(); ++c) weights.bias[c] = static_cast<float>(c % 5) - 2.0F;
    const bool is_signed = tested.source == Element::s8;
    const std::vector<float> input =
        tested.at_the_ends ? largest_steps(count(context.input), is_signed, is_signed ? 127 : 255, 0.25F, 3)
                           : small_steps(count(context.input), is_signed, 0.25F, 3);
    const std::vector<float> residual =
        small_steps(count(context.output), tested.residual != Element::u8, 2.0F, 4);

    const std::vector<double> read(input.begin(), input.end());
    const std::vector<double> added(residual.begin(), residual.end());
    ReferenceInputs tensors{&read};
    if (layer.residual) tensors.push_back(&added);
    std::vector<std::size_t> all(count(context.output));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
    std::vector<float> expected;
    for (double value : reference_outputs(layer, batch, tensors, weights, all)) {
        if (tested.output == Element::u8)
            value = std::clamp(std::nearbyint(value / output_scale), 0.0, 255.0);
        if (tested.output == Element::s8)
            value = std::clamp(std::nearbyint(value / output_scale), -128.0, 127.0);
        expected.push_back(static_cast<float>(value * context.integers.output.scale));
    }
    std::vector<std::byte> source = as_stored(input, context.input, context.integers.input);
    const std::vector<std::byte> added_steps = as_stored(residual, context.output, context.integers.residual);
    const std::vector<std::unique_ptr<CpuLayer>> kernels = kernels_for(context);
    EXPECT_FALSE(kernels.empty());
    for (const std::unique_ptr<CpuLayer>& kernel : kernels) {
        EXPECT_FALSE(is_reference_kernel(kernel->implementation())) << kernel->implementation();
        std::vector<std::byte> output = added_steps;
        output.resize(context.output.elements() * context.integers.output.element_bytes());
        std::vector<std::byte> scratch(std::max<std::size_t>(kernel->scratch_bytes(), 1));
        kernel->load(weights);
        kernel->bind({source.data()}, output.data(), scratch.data());
        kernel->execute();

        std::vector<std::byte> numbers = output;
        if (context.integers.output.is_integer()) {
            numbers.resize(context.output.bytes(DataType::f32));
            convert(output.data(), context.integers.output, numbers.data(), {}, context.output.elements());
        }
        EXPECT_THAT(read_tensor(numbers.data(), context.output, DataType::f32),
                    Pointwise(::testing::FloatNear(rounding_of(*kernel, context.integers.output, expected)),
                              expected))
            << kernel->implementation();
    }
}

void expect_small_products_exact() {
    using enum Element;
    for (const char* shape :
         {"i16x6x6_o24_k3_s1_p1_g1", "i13x6x5_o21_k1_s1_p0_g1", "i24x1x1_o16_k1_s1_p0_g1",
          "i3x9x9_o17_k3_s2_p1_g1", "i20x6x6_o20_k3_s1_p1_g20", "i32x6x6_o32_k3_s1_p1_g2"}) {
        for (const Element source : {u8, s8}) {
            for (const Element output : {f32, u8, s8}) {
                const std::string key = "conv_" + std::string(shape) + "_bias";
                const bool cut = output == u8;
                expect_exact({key + (cut ? "_relu" : ""), source, f32, output});
                // The output's integers go beyond 6.
                expect_exact({key + "_relu6", source, f32, output});
                if (std::string(shape).find("_s2") != std::string::npos) continue;
                if (output == f32) {
                    expect_exact({key + "_add_relu", source, f32, f32});
                    continue;
                }
                for (const Element residual : {u8, s8}) {
                    expect_exact({key + "_add" + (cut ? "_relu" : ""), source, residual, output});
                }
            }
        }
    }
    for (const char* shape : {"i40x1x1_o10", "i13x1x1_o33", "i8x3x2_o10", "i13x9x10_o1"}) {
        for (const Element source : {u8, s8}) {
            for (const Element output : {f32, u8, s8}) {
                expect_exact({"linear_" + std::string(shape) + "_bias" + (output == u8 ? "_relu" : ""),
                              source, f32, output});
            }
        }
    }
}

void expect_large_products_exact() {
    for (const Element source : {Element::u8, Element::s8}) {
        for (const char* key :
             {"conv_i16x6x6_o24_k3_s1_p1_g1", "conv_i13x6x5_o21_k1_s1_p0_g1", "conv_i24x1x1_o16_k1_s1_p0_g1",
              "conv_i3x9x9_o17_k3_s2_p1_g1", "conv_i20x6x6_o20_k3_s1_p1_g20", "conv_i32x6x6_o32_k3_s1_p1_g2",
              "linear_i40x1x1_o10", "linear_i13x1x1_o33", "linear_i8x3x2_o10", "linear_i13x9x10_o1"}) {
            for (const int batch : {1, 2}) {
                expect_exact({key, source, Element::f32, Element::f32, batch, /*at_the_ends=*/true});
            }
        }
    }
}

TEST(Quantization, ProductsOfSmallIntegersAreExact) {
    if (!onednn::processor_has(dnnl::cpu_isa::avx2)) GTEST_SKIP() << "skipped: no integer kernels";
    expect_small_products_exact();
}

TEST(Quantization, SumsOfLargeProductsAreNotCut) {
    if (!onednn::processor_has(dnnl::cpu_isa::avx2)) GTEST_SKIP() << "skipped: no integer kernels";
    expect_large_products_exact();
}

class QuantizationDeathTest : public ::testing::TestWithParam<const char*> {};

TEST_P(QuantizationDeathTest, ProductsAreExactWithOlderInstructionSets) {
    if (!onednn::processor_has(dnnl::cpu_isa::avx2)) GTEST_SKIP() << "skipped: no integer kernels";
    // oneDNN reads it once a process, so this goes into one of its own.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv("ONEDNN_MAX_CPU_ISA", GetParam(), 1);
    EXPECT_EXIT(
        {
            expect_small_products_exact();
            expect_large_products_exact();
            std::exit(HasFailure() ? 1 : 0);
        },
        ::testing::ExitedWithCode(0), "");
    ::unsetenv("ONEDNN_MAX_CPU_ISA");
}
INSTANTIATE_TEST_SUITE_P(InstructionSets, QuantizationDeathTest, ::testing::Values("AVX2", "AVX512_CORE"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(Quantization, ConvsOfNetworksAreOfIntegers) {
    if (!onednn::processor_has(dnnl::cpu_isa::avx2)) GTEST_SKIP() << "skipped: no integer kernels";
    for (const char* name : {"resnet8-cifar", "mobilenetv2-0.35-cifar"}) {
        const Graph graph = lower(find_model(name));
        CpuNetworkRunner runner(graph, {1, DataType::i8});
        runner.load(random_weights(graph, 1));
        for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
            const LayerKind kind = graph.nodes[i].layer.kind;
            if (kind != LayerKind::conv && kind != LayerKind::linear) continue;
            const std::string kernel = runner.implementation(static_cast<int>(i));
            EXPECT_FALSE(is_reference_kernel(kernel)) << graph.nodes[i].name;
            if (computes_in_f32(kernel)) continue;  // by Winograd's algorithm, which was faster here
            // Newer versions call kernels of several types by one name, "brg" for its algorithm.
            EXPECT_THAT(kernel, ::testing::AnyOf(::testing::HasSubstr("int8"), ::testing::HasSubstr("vnni"),
                                                 ::testing::HasSubstr("amx"), ::testing::HasSubstr("s8"),
                                                 ::testing::HasSubstr("brg"), ::testing::HasSubstr("gemm")))
                << graph.nodes[i].name;
        }
    }
}

// Scales follow from the weights, so other weights need other ones.
TEST(Quantization, WeightsThatComeLaterBringTheirScales) {
    if (!onednn::processor_has(dnnl::cpu_isa::avx2)) GTEST_SKIP() << "skipped: no integer kernels";
    const Graph graph = lower(find_model("resnet8-cifar"));
    const auto inputs = random_inputs(graph, 1, 4);
    const auto first = random_weights(graph, 3);
    const auto second = [&] {
        auto halved = random_weights(graph, 5);
        for (LayerWeights& weights : halved) {
            for (float& weight : weights.weights) weight *= 0.5F;
        }
        return halved;
    }();
    CpuNetworkRunner runner(graph, {1, DataType::i8, 0, &first});
    set_inputs(runner, inputs);
    for (const auto* weights : {&first, &second, &first}) {
        runner.load(*weights);
        runner.poison();
        runner.run();
        EXPECT_LT(relative_error(runner.output(0), reference_graph(graph, 1, inputs, *weights).front()), 0.1);
    }
}

// Random samples reach from -1 to 1, so these are cut where the ranges are theirs.
TEST(Quantization, RangesAreTakenFromTheSamplesThatAreGiven) {
    if (!onednn::processor_has(dnnl::cpu_isa::avx2)) GTEST_SKIP() << "skipped: no integer kernels";
    const Graph graph = lower(find_model("resnet8-cifar"));
    const auto weights = random_weights(graph, 3);
    auto inputs = random_inputs(graph, 1, 4);
    for (float& value : inputs.front()) value *= 50.0F;
    const auto expected = reference_graph(graph, 1, inputs, weights).front();
    const auto error_with = [&](const InputSamples* calibration) {
        CpuNetworkRunner runner(graph, {1, DataType::i8, 0, &weights, calibration});
        set_inputs(runner, inputs);
        runner.load(weights);
        runner.run();
        return relative_error(runner.output(0), expected);
    };
    const InputSamples samples{random_inputs(graph, 1, 1), inputs};
    EXPECT_LT(error_with(&samples), 0.1);
    EXPECT_GT(error_with(nullptr), 0.5);
}

}  // namespace
}  // namespace hacscale::cpu
