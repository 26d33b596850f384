// Whole networks on the GPU: right numbers however they are run, and times that hold together.
#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "kernels/cuda/cuda_device.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "profiler/timing/network_timer.hpp"
#include "tests/gpu/gpu.hpp"
#include "tests/kernels/layer_families.hpp"
#include "tests/kernels/small_graphs.hpp"
#include "tests/kernels/small_models.hpp"

namespace hacscale {
namespace {

class GpuNetwork : public testing::GpuTest {
protected:
    struct Loaded {
        Graph network;
        std::unique_ptr<NetworkRunner> runner;
        std::vector<LayerWeights> weights;
        std::vector<std::vector<float>> inputs;
    };

    static Loaded loaded(const ModelSpec& model, int batch, DataType type) {
        return loaded({model.name, lower(model)}, batch, type);
    }

    static Loaded loaded(const testing::NamedGraph& named, int batch, DataType type) {
        Loaded result;
        result.network = named.graph;
        Compiled compiled = backend().compile(device(), result.network, {batch, type});
        if (!compiled.runner) throw std::runtime_error(named.name + ": " + compiled.reason);
        result.runner = std::move(compiled.runner);
        result.weights = random_weights(result.network, 5);
        result.inputs = random_inputs(result.network, batch, 6);
        result.runner->load(result.weights);
        set_inputs(*result.runner, result.inputs);
        return result;
    }

    static void expect_right(const ModelSpec& model, int batch, DataType type) {
        expect_right({model.name, lower(model)}, batch, type);
    }

    static void expect_right(const testing::NamedGraph& named, int batch, DataType type) {
        SCOPED_TRACE(named.name + " batch " + std::to_string(batch) + " " + std::string(name_of(type)));
        const Loaded tested = loaded(named, batch, type);
        NetworkRunner& runner = *tested.runner;
        runner.poison();
        runner.run();
        const auto expected = reference_graph(tested.network, batch, tested.inputs, tested.weights);
        const auto outputs = [&] {
            std::vector<std::vector<float>> all;
            for (std::size_t i = 0; i < expected.size(); ++i) all.push_back(runner.output(i));
            return all;
        };
        const std::vector<std::vector<float>> first = outputs();
        for (std::size_t i = 0; i < expected.size(); ++i) {
            EXPECT_LT(relative_error(first[i], expected[i]), type == DataType::f32 ? 1e-4 : 5e-2)
                << "output " << i;
        }

        std::vector<double> node_us(tested.network.nodes.size());
        const auto same_after = [&](const char* what, const auto& work) {
            runner.poison();
            work();
            EXPECT_EQ(outputs(), first) << what << " differs";
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
    if (const std::string reason = backend().unsupported_reason(device(), GetParam()); !reason.empty()) {
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

TEST_P(GpuNetworkOfType, GraphsOfAnyFormEqualTheReference) {
    for (const auto& graphs : {testing::small_graphs(Layout::channels_last),
                               testing::graphs_of_several_inputs(Layout::channels_last)}) {
        for (const testing::NamedGraph& named : graphs) expect_right(named, 2, GetParam());
    }
}

INSTANTIATE_TEST_SUITE_P(Types, GpuNetworkOfType, ::testing::ValuesIn(cuda::data_types),
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
