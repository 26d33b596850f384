// Every hand-written layer, run on the CPU, against the double-precision reference, over generated shapes.
#include "kernels/cuda/device/handwritten.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>

#include <set>
#include <tuple>

#include "kernels/cuda/cuda_device.hpp"
#include "models/ops/reference.hpp"
#include "tests/kernels/cuda/candidate_check.hpp"
#include "tests/kernels/cuda/host_executor.hpp"
#include "tests/kernels/layer_families.hpp"

namespace hacscale::cuda {
namespace {

using testing::bound_for;
using testing::Buffer;
using testing::check_candidates;

std::vector<Activation> all_activations() {
    std::vector<Activation> all;
    for (std::size_t i = 0; i < activation_names.size(); ++i) all.push_back(static_cast<Activation>(i));
    return all;
}
constexpr int multiprocessor_counts[] = {1, 6, 132};
// Devices without and with clusters, and how much memory a block of them may have.
constexpr std::size_t shared_memory_of_75 = 64 * 1024;
constexpr std::size_t shared_memory_of_90 = 227 * 1024;

DeviceTraits device_with(int multiprocessors, int compute_capability) {
    DeviceTraits device;
    device.multiprocessors = multiprocessors;
    device.compute_capability = compute_capability;
    device.shared_memory_optin = compute_capability >= 90 ? shared_memory_of_90 : shared_memory_of_75;
    return device;
}

LayerSpec depthwise(int channels, int height, int width, int kernel, int stride, int padding) {
    LayerSpec layer;
    layer.in_channels = layer.out_channels = layer.groups = channels;
    layer.in_height = height;
    layer.in_width = width;
    layer.window = Window::square(kernel, stride, padding);
    return layer;
}

LayerSpec pooled(LayerKind kind, int channels, int height, int width) {
    LayerSpec layer;
    layer.kind = kind;
    layer.in_channels = layer.out_channels = channels;
    layer.in_height = height;
    layer.in_width = width;
    return layer;
}

LayerSpec squeezed(int channels, int size, int squeeze) {
    LayerSpec layer = pooled(LayerKind::squeeze_excite, channels, size, size);
    layer.squeeze_channels = squeeze;
    layer.gate = Activation::sigmoid;
    return layer;
}

// The family that all backends are tested with, and shapes that decide between this backend's variants.
std::vector<LayerSpec> layers_of(LayerKind kind) {
    std::vector<LayerSpec> layers;
    for (const LayerSpec& layer :
         hacscale::testing::layer_family(kind, kind == LayerKind::conv ? 150 : 30, 7)) {
        if (kind != LayerKind::conv || layer.depthwise()) layers.push_back(layer);
    }
    if (kind == LayerKind::conv) {
        for (const int kernel : {3, 5, 7}) {
            for (const int stride : {1, 2, 3}) {
                layers.push_back(depthwise(24, 11, 13, kernel, stride, kernel / 2));
                layers.push_back(depthwise(7, 9, 8, kernel, stride, 1));
                layers.push_back(depthwise(160, 8, 21, kernel, stride, 0));
            }
        }
        layers.push_back(depthwise(16, 6, 6, 4, 1, 2));  // even
        layers.push_back(depthwise(16, 2, 3, 3, 1, 4));  // windows that are wholly in the padding
        layers.push_back(depthwise(8, 40, 50, 3, 1, 1));
        for (const Window& window : hacscale::testing::conv_windows()) {
            layers.push_back(depthwise(16, 11, 9, 1, 1, 0));
            layers.back().window = window;
        }
        layers.push_back(depthwise(24, 12, 12, 5, 2, 1));  // "SAME" padding of a stride of 2
        layers.back().window.pads = {1, 1, 2, 2};
        for (std::size_t i = 0; i < layers.size(); ++i) layers[i].residual = i % 3 == 0;
    }
    if (kind == LayerKind::max_pool) {
        for (const int kernel : {2, 3, 5}) {
            layers.push_back(pooled(kind, 64, 23, 21));
            layers.back().window = Window::square(kernel, 2, kernel - 1);
        }
    }
    if (kind == LayerKind::global_avg_pool) {
        layers.push_back(pooled(kind, 16, 64, 90));  // in chunks
        layers.push_back(pooled(kind, 13, 70, 50));
        layers.push_back(pooled(kind, 520, 1, 1));
        layers.push_back(pooled(kind, 40, 1, 3));
    }
    if (kind == LayerKind::squeeze_excite) {
        for (const int size : {1, 7, 40}) layers.push_back(squeezed(240, size, 10));
        layers.push_back(squeezed(32, 56, 8));    // cut into positions rather than channels
        layers.push_back(squeezed(144, 9, 6));    // 18 vectors of f16: the last tiles are short
        layers.push_back(squeezed(1152, 7, 48));  // many channels
        layers.push_back(squeezed(7, 12, 2));     // fewer channels than a tile of single ones
        layers.push_back(squeezed(61, 5, 100));   // more hidden channels than channels
        layers.push_back(squeezed(16, 2, 3));     // fewer positions than blocks of a cluster
    }
    if (kind == LayerKind::layer_norm) {
        // Lanes and vectors of a pixel of all forms, the last too wide for registers.
        for (const int channels : {1, 16, 96, 192, 640, 2056}) {
            layers.push_back(pooled(kind, channels, 5, 3));
            layers.back().epsilon = 1e-6F;
        }
    }
    if (kind == LayerKind::group_norm || kind == LayerKind::grn) {
        layers.push_back(pooled(kind, 32, 40, 30));  // in chunks
        layers.back().epsilon = 1e-5F;
        layers.push_back(pooled(kind, 600, 4, 3));  // more channels than threads
        layers.back().epsilon = 1e-5F;
        if (kind == LayerKind::group_norm) layers.back().groups = 2;
    }
    if (kind == LayerKind::eca) {
        layers.push_back(pooled(kind, 200, 40, 30));
        layers.back().window.kernel[1] = 5;
        layers.back().gate = Activation::sigmoid;
    }
    if (kind == LayerKind::concat) {  // more tensors than a launch takes
        layers.push_back(pooled(kind, 120, 3, 2));
        layers.back().inputs = 101;
    }
    if (kind == LayerKind::linear) {
        layers.push_back(pooled(kind, 512, 1, 1));
        layers.back().out_channels = 700;
        layers.push_back(pooled(kind, 40, 7, 7));
        layers.back().out_channels = 9;
    }
    if (kind == LayerKind::conv || kind == LayerKind::linear || kind == LayerKind::squeeze_excite) {
        for (std::size_t i = 0; i < layers.size(); ++i) {
            layers[i].activation = static_cast<Activation>(i % activation_names.size());
            layers[i].alpha = 3.0F * usual_alpha(layers[i].activation);
        }
    }
    return layers;
}

class HandwrittenLayer : public ::testing::TestWithParam<std::tuple<LayerKind, DataType>> {};

TEST_P(HandwrittenLayer, EqualsTheReference) {
    const auto [kind, type] = GetParam();
    std::uint64_t seed = 40;
    for (const LayerSpec& layer : layers_of(kind)) {
        const LayerContext context{layer, 1 + static_cast<int>(seed % 3), type,
                                   device_with(multiprocessor_counts[seed % 4 % 3], seed % 2 == 0 ? 90 : 75)};
        EXPECT_FALSE(check_candidates(context, seed).empty()) << layer.key();
        seed += 5;
    }
}

INSTANTIATE_TEST_SUITE_P(Kinds, HandwrittenLayer,
                         ::testing::Combine(::testing::ValuesIn(hacscale::testing::all_kinds()),
                                            ::testing::ValuesIn(data_types)),
                         [](const auto& tested) {
                             return std::string(name_of(std::get<0>(tested.param))) + "_" +
                                    std::string(name_of(std::get<1>(tested.param)));
                         });

TEST(HandwrittenLayers, LinearTakesManyImages) {
    LayerSpec layer = pooled(LayerKind::linear, 64, 2, 2);
    layer.out_channels = 21;
    for (const int batch : {7, 8, 9, 20}) {
        LayerContext context{layer, batch, DataType::f16, {}};
        for (const int multiprocessors : multiprocessor_counts) {
            context.device.multiprocessors = multiprocessors;
            check_candidates(context, 3);
        }
    }
}

// Address space that nobody may read or write.
class Forbidden {
public:
    Forbidden() : data_(mmap(nullptr, bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0)) {
        EXPECT_NE(data_, MAP_FAILED);
    }
    ~Forbidden() { munmap(data_, bytes); }
    Forbidden(const Forbidden&) = delete;
    Forbidden& operator=(const Forbidden&) = delete;
    void* data() const { return data_; }

private:
    static constexpr std::size_t bytes = std::size_t{1} << 28;
    void* data_;
};

// The kernel in front may still write the input, or read what the output will be written over. A read or write
// ends this program.
TEST(HandwrittenLayers, TouchNoTensorBeforeThePreviousKernelHasEnded) {
    const Forbidden tensors;
    testing::only_start_early = true;
    for (const LayerKind kind : hacscale::testing::all_kinds()) {
        for (const LayerSpec& layer : layers_of(kind)) {
            for (const auto& candidate :
                 handwritten_candidates({layer, 2, DataType::f16, device_with(132, 90)})) {
                Buffer weights(candidate->weight_bytes());
                candidate->launch({tensors.data(), layer.residual ? tensors.data() : nullptr, tensors.data(),
                                   weights.data(), tensors.data(),
                                   std::vector<DataInput>(layer.inputs, {tensors.data(), layer.in_channels})},
                                  nullptr);
            }
        }
    }
    testing::only_start_early = false;
}

TEST(HandwrittenLayers, SayHowTheyAreSpecialised) {
    LayerContext context{depthwise(64, 56, 56, 3, 1, 1), 8, DataType::f16, {}};
    context.device.multiprocessors = 132;
    context.device.compute_capability = 90;
    const std::vector<std::string> names = check_candidates(context, 1);
    const std::vector<std::string> expected{
        "hacscale depthwise 3x3 s1 strip4 v8 f16", "hacscale depthwise 3x3 s1 strip2 v8 f16",
        "hacscale depthwise 3x3 s1 strip1 v8 f16", "hacscale depthwise 3x3 s1 tensor64 v8 f16",
        "hacscale depthwise 3x3 s1 tensor32 v8 f16"};
    EXPECT_EQ(names, expected);
    context.layer = depthwise(63, 8, 8, 5, 1, 2);
    EXPECT_EQ(check_candidates(context, 1).front(), "hacscale depthwise 5x5 s1 general v1 f16");
}

std::vector<std::string> squeeze_excite_names(const LayerSpec& layer, int batch, int compute_capability) {
    std::vector<std::string> names;
    for (const auto& candidate :
         handwritten_candidates({layer, batch, DataType::f16, device_with(132, compute_capability)})) {
        names.push_back(candidate->implementation());
    }
    return names;
}

TEST(HandwrittenLayers, OfferSqueezeExciteInOneTwoAndThreeLaunches) {
    EXPECT_EQ(squeeze_excite_names(squeezed(1152, 7, 48), 1, 90),
              (std::vector<std::string>{"hacscale squeeze_excite cluster 8x1 v8 f16",
                                        "hacscale squeeze_excite cluster 16x1 v8 f16",
                                        "hacscale squeeze_excite cluster 4x1 v8 f16",
                                        "hacscale squeeze_excite 2 launches in 1 chunks v8 f16",
                                        "hacscale squeeze_excite in 1 chunks v8 f16"}));
    // 32 bytes of a position are the least that a block reads: positions are shared out as well.
    EXPECT_EQ(squeeze_excite_names(squeezed(32, 112, 8), 1, 90).front(),
              "hacscale squeeze_excite cluster 2x4 v8 f16");
}

TEST(HandwrittenLayers, OfferNoClusterWhereThereIsNoneOrTheTensorDoesNotFit) {
    EXPECT_EQ(squeeze_excite_names(squeezed(1152, 7, 48), 1, 89).size(), 2U);
    // 9.6 MB an image, where 16 blocks have 3.6.
    const std::vector<std::string> names = squeeze_excite_names(squeezed(96, 224, 4), 1, 90);
    EXPECT_EQ(names.size(), 2U);
    // Four blocks are too few for this one's 0.9 MB and its weights.
    EXPECT_EQ(squeeze_excite_names(squeezed(144, 56, 6), 1, 90).size(), 4U);
}

TEST(HandwrittenLayers, DoNotReadTheFirstMatrixForEveryBlockOfManyImages) {
    EXPECT_EQ(squeeze_excite_names(squeezed(1152, 7, 48), 64, 89).size(), 1U);
    EXPECT_EQ(squeeze_excite_names(squeezed(32, 112, 8), 64, 89).size(), 2U);
}

TEST(HandwrittenLayers, LeaveDenseConvsAndHugeTensorsToOthers) {
    LayerSpec dense;
    dense.in_channels = dense.out_channels = 16;
    LayerContext context{dense, 1, DataType::f16, {}};
    context.device.multiprocessors = 132;
    EXPECT_TRUE(handwritten_candidates(context).empty());
    context.layer = depthwise(1024, 2048, 2048, 3, 1, 1);
    EXPECT_TRUE(handwritten_candidates(context).empty());
}

struct EpilogueCase {
    DataType type;
    int channels;
    bool bias, residual, in_place;
};

void check_epilogue(const EpilogueCase& tested, Activation activation, std::int64_t positions) {
    const auto count = static_cast<std::size_t>(positions * tested.channels);
    const auto x = testing::rounded(random_values(count, 5), tested.type);
    const auto residual = testing::rounded(random_values(count, 6), tested.type);
    const auto bias = random_values(tested.channels, 7);
    // With one image a position, channels-last is the order of the values themselves.
    const int images = static_cast<int>(positions);
    Buffer device_x = testing::channels_last(x, images, tested.channels, tested.type);
    Buffer device_residual = testing::channels_last(residual, images, tested.channels, tested.type);
    Buffer device_bias = testing::channels_last(bias, 1, tested.channels, DataType::f32);
    Buffer apart(count * size_of(tested.type));
    Buffer& y = tested.in_place ? device_x : apart;
    launch_epilogue({device_x.data(), tested.bias ? static_cast<const float*>(device_bias.data()) : nullptr,
                     tested.residual ? device_residual.data() : nullptr, y.data(), positions, tested.channels,
                     activation, usual_alpha(activation)},
                    tested.type, nullptr);
    LayerSpec layer = pooled(LayerKind::scale_shift, tested.channels, 1, 1);
    layer.activation = activation;
    layer.alpha = usual_alpha(activation);
    LayerWeights unit;
    unit.weights.assign(tested.channels, 1.0F);
    unit.bias = tested.bias ? bias : std::vector<float>(tested.channels, 0.0F);
    std::vector<double> sum(count);
    for (std::size_t i = 0; i < count; ++i) {
        sum[i] = static_cast<double>(x[i]) + (tested.residual ? static_cast<double>(residual[i]) : 0.0);
    }
    EXPECT_LT(relative_error(testing::dense_nchw(y, count, images, tested.channels, tested.type),
                             reference_layer(layer, images, sum, {}, unit)),
              bound_for(tested.type))
        << name_of(tested.type) << " " << tested.channels << " channels, " << name_of(activation);
}

TEST(Epilogue, AddsBiasAndResidualAndActivates) {
    int index = 0;
    for (const DataType type : data_types) {
        for (const int channels : {1, 8, 13, 64}) {
            for (const Activation activation : all_activations()) {
                ++index;
                check_epilogue({type, channels, index % 2 == 0, index % 3 != 0, index % 5 == 0}, activation,
                               37 + index);
            }
        }
    }
}

TEST(Epilogue, TakesManyElements) {
    check_epilogue({DataType::f16, 48, true, true, true}, Activation::relu, 50000);
}

}  // namespace
}  // namespace hacscale::cuda
