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

bool is_reference(const std::string& kernel) {
    return kernel.find("ref") != std::string::npos;
}

// Empty when no candidate is a reference kernel; else the layer, with what would run it.
std::string slow_candidates(const LayerContext& context) {
    const ConvPlans plans = conv_plans(context);
    if (plans.good.empty()) return context.layer.key() + " has only last resorts\n";
    std::string slow;
    for (const ConvPlan& plan : plans.good) {
        if (is_reference(plan.name)) slow += context.layer.key() + " by " + plan.name + "\n";
    }
    return slow;
}

std::string slow_kernel(const LayerContext& context) {
    const std::string kernel = make_layer(context)->implementation();
    return is_reference(kernel) ? context.layer.key() + " by " + kernel + "\n" : "";
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
                LayerContext context;
                context.layer = node.layer;
                context.pool = &pool;
                context.input = input_shape(node.layer, 1, channel_block(), first);
                context.output = output_shape(node.layer, 1, channel_block());
                slow += node.layer.kind == LayerKind::conv ? slow_candidates(context) : slow_kernel(context);
            }
        }
    }
    return slow;
}

class ZooDeathTest : public ::testing::TestWithParam<const char*> {};

TEST_P(ZooDeathTest, HasNoLayerThatAReferenceKernelRuns) {
    // oneDNN reads it once a process, so this goes into one of its own.
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv("ONEDNN_MAX_CPU_ISA", GetParam(), 1);
    EXPECT_EXIT(
        {
            const std::string slow = slow_layers_of_the_zoo();
            std::fputs(slow.c_str(), stderr);
            std::exit(slow.empty() ? 0 : 1);
        },
        ::testing::ExitedWithCode(0), "");
    ::unsetenv("ONEDNN_MAX_CPU_ISA");
}
INSTANTIATE_TEST_SUITE_P(InstructionSets, ZooDeathTest,
                         ::testing::Values("SSE41", "AVX", "AVX2", "AVX512_CORE", "ALL"),
                         [](const auto& tested) { return std::string(tested.param); });

}  // namespace
}  // namespace hacscale::cpu
