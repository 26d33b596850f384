// Winograd convolutions against the double-precision reference, in every instruction set that this processor has.
#include "kernels/cpu/winograd/winograd.hpp"

#include <gtest/gtest.h>

#include <limits>
#include <random>

#include "kernels/cpu/conv_plans.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/tensor.hpp"
#include "models/ops/reference.hpp"

namespace hacscale::cpu {
namespace {

std::vector<const WinogradKernels*> kernels_here() {
    std::vector<const WinogradKernels*> here{&winograd_baseline};
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) here.push_back(&winograd_avx2);
    if (__builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl")) {
        here.push_back(&winograd_avx512);
    }
#endif
    return here;
}

// A dense conv of 3 x 3 windows as networks have them, and of sizes and channels that leave tiles and vectors partly
// filled.
LayerSpec random_conv(std::mt19937_64& generator) {
    const auto pick = [&](std::initializer_list<int> values) {
        return *(values.begin() + static_cast<int>(generator() % values.size()));
    };
    LayerSpec layer;
    layer.window = Window::square(3);
    layer.in_channels = pick({3, 8, 16, 17, 24, 40, 64});
    layer.out_channels = pick({1, 8, 10, 16, 33, 48, 64});
    layer.in_height = pick({3, 4, 5, 7, 8, 13});
    layer.in_width = pick({3, 4, 6, 7, 9, 14});
    layer.window = Window::square(3, 1, pick({0, 1, 1}));
    layer.bias = pick({0, 1, 1}) != 0;
    layer.residual = pick({0, 1}) != 0;
    constexpr Activation activations[] = {Activation::none, Activation::relu, Activation::relu6};
    layer.activation = activations[generator() % std::size(activations)];
    return layer;
}

std::vector<double> doubles(const std::vector<float>& values) {
    return {values.begin(), values.end()};
}

std::string described(const WinogradPlan& plan, const LayerContext& context) {
    return context.layer.key() + " batch " + std::to_string(context.batch) + " by " + plan.name() + ", " +
           std::to_string(plan.conv.tiles_a_block) + " tiles a block";
}

// The error of one way to run a layer; the output's padding channels must come out as zeros.
void expect_right(const LayerContext& context, const WinogradPlan& plan, std::uint64_t seed) {
    const LayerSpec& layer = context.layer;
    const auto dense = [](const TensorShape& shape) {
        return static_cast<std::size_t>(shape.batch) * shape.channels * shape.height * shape.width;
    };
    const std::vector<float> input = random_values(dense(context.input), seed);
    const std::vector<float> residual =
        layer.residual ? random_values(dense(context.output), seed + 1) : std::vector<float>{};
    const LayerWeights weights = random_weights(layer, seed + 2);
    const std::unique_ptr<CpuLayer> conv = make_winograd(context, plan);
    Buffer in(context.input.bytes(DataType::f32));
    Buffer out(context.output.bytes(DataType::f32));
    Buffer scratch(conv->scratch_bytes());
    std::fill_n(out.data(), out.size(), std::byte{0xFF});
    std::fill_n(scratch.data(), scratch.size(), std::byte{0xFF});
    write_tensor(input, context.input, DataType::f32, in.data());
    if (layer.residual) write_tensor(residual, context.output, DataType::f32, out.data());
    conv->load(weights);
    conv->bind({in.data()}, out.data(), scratch.data());
    conv->execute();
    const auto expected = reference_layer(layer, context.batch, doubles(input), doubles(residual), weights);
    EXPECT_LT(relative_error(read_tensor(out.data(), context.output, DataType::f32), expected), 1e-5)
        << described(plan, context);
    const auto* numbers = reinterpret_cast<const float*>(out.data());
    for (int c = layer.out_channels; c < context.output.padded_channels(); ++c) {
        ASSERT_EQ(numbers[context.output.index(0, c, 0, 0)], 0.0F) << described(plan, context);
    }
}

TEST(Winograd, EqualsTheReference) {
    std::mt19937_64 generator(5);
    for (std::uint64_t seed = 0; seed < 60; ++seed) {
        LayerContext context;
        context.layer = random_conv(generator);
        context.batch = 1 + static_cast<int>(seed % 2);
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            context.layer.layout = layout;
            for (const WinogradKernels* kernels : kernels_here()) {
                WeightPool pool;
                context.pool = &pool;
                const int block = std::max(kernels->lanes, 8);
                context.input = input_shape(context.layer, context.batch, block, false);
                context.output = output_shape(context.layer, context.batch, block);
                for (const int outputs : {2, 4}) {
                    std::optional<WinogradPlan> plan =
                        winograd_plan(context, *kernels, outputs, seed % 3 == 0);
                    ASSERT_TRUE(plan) << context.layer.key();
                    plan->conv.threads = 1 + static_cast<int>(seed % 3);
                    plan->conv.tiles_a_block = 1 + static_cast<int>(generator() % 20);
                    expect_right(context, *plan, seed);
                }
            }
        }
    }
}

TEST(Winograd, TakesOnlyWhatItFits) {
    LayerContext context;
    context.layer.window = Window::square(3, 1, 1);
    context.layer.in_channels = context.layer.out_channels = 16;
    context.layer.in_height = context.layer.in_width = 8;
    const auto fits = [&context](auto change) {
        LayerContext changed = context;
        change(changed);
        changed.input = input_shape(changed.layer, 1, 8, false);
        changed.output = output_shape(changed.layer, 1, 8);
        return winograd_plan(changed, winograd_baseline, 4, false).has_value();
    };
    EXPECT_TRUE(fits([](LayerContext&) {}));
    EXPECT_FALSE(fits([](LayerContext& changed) { changed.layer.window.strides = {2, 2}; }));
    EXPECT_FALSE(fits([](LayerContext& changed) { changed.layer.window.kernel = {5, 5}; }));
    EXPECT_FALSE(fits([](LayerContext& changed) { changed.layer.groups = 16; }));
    EXPECT_FALSE(fits([](LayerContext& changed) { changed.layer.activation = Activation::silu; }));
    EXPECT_FALSE(fits([](LayerContext& changed) { changed.type = DataType::bf16; }));
}

}  // namespace
}  // namespace hacscale::cpu
