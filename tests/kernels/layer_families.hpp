// A generated family of layer shapes that covers what networks use and what kernels get wrong: odd sizes,
// channel counts that are no multiple of 8 or 16, groups, strides, padding, fused parts.
#pragma once

#include <algorithm>
#include <array>
#include <random>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "models/ops/matmul.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/permute.hpp"

namespace hacscale::testing {

// Every operator's kind, so that a new one is tested by being in the table.
inline std::vector<LayerKind> all_kinds() {
    std::vector<LayerKind> kinds;
    for (const Operator* const op : all_operators()) kinds.push_back(op->kind);
    return kinds;
}

// Windows that are no square: convs of Inception's kind, dilated ones, pads as exporters of other frameworks write them.
inline std::vector<Window> conv_windows() {
    return {{.kernel = {1, 7}, .pads = {0, 3, 0, 3}},
            {.kernel = {7, 1}, .pads = {3, 0, 3, 0}},
            {.kernel = {3, 1}, .strides = {2, 1}, .pads = {1, 0, 1, 0}},
            {.kernel = {3, 3}, .pads = {2, 2, 2, 2}, .dilations = {2, 2}},
            {.kernel = {3, 3}, .strides = {2, 2}, .pads = {0, 0, 1, 1}},
            {.kernel = {3, 5}, .strides = {1, 2}, .pads = {2, 0, 1, 3}, .dilations = {2, 1}}};
}
inline std::vector<Window> pool_windows() {
    return {{.kernel = {3, 2}, .strides = {2, 1}, .pads = {0, 1, 1, 0}},
            {.kernel = {2, 2}, .strides = {2, 2}, .pads = {0, 0, 1, 1}},
            {.kernel = {1, 3}, .pads = {0, 2, 0, 0}}};
}

inline constexpr std::array norm_modes{Mode::plain, Mode::root_mean_square, Mode::keep_mean};

inline std::vector<LayerSpec> layer_family(LayerKind kind, int count, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    const auto pick = [&](std::initializer_list<int> values) {
        return *(values.begin() + generator() % values.size());
    };
    std::vector<LayerSpec> family;
    while (static_cast<int>(family.size()) < count) {
        LayerSpec layer;
        layer.kind = kind;
        layer.layout = generator() % 2 == 0 ? Layout::channels_last : Layout::blocked;
        layer.in_channels = layer.out_channels = pick({1, 3, 5, 8, 13, 16, 17, 24, 32, 40, 72});
        layer.in_height = pick({1, 2, 5, 7, 9, 14, 17});
        layer.in_width = pick({1, 3, 5, 7, 10, 14, 19});
        // Most networks have one of the first few.
        layer.activation =
            static_cast<Activation>(generator() % (generator() % 2 == 0 ? 5 : activation_names.size()));
        switch (kind) {
            case LayerKind::conv: {
                const int form = static_cast<int>(generator() % 3);  // dense, depthwise, grouped
                const int kernel = pick({1, 3, 3, 5, 7});
                const int stride = pick({1, 1, 2});
                layer.window = Window::square(kernel, stride, generator() % 4 == 0 ? 0 : kernel / 2);
                if (form == 0) layer.out_channels = pick({1, 4, 10, 16, 24, 33, 48});
                if (form == 1) layer.groups = layer.in_channels;
                if (form == 2) {
                    layer.groups = pick({2, 3, 4});
                    layer.in_channels = layer.groups * pick({4, 8, 16});
                    layer.out_channels = layer.groups * pick({4, 8, 16});
                }
                if (family.size() % 3 == 0) {
                    const auto windows = conv_windows();
                    layer.window = windows[family.size() / 3 % windows.size()];
                }
                layer.bias = generator() % 4 != 0;
                layer.residual = generator() % 2 == 0;
                break;
            }
            case LayerKind::transposed_conv: {
                // Networks upsample by 2 without overlap, or with smooth windows.
                const int kernel = pick({2, 3, 4});
                layer.window = Window::square(kernel, pick({1, 2, 2, 3}), kernel == 2 ? 0 : 1);
                if (kernel == 3) layer.window.pads[2] = layer.window.pads[3] = pick({0, 1});
                if (family.size() % 4 == 0) layer.window = {{3, 2}, {2, 1}, {1, 0, 0, 1}, {2, 1}};
                if (generator() % 2 == 0) layer.groups = layer.in_channels;
                layer.out_channels = layer.groups == 1 ? pick({1, 10, 16, 33}) : layer.in_channels;
                layer.bias = generator() % 4 != 0;
                break;
            }
            case LayerKind::max_pool:
            case LayerKind::avg_pool: {
                const int kernel = pick({2, 3});
                layer.window = Window::square(kernel, pick({1, 2}), kernel == 3 ? 1 : 0);
                if (family.size() % 2 == 0) {
                    const auto windows = pool_windows();
                    layer.window = windows[family.size() / 2 % windows.size()];
                }
                layer.activation = Activation::none;
                const bool padded = layer.window.pads != Window().pads;
                if (kind == LayerKind::avg_pool && padded && generator() % 2 == 0)
                    layer.mode = Mode::count_padding;
                break;
            }
            case LayerKind::linear:
                layer.out_channels = pick({1, 10, 33, 100});
                layer.bias = generator() % 4 != 0;
                break;
            case LayerKind::squeeze_excite:
                layer.squeeze_channels = pick({1, 4, 6, 10, 24});
                layer.gate = generator() % 2 == 0 ? Activation::sigmoid : Activation::hard_sigmoid;
                break;
            case LayerKind::global_avg_pool:
                layer.activation = Activation::none;
                // The mean of one channel may be next to zero, where a relative error says nothing of the kernel.
                layer.in_channels = layer.out_channels = std::max(layer.in_channels, 8);
                break;
            case LayerKind::scale_shift:
                break;
            case LayerKind::activation:
                layer.activation = static_cast<Activation>(1 + family.size() % (activation_names.size() - 1));
                break;
            case LayerKind::multiply:
                layer.inputs = 2;
                if (layer.in_height > 1 && generator() % 2 == 0) layer.mode = Mode::per_channel;
                if (family.size() % 3 == 0) layer.mode = Mode::divide;
                if (family.size() % 6 == 1 && layer.in_height > 1) layer.mode = Mode::divide_per_channel;
                if (family.size() % 6 == 2 && layer.in_channels > 1) layer.mode = Mode::per_pixel;
                if (family.size() % 6 == 5 && layer.in_channels > 1) layer.mode = Mode::divide_per_pixel;
                break;
            case LayerKind::add:
                layer.inputs = 2;
                if (family.size() % 3 == 1 && layer.in_height > 1) layer.mode = Mode::per_channel;
                if (family.size() % 3 == 2 && layer.in_channels > 1) layer.mode = Mode::per_pixel;
                break;
            case LayerKind::reshape:
                layer.activation = Activation::none;
                layer.in_height = 2 * pick({1, 3, 7});
                layer.out_channels = 2 * layer.in_channels;
                layer.size = {layer.in_width, layer.in_height / 2};
                break;
            case LayerKind::permute: {
                constexpr std::array orders{Mode::order_cwh, Mode::order_hcw, Mode::order_hwc,
                                            Mode::order_wch, Mode::order_whc};
                layer.activation = Activation::none;
                layer.mode = orders[family.size() % orders.size()];
                layer.groups = pick({1, 1, 3});
                layer.in_channels *= layer.groups;
                layer.out_channels = permuted_channels(layer);
                break;
            }
            case LayerKind::matmul: {
                constexpr std::array modes{Mode::plain, Mode::transpose_first, Mode::transpose_second,
                                           Mode::transpose_both};
                layer.activation = Activation::none;
                layer.inputs = 2;
                layer.mode = modes[family.size() % modes.size()];
                layer.size = {matmul_sizes(layer).rows, pick({1, 5, 16, 33})};
                break;
            }
            case LayerKind::softmax:
                layer.activation = Activation::none;
                layer.mode =
                    layer.in_width > 1 && generator() % 2 == 0 ? Mode::over_width : Mode::over_height;
                if (layer.mode == Mode::over_height) layer.in_height = pick({2, 9, 14, 40});
                break;
            case LayerKind::map_bias:
            case LayerKind::map_scale:
                break;
            case LayerKind::concat:
                layer.inputs = static_cast<std::uint16_t>(pick({2, 3, 5}));
                layer.in_channels = layer.out_channels = pick({5, 12, 32, 48, 80, 97});
                layer.activation = Activation::none;
                break;
            case LayerKind::slice:
                layer.in_channels = pick({3, 16, 37, 48, 64});
                layer.out_channels = pick({1, 3, layer.in_channels / 2, layer.in_channels});
                layer.first_channel = pick({0, (layer.in_channels - layer.out_channels) / 2,
                                            layer.in_channels - layer.out_channels});
                layer.activation = Activation::none;
                break;
            case LayerKind::pad:
                layer.window.pads = {pick({0, 1, 7}), pick({1, 2}), pick({0, 1}), pick({0, 3})};
                if (family.size() % 4 == 1) {
                    layer.mode = Mode::reflect;
                    for (int side = 0; side < 4; ++side) {
                        const int size = side % 2 == 0 ? layer.in_height : layer.in_width;
                        layer.window.pads[side] = std::min(layer.window.pads[side], size - 1);
                    }
                    if (layer.window.pads == Window().pads) {
                        layer.mode = Mode::edge;
                        layer.window.pads[1] = 1;
                    }
                }
                if (family.size() % 4 == 2) layer.mode = generator() % 2 == 0 ? Mode::edge : Mode::ones;
                if (family.size() % 4 == 3) {  // a crop, padded on one side
                    layer.window.pads = {-(layer.in_height / 3), -(layer.in_width / 2), pick({0, 2}), 1};
                }
                layer.activation = Activation::none;
                break;
            case LayerKind::resize: {
                constexpr std::array modes{Mode::nearest, Mode::nearest_half_pixel,
                                           Mode::nearest_half_pixel_up, Mode::bilinear,
                                           Mode::bilinear_align_corners};
                layer.mode = modes[family.size() % modes.size()];
                layer.size = {pick({1, 2 * layer.in_height, 9}), pick({3, 3 * layer.in_width, 13})};
                layer.activation = Activation::none;
                break;
            }
            case LayerKind::group_norm:
                layer.groups = pick({1, 2, 4});
                layer.in_channels = layer.out_channels = layer.groups * pick({4, 7, 8});
                layer.epsilon = 1e-5F;
                layer.mode = norm_modes[family.size() % norm_modes.size()];
                break;
            case LayerKind::layer_norm:
            case LayerKind::grn:
                layer.in_channels = layer.out_channels = pick({3, 8, 24, 40, 72});
                layer.epsilon = pick({0, 1}) == 0 ? 1e-6F : 1e-5F;
                layer.activation = Activation::none;
                if (kind == LayerKind::layer_norm) layer.mode = norm_modes[family.size() % norm_modes.size()];
                // Three numbers may hardly vary: then rounding decides what they are over their deviation.
                if (layer.mode == Mode::keep_mean)
                    layer.in_channels = layer.out_channels = pick({24, 40, 72});
                break;
            case LayerKind::channel_shuffle:
                layer.groups = pick({2, 3, 4});
                layer.in_channels = layer.out_channels = layer.groups * pick({1, 4, 8, 29});
                layer.activation = Activation::none;
                break;
            case LayerKind::pixel_shuffle:
            case LayerKind::space_to_depth: {
                layer.window.strides = {pick({1, 2, 3}), pick({2, 4})};
                const int pixels = layer.window.strides[0] * layer.window.strides[1];
                layer.mode = generator() % 2 == 0 ? Mode::channels_first : Mode::blocks_first;
                layer.activation = Activation::none;
                if (kind == LayerKind::pixel_shuffle) {
                    layer.in_channels = layer.out_channels * pixels;
                } else {
                    layer.out_channels = layer.in_channels * pixels;
                    layer.in_height *= layer.window.strides[0];
                    layer.in_width *= layer.window.strides[1];
                }
                break;
            }
            case LayerKind::prelu:
                layer.activation = Activation::none;
                break;
            case LayerKind::eca:
                layer.window.kernel[1] = pick({1, 3, 5, 9});
                layer.gate = generator() % 4 == 0 ? Activation::hard_sigmoid : Activation::sigmoid;
                layer.activation = Activation::none;
                break;
        }
        layer.alpha = usual_alpha(layer.activation) * 3.0F;
        if (layer.out_height() >= 1 && layer.out_width() >= 1) family.push_back(layer);
    }
    return family;
}

// The layers of a family that GPU backends run.
}  // namespace hacscale::testing
