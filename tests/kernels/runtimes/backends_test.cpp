// The backends of other runtimes: what they compute, and what their profilers say. Each test is skipped where the runtime is not
// installed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "base/error.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/layer_families.hpp"
#include "tests/kernels/small_models.hpp"

namespace hacscale {
namespace {

class OtherRuntime : public ::testing::TestWithParam<const char*> {
protected:
    void SetUp() override {
#ifdef __SANITIZE_ADDRESS__
        GTEST_SKIP() << "the runtimes' own libraries do not bear the sanitizers";
#endif
        try {
            handle_ = registry().find(GetParam());
        } catch (const MissingError& missing) {
            GTEST_SKIP() << missing.what();
        }
    }

    bool computes_in(DataType type) const {
        return handle_.backend->unsupported_reason(GetParam(), type).empty();
    }

    static const BackendRegistry& registry() {
        static const BackendRegistry loaded = BackendRegistry::load(1);
        return loaded;
    }

    std::unique_ptr<NetworkRunner> compile(const Graph& graph, int batch = 1, DataType type = DataType::f32,
                                           const std::vector<LayerWeights>* weights = nullptr) const {
        Compiled compiled = handle_.backend->compile(GetParam(), graph, {batch, type, 0, weights});
        EXPECT_TRUE(compiled.runner) << compiled.reason;
        return std::move(compiled.runner);
    }

    // Its outputs, and again whatever way it was run.
    void expect_right(const Graph& graph, int batch, DataType type = DataType::f32,
                      double bound = 1e-4) const {
        const auto weights = random_weights(graph, 3);
        const auto inputs = random_inputs(graph, batch, 4);
        const auto expected = reference_graph(graph, batch, inputs, weights);
        const std::unique_ptr<NetworkRunner> runner = compile(graph, batch, type, &weights);
        ASSERT_TRUE(runner);
        // The order of both does not matter.
        set_inputs(*runner, inputs);
        runner->load(weights);
        const auto check = [&](const char* how) {
            for (std::size_t i = 0; i < expected.size(); ++i) {
                EXPECT_LE(relative_error(runner->output(i), expected[i]), bound) << how;
            }
        };
        runner->poison();
        runner->run();
        check("run");
        runner->poison();
        runner->time_cold();
        check("cold run");
    }

    DeviceHandle handle_;
};

TEST_P(OtherRuntime, ComputesWhatTheReferenceComputes) {
    for (const ModelSpec& model : testing::small_models()) {
        SCOPED_TRACE(model.name);
        expect_right(lower(model), 1);
    }
    expect_right(lower(testing::small_models().front()), 3);
}

TEST_P(OtherRuntime, ComputesInIntegersAboutTheSame) {
    if (!computes_in(DataType::i8)) GTEST_SKIP() << "not on this device";
    for (const ModelSpec& model : testing::small_models()) {
        SCOPED_TRACE(model.name);
        expect_right(lower(model), 1, DataType::i8, 0.15);
    }
}

TEST_P(OtherRuntime, ConvsAreOfIntegers) {
    if (!computes_in(DataType::i8)) GTEST_SKIP() << "not on this device";
    const Graph graph = lower(find_model("resnet8-cifar"));
    const std::unique_ptr<NetworkRunner> runner = compile(graph, 1, DataType::i8);
    ASSERT_TRUE(runner);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        if (graph.nodes[i].layer.kind != LayerKind::conv) continue;
        const std::string kernels = runner->implementation(static_cast<int>(i));
        EXPECT_THAT(kernels, ::testing::AnyOf(::testing::HasSubstr("QLinearConv"), ::testing::HasSubstr("8")))
            << graph.nodes[i].name;
    }
}

TEST_P(OtherRuntime, KnowsEveryKindOfLayer) {
    for (const LayerKind kind : testing::all_kinds()) {
        for (const LayerSpec& layer : testing::layer_family(kind, 2, 7)) {
            const SpotCheck check = spot_check(*handle_.backend, GetParam(), layer, {});
            EXPECT_TRUE(check.right) << layer.key() << ": " << check.reason;
        }
    }
}

TEST_P(OtherRuntime, WeightsThatComeLaterTakeThePlaceOfThoseCompiledIn) {
    const Graph graph = lower(testing::small_models().front());
    const auto first = random_weights(graph, 3);
    const auto second = random_weights(graph, 4);
    const auto inputs = random_inputs(graph, 1, 5);
    const std::unique_ptr<NetworkRunner> runner = compile(graph, 1, DataType::f32, &first);
    ASSERT_TRUE(runner);
    set_inputs(*runner, inputs);
    for (const auto* weights : {&first, &second, &first}) {
        runner->load(*weights);
        runner->run();
        EXPECT_LE(relative_error(runner->output(0), reference_graph(graph, 1, inputs, *weights).front()),
                  1e-4);
    }
    EXPECT_THROW(runner->load({}), InputError);
    EXPECT_THROW(runner->set_input(0, std::vector<float>(3)), InputError);
}

// Random samples reach from -1 to 1, so these are cut where the ranges are theirs.
TEST_P(OtherRuntime, RangesAreTakenFromTheSamplesThatAreGiven) {
    if (!computes_in(DataType::i8)) GTEST_SKIP() << "not on this device";
    const Graph graph = lower(testing::small_models().front());
    const auto weights = random_weights(graph, 3);
    auto inputs = random_inputs(graph, 2, 5);
    for (float& value : inputs.front()) value *= 50.0F;
    const auto middle = inputs.front().begin() + static_cast<std::ptrdiff_t>(inputs.front().size() / 2);
    const InputSamples samples{{{inputs.front().begin(), middle}}, {{middle, inputs.front().end()}}};
    const auto expected = reference_graph(graph, 2, inputs, weights).front();
    const auto error_with = [&](const InputSamples* calibration) {
        const Compiled compiled =
            handle_.backend->compile(GetParam(), graph, {2, DataType::i8, 0, &weights, calibration});
        set_inputs(*compiled.runner, inputs);
        compiled.runner->load(weights);
        compiled.runner->run();
        return relative_error(compiled.runner->output(0), expected);
    };
    EXPECT_LT(error_with(&samples), 0.1);
    EXPECT_GT(error_with(nullptr), 0.5);
}

TEST_P(OtherRuntime, ItsProfileCoversTheNetwork) {
    const Graph graph = lower(find_model("mobilenetv3-small-1.0"));
    const std::unique_ptr<NetworkRunner> runner = compile(graph);
    ASSERT_TRUE(runner);
    ASSERT_TRUE(runner->has_profiler());
    const ProfiledNodes nodes = runner->profile(3);
    ASSERT_FALSE(nodes.passes_us.empty());
    const std::vector<double>& layer_us = nodes.passes_us.back();
    ASSERT_EQ(layer_us.size(), graph.nodes.size());
    ASSERT_EQ(nodes.operations.size(), graph.nodes.size());
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        // No runtime leaves a conv out, or computes two as one.
        if (node.layer.kind == LayerKind::conv) {
            EXPECT_GE(nodes.operations[i], 1) << node.name;
            EXPECT_GT(layer_us[i], 0.0) << node.name;
            EXPECT_THAT(runner->implementation(static_cast<int>(i)), ::testing::HasSubstr("Conv"))
                << node.name;
        }
    }
    const double sum_us = std::accumulate(layer_us.begin(), layer_us.end(), 0.0);
    std::vector<double> passes;
    for (int i = 0; i < 9; ++i) passes.push_back(runner->time_runs(1));
    std::sort(passes.begin(), passes.end());
    // Far from exact, whatever else the machine does: it is no profile of another network.
    EXPECT_GT(sum_us, passes.front() / 10);
    EXPECT_LT(sum_us, passes.back() * 10);
}

TEST_P(OtherRuntime, SaysWhatItIs) {
    const BackendDevice& device = handle_.device;
    EXPECT_EQ(device.id, GetParam());
    EXPECT_THAT(device.name, ::testing::HasSubstr(is_cpu(device.id) ? "thread" : "onnxruntime"));
    EXPECT_EQ(device.fingerprint.size(), 16u);
    EXPECT_THAT(handle_.backend->unsupported_reason(device.id, DataType::f16), ::testing::HasSubstr("f32"));
    EXPECT_THROW(compile(lower(testing::small_models().front()))->start_layer(0), InputError);
}

INSTANTIATE_TEST_SUITE_P(Cpu, OtherRuntime, ::testing::Values("onnxruntime@cpu", "openvino@cpu"),
                         [](const auto& tested) {
                             const std::string id = tested.param;
                             return id.substr(0, id.find('@'));
                         });
INSTANTIATE_TEST_SUITE_P(Cuda, OtherRuntime, ::testing::Values("onnxruntime@cuda:0"),
                         [](const auto&) { return "onnxruntime"; });

}  // namespace
}  // namespace hacscale
