#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "base/error.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/ops/reference.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
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
    void TearDown() override { std::filesystem::remove_all(folder_); }
    std::filesystem::path checkpoint() const { return folder_ / "checkpoint.pt"; }

private:
    std::filesystem::path folder_ =
        std::filesystem::temp_directory_path() / ("hacscale_torch_network_" + std::to_string(::getpid()));
};

// Large maps only cost time: every layer of a network is still there at a lower resolution.
ModelSpec for_test(const std::string& name) {
    ModelSpec model = find_model(name);
    model.resolution = std::min(model.resolution, 64);
    return model;
}

// Beginnings of names; the first that fits is a network's family.
constexpr const char* families[] = {"efficientnet-b0", "efficientnet-b1", "efficientnet-b2",
                                    "efficientnet-b3", "efficientnet-b4", "mobilenetv1-",
                                    "mobilenetv2-0",   "mobilenetv2-1",   "mobilenetv3-",
                                    "regnet",          "resnet",          "vgg",
                                    "wrn-16",          "wrn-28",          "wrn-40"};

std::string family_of(const std::string& name) {
    for (const char* family : families) {
        if (name.starts_with(family)) return family;
    }
    return {};
}

TEST_F(TorchNetworkTest, ParametersOfEveryNetworkAreThoseOfItsSpec) {
    for (const std::string& name : zoo_names()) {
        const ModelSpec model = find_model(name);
        EXPECT_EQ(trainer().parameters(model), lower(model).params()) << name;
    }
}

// A family of networks in a test of its own: compiling one times its kernels, which is slow without AVX-512.
class FoldedWeights : public TorchNetworkTest, public ::testing::WithParamInterface<const char*> {};

TEST_P(FoldedWeights, GiveTheSameOutputsOnTheCpuBackend) {
    if (backends().backends().empty()) GTEST_SKIP() << "no CPU backend: " << backends().attempts().size();
    const DeviceHandle cpu = backends().find("cpu");
    for (const std::string& name : zoo_names()) {
        if (family_of(name) != GetParam()) continue;
        const ModelSpec model = for_test(name);
        const Graph network = lower(model);
        trainer().write_random_checkpoint(model, 7, checkpoint());
        const std::vector<float> images = random_values(
            static_cast<std::size_t>(model.in_channels) * model.resolution * model.resolution, 3);
        const std::vector<float> expected = trainer().evaluate(model, checkpoint(), images, 1);

        Compiled compiled = cpu.backend->compile("cpu", network, CompileOptions{});
        ASSERT_TRUE(compiled.runner) << name << ": " << compiled.reason;
        compiled.runner->load(trainer().folded_weights(model, checkpoint()));
        compiled.runner->set_input(0, images);
        compiled.runner->run();
        const std::vector<double> reference(expected.begin(), expected.end());
        EXPECT_LE(relative_error(compiled.runner->output(0), reference), 1e-4) << name;
        EXPECT_GT(*std::max_element(expected.begin(), expected.end()), 1e-6F) << name << " died out";
    }
}

INSTANTIATE_TEST_SUITE_P(Families, FoldedWeights, ::testing::ValuesIn(families), [](const auto& tested) {
    std::string name = tested.param;
    std::erase(name, '-');
    return name;
});

TEST(FamiliesOfNetworks, HoldTheWholeZoo) {
    for (const std::string& name : zoo_names()) EXPECT_FALSE(family_of(name).empty()) << name;
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
