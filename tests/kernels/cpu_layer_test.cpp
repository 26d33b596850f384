// Every layer kind on the CPU against the double-precision reference, over generated shapes.
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <tuple>

#include "kernels/backend/backend_registry.hpp"
#include "models/graph/graph.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "tests/kernels/layer_families.hpp"
#include "tests/kernels/registry.hpp"

namespace hacscale {
namespace {

// What the backend computes of these layers, against the reference: a line for each that is wrong.
std::string wrong_layers(const std::vector<LayerSpec>& layers, DataType type) {
    const double tolerance = type == DataType::f32 ? 2e-5 : type == DataType::bf16 ? 1.5e-2 : 4e-2;
    std::string wrong;
    std::uint64_t seed = 100;
    for (const LayerSpec& layer : layers) {
        const int batch = 1 + static_cast<int>(seed % 2);
        const std::string name = layer.key() + " batch " + std::to_string(batch);
        const Graph network = single_layer(layer);
        const std::vector<LayerWeights> weights{random_weights(layer, ++seed)};
        const std::vector<std::vector<float>> inputs = random_inputs(network, batch, ++seed);
        const Compiled compiled = testing::cpu_backend().compile("cpu", network, {batch, type});
        if (!compiled.runner) {
            wrong += name + ": " + compiled.reason + "\n";
            continue;
        }
        compiled.runner->load(weights);
        set_inputs(*compiled.runner, inputs);
        compiled.runner->poison();
        compiled.runner->run();
        const auto expected = reference_graph(network, batch, inputs, weights).front();
        const double error = relative_error(compiled.runner->output(0), expected);
        if (!(error < tolerance)) {
            wrong += name + " by " + compiled.runner->implementation(0) + ": relative error " +
                     std::to_string(error) + "\n";
        }
    }
    return wrong;
}

class CpuLayer : public ::testing::TestWithParam<std::tuple<LayerKind, DataType>> {};

TEST_P(CpuLayer, EqualsTheReference) {
    const auto [kind, type] = GetParam();
    if (const std::string reason = testing::cpu_backend().unsupported_reason("cpu", type); !reason.empty()) {
        GTEST_SKIP() << "skipped: " << reason;
    }
    EXPECT_EQ(wrong_layers(testing::layer_family(kind, kind == LayerKind::conv ? 150 : 40, 7), type), "");
}

INSTANTIATE_TEST_SUITE_P(Kinds, CpuLayer,
                         ::testing::Combine(::testing::ValuesIn(testing::all_kinds()),
                                            ::testing::Values(DataType::f32, DataType::bf16, DataType::i8)),
                         [](const auto& tested) {
                             return std::string(name_of(std::get<0>(tested.param))) + "_" +
                                    std::string(name_of(std::get<1>(tested.param)));
                         });

// Behind a global pool, at widths that fill the last block of a blocked tensor in part only.
TEST(CpuConvs, OfOnePixelEqualTheReference) {
    std::vector<LayerSpec> layers;
    for (const int in : {3, 8, 16, 20, 72}) {
        for (const int out : {16, 24, 37}) {
            for (const Activation activation :
                 {Activation::none, Activation::sigmoid, Activation::hard_swish}) {
                LayerSpec layer;
                layer.in_channels = in;
                layer.out_channels = out;
                layer.in_height = layer.in_width = 1;
                layer.activation = activation;
                layer.layout = Layout::blocked;
                layer.window = layers.size() % 4 == 0 ? Window::square(3, 1, 1) : Window();
                layer.bias = layers.size() % 2 == 0;
                layer.residual = layers.size() % 5 == 0;
                layers.push_back(layer);
            }
        }
    }
    for (const DataType type : {DataType::f32, DataType::bf16, DataType::i8}) {
        if (!testing::cpu_backend().unsupported_reason("cpu", type).empty()) continue;
        EXPECT_EQ(wrong_layers(layers, type), "") << name_of(type);
    }
}

class CpuLayerDeathTest : public ::testing::TestWithParam<const char*> {};

TEST_P(CpuLayerDeathTest, ConvsEqualTheReferenceWithOlderInstructionSets) {
    // oneDNN reads it once a process, so this goes into one of its own.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv("ONEDNN_MAX_CPU_ISA", GetParam(), 1);
    EXPECT_EXIT(
        {
            const std::vector<LayerSpec> convs = testing::layer_family(LayerKind::conv, 100, 7);
            std::string wrong = wrong_layers(convs, DataType::f32);
            if (testing::cpu_backend().unsupported_reason("cpu", DataType::i8).empty()) {
                wrong += wrong_layers(convs, DataType::i8);
            }
            std::fputs(wrong.c_str(), stderr);
            std::exit(wrong.empty() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
    ::unsetenv("ONEDNN_MAX_CPU_ISA");
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, CpuLayerDeathTest,
                         ::testing::Values("SSE41", "AVX", "AVX2", "AVX512_CORE"),
                         [](const auto& tested) { return std::string(tested.param); });

TEST(CpuBackend, RefusesHalfPrecisionWithAReason) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = 8;
    const Compiled compiled = testing::cpu_backend().compile("cpu", single_layer(layer), {1, DataType::f16});
    EXPECT_FALSE(compiled.runner);
    EXPECT_NE(compiled.reason.find("f16"), std::string::npos);
}

}  // namespace
}  // namespace hacscale
