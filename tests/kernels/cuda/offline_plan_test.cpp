// What cuDNN would choose on five GPUs that are not here, for the layers of the whole zoo.
#include "kernels/cuda/cudnn/offline_plan.hpp"

#include <gmock/gmock.h>

#include <set>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/kernels/cuda/cudnn_here.hpp"
#include "tests/kernels/cuda/shipped_profiles.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

// Every distinct layer of the zoo.
Graph zoo_layers() {
    std::set<LayerSpec> layers;
    for (const std::string& name : zoo_names()) {
        for (const Node& node : lower(find_model(name)).nodes) layers.insert(node.layer);
    }
    Graph network;
    for (const LayerSpec& layer : layers) {
        Node node;
        node.layer = layer;
        network.nodes.push_back(node);
    }
    return network;
}

CompileOptions options(DataType type) {
    CompileOptions result;
    result.type = type;
    return result;
}

bool is_conv(const LayerSpec& layer) {
    return layer.kind == LayerKind::conv || layer.kind == LayerKind::linear;
}

void expect_plans_for_all(const std::string& profile, const Graph& network) {
    const auto plans = plan_without_device(shipped_profile(profile), network, options(DataType::f16));
    ASSERT_EQ(plans.size(), network.nodes.size());
    for (std::size_t i = 0; i < plans.size(); ++i) {
        const LayerPlan& plan = plans[i];
        const LayerSpec& layer = network.nodes[i].layer;
        EXPECT_EQ(plan.node, static_cast<int>(i));
        EXPECT_FALSE(plan.implementation.empty()) << layer.key() << ": " << plan.reason;
        EXPECT_GE(plan.workspace_bytes, 0);
        EXPECT_EQ(plan.fused, plan.reason.empty()) << layer.key() << ": " << plan.reason;
        if (is_conv(layer)) {
            EXPECT_THAT(plan.engine, StartsWith("eng")) << layer.key();
            EXPECT_EQ(plan.library, "cudnn " + cudnn().version);
        } else {
            EXPECT_EQ(plan.engine, "hand-written") << layer.key();
        }
    }
}

class OfflinePlan : public ::testing::TestWithParam<const char*> {};

TEST_P(OfflinePlan, EveryLayerOfTheZooHasAPlan) {
    HACSCALE_NEEDS_CUDNN();
    expect_plans_for_all(GetParam(), zoo_layers());
}

INSTANTIATE_TEST_SUITE_P(Gpus, OfflinePlan, ::testing::ValuesIn(shipped_profile_names),
                         [](const auto& gpu) { return std::string(gpu.param); });

TEST(OfflinePlans, F32AndTf32Differ) {
    HACSCALE_NEEDS_CUDNN();
    const Graph network = lower(find_model("resnet18"));
    const auto exact = plan_without_device(shipped_profile("h200"), network, options(DataType::f32));
    const auto rounded = plan_without_device(shipped_profile("h200"), network, options(DataType::tf32));
    ASSERT_EQ(exact.size(), rounded.size());
    int different = 0;
    for (std::size_t i = 0; i < exact.size(); ++i) {
        ASSERT_FALSE(exact[i].implementation.empty()) << exact[i].reason;
        different += exact[i].implementation != rounded[i].implementation ? 1 : 0;
    }
    EXPECT_GT(different, 10);
}

TEST(OfflinePlans, TheSameLayerHasTheSamePlanWhereverItStands) {
    HACSCALE_NEEDS_CUDNN();
    const Graph network = lower(find_model("resnet20-cifar"));
    const auto plans = plan_without_device(shipped_profile("a100"), network, options(DataType::bf16));
    std::map<LayerSpec, std::string> seen;
    for (const LayerPlan& plan : plans) {
        const LayerSpec& layer = network.nodes[static_cast<std::size_t>(plan.node)].layer;
        EXPECT_EQ(seen.emplace(layer, plan.implementation).first->second, plan.implementation);
    }
}

TEST(OfflinePlans, ATypeThatTheGpuLacksIsRefusedByName) {
    EXPECT_THAT(
        [] {
            plan_without_device(shipped_profile("t4"), lower(find_model("resnet18")),
                                options(DataType::bf16));
        },
        ThrowsMessage<InputError>(AllOf(HasSubstr("Tesla T4"), HasSubstr("bf16"), HasSubstr("7.5"))));
}

TEST(OfflinePlans, AProfileThatIsNoneIsRefused) {
    EXPECT_THROW(plan_without_device("{}", lower(find_model("resnet18")), options(DataType::f16)),
                 InputError);
}

}  // namespace
}  // namespace hacscale::cuda
