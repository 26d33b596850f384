// Plans for GPUs that are not here; nothing is run.
#include "kernels/cuda/cudnn/conv_graph.hpp"

#include <gmock/gmock.h>

#include <set>

#include "kernels/cuda/cuda_device.hpp"
#include "tests/kernels/cuda/cudnn_here.hpp"
#include "tests/kernels/cuda/shipped_profiles.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

constexpr std::int64_t plenty = std::int64_t{1} << 30;

PlanRequest request(const std::string& key, DataType type, ConvForm form = ConvForm::fused) {
    return {LayerSpec::from_key(key), 1, type, form};
}

class ConvGraphTest : public ::testing::Test {
protected:
    void SetUp() override {
        HACSCALE_NEEDS_CUDNN();
        h200_ = CudnnTarget::described(shipped_profile("h200"));
    }
    std::vector<PlanInfo> plans(const PlanRequest& wanted, std::size_t most,
                                std::int64_t cap = plenty) const {
        std::vector<PlanInfo> infos;
        for (const auto& plan : find_plans(h200_, wanted, most, cap).plans) infos.push_back(plan->info());
        return infos;
    }

    std::shared_ptr<const CudnnTarget> h200_;
};

TEST_F(ConvGraphTest, FusesBiasResidualAndReluInEveryFloatingType) {
    for (const char* tail : {"bias_relu", "bias", "bias_add_relu", "bias_add", "relu", "add", "bias_relu6"}) {
        for (const DataType type : data_types) {
            const auto key = std::string("conv_i64x28x28_o64_k3_s1_p1_g1_") + tail;
            const PlanSearch search = find_plans(h200_, request(key, type), 1, plenty);
            ASSERT_EQ(search.plans.size(), 1U) << key << " " << name_of(type) << ": " << search.reason;
            EXPECT_TRUE(search.plans.front()->info().name.starts_with("eng"));
        }
    }
}

TEST_F(ConvGraphTest, SaysWhyALayerHasNoFusedPlanWithoutADriver) {
    for (const char* activation : {"silu", "hard_swish", "sigmoid"}) {
        const auto key = std::string("conv_i64x28x28_o64_k3_s1_p1_g1_bias_") + activation;
        const PlanSearch fused = find_plans(h200_, request(key, DataType::f16), 1, plenty);
        if (fused.plans.empty()) {
            EXPECT_THAT(fused.reason, HasSubstr("run time")) << key;
        }
        EXPECT_EQ(plans(request(key, DataType::f16, ConvForm::bare), 1).size(), 1U) << key;
    }
}

TEST_F(ConvGraphTest, PlansAreDistinctAndNoMoreThanAskedFor) {
    const auto wanted = request("conv_i64x56x56_o64_k3_s1_p1_g1_bias_relu", DataType::f16);
    const auto found = plans(wanted, 4);
    ASSERT_EQ(found.size(), 4U);
    for (std::size_t i = 0; i < found.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) EXPECT_NE(found[i].name, found[j].name);
    }
}

TEST_F(ConvGraphTest, PlansKeepWithinTheWorkspace) {
    const auto wanted = request("linear_i512x7x7_o1000_bias", DataType::tf32);
    const auto free_ones = plans(wanted, 8);
    const auto largest =
        std::max_element(free_ones.begin(), free_ones.end(),
                         [](const auto& a, const auto& b) { return a.workspace_bytes < b.workspace_bytes; });
    ASSERT_NE(largest, free_ones.end());
    ASSERT_GT(largest->workspace_bytes, 0);
    const std::int64_t cap = largest->workspace_bytes - 1;
    for (const PlanInfo& info : plans(wanted, 8, cap)) EXPECT_LE(info.workspace_bytes, cap) << info.name;
}

TEST_F(ConvGraphTest, F32KeepsOffTheMatrixUnitsThatTf32Uses) {
    const std::string key = "conv_i64x56x56_o64_k3_s1_p1_g1_bias_relu";
    const auto exact = plans(request(key, DataType::f32), 64);
    const auto rounded = plans(request(key, DataType::tf32), 64);
    ASSERT_FALSE(exact.empty());
    EXPECT_LT(exact.size(), rounded.size());
    EXPECT_NE(exact.front().name, rounded.front().name);
}

TEST_F(ConvGraphTest, APlanComesBackFromItsText) {
    for (const ConvForm form : {ConvForm::fused, ConvForm::bare}) {
        const auto wanted = request("conv_i64x28x28_o128_k3_s2_p1_g1_bias_relu", DataType::f16, form);
        const PlanSearch search = find_plans(h200_, wanted, 3, plenty);
        ASSERT_FALSE(search.plans.empty());
        for (const auto& plan : search.plans) {
            const auto restored = restore_plan(h200_, wanted, plan->serialized());
            EXPECT_EQ(restored->info().name, plan->info().name);
            EXPECT_EQ(restored->info().knobs, plan->info().knobs);
            EXPECT_EQ(restored->info().workspace_bytes, plan->info().workspace_bytes);
        }
    }
}

// cuDNN itself would take it, and write past the ends of this layer's tensors.
TEST_F(ConvGraphTest, APlanForOtherTensorsIsRefused) {
    const std::string key = "conv_i64x28x28_o64_k3_s1_p1_g1_bias_add_relu";
    const auto wanted = request(key, DataType::f16);
    const auto text_for = [this](const PlanRequest& other) {
        return find_plans(h200_, other, 1, plenty).plans.front()->serialized();
    };
    EXPECT_NO_THROW(restore_plan(h200_, wanted, text_for(wanted)));
    PlanRequest larger_batch = wanted;
    larger_batch.batch = 8;
    const std::vector<std::pair<PlanRequest, std::string>> others{
        {request("conv_i64x56x56_o64_k3_s1_p1_g1_bias_add_relu", DataType::f16), "the dimensions"},
        {request("conv_i64x28x28_o128_k3_s1_p1_g1_bias_add_relu", DataType::f16), "the dimensions"},
        {larger_batch, "the dimensions 8x64x28x28, and the layer's has 1x64x28x28"},
        {request(key, DataType::bf16), "CUDNN_DATA_BFLOAT16"},
        {request(key, DataType::f16, ConvForm::bare), "lacks the layer's tensor"},
        {request("conv_i64x28x28_o64_k3_s1_p1_g1_bias_relu", DataType::f16), "lacks the layer's tensor 4"},
    };
    for (const auto& [other, reason] : others) {
        const std::string text = text_for(other);
        EXPECT_THAT([&] { restore_plan(h200_, wanted, text); }, ThrowsMessage<WorkError>(HasSubstr(reason)))
            << other.layer.key();
    }
    const PlanRequest bare = request(key, DataType::f16, ConvForm::bare);
    EXPECT_THAT([&] { restore_plan(h200_, bare, text_for(wanted)); },
                ThrowsMessage<WorkError>(HasSubstr("that the layer has not")));
}

TEST_F(ConvGraphTest, TextThatIsNoPlanIsRefused) {
    const auto wanted = request("conv_i64x28x28_o64_k3_s1_p1_g1_bias_relu", DataType::f16);
    const std::string whole = find_plans(h200_, wanted, 1, plenty).plans.front()->serialized();
    for (const std::string& text : {std::string(), std::string("{}"), whole.substr(0, whole.size() / 2)}) {
        EXPECT_THROW(restore_plan(h200_, wanted, text), WorkError) << text.substr(0, 40);
    }
}

TEST(CudnnTargetTest, AProfileThatCudnnRefusesIsAnInputError) {
    HACSCALE_NEEDS_CUDNN();
    EXPECT_THAT([] { CudnnTarget::described("{\"deviceName\": \"none\"}"); },
                ThrowsMessage<InputError>(HasSubstr("refuses this GPU profile")));
}

TEST_F(ConvGraphTest, NamesAllThatTheHeuristicsKnow) {
    const auto wanted = request("conv_i64x28x28_o64_k3_s1_p1_g1_bias_relu", DataType::f16);
    const auto all = plans(wanted, all_plans);
    EXPECT_GT(all.size(), 6U);
    const PlanSearch hurried = find_plans(h200_, wanted, all_plans, plenty, 0.0);
    EXPECT_EQ(hurried.plans.size(), 6U) << "no time for more than those that are always built";
}

TEST_F(ConvGraphTest, ASweepFindsWhatTheHeuristicsDoNotName) {
    const auto wanted = request("conv_i96x14x14_o576_k1_s1_p0_g1", DataType::f16, ConvForm::bare);
    std::set<std::string> known;
    for (const PlanInfo& info : plans(wanted, all_plans)) known.insert(info.name);
    std::set<std::string> found;
    int unknown = 0;
    for (const auto& plan : sweep_plans(h200_, wanted, 12, plenty, unlimited_seconds).plans) {
        found.insert(plan->info().name);
        if (!known.contains(plan->info().name)) ++unknown;
        EXPECT_EQ(restore_plan(h200_, wanted, plan->serialized())->info().name, plan->info().name);
    }
    EXPECT_EQ(found.size(), 12U);
    EXPECT_GT(unknown, 0);
    EXPECT_TRUE(sweep_plans(h200_, wanted, 12, plenty, -1.0).plans.empty());
}

}  // namespace
}  // namespace hacscale::cuda
