// Whole networks on the CPU against the double-precision reference: wiring, residuals, memory that is reused,
// layouts.
#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <ostream>

#include "base/error.hpp"
#include "models/ops/reference.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/registry.hpp"
#include "tests/kernels/small_models.hpp"

namespace hacscale {
namespace {

std::size_t input_count(const Network& network, int batch) {
    return static_cast<std::size_t>(batch) * network.in_channels * network.resolution * network.resolution;
}

double tolerance(DataType type) {
    return type == DataType::f32 ? 1e-4 : 5e-2;
}

// Weights and input depend on the batch alone, so that layouts and data types share one expected output.
struct Case {
    Case(const Network& lowered, int images)
        : network(lowered),
          batch(images),
          weights(random_weights(network, 5)),
          input(random_values(input_count(network, batch), 6)),
          expected(reference_network(network, batch, {input.begin(), input.end()}, weights)) {}

    Network network;
    int batch;
    std::vector<LayerWeights> weights;
    std::vector<float> input;
    std::vector<double> expected;
};

void expect_right(const ModelSpec& model, const Case& tested, DataType type) {
    SCOPED_TRACE(model.name + " " + std::string(name_of(model.layout)) + " batch " +
                 std::to_string(tested.batch) + " " + std::string(name_of(type)));
    const Network network = lower(model);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {tested.batch, type});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    NetworkRunner& runner = *compiled.runner;
    runner.load(tested.weights);
    runner.set_input(tested.input);

    runner.poison();
    runner.run();
    const std::vector<float> output = runner.output();
    EXPECT_LT(relative_error(output, tested.expected), tolerance(type));

    runner.poison();
    runner.run();
    EXPECT_EQ(runner.output(), output) << "a second run differs";

    runner.poison();
    std::vector<double> node_us(network.nodes.size(), -1.0);
    runner.run_timed(node_us);
    EXPECT_EQ(runner.output(), output) << "a timed run differs";
    for (const double time : node_us) EXPECT_GE(time, 0.0);
    EXPECT_GT(std::accumulate(node_us.begin(), node_us.end(), 0.0), 0.0);

    runner.poison();
    EXPECT_GT(runner.time_cold(), 0.0);
    EXPECT_EQ(runner.output(), output) << "a cold run differs";

    runner.poison();
    EXPECT_GT(runner.time_runs(3), 0.0);
    EXPECT_EQ(runner.output(), output) << "runs back to back differ";

    runner.poison();
    for (std::size_t i = 0; i < network.nodes.size(); ++i) runner.start_layer(static_cast<int>(i));
    runner.wait();
    EXPECT_EQ(runner.output(), output) << "layers started one by one differ";
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
            for (const DataType type : {DataType::f32, DataType::bf16}) {
                if (testing::cpu_backend().refusal("cpu", type).empty()) expect_right(model, tested, type);
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
    const Network network = lower(model);
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
    const Network network = lower(model);
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

TEST(NetworkRunner, TakesNewWeightsAndInputs) {
    const Network network = lower(testing::small_models()[6]);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {1, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    for (const std::uint64_t seed : {1, 2}) {
        const auto weights = random_weights(network, seed);
        const auto input = random_values(input_count(network, 1), seed + 10);
        compiled.runner->load(weights);
        compiled.runner->set_input(input);
        compiled.runner->run();
        const auto expected = reference_network(network, 1, {input.begin(), input.end()}, weights);
        EXPECT_LT(relative_error(compiled.runner->output(), expected), tolerance(DataType::f32));
    }
}

TEST(NetworkRunner, RefusesInputsAndWeightsOfAnotherSize) {
    const Network network = lower(testing::small_models()[2]);
    const Compiled compiled = testing::cpu_backend().compile("cpu", network, {2, DataType::f32});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    const std::vector<float> one_image(input_count(network, 1));
    EXPECT_THROW(compiled.runner->set_input(one_image), InputError);
    auto weights = random_weights(network, 1);
    weights.pop_back();
    EXPECT_THROW(compiled.runner->load(weights), InputError);
}

TEST(NetworkRunner, RefusesBatchesOutOfRangeAndEmptyNetworks) {
    const Network network = lower(testing::small_models()[2]);
    EXPECT_THROW(testing::cpu_backend().compile("cpu", network, {0, DataType::f32}), InputError);
    EXPECT_THROW(testing::cpu_backend().compile("cpu", network, {4097, DataType::f32}), InputError);
    EXPECT_THROW(testing::cpu_backend().compile("cpu", Network{}, {1, DataType::f32}), InputError);
}

}  // namespace
}  // namespace hacscale
