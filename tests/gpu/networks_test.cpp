// Whole networks on the GPU: right numbers however they are run, and times that hold together.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "models/ops/reference.hpp"
#include "profiler/timing/timed_passes.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/kernels/small_models.hpp"

namespace hacscale {
namespace {

class GpuNetwork : public testing::GpuTest {
protected:
    struct Loaded {
        Network network;
        std::unique_ptr<NetworkRunner> runner;
        std::vector<LayerWeights> weights;
        std::vector<float> input;
    };

    static Loaded loaded(const ModelSpec& model, int batch, DataType type) {
        Loaded result;
        result.network = lower(model);
        Compiled compiled = backend().compile(device(), result.network, {batch, type});
        if (!compiled.runner) throw std::runtime_error(model.name + ": " + compiled.reason);
        result.runner = std::move(compiled.runner);
        result.weights = random_weights(result.network, 5);
        const auto side = static_cast<std::size_t>(result.network.resolution);
        result.input =
            random_values(static_cast<std::size_t>(batch) * result.network.in_channels * side * side, 6);
        result.runner->load(result.weights);
        result.runner->set_input(result.input);
        return result;
    }

    static void expect_right(const ModelSpec& model, int batch, DataType type) {
        SCOPED_TRACE(model.name + " batch " + std::to_string(batch) + " " + std::string(name_of(type)));
        const Loaded tested = loaded(model, batch, type);
        NetworkRunner& runner = *tested.runner;
        runner.poison();
        runner.run();
        const std::vector<float> output = runner.output();
        const auto expected = reference_network(tested.network, batch,
                                                {tested.input.begin(), tested.input.end()}, tested.weights);
        EXPECT_LT(relative_error(output, expected), type == DataType::f32 ? 1e-4 : 5e-2);

        std::vector<double> node_us(tested.network.nodes.size());
        const auto same_after = [&](const char* what, const auto& work) {
            runner.poison();
            work();
            EXPECT_EQ(runner.output(), output) << what << " differs";
        };
        same_after("a second run", [&] { runner.run(); });
        same_after("a timed run", [&] { runner.run_timed(node_us); });
        for (const double time : node_us) EXPECT_GT(time, 0.0);
        // A sweep runs every prefix, which takes long on the simulation.
        if (node_us.size() < static_cast<std::size_t>(testing::times(100, 15))) {
            same_after("a sweep over its prefixes", [&] { runner.time_prefixes(node_us); });
        }
        same_after("a cold run", [&] { EXPECT_GT(runner.time_cold(), 0.0); });
        const int several = testing::times(70, 5);
        same_after("one run of several", [&] { EXPECT_GT(runner.time_runs(several), 0.0); });
        same_after("layers started one by one", [&] {
            for (std::size_t i = 0; i < node_us.size(); ++i) runner.start_layer(static_cast<int>(i));
            runner.wait();
        });
        for (const double time : node_us) EXPECT_GT(time, 0.0);
    }

    static double median(std::vector<double> values) {
        std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2),
                         values.end());
        return values[values.size() / 2];
    }
};

class GpuNetworkOfType : public GpuNetwork, public ::testing::WithParamInterface<DataType> {};

TEST_P(GpuNetworkOfType, OfTheZooEqualsTheReference) {
    if (const std::string reason = backend().refusal(device(), GetParam()); !reason.empty()) {
        GTEST_SKIP() << "skipped: " << reason;
    }
    for (const char* name : {"resnet20-cifar", "mobilenetv2-0.35-cifar"}) {
        expect_right(testing::zoo_model(name), 1, GetParam());
    }
}

TEST_P(GpuNetworkOfType, SmallOnesEqualTheReference) {
    for (const auto& models : {testing::small_models(), testing::unusual_models()}) {
        for (const ModelSpec& model : models) expect_right(model, 2, GetParam());
    }
}

INSTANTIATE_TEST_SUITE_P(Types, GpuNetworkOfType, ::testing::ValuesIn(all_data_types),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST_F(GpuNetwork, LayersAddUpToTheNetwork) {
    const Loaded tested = loaded(testing::zoo_model("resnet50"), 1, DataType::f16);
    std::vector<double> plain;
    std::vector<std::vector<double>> timed;
    std::vector<double> node_us(tested.network.nodes.size());
    for (int i = 0; i < testing::times(40, 3); ++i) {
        plain.push_back(tested.runner->time_runs(1));
        tested.runner->run_timed(node_us);
        timed.push_back(node_us);
    }
    take_off_clock(timed, plain);
    std::vector<double> sums;
    for (const auto& pass : timed) sums.push_back(std::accumulate(pass.begin(), pass.end(), 0.0));
    EXPECT_NEAR(median(sums) / median(plain), 1.0, 0.04);
}

TEST_F(GpuNetwork, PrefixesGrowToTheNetwork) {
    const Loaded tested = loaded(testing::zoo_model("resnet18"), 1, DataType::f16);
    const std::size_t nodes = tested.network.nodes.size();
    std::vector<double> plain;
    std::vector<std::vector<double>> until(nodes);
    std::vector<double> prefix_us(nodes);
    for (int i = 0; i < testing::times(40, 3); ++i) {
        plain.push_back(tested.runner->time_runs(1));
        tested.runner->time_prefixes(prefix_us);
        for (std::size_t node = 0; node < nodes; ++node) until[node].push_back(prefix_us[node]);
    }
    EXPECT_NEAR(median(until.back()) / median(plain), 1.0, 0.04);
    for (std::size_t node = 1; node < nodes; ++node) {
        EXPECT_GT(median(until[node]), 0.98 * median(until[node - 1])) << tested.network.nodes[node].name;
    }
}

TEST_F(GpuNetwork, ManyRunsTakeManyTimesAsLong) {
    const Loaded tested = loaded(testing::zoo_model("resnet20-cifar"), 1, DataType::f16);
    const int runs = testing::times(100, 5);
    std::vector<double> few;
    std::vector<double> many;
    for (int i = 0; i < testing::times(20, 2); ++i) {
        few.push_back(tested.runner->time_runs(runs) / runs);
        many.push_back(tested.runner->time_runs(4 * runs) / (4 * runs));
    }
    EXPECT_NEAR(median(many) / median(few), 1.0, 0.05);
}

TEST_F(GpuNetwork, ColdIsNoFasterThanWarm) {
    for (const char* name : {"resnet20-cifar", "resnet18"}) {
        const Loaded tested = loaded(testing::zoo_model(name), 1, DataType::f16);
        std::vector<double> warm;
        std::vector<double> cold;
        const int runs = testing::times(20, 5);
        for (int i = 0; i < testing::times(20, 2); ++i) {
            warm.push_back(tested.runner->time_runs(runs) / runs);
            cold.push_back(tested.runner->time_cold());
        }
        EXPECT_GT(median(cold), 0.97 * median(warm)) << name;
    }
}

}  // namespace
}  // namespace hacscale
