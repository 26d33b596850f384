// The choice of kernels from candidates to plan cache, with the backend's own parts.
#include <gtest/gtest.h>

#include <fstream>
#include <set>

#include "base/error.hpp"
#include "kernels/cuda/candidate_timing.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/layer_choice.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale::cuda {
namespace {

using simulated::Device;

class SimulatedChoice : public ::testing::Test {
protected:
    // What a new process chooses with the folder that earlier ones left.
    std::string chosen(const std::string& key, DataType type = DataType::f32) {
        use_device(traits.index);
        const auto flush = make_flush_buffer(traits);
        PlanCache cache(folder.path(), [this](const std::string& text) { warnings.push_back(text); });
        LayerChooser chooser({layer_candidates, cudnn_sweep, restore_layer,
                              [&](const LayerContext& context, const LayerList& candidates) {
                                  return make_candidate_timer(context, candidates, flush);
                              },
                              serialized_plan},
                             cache, sweep);
        const std::int64_t before = Device::instance().kernels_run();
        const LayerContext context{LayerSpec::from_key(key), 2, type, traits, state};
        chooser.prepare({context, context});
        const auto layer = chooser.choose(context);
        kernels_run = Device::instance().kernels_run() - before;
        return layer->implementation();
    }

    const DeviceTraits traits = cuda_device("cuda:0").traits;
    const hacscale::testing::TempFolder folder;
    L2State state = L2State::cold;
    double sweep = 0.0;  // seconds
    std::vector<std::string> warnings;
    std::int64_t kernels_run = 0;
};

TEST_F(SimulatedChoice, IsMadeOnceAndKept) {
    for (const char* key :
         {"conv_i64x14x14_o64_k3_s1_p1_g1_bias_add_relu", "conv_i3x8x8_o8_k3_s1_p1_g1_bias_relu",
          "conv_i16x7x7_o16_k3_s1_p1_g1_bias_hard_swish", "conv_i32x9x9_o32_k3_s1_p1_g32_bias_relu",
          "linear_i64x1x1_o10_bias"}) {
        SCOPED_TRACE(key);
        const std::string first = chosen(key);
        EXPECT_GT(kernels_run, 4) << "candidates were not timed";
        EXPECT_EQ(chosen(key), first);
        EXPECT_EQ(kernels_run, 0) << "candidates were timed again";
    }
    EXPECT_TRUE(warnings.empty());
}

TEST_F(SimulatedChoice, ReadsAgainWhatTheLayerFindsInTheCache) {
    use_device(traits.index);
    const auto flush = make_flush_buffer(traits);
    LayerContext context{LayerSpec::from_key("conv_i64x14x14_o64_k3_s1_p1_g1_bias_add_relu"), 1,
                         DataType::f16, traits};
    const LayerList candidates = layer_candidates(context);
    const auto kernels_in = [&](L2State l2) {
        context.l2 = l2;
        const auto time_once = make_candidate_timer(context, candidates, flush);
        const std::int64_t before = Device::instance().kernels_run();
        EXPECT_GT(time_once(0), 0.0);
        return Device::instance().kernels_run() - before;
    };
    const std::int64_t cold = kernels_in(L2State::cold);
    EXPECT_EQ(kernels_in(L2State::input_hot), cold + 2) << "input and residual";
    EXPECT_EQ(kernels_in(L2State::hot), cold + 3) << "weights, too";
}

TEST_F(SimulatedChoice, DependsOnTheStateOfTheCache) {
    state = L2State::hot;
    const std::string key = "conv_i64x14x14_o64_k3_s1_p1_g1_bias_add_relu";
    chosen(key);
    state = L2State::cold;
    chosen(key);
    EXPECT_GT(kernels_run, 4) << "what was timed hot says nothing of cold runs";
}

TEST_F(SimulatedChoice, OfASweepIsKept) {
    const std::string key = "conv_i3x8x8_o8_k3_s1_p1_g1_bias_relu";
    EXPECT_EQ(chosen(key), "cudnn eng0_k2=1");
    sweep = 1.0;
    EXPECT_EQ(chosen(key), "cudnn eng2_k2=3") << "searched although there was a choice already";
    EXPECT_EQ(chosen(key), "cudnn eng2_k2=3");
    EXPECT_EQ(kernels_run, 0) << "swept again";
    sweep = 0.0;
    EXPECT_EQ(chosen(key), "cudnn eng2_k2=3");
    EXPECT_EQ(kernels_run, 0);
}

TEST_F(SimulatedChoice, DependsOnTheLayer) {
    const std::string large = chosen("conv_i64x14x14_o64_k3_s1_p1_g1_bias_add_relu");
    const std::string small = chosen("conv_i3x8x8_o8_k3_s1_p1_g1_bias_relu");
    EXPECT_EQ(large, "cudnn eng1_k2=2");
    EXPECT_EQ(small, "cudnn eng0_k2=1");
    EXPECT_TRUE(chosen("conv_i16x7x7_o16_k3_s1_p1_g1_bias_hard_swish")
                    .starts_with("cudnn eng0_k2=1 + hacscale epilogue (unfused: "));
    EXPECT_TRUE(chosen("conv_i32x9x9_o32_k3_s1_p1_g32_bias_relu").starts_with("hacscale depthwise"));
}

TEST_F(SimulatedChoice, IsMadeAnewWherePlansAreDamaged) {
    const std::string key = "conv_i64x14x14_o64_k3_s1_p1_g1_bias_add_relu";
    const std::string first = chosen(key);
    int files = 0;
    for (const auto& entry : std::filesystem::directory_iterator(folder.path())) {
        std::ifstream in(entry.path());
        std::string text((std::istreambuf_iterator<char>(in)), {});
        const auto plan = text.find("simulated eng");
        ASSERT_NE(plan, std::string::npos) << text;
        text.replace(plan, 9, "elsewhere");
        std::ofstream(entry.path()) << text;
        ++files;
    }
    EXPECT_EQ(files, 1);
    EXPECT_EQ(chosen(key), first);
    EXPECT_GT(kernels_run, 4);
    EXPECT_EQ(warnings.size(), 1U);
    EXPECT_EQ(chosen(key), first);
    EXPECT_EQ(kernels_run, 0);
}

}  // namespace
}  // namespace hacscale::cuda
