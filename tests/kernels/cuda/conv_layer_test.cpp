// Layers for a GPU that is not here: what they are, and how they come back from a cache; nothing is run.
#include "kernels/cuda/cudnn/conv_layer.hpp"

#include <gmock/gmock.h>

#include <algorithm>

#include "kernels/cuda/cuda_device.hpp"
#include "tests/kernels/cuda/cudnn_here.hpp"
#include "tests/kernels/cuda/shipped_profiles.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

LayerContext context(const std::string& key, DataType type = DataType::f16) {
    LayerContext result;
    result.layer = LayerSpec::from_key(key);
    result.type = type;
    result.device.compute_capability = 90;
    return result;
}

class ConvLayerTest : public ::testing::Test {
protected:
    void SetUp() override {
        HACSCALE_NEEDS_CUDNN();
        h200_ = CudnnTarget::described(shipped_profile("h200"));
    }
    std::vector<std::unique_ptr<CudaLayer>> candidates(const LayerContext& wanted,
                                                       std::size_t most = 4) const {
        return conv_candidates(h200_, wanted, most, nullptr);
    }
    std::shared_ptr<const CudnnTarget> h200_;
};

TEST_F(ConvLayerTest, FusedPlansComeBeforeBareOnes) {
    const auto layers = candidates(context("conv_i64x28x28_o64_k3_s1_p1_g1_bias_add_relu"));
    ASSERT_EQ(layers.size(), 8U);
    for (std::size_t i = 0; i < layers.size(); ++i) {
        const std::string name = layers[i]->implementation();
        EXPECT_THAT(name, StartsWith("cudnn eng"));
        EXPECT_EQ(name.ends_with(" + hacscale epilogue (it may be faster than the fused plan)"), i >= 4)
            << name;
        EXPECT_GE(layers[i]->weight_bytes(), std::size_t{64 * 64 * 9 + 64} * 2);
    }
}

TEST_F(ConvLayerTest, ASweepAddsPlansThatAreRestoredAsAllOthers) {
    const LayerContext wanted = context("conv_i64x28x28_o64_k1_s1_p0_g1_bias_relu");
    const auto layers = conv_sweep(h200_, wanted, 1.0);
    ASSERT_FALSE(layers.empty());
    for (const auto& layer : layers) {
        const auto restored = conv_layer_from_plan(h200_, wanted, serialized_plan(*layer));
        EXPECT_EQ(restored->implementation(), layer->implementation());
    }
}

TEST_F(ConvLayerTest, WithoutAFusedPlanTheEpilogueIsNamedWithTheReason) {
    const auto layers = candidates(context("conv_i64x28x28_o64_k1_s1_p0_g1_bias_silu"));
    ASSERT_FALSE(layers.empty());
    EXPECT_THAT(layers.front()->implementation(), HasSubstr(" + hacscale epilogue (unfused: "));
}

// Of any window, dilation and pads, and transposed convs: with cuDNN's own padding, or behind a step that pads.
TEST_F(ConvLayerTest, ThereIsAPlanForEveryConv) {
    for (const char* key :
         {"conv_i64x17x17_o64_k1x7_s1_p0x3_g1_bias_relu", "conv_i64x17x17_o96_k3x1_s2x1_p1x0_g1_bias",
          "conv_i64x28x28_o64_k3_s1_p2_d2_g1_bias_relu", "conv_i64x28x28_o64_k3_s1_p1_g4_bias_relu",
          "conv_i64x28x28_o64_k3_s2_p0x0x1x1_g1_bias_relu", "conv_i3x29x29_o32_k3_s2_p0x0x1x1_g1_bias_silu",
          "conv_i64x15x20_o64_k3x5_s1x2_p2x0x1x3_d2x1_g1_bias_add_relu",
          "transposed_conv_i64x14x14_o32_k2_s2_p0_g1_bias",
          "transposed_conv_i64x14x14_o32_k4_s2_p1_g1_bias_relu",
          "transposed_conv_i64x14x14_o64_k3_s2_p1x1x0x0_g1"}) {
        for (const DataType type : data_types) {
            const LayerContext wanted = context(key, type);
            std::string reason;
            const auto layers = conv_candidates(h200_, wanted, 2, &reason);
            ASSERT_FALSE(layers.empty()) << key << " " << name_of(type) << ": " << reason;
            const auto restored = conv_layer_from_plan(h200_, wanted, serialized_plan(*layers.front()));
            EXPECT_EQ(restored->implementation(), layers.front()->implementation());
            EXPECT_EQ(restored->workspace_bytes(), layers.front()->workspace_bytes());
        }
    }
}

TEST_F(ConvLayerTest, AConvWithNothingBesideItNeedsNoEpilogue) {
    const auto layers = candidates(context("conv_i64x28x28_o64_k1_s1_p0_g1"));
    ASSERT_FALSE(layers.empty());
    EXPECT_THAT(layers.front()->implementation(), Not(HasSubstr("epilogue")));
    EXPECT_EQ(layers.front()->weight_bytes(), std::size_t{64 * 64} * 2);
}

TEST_F(ConvLayerTest, DepthwiseConvsHaveUnfusedOnesBeside) {
    const auto layers = candidates(context("conv_i64x28x28_o64_k3_s1_p1_g64_bias_relu"));
    const bool unfused = std::any_of(layers.begin(), layers.end(), [](const auto& layer) {
        return layer->implementation().find("epilogue") != std::string::npos;
    });
    EXPECT_TRUE(unfused);
    EXPECT_THAT(layers.front()->implementation(), Not(HasSubstr("epilogue")));
}

TEST_F(ConvLayerTest, ComeBackFromTheirPlans) {
    for (const char* key : {"conv_i64x28x28_o64_k3_s1_p1_g1_bias_relu",
                            "conv_i64x28x28_o64_k1_s1_p0_g1_bias_silu", "linear_i512x1x1_o1000_bias"}) {
        const LayerContext wanted = context(key);
        for (const auto& layer : candidates(wanted, 2)) {
            const std::string plan = serialized_plan(*layer);
            ASSERT_FALSE(plan.empty());
            const auto restored = conv_layer_from_plan(h200_, wanted, plan);
            EXPECT_EQ(restored->implementation(), layer->implementation());
            EXPECT_EQ(restored->weight_bytes(), layer->weight_bytes());
            EXPECT_EQ(restored->workspace_bytes(), layer->workspace_bytes());
            EXPECT_EQ(serialized_plan(*restored), plan);
        }
    }
}

TEST_F(ConvLayerTest, APlanIsOnlyForItsOwnLayer) {
    const LayerContext wanted = context("conv_i64x28x28_o64_k3_s1_p1_g1_bias_relu");
    const std::string plan = serialized_plan(*candidates(wanted, 1).front());
    LayerContext other = wanted;
    other.batch = 2;
    EXPECT_THAT([&] { conv_layer_from_plan(h200_, other, plan); },
                ThrowsMessage<WorkError>(HasSubstr("another layer's")));
    other = wanted;
    other.type = DataType::bf16;
    EXPECT_THROW(conv_layer_from_plan(h200_, other, plan), WorkError);
    for (const std::string& damaged : {std::string(), std::string("null"), plan.substr(0, plan.size() / 2)}) {
        EXPECT_THROW(conv_layer_from_plan(h200_, wanted, damaged), WorkError);
    }
}

TEST(CudnnCandidates, AreNoneForOtherKindsAndTypesThatTheDeviceLacks) {
    std::string reason;
    EXPECT_TRUE(cudnn_candidates(context("global_avg_pool_i64x7x7"), 6, &reason).empty());
    EXPECT_THAT(reason, HasSubstr("global_avg_pool"));
    LayerContext turing = context("conv_i64x28x28_o64_k3_s1_p1_g1_bias_relu", DataType::bf16);
    turing.device.compute_capability = 75;
    EXPECT_TRUE(cudnn_candidates(turing, 6, &reason).empty());
    EXPECT_THAT(reason, HasSubstr("bf16"));
}

}  // namespace
}  // namespace hacscale::cuda
