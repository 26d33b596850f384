// What may run the layers of the zoo: the names of oneDNN's and our kernels, with each instruction set as the newest.
#include "kernels/cpu/conv_plans.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <set>

#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/plan_choice.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"

namespace hacscale::cpu {
namespace {

// Empty when no candidate is a reference kernel; else the layer, with what would run it.
std::string slow_candidates(const LayerContext& context) {
    const ConvPlans plans = conv_plans(context);
    if (plans.good.empty()) return context.layer.key() + " has only last resorts\n";
    std::string slow;
    for (const ConvPlan& plan : plans.good) {
        if (is_reference_kernel(plan.name)) slow += context.layer.key() + " by " + plan.name + "\n";
    }
    return slow;
}

std::string slow_kernel(const LayerContext& context) {
    const std::string kernel = make_layer(context)->implementation();
    return is_reference_kernel(kernel) ? context.layer.key() + " by " + kernel + "\n" : "";
}

LayerContext context_of(const LayerSpec& layer, WeightPool& pool, bool first = false) {
    LayerContext context;
    context.layer = layer;
    context.pool = &pool;
    context.input = input_shape(layer, 1, channel_block(), first);
    context.output = output_shape(layer, 1, channel_block());
    return context;
}

// Of every layer of the zoo's networks, each once, in the layouts that these networks may run in.
std::string slow_layers_of_the_zoo() {
    std::string slow;
    std::set<std::string> seen;
    for (const std::string& name : zoo_names()) {
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            ModelSpec model = find_model(name);
            model.layout = layout;
            const Graph network = lower(model);
            if (layout == Layout::blocked && !may_be_blocked(network)) continue;
            for (const Node& node : network.nodes) {
                const bool first = network.producer_of(node) == no_node;
                if (!seen.insert(node.layer.key() + (first ? " first" : "")).second) continue;
                WeightPool pool;
                const LayerContext context = context_of(node.layer, pool, first);
                slow += node.layer.kind == LayerKind::conv ? slow_candidates(context) : slow_kernel(context);
            }
        }
    }
    return slow;
}

// Of convs behind a global pool in both layouts, and of networks with dense dilated convs, as segmentation networks and detectors have
// them, in the layout that is chosen: not every instruction set has kernels of its own for these in blocked tensors.
std::string slow_convs_of_imports() {
    std::string slow;
    for (const char* key :
         {"conv_i64x1x1_o32_k1_s1_p0_g1_bias_relu", "conv_i32x1x1_o96_k1_s1_p0_g1_bias",
          "conv_i296x1x1_o920_k1_s1_p0_g1_bias_hard_swish", "conv_i20x1x1_o64_k1_s1_p0_g1"}) {
        LayerSpec layer = LayerSpec::from_key(key);
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            layer.layout = layout;
            WeightPool pool;
            slow += slow_kernel(context_of(layer, pool));
        }
    }
    for (const int dilation : {2, 4, 6, 12, 36}) {
        LayerSpec layer = LayerSpec::from_key("conv_i16x14x14_o16_k3_s1_p2_d2_g1_bias_relu");
        layer.window.dilations = {dilation, dilation};
        layer.window.pads = {dilation, dilation, dilation, dilation};
        layer.layout = fastest_layout(single_layer(layer), {1, DataType::f32});
        WeightPool pool;
        slow += slow_kernel(context_of(layer, pool));
    }
    return slow;
}

class ConvPlansDeathTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ConvPlansDeathTest, LeaveNoLayerToAReferenceKernel) {
    // oneDNN reads it once a process, so this goes into one of its own.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv("ONEDNN_MAX_CPU_ISA", GetParam(), 1);
    EXPECT_EXIT(
        {
            const std::string slow = slow_layers_of_the_zoo() + slow_convs_of_imports();
            std::fputs(slow.c_str(), stderr);
            std::exit(slow.empty() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
    ::unsetenv("ONEDNN_MAX_CPU_ISA");
}
INSTANTIATE_TEST_SUITE_P(InstructionSets, ConvPlansDeathTest,
                         ::testing::Values("SSE41", "AVX", "AVX2", "AVX512_CORE", "ALL"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace hacscale::cpu
