// Generated layers and models for properties that must hold for all of them. The same seed gives the same
// cases.
#pragma once

#include <algorithm>
#include <numeric>
#include <optional>
#include <random>
#include <string>
#include <variant>
#include <vector>

#include "models/ops/layer_spec.hpp"
#include "models/ops/matmul.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/permute.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale::testing {

class Generator {
public:
    explicit Generator(unsigned seed) : random_(seed) {}

    int between(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }
    bool coin() { return between(0, 1) == 1; }
    template <typename Value>
    Value one_of(std::initializer_list<Value> values) {
        return *(values.begin() + between(0, static_cast<int>(values.size()) - 1));
    }
    Activation activation() {
        return static_cast<Activation>(between(0, static_cast<int>(activation_names.size()) - 1));
    }

    // A layer that can run, of any kind.
    LayerSpec layer() {
        LayerSpec layer;
        layer.kind = all_operators()[between(0, static_cast<int>(all_operators().size()) - 1)]->kind;
        layer.in_channels = layer.out_channels = between(1, 64);
        layer.in_height = between(1, 40);
        layer.in_width = between(1, 40);
        layer.activation = activation();
        layer.layout = coin() ? Layout::blocked : Layout::channels_last;
        if (layer.kind == LayerKind::conv || layer.kind == LayerKind::linear) {
            layer.out_channels = between(1, 64);
            layer.bias = coin();
        }
        if (operator_of(layer.kind).output_size == window_positions) window(layer);
        if (layer.kind == LayerKind::avg_pool) {
            layer.activation = Activation::none;
            layer.window.dilations = {1, 1};
            for (int side = 0; side < 4; ++side) {
                layer.window.pads[side] =
                    std::min(layer.window.pads[side], layer.window.kernel[side % 2] - 1);
            }
            if (layer.window.pads != Window().pads && coin()) layer.mode = Mode::count_padding;
        }
        if (layer.kind == LayerKind::transposed_conv) spread(layer);
        if (layer.kind == LayerKind::conv) {
            layer.residual = coin();
            layer.groups = between(1, 8);
            layer.in_channels = layer.groups * between(1, 8);
            layer.out_channels = layer.groups * between(1, 8);
        }
        if (layer.kind == LayerKind::squeeze_excite) {
            layer.squeeze_channels = between(1, 16);
            layer.gate = coin() ? Activation::sigmoid : Activation::hard_sigmoid;
        }
        form(layer);
        layer.alpha = has_alpha(layer.activation) ? one_of({0.01F, 0.1F, 0.2F, 1.0F, 1e-6F}) : 0.0F;
        return layer;
    }

    // A sound model with any kinds of stages.
    ModelSpec model() {
        ModelSpec model;
        model.name = "generated-" + std::to_string(between(0, 99));
        if (coin()) model.source = "a \"quoted\" source: with \\, # and ümlaut";
        model.in_channels = between(1, 4);
        model.resolution = 8 * between(4, 8);
        if (between(0, 3) == 0) model.resolution_width = model.resolution + 8 * between(1, 4);
        if (coin()) model.batch_norm_epsilon = one_of({1e-3, 1e-6, 0.5});
        model.classes = between(1, 100);
        if (coin()) {
            model.stem.push_back(ConvSpec{.width = 8 * between(1, 4),
                                          .kernel = one_of({1, 3, 5}),
                                          .padding = coin() ? std::optional(between(0, 2)) : std::nullopt,
                                          .dilation = between(1, 2),
                                          .groups = coin() ? model.in_channels : 1,
                                          .batch_norm = coin(),
                                          .bias = coin(),
                                          .activation = activation()});
            auto& conv = std::get<ConvSpec>(model.stem.back());
            if (conv.kernel == 1) conv.padding = std::nullopt;
            conv.width = std::lcm(conv.width, conv.groups);
        }
        if (coin()) model.stem.push_back(MaxPoolSpec{3, between(1, 2), between(0, 1)});
        const int stages = between(1, 4);
        for (int i = 0; i < stages; ++i) {
            StageSpec added = stage(model);
            added.name = coin() ? "s" + std::to_string(i) : "";
            model.stages.push_back(added);
        }
        if (coin()) model.head.push_back(NormSpec{activation()});
        if (coin()) model.head.push_back(GlobalAvgPoolSpec{});
        if (coin()) model.head.push_back(LinearSpec{between(1, 32), coin(), activation()});
        if (coin()) model.head.push_back(LinearSpec{0, coin(), Activation::none});
        if (std::none_of(model.head.begin(), model.head.end(),
                         [](const PlainLayer& layer) { return std::holds_alternative<LinearSpec>(layer); })) {
            if (coin()) model.classes = 0;
        }
        for (int i = 0; i < stages; ++i) {
            const bool needed = model.head.empty() && i + 1 == stages && !model.output_stages.empty();
            if (needed || between(0, 5) == 0) model.output_stages.push_back(i);
        }
        return model;
    }

private:
    // What operators that compute without weights and windows have.
    void form(LayerSpec& layer) {
        switch (layer.kind) {
            case LayerKind::activation:
                layer.activation = static_cast<Activation>(std::max(1, static_cast<int>(layer.activation)));
                break;
            case LayerKind::add:
                layer.inputs = 2;
                if (layer.in_height > 1 && coin()) layer.mode = Mode::per_channel;
                if (layer.in_channels > 1 && coin()) layer.mode = Mode::per_pixel;
                break;
            case LayerKind::multiply:
                layer.inputs = 2;
                if (coin()) layer.mode = Mode::divide;
                if (layer.in_height > 1 && coin()) {
                    layer.mode = one_of({Mode::per_channel, Mode::divide_per_channel});
                }
                if (layer.in_channels > 1 && coin())
                    layer.mode = one_of({Mode::per_pixel, Mode::divide_per_pixel});
                break;
            case LayerKind::reshape:
                layer.size = {layer.in_width, 1};
                layer.in_height = std::max(2, layer.in_height);
                layer.out_channels = layer.in_height * layer.in_channels;
                break;
            case LayerKind::permute:
                layer.groups = between(1, 4);
                layer.in_channels *= layer.groups;
                layer.mode = one_of(
                    {Mode::order_cwh, Mode::order_hcw, Mode::order_hwc, Mode::order_wch, Mode::order_whc});
                layer.out_channels = permuted_channels(layer);
                break;
            case LayerKind::matmul:
                layer.inputs = 2;
                layer.mode = one_of(
                    {Mode::plain, Mode::transpose_first, Mode::transpose_second, Mode::transpose_both});
                layer.size = {matmul_sizes(layer).rows, between(1, 64)};
                break;
            case LayerKind::softmax:
                layer.mode = layer.in_width > 1 ? Mode::over_width : Mode::over_height;
                if (layer.mode == Mode::over_height) layer.in_height = std::max(2, layer.in_height);
                break;
            case LayerKind::concat:
                layer.in_channels = layer.out_channels = between(2, 64);
                layer.inputs = static_cast<std::uint16_t>(between(2, std::min(layer.in_channels, 9)));
                layer.activation = Activation::none;
                break;
            case LayerKind::slice:
                layer.out_channels = between(1, layer.in_channels);
                layer.first_channel = between(0, layer.in_channels - layer.out_channels);
                layer.activation = Activation::none;
                break;
            case LayerKind::pad:
                layer.window.pads = {between(0, 9), between(0, 9), between(0, 9), between(1, 9)};
                layer.mode = one_of({Mode::plain, Mode::edge, Mode::ones});
                if (layer.mode == Mode::plain && coin()) {
                    layer.window.pads = {between(1 - layer.in_height, 3), between(1 - layer.in_width, 0),
                                         between(0, 2), between(1, 4)};
                }
                layer.activation = Activation::none;
                break;
            case LayerKind::resize:
                layer.size = {between(1, 80), between(1, 80)};
                layer.mode = one_of({Mode::nearest, Mode::nearest_half_pixel, Mode::nearest_half_pixel_up,
                                     Mode::bilinear, Mode::bilinear_align_corners});
                layer.activation = Activation::none;
                break;
            case LayerKind::group_norm:
            case LayerKind::channel_shuffle:
                layer.groups = between(2, 8);
                layer.in_channels = layer.out_channels = layer.groups * between(1, 8);
                break;
            case LayerKind::pixel_shuffle:
            case LayerKind::space_to_depth:
                block(layer);
                break;
            case LayerKind::eca:
                layer.window.kernel[1] = 1 + 2 * between(0, 4);
                layer.gate = coin() ? Activation::sigmoid : Activation::hard_sigmoid;
                break;
            default:
                break;
        }
        const bool norm = layer.kind == LayerKind::layer_norm || layer.kind == LayerKind::group_norm ||
                          layer.kind == LayerKind::grn;
        if (norm) layer.epsilon = one_of({1e-3F, 1e-5F, 1e-6F, 1e-12F});
        if (norm && layer.kind != LayerKind::grn) {
            layer.mode = one_of({Mode::plain, Mode::root_mean_square, Mode::keep_mean});
        }
        // Kinds whose keys have no activation.
        const bool plain = layer.kind == LayerKind::layer_norm || layer.kind == LayerKind::grn ||
                           layer.kind == LayerKind::channel_shuffle ||
                           layer.kind == LayerKind::pixel_shuffle ||
                           layer.kind == LayerKind::space_to_depth || layer.kind == LayerKind::prelu ||
                           layer.kind == LayerKind::reshape || layer.kind == LayerKind::permute ||
                           layer.kind == LayerKind::matmul || layer.kind == LayerKind::softmax ||
                           layer.kind == LayerKind::eca;
        if (plain) layer.activation = Activation::none;
    }

    // A transposed conv whose output is no smaller than its input.
    void spread(LayerSpec& layer) {
        window(layer);
        for (int side = 0; side < 4; ++side) {
            layer.window.pads[side] = static_cast<int>(layer.window.span(side % 2) - 1) / 2;
        }
        layer.bias = coin();
        layer.groups = between(1, 4);
        layer.in_channels = layer.groups * between(1, 8);
        layer.out_channels = layer.groups * between(1, 8);
    }

    void block(LayerSpec& layer) {
        layer.window.strides = {between(1, 4), between(2, 4)};
        layer.mode = coin() ? Mode::channels_first : Mode::blocks_first;
        const int pixels = layer.window.strides[0] * layer.window.strides[1];
        if (layer.kind == LayerKind::pixel_shuffle) {
            layer.in_channels = layer.out_channels * pixels;
        } else {
            layer.out_channels = layer.in_channels * pixels;
            layer.in_height *= layer.window.strides[0];
            layer.in_width *= layer.window.strides[1];
        }
    }

    void window(LayerSpec& layer) {
        const int kernel = between(1, 7);
        const int stride = between(1, 4);
        layer.window = Window::square(kernel, stride, between(0, kernel - 1));
        if (coin()) {  // height and width differ, the kernel may be dilated
            layer.window.kernel[1] = between(1, 7);
            layer.window.strides[1] = between(1, 4);
            for (int axis = 0; axis < 2; ++axis) {
                if (layer.window.kernel[axis] > 1) layer.window.dilations[axis] = between(1, 3);
            }
            for (int side = 0; side < 4; ++side) {
                layer.window.pads[side] = between(0, static_cast<int>(layer.window.span(side % 2)) - 1);
            }
        }
        layer.in_height = std::max(layer.in_height, static_cast<int>(layer.window.span(0)));
        layer.in_width = std::max(layer.in_width, static_cast<int>(layer.window.span(1)));
    }

    StageSpec stage(const ModelSpec& model) {
        StageSpec stage;
        stage.block = static_cast<BlockKind>(between(0, 8));
        stage.width = 8 * between(1, 8);
        stage.depth = between(1, 3);
        stage.stride = between(1, 2);
        stage.kernel = one_of({1, 3, 5});
        stage.bias = coin();
        stage.activation = activation();
        special(stage, stage_input_width(model, static_cast<int>(model.stages.size())));
        const bool ratio = coin();
        const int factor = between(1, 6);
        for (int block = 0; block < stage.depth && has_inner_width(stage.block); ++block) {
            const int input = stage_input_width(model, static_cast<int>(model.stages.size()));
            const int leader = inner_derives_from_input(stage.block) && block == 0 ? input : stage.width;
            stage.inner_widths.push_back(
                ratio && stage.group_width == 0 && stage.groups == 1 ? factor * leader : 4 * between(1, 20));
        }
        if (stage.block != BlockKind::conv && coin()) {
            const bool basic = stage.block == BlockKind::basic || stage.block == BlockKind::preact_basic;
            stage.squeeze_excite =
                SqueezeExciteSpec{.ratio = between(1, 100) / 100.0,
                                  .from = coin() ? SqueezeFrom::inner : SqueezeFrom::input,
                                  .place = basic || (is_bottleneck(stage) && coin()) ? SqueezePlace::output
                                                                                     : SqueezePlace::inner,
                                  .divisor = between(1, 8),
                                  .activation = activation(),
                                  .gate = coin() ? Activation::sigmoid : Activation::hard_sigmoid};
        }
        if (between(0, 3) == 0) stage.pool = MaxPoolSpec{2, 2, between(0, 1)};
        return stage;
    }

    static bool is_bottleneck(const StageSpec& stage) {
        return stage.block == BlockKind::bottleneck || stage.block == BlockKind::preact_bottleneck;
    }

    // What some kinds of blocks may have.
    void special(StageSpec& stage, int input_width) {
        const bool preactivated =
            stage.block == BlockKind::preact_basic || stage.block == BlockKind::preact_bottleneck;
        const bool universal = stage.block == BlockKind::universal_inverted_bottleneck;
        if (!preactivated) stage.batch_norm = coin();
        if (coin()) stage.dilation = 2;
        if (stage.block == BlockKind::conv) {
            if (coin()) stage.padding = one_of({stage.kernel / 2 * stage.dilation, stage.kernel - 1});
            if (input_width % 2 == 0 && coin()) stage.groups = 2;
        }
        if (is_bottleneck(stage)) {
            if (coin()) stage.stride_in = StrideIn::first;
            (coin() ? stage.group_width : stage.groups) = one_of({1, 4});
            stage.group_width = stage.group_width == 1 ? 0 : stage.group_width;
        }
        if (universal) {
            stage.start_kernel = one_of({0, 3, 5});
            if (stage.start_kernel > 0 && coin()) stage.kernel = 0;
        } else if (inner_derives_from_input(stage.block)) {
            stage.keep_expansion = coin();
        }
    }

    std::mt19937 random_;
};

}  // namespace hacscale::testing
