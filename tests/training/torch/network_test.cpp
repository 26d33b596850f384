#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "base/error.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/formats/formats.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/temp_folder.hpp"
#include "tests/test_name.hpp"
#include "tests/training/torch/module_fixture.hpp"

namespace hacscale {
namespace {

// In one process with libtorch: both use the same oneDNN and the same OpenMP.
const BackendRegistry& backends() {
    static const BackendRegistry registry = BackendRegistry::load(1);
    return registry;
}

class TorchNetworkTest : public TrainerModuleTest {
protected:
    std::filesystem::path checkpoint() const { return folder_ / "checkpoint.pt"; }

private:
    testing::TempFolder folder_;
};

// Large maps and many equal blocks only cost time and add rounding errors: every kind of layer of a network is still there
// at a lower resolution and depth.
ModelSpec for_test(const std::string& name) {
    ModelSpec model = find_model(name);
    model.resolution = std::min(model.resolution, 64);
    for (StageSpec& stage : model.stages) {
        stage.depth = std::min(stage.depth, 8);
        if (has_inner_width(stage.block)) stage.inner_widths.resize(static_cast<std::size_t>(stage.depth));
    }
    return model;
}

TEST_F(TorchNetworkTest, ParametersOfEveryNetworkAreThoseOfItsSpec) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec model = find_model(name);
        EXPECT_EQ(trainer().parameters(model), lower(model).params()) << name;
    }
}

// Each network in a test of its own: compiling one times its kernels, which is slow without AVX-512.
class FoldedWeights : public TorchNetworkTest, public ::testing::WithParamInterface<std::string> {};

TEST_P(FoldedWeights, GiveTheSameOutputsOnTheCpuBackend) {
    if (backends().backends().empty()) GTEST_SKIP() << "no CPU backend: " << backends().attempts().size();
    const DeviceHandle cpu = backends().find("cpu");
    const std::string& name = GetParam();
    const ModelSpec model = for_test(name);
    const Graph network = lower(model);
    trainer().write_random_checkpoint(model, 7, checkpoint());
    const std::vector<float> images =
        random_values(static_cast<std::size_t>(model.in_channels) * model.resolution * model.resolution, 3);
    const std::vector<float> expected = trainer().evaluate(model, checkpoint(), images, 1);

    Compiled compiled = cpu.backend->compile("cpu", network, CompileOptions{});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    compiled.runner->load(trainer().folded_weights(model, checkpoint()));
    compiled.runner->set_input(0, images);
    compiled.runner->run();
    const std::vector<double> reference(expected.begin(), expected.end());
    EXPECT_LE(relative_error(compiled.runner->output(0), reference), 1e-4);
    EXPECT_GT(*std::max_element(expected.begin(), expected.end()), 1e-6F) << "died out";
}

INSTANTIATE_TEST_SUITE_P(Zoo, FoldedWeights, ::testing::ValuesIn(zoo_names()),
                         [](const auto& tested) { return testing::test_name(tested.param); });

// All that stages can say in one network: a rectangle, dilation, groups, squeeze-excite at the output, separate adds.
TEST_F(TorchNetworkTest, AnyStagesFoldToTheSameOutputs) {
    if (backends().backends().empty()) GTEST_SKIP() << "no CPU backend: " << backends().attempts().size();
    const ModelSpec model = parse_model(R"(
name: net
input: {resolution: [32, 48]}
classes: 10
batch_norm_epsilon: 0.25
stem:
  - conv: {width: 12, kernel: 4, stride: 2, padding: 2, groups: 3}
stages:
  - {block: fused_inverted_residual, width: 16, depth: 2, expansion: 1}
  - {block: basic, width: 16, depth: 1, batch_norm: false, dilation: 2, squeeze_excite: {ratio: 0.25, at: output}}
  - {block: bottleneck, width: 32, depth: 1, stride: 2, stride_in: first, inner_width: 16, groups: 4}
  - {block: preact_bottleneck, width: 32, depth: 2, inner_width: 16}
  - {block: universal_inverted_bottleneck, width: 32, depth: 2, start_kernel: 3, expansion: 2}
  - {block: separable, width: 48, depth: 1, squeeze_excite: {ratio: 0.25}}
head: [global_avg_pool, linear]
)",
                                        "test");
    const Graph network = lower(model);
    EXPECT_EQ(trainer().parameters(model), network.params());
    trainer().write_random_checkpoint(model, 7, checkpoint());
    const std::vector<float> images = random_values(std::size_t{3} * 32 * 48, 3);
    const std::vector<float> expected = trainer().evaluate(model, checkpoint(), images, 1);
    const std::vector<double> reference(expected.begin(), expected.end());
    Compiled compiled = backends().find("cpu").backend->compile("cpu", network, CompileOptions{});
    ASSERT_TRUE(compiled.runner) << compiled.reason;
    compiled.runner->load(trainer().folded_weights(model, checkpoint()));
    compiled.runner->set_input(0, images);
    compiled.runner->run();
    EXPECT_LE(relative_error(compiled.runner->output(0), reference), 1e-4);
}

// A random variance is between 0.5 and 1.5.
TEST_F(TorchNetworkTest, BatchNormsFoldWithTheModelsEpsilon) {
    ModelSpec model = find_model("resnet8-cifar");
    const auto weights = [&] {
        trainer().write_random_checkpoint(model, 1, checkpoint());
        return trainer().folded_weights(model, checkpoint())[0].weights;
    };
    const std::vector<float> usual = weights();
    model.batch_norm_epsilon = 0.5;
    const std::vector<float> other = weights();
    for (std::size_t i = 0; i < usual.size(); ++i) {
        ASSERT_GE(other[i] / usual[i], std::sqrt(0.5 / 1.0) - 1e-4);
        ASSERT_LE(other[i] / usual[i], std::sqrt(1.5 / 2.0) + 1e-4);
    }
}

TEST_F(TorchNetworkTest, ANetworkOfSeveralOutputsIsRefused) {
    ModelSpec model = find_model("resnet8-cifar");
    model.output_stages = {1};
    EXPECT_THROW(trainer().parameters(model), InputError);
}

TEST_F(TorchNetworkTest, ARandomCheckpointFollowsFromItsSeed) {
    const ModelSpec model = find_model("resnet20-cifar");
    const auto weights = [&](std::uint64_t seed) {
        trainer().write_random_checkpoint(model, seed, checkpoint());
        return trainer().folded_weights(model, checkpoint())[3].weights;
    };
    EXPECT_EQ(weights(1), weights(1));
    EXPECT_NE(weights(1), weights(2));
}

TEST_F(TorchNetworkTest, ACheckpointOfAnotherModelIsRefused) {
    trainer().write_random_checkpoint(find_model("resnet20-cifar"), 1, checkpoint());
    EXPECT_THROW(trainer().folded_weights(find_model("resnet32-cifar"), checkpoint()), InputError);
}

TEST_F(TorchNetworkTest, WhatIsNoCheckpointIsRefused) {
    const ModelSpec model = find_model("resnet20-cifar");
    EXPECT_THROW(trainer().folded_weights(model, checkpoint()), InputError);
    trainer().write_random_checkpoint(model, 1, checkpoint());
    std::filesystem::resize_file(checkpoint(), std::filesystem::file_size(checkpoint()) / 2);
    EXPECT_THROW(trainer().folded_weights(model, checkpoint()), InputError);
}

TEST_F(TorchNetworkTest, ImagesOfAnotherSizeAreRefused) {
    const ModelSpec model = find_model("resnet20-cifar");
    trainer().write_random_checkpoint(model, 1, checkpoint());
    EXPECT_THROW(trainer().evaluate(model, checkpoint(), std::vector<float>(7), 1), InputError);
}

TEST_F(TorchNetworkTest, ADeviceThatIsNoneIsRefused) {
    EXPECT_FALSE(trainer().device_name("cpu").empty());
    EXPECT_THROW(trainer().device_name("gpu"), InputError);
    EXPECT_NE(trainer().libraries().find("libtorch"), std::string::npos);
}

}  // namespace
}  // namespace hacscale
