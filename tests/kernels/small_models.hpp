// One small network for each way that blocks are wired, with widths that are no multiples of 8 or 16: cheap
// enough for the reference in double precision, awkward enough for the layouts.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "models/stages/model_spec.hpp"

namespace hacscale::testing {

inline ModelSpec small_model(const std::string& name, int resolution, std::vector<StageSpec> stages) {
    ModelSpec model;
    model.name = name;
    model.resolution = resolution;
    model.classes = 10;
    model.stem = {ConvSpec{.width = 12, .stride = 2}};
    model.stages = std::move(stages);
    model.head = {GlobalAvgPoolSpec{}, LinearSpec{}};
    return model;
}

inline std::vector<ModelSpec> small_models() {
    const SqueezeExciteSpec squeeze;
    const SqueezeExciteSpec hard_squeeze{
        .ratio = 0.25, .from = SqueezeFrom::input, .divisor = 8, .gate = Activation::hard_sigmoid};
    using enum BlockKind;
    std::vector<ModelSpec> models{
        small_model("conv_pool", 24,
                    {{.block = conv, .width = 20, .depth = 2, .bias = true, .pool = MaxPoolSpec{}},
                     {.block = conv, .width = 36, .pool = MaxPoolSpec{3, 2, 1}}}),
        small_model("separable", 20,
                    {{.block = separable, .width = 20, .depth = 2},
                     {.block = separable, .width = 40, .stride = 2, .kernel = 5}}),
        small_model("basic", 18,
                    {{.block = basic, .width = 12, .depth = 2, .inner_widths = {12, 20}},
                     {.block = basic, .width = 28, .depth = 2, .stride = 2, .inner_widths = {28, 28}}}),
        small_model(
            "preact_basic", 18,
            {{.block = preact_basic, .width = 12, .depth = 2, .inner_widths = {12, 12}},
             {.block = preact_basic, .width = 28, .depth = 2, .stride = 2, .inner_widths = {28, 20}}}),
        small_model("bottleneck", 16,
                    {{.block = bottleneck, .width = 40, .depth = 2, .inner_widths = {12, 12}},
                     {.block = bottleneck, .width = 56, .stride = 2, .inner_widths = {20}}}),
        small_model("grouped_bottleneck", 16,
                    {{.block = bottleneck,
                      .width = 32,
                      .depth = 2,
                      .stride = 2,
                      .inner_widths = {24, 32},
                      .group_width = 8,
                      .squeeze_excite = squeeze}}),
        small_model("inverted_residual", 20,
                    {{.block = inverted_residual,
                      .width = 12,
                      .depth = 2,
                      .inner_widths = {12, 72},
                      .activation = Activation::relu6},
                     {.block = inverted_residual,
                      .width = 20,
                      .depth = 2,
                      .stride = 2,
                      .kernel = 5,
                      .inner_widths = {72, 120},
                      .activation = Activation::hard_swish}}),
        small_model("inverted_residual_squeeze", 20,
                    {{.block = inverted_residual,
                      .width = 12,
                      .inner_widths = {12},
                      .activation = Activation::silu,
                      .squeeze_excite = squeeze},
                     {.block = inverted_residual,
                      .width = 20,
                      .depth = 2,
                      .stride = 2,
                      .inner_widths = {36, 60},
                      .activation = Activation::hard_swish,
                      .squeeze_excite = hard_squeeze}}),
        small_model("fused_inverted_residual", 16,
                    {{.block = fused_inverted_residual,
                      .width = 12,
                      .depth = 2,
                      .inner_widths = {12, 24},
                      .activation = Activation::silu},
                     {.block = fused_inverted_residual,
                      .width = 20,
                      .stride = 2,
                      .inner_widths = {48},
                      .activation = Activation::silu,
                      .squeeze_excite = squeeze}}),
    };
    models.front().stem = {ConvSpec{.width = 13, .kernel = 5}, MaxPoolSpec{}};
    models.front().head = {LinearSpec{.width = 33, .activation = Activation::relu}, LinearSpec{}};
    models[3].head = {NormSpec{}, GlobalAvgPoolSpec{}, LinearSpec{}};
    return models;
}

// Networks whose first block reads and adds the input itself, and heads that go on after the global pool.
inline std::vector<ModelSpec> unusual_models() {
    using enum BlockKind;
    std::vector<ModelSpec> models{
        small_model("adds_the_input", 12, {{.block = basic, .width = 3, .inner_widths = {8}}}),
        small_model("projects_the_input", 12, {{.block = basic, .width = 20, .inner_widths = {8}}}),
        small_model("depthwise_on_the_input", 12, {{.block = separable, .width = 20}}),
        small_model("expands_the_input", 12,
                    {{.block = inverted_residual, .width = 3, .inner_widths = {20}}}),
        small_model("norm_after_the_pool", 12, {{.block = conv, .width = 20}}),
        small_model("conv_after_the_pool", 12, {{.block = conv, .width = 20}}),
        small_model("no_pool", 12, {{.block = conv, .width = 20, .depth = 2}}),
    };
    for (int i = 0; i < 4; ++i) models[i].stem.clear();
    models[4].head = {GlobalAvgPoolSpec{}, NormSpec{}, LinearSpec{}};
    models[5].head = {GlobalAvgPoolSpec{}, ConvSpec{.width = 40, .kernel = 1}, LinearSpec{}};
    models[6].head = {LinearSpec{}, NormSpec{}};
    return models;
}

}  // namespace hacscale::testing
