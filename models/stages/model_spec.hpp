// What a network is: a stem, stages of repeated blocks, a head, and an input. A plain value, written by hand
// or as YAML (models/formats/formats.hpp), lowered to a graph by models/stages/lowering.hpp and scaled by scaling/.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale {

// ---- Plain layers of stem and head ----

struct ConvSpec {
    int width = 0;  // output channels
    int kernel = 3;
    int stride = 1;
    bool batch_norm = true;
    bool bias = false;  // a learned bias beside (or instead of) the batch-norm; counted in params
    Activation activation = Activation::relu;
    bool operator==(const ConvSpec&) const = default;
};
struct MaxPoolSpec {
    int kernel = 2;
    int stride = 2;
    int padding = 0;
    bool operator==(const MaxPoolSpec&) const = default;
};
struct GlobalAvgPoolSpec {
    bool operator==(const GlobalAvgPoolSpec&) const = default;
};
// Batch-norm + activation standing alone, as after the last pre-activation block.
struct NormSpec {
    Activation activation = Activation::relu;
    bool operator==(const NormSpec&) const = default;
};
struct LinearSpec {
    int width = 0;  // output features; 0 in the last linear layer of a model means "classes"
    bool bias = true;
    Activation activation = Activation::none;
    bool operator==(const LinearSpec&) const = default;
};
using PlainLayer = std::variant<ConvSpec, MaxPoolSpec, GlobalAvgPoolSpec, NormSpec, LinearSpec>;

// ---- Stages ----

enum class BlockKind {
    conv,                     // ConvBlock: one conv + batch-norm + activation (VGG)
    separable,                // depthwise conv + pointwise conv, both activated, no residual (MobileNetV1)
    basic,                    // BasicBlock: two convs, residual, activation after the add (ResNet)
    preact_basic,             // pre-activation BasicBlock (Wide ResNet)
    bottleneck,               // 1x1, grouped kxk, [squeeze-excite], 1x1, residual (ResNet-50, RegNet)
    inverted_residual,        // MBConv: 1x1 expand, depthwise kxk, [squeeze-excite], 1x1 linear, residual
    fused_inverted_residual,  // FusedMBConv: kxk expand, [squeeze-excite], 1x1 linear, residual
};

// Which width the squeeze width is a fraction of.
enum class SqueezeFrom { inner, input };

struct SqueezeExciteSpec {
    double ratio = 0.25;
    SqueezeFrom from = SqueezeFrom::inner;
    int divisor = 1;  // the squeeze width is rounded to a multiple of this (make_divisible; 1: nearest
                      // integer, at least 1)
    Activation activation = Activation::relu;
    Activation gate = Activation::sigmoid;
    bool operator==(const SqueezeExciteSpec&) const = default;
};

struct StageSpec {
    std::string name{};
    BlockKind block = BlockKind::basic;
    int width = 0;   // output channels of each block
    int depth = 1;   // number of blocks
    int stride = 1;  // of the first block; the others have 1
    int kernel = 3;
    // Inner width of each block (one per block): the middle of basic and bottleneck blocks, the expanded
    // width of inverted residuals. Empty for conv and separable blocks. An inverted residual whose inner
    // width equals its input width has no expansion conv; a fused one always has both its convs.
    std::vector<int> inner_widths{};
    int group_width = 0;  // bottleneck: channels a group of the kxk conv; 0 means one group
    bool bias = false;    // convs carry a learned bias beside their batch-norm (VGG); counted in params
    Activation activation = Activation::relu;
    std::optional<SqueezeExciteSpec> squeeze_excite{};
    std::optional<MaxPoolSpec> pool{};  // after the last block (VGG)
    bool operator==(const StageSpec&) const = default;
};

struct ModelSpec {
    std::string name;
    std::string source;  // where its shape and counts come from
    int in_channels = 3;
    int resolution = 224;  // square input, pixels
    int classes = 1000;
    // Not part of the YAML: set for the device the model is about to run on (Backend::preferred_layout).
    Layout layout = Layout::channels_last;
    std::vector<PlainLayer> stem;
    std::vector<StageSpec> stages;
    std::vector<PlainLayer> head;
    bool operator==(const ModelSpec&) const = default;
};

constexpr int max_stage_depth = 1000;
constexpr int max_section_entries = 64;  // of the stem, the stages and the head, each

// Whether blocks of this kind have an inner width, and so one entry a block in StageSpec::inner_widths.
bool has_inner_width(BlockKind kind);
// Whether the inner width is a multiple of the block's input (inverted residuals) rather than of its own
// width.
bool inner_derives_from_input(BlockKind kind);

// Channels that the first block of a stage reads: the width of the stage before, or what the stem puts out.
int stage_input_width(const ModelSpec& model, int stage);
// As Node counts stages: "stem" for -1, "head" for what is past the last.
std::string stage_name(const ModelSpec& model, int stage);
// Of each stage, in order: a stage without a name is "stage 3", by its place from 1.
std::vector<std::string> stage_names(const ModelSpec& model);

// Channels between the two products of a squeeze-excite in a block of these widths. With a divisor above 1,
// the rounding of the MobileNet papers' code: to the nearest multiple, one more where that would lose over a
// tenth.
int squeeze_width(const SqueezeExciteSpec& spec, int inner_width, int input_width);

// Throws InputError (ModelProblem, models/stages/model_problem.hpp) when the parts do not fit together (a width that
// groups do not divide, a map shrunk to nothing, inner widths of the wrong number, sizes outside 1..65536,
// more than 2^40 MACs). YAML loading calls it with places.
void check(const ModelSpec& model);

std::string_view name_of(BlockKind kind);
BlockKind block_kind_from_name(std::string_view name);

}  // namespace hacscale
