// Whole networks on the CPU against the double-precision reference: wiring, residuals, memory that is reused,
// layouts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <ostream>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/registry.hpp"
#include "tests/kernels/small_graphs.hpp"
#include "tests/kernels/small_models.hpp"

namespace hacscale {
namespace {

double tolerance(DataType type) {
    if (type == DataType::i8) return 0.1;
    return type == DataType::f32 ? 1e-4 : 5e-2;
}

bool has_integers() {
    return testing::cpu_backend().unsupported_reason("cpu", DataType::i8).empty();
}

// Weights and input depend on the batch alone, so that layouts and data types share one expected output.
struct Case {
    Case(const Graph& lowered, int images)
        : network(lowered),
          batch(images),
          weights(random_weights(network, 5)),
          inputs(random_inputs(network, batch, 6)),
          expected(reference_graph(network, batch, inputs, weights).front()) {}

    Graph network;
    int batch;
    std::vector<LayerWeights> weights;
    std::vector<std::vector<float>> inputs;
    std::vector<double> expected;
};

void expect_right(const ModelSpec& model, const Case& tested, DataType type) {
    SCOPED_TRACE(model.name + " " + std::string(name_of(model.layout)) + " batch " +
                 std::to_string(tested.batch) + " " + std::string(name_of(type)));
    const Graph network = lower(model);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {tested.batch, type});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    NetworkRunner& runner = *compiled.runner;
    runner.load(tested.weights);
    set_inputs(runner, tested.inputs);

    runner.poison();
    runner.run();
    const std::vector<float> output = runner.output(0);
    EXPECT_LT(relative_error(output, tested.expected), tolerance(type));

    runner.poison();
    runner.run();
    EXPECT_EQ(runner.output(0), output) << "a second run differs";

    runner.poison();
    std::vector<double> node_us(network.nodes.size(), -1.0);
    runner.run_timed(node_us);
    EXPECT_EQ(runner.output(0), output) << "a timed run differs";
    for (const double time : node_us) EXPECT_GE(time, 0.0);
    EXPECT_GT(std::accumulate(node_us.begin(), node_us.end(), 0.0), 0.0);

    runner.poison();
    EXPECT_GT(runner.time_cold(), 0.0);
    EXPECT_EQ(runner.output(0), output) << "a cold run differs";

    runner.poison();
    EXPECT_GT(runner.time_runs(3), 0.0);
    EXPECT_EQ(runner.output(0), output) << "runs back to back differ";

    runner.poison();
    for (std::size_t i = 0; i < network.nodes.size(); ++i) runner.start_layer(static_cast<int>(i));
    runner.wait();
    EXPECT_EQ(runner.output(0), output) << "layers started one by one differ";
}

// The name of the case is all that a failing test has to say.
struct NamedModel {
    ModelSpec model;
    friend void PrintTo(const NamedModel& named, std::ostream* out) { *out << named.model.name; }
};

std::vector<NamedModel> named(std::vector<ModelSpec> models) {
    std::vector<NamedModel> result;
    for (ModelSpec& model : models) result.push_back({std::move(model)});
    return result;
}

class SmallNetwork : public ::testing::TestWithParam<NamedModel> {};

TEST_P(SmallNetwork, EqualsTheReference) {
    ModelSpec model = GetParam().model;
    for (const int batch : {1, 3}) {
        const Case tested(lower(model), batch);
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            model.layout = layout;
            for (const DataType type : {DataType::f32, DataType::bf16, DataType::i8}) {
                if (testing::cpu_backend().unsupported_reason("cpu", type).empty())
                    expect_right(model, tested, type);
            }
        }
    }
}

std::string model_name(const ::testing::TestParamInfo<NamedModel>& tested) {
    return tested.param.model.name;
}
INSTANTIATE_TEST_SUITE_P(Blocks, SmallNetwork, ::testing::ValuesIn(named(testing::small_models())),
                         model_name);
INSTANTIATE_TEST_SUITE_P(Unusual, SmallNetwork, ::testing::ValuesIn(named(testing::unusual_models())),
                         model_name);

TEST(NetworkRunner, RunsAsBeforeAfterARest) {
    const Graph network = lower(testing::small_models().front());
    const auto weights = random_weights(network, 1);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    compiled.runner->load(weights);
    set_inputs(*compiled.runner, random_inputs(network, 1, 2));
    compiled.runner->run();
    const std::vector<float> before = compiled.runner->output(0);
    for (int rest = 0; rest < 2; ++rest) {
        testing::cpu_backend().rest();
        compiled.runner->poison();
        compiled.runner->run();
        EXPECT_EQ(compiled.runner->output(0), before);
    }
}

TEST(NetworkRunner, RunsNetworksOfTheZoo) {
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35-cifar"}) {
        ModelSpec model = find_model(name);
        const Case tested(lower(model), 1);
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            model.layout = layout;
            expect_right(model, tested, DataType::f32);
        }
    }
}

// A network whose blocked layout has a conv of fewer channels than a block, one of groups that do not fill
// blocks, and one of neither.
std::vector<ModelSpec> networks_of_odd_channels() {
    ModelSpec narrow = find_model("resnet20-cifar");
    for (StageSpec& stage : narrow.stages) stage.width /= 2;
    ModelSpec grouped = find_model("resnet8-cifar");
    StageSpec groups = find_model("regnetx-200mf").stages.front();
    groups.name = "groups";
    grouped.stages.push_back(groups);
    return {narrow, grouped, find_model("mobilenetv2-0.35-cifar")};
}

// The layers that no kernel made for this processor runs, in the layout that the backend prefers.
std::string slow_layers(ModelSpec model) {
    Backend& backend = testing::cpu_backend();
    model.layout = backend.preferred_layout(lower(model), {1, DataType::f32});
    const Graph network = lower(model);
    const Compiled compiled = backend.compile("cpu", network, {1, DataType::f32});
    std::string slow;
    for (std::size_t node = 0; node < network.nodes.size(); ++node) {
        const std::string kernel = compiled.runner->implementation(static_cast<int>(node));
        if (kernel.find("ref") != std::string::npos) {
            slow += network.nodes[node].layer.key() + " by " + kernel + "\n";
        }
    }
    return slow;
}

TEST(NetworkRunner, RunsNoConvByAReferenceKernel) {
    for (const ModelSpec& model : networks_of_odd_channels()) EXPECT_EQ(slow_layers(model), "") << model.name;
}

TEST(NetworkRunner, RunsNoActivationOfAConvByAReferenceKernel) {
    for (std::size_t i = 0; i < activation_names.size(); ++i) {
        LayerSpec layer = LayerSpec::from_key("conv_i24x7x7_o40_k1_s1_p0_g1_bias");
        layer.activation = static_cast<Activation>(i);
        layer.alpha = usual_alpha(layer.activation);
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            layer.layout = layout;
            const Compiled compiled =
                testing::cpu_backend().compile("cpu", single_layer(layer), {1, DataType::f32});
            ASSERT_TRUE(compiled.runner) << compiled.reason;
            EXPECT_EQ(compiled.runner->implementation(0).find("ref"), std::string::npos) << layer.key();
        }
    }
}

TEST(NetworkRunnerDeathTest, RunsNoConvByAReferenceKernelWithoutAvx512) {
    // oneDNN reads it once a process, so this goes into one of its own.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv("ONEDNN_MAX_CPU_ISA", "AVX2", 1);
    EXPECT_EXIT(
        {
            std::string slow;
            for (const ModelSpec& model : networks_of_odd_channels()) slow += slow_layers(model);
            std::fputs(slow.c_str(), stderr);
            std::exit(slow.empty() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
    ::unsetenv("ONEDNN_MAX_CPU_ISA");
}

TEST(NetworkRunner, ReusesMemoryAndNamesItsKernels) {
    const ModelSpec model = testing::small_models()[2];
    const Graph network = lower(model);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {2, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    EXPECT_GE(compiled.runner->activation_bytes(), 2u * 10 * sizeof(float));
    EXPECT_LT(compiled.runner->activation_bytes(), 2u * network.activations() * sizeof(float));
    EXPECT_GE(compiled.runner->weight_bytes(),
              static_cast<std::size_t>(network.weight_bytes(DataType::f32)) / 2);
    for (std::size_t node = 0; node < network.nodes.size(); ++node) {
        EXPECT_FALSE(compiled.runner->implementation(static_cast<int>(node)).empty());
    }
}

// Every output of the graph, after runs of every kind.
void expect_right(const testing::NamedGraph& named, int batch, DataType type) {
    const Graph& graph = named.graph;
    SCOPED_TRACE(named.name + " " + std::string(name_of(graph.nodes.front().layer.layout)) + " batch " +
                 std::to_string(batch) + " " + std::string(name_of(type)));
    const auto weights = random_weights(graph, 5);
    const auto inputs = random_inputs(graph, batch, 6);
    const auto expected = reference_graph(graph, batch, inputs, weights);
    const Compiled compiled = testing::cpu_backend().compile("cpu", graph, {batch, type});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    NetworkRunner& runner = *compiled.runner;
    runner.load(weights);
    set_inputs(runner, inputs);
    std::vector<double> node_us(graph.nodes.size());
    const auto expect_outputs = [&](const char* run) {
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_LT(relative_error(runner.output(i), expected[i]), tolerance(type))
                << run << ", output " << i;
        }
    };
    runner.poison();
    runner.run();
    expect_outputs("run");
    runner.poison();
    runner.run_timed(node_us);
    expect_outputs("run_timed");
    runner.time_cold();
    expect_outputs("time_cold");
    EXPECT_THROW(runner.output(expected.size()), std::out_of_range);
    EXPECT_THROW(runner.set_input(inputs.size(), inputs.front()), std::out_of_range);
}

TEST(NetworkRunner, GraphsOfAnyFormEqualTheReference) {
    for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
        for (const testing::NamedGraph& named : testing::small_graphs(layout)) {
            for (const int batch : {1, 3}) {
                expect_right(named, batch, DataType::f32);
                if (has_integers()) expect_right(named, batch, DataType::i8);
            }
        }
    }
}

TEST(NetworkRunner, LayersOfSeveralInputsEqualTheReference) {
    for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
        for (const testing::NamedGraph& named : testing::graphs_of_several_inputs(layout)) {
            for (const int batch : {1, 3}) {
                expect_right(named, batch, DataType::f32);
                if (has_integers()) expect_right(named, batch, DataType::i8);
            }
        }
    }
}

TEST(NetworkRunner, LayoutsMayBeMixedInAGraph) {
    std::vector<testing::NamedGraph> graphs = testing::small_graphs(Layout::channels_last);
    for (testing::NamedGraph& named : testing::graphs_of_several_inputs(Layout::channels_last)) {
        graphs.push_back(std::move(named));
    }
    for (testing::NamedGraph& named : graphs) {
        for (std::size_t i = 0; i < named.graph.nodes.size(); i += 2) {
            named.graph.nodes[i].layer.layout = Layout::blocked;
        }
        expect_right(named, 2, DataType::f32);
        if (has_integers()) expect_right(named, 2, DataType::i8);
    }
}

TEST(NetworkRunner, RefusesGraphsThatAreNotSound) {
    testing::NamedGraph named = testing::two_inputs(Layout::channels_last);
    named.graph.nodes.front().inputs = {0};
    EXPECT_THAT(
        [&] {
            testing::cpu_backend().compile("cpu", named.graph, {1, DataType::f32});
        },
        ::testing::ThrowsMessage<InputError>(::testing::HasSubstr("node 0 (node0): it reads 1 tensors")));
}

TEST(NetworkRunner, TakesNewWeightsAndInputs) {
    const Graph network = lower(testing::small_models()[6]);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {1, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    for (const std::uint64_t seed : {1, 2}) {
        const auto weights = random_weights(network, seed);
        const auto inputs = random_inputs(network, 1, seed + 10);
        compiled.runner->load(weights);
        set_inputs(*compiled.runner, inputs);
        compiled.runner->run();
        const auto expected = reference_graph(network, 1, inputs, weights).front();
        EXPECT_LT(relative_error(compiled.runner->output(0), expected), tolerance(DataType::f32));
    }
}

TEST(NetworkRunner, RefusesInputsAndWeightsOfAnotherSize) {
    const Graph network = lower(testing::small_models()[2]);
    for (const DataType type : {DataType::f32, DataType::i8}) {
        if (type == DataType::i8 && !has_integers()) continue;
        const Compiled compiled = testing::cpu_backend().compile("cpu", network, {2, type});
        ASSERT_TRUE(compiled.runner) << compiled.reason;
        EXPECT_THROW(set_inputs(*compiled.runner, random_inputs(network, 1, 1)), InputError);
        auto weights = random_weights(network, 1);
        weights.pop_back();
        EXPECT_THROW(compiled.runner->load(weights), InputError);
    }
}

TEST(NetworkRunner, RefusesBatchesOutOfRangeAndEmptyNetworks) {
    const Graph network = lower(testing::small_models()[2]);
    EXPECT_THROW(testing::cpu_backend().compile("cpu", network, {0, DataType::f32}), InputError);
    EXPECT_THROW(testing::cpu_backend().compile("cpu", network, {4097, DataType::f32}), InputError);
    EXPECT_THROW(testing::cpu_backend().compile("cpu", Graph{}, {1, DataType::f32}), InputError);
}

}  // namespace
}  // namespace hacscale
