// What a network is: a stem, stages of repeated blocks, a head, and an input. A plain value, written by hand
// or as YAML (models/formats/formats.hpp), lowered to a graph by models/stages/lowering.hpp and scaled by scaling/.
#pragma once

#include <cstdint>
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
    std::optional<int> padding{};  // on all four sides; absent: half_window()
    int dilation = 1;
    int groups = 1;
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

// What varies where a grouped conv has other widths.
enum class GroupedConvs : std::uint8_t {
    keep_width,  // the number of groups: each keeps its channels, and input and output have one width
    keep_count,  // the channels of each group: input and output have widths of their own, multiples of the number of
                 // groups. Depthwise convs, and those of one input channel a group, stay as they are called.
};

enum class BlockKind {
    conv,               // ConvBlock: one conv + batch-norm + activation (VGG)
    separable,          // depthwise, [squeeze-excite], pointwise, both activated, no residual (MobileNetV1)
    basic,              // BasicBlock: two convs, residual, activation after the add (ResNet)
    preact_basic,       // pre-activation BasicBlock (Wide ResNet)
    bottleneck,         // 1x1, grouped kxk, [squeeze-excite], 1x1, residual (ResNet-50, RegNet)
    inverted_residual,  // MBConv: 1x1 expand, depthwise kxk, [squeeze-excite], 1x1 linear, residual
    fused_inverted_residual,  // FusedMBConv: kxk expand, [squeeze-excite], 1x1 linear, residual
    preact_bottleneck,        // pre-activation bottleneck (ResNet-V2-50)
    // [depthwise], 1x1 expand, [depthwise kxk], [squeeze-excite], 1x1 linear, residual (MobileNetV4)
    universal_inverted_bottleneck,
};

// Which width the squeeze width is a fraction of: that of what is gated, or of the block's input.
enum class SqueezeFrom { inner, input };
// What is gated: what the spatial conv makes, or the block's output before the residual is added (SE-ResNet).
enum class SqueezePlace { inner, output };

struct SqueezeExciteSpec {
    double ratio = 0.25;
    SqueezeFrom from = SqueezeFrom::inner;
    SqueezePlace place = SqueezePlace::inner;
    int divisor = 1;  // the squeeze width is rounded to a multiple of this (make_divisible; 1: nearest
                      // integer, at least 1)
    Activation activation = Activation::relu;
    Activation gate = Activation::sigmoid;
    bool operator==(const SqueezeExciteSpec&) const = default;
};

// Which conv of a bottleneck has the stage's stride: the spatial one, or the first 1x1 (ResNet-50 as published).
enum class StrideIn { spatial, first };

struct StageSpec {
    std::string name{};
    BlockKind block = BlockKind::basic;
    int width = 0;                           // output channels of each block
    int depth = 1;                           // number of blocks
    int stride = 1;                          // of the first block; the others have 1
    StrideIn stride_in = StrideIn::spatial;  // of bottlenecks
    int kernel = 3;                // of the spatial convs; 0 in a universal block without its second one
    int start_kernel = 0;          // of a universal block's first depthwise conv; 0: it has none
    std::optional<int> padding{};  // of the spatial convs, on all four sides; absent: half_window()
    int dilation = 1;              // of the spatial convs
    // Inner width of each block (one per block): the middle of basic and bottleneck blocks, the expanded
    // width of inverted residuals. Empty for conv and separable blocks. An inverted residual whose inner
    // width equals its input width has no expansion conv (and a fused one is one conv), unless `keep_expansion`
    // is set.
    std::vector<int> inner_widths{};
    bool keep_expansion = false;
    // Of the spatial conv of bottlenecks, by their width or by their number; at most one of the two is set. conv
    // blocks have a number.
    int group_width = 0;  // channels a group; 0: `groups` says it
    int groups = 1;
    bool batch_norm = true;
    bool bias =
        false;  // convs carry a learned bias beside their batch-norm (VGG) or without one; counted in params
    Activation activation = Activation::relu;
    std::optional<SqueezeExciteSpec> squeeze_excite{};
    std::optional<MaxPoolSpec> pool{};  // after the last block (VGG)
    bool operator==(const StageSpec&) const = default;
};

struct ModelSpec {
    std::string name;
    std::string source;  // where its shape and counts come from
    int in_channels = 3;
    int resolution = 224;              // height of the input in pixels, and its width where it is square
    int resolution_width = 0;          // its width; 0: square
    int classes = 1000;                // width of the last linear layer; 0 in a network without a classifier
    double batch_norm_epsilon = 1e-5;  // added to variances; PyTorch's default
    // Stages whose outputs are outputs of the network, ascending. The head's output comes after them; without a
    // head the last stage is one of them. Empty: only what the last layer puts out.
    std::vector<int> output_stages{};
    // Not part of the YAML: set for the device the model is about to run on (Backend::preferred_layout).
    Layout layout = Layout::channels_last;
    std::vector<PlainLayer> stem;
    std::vector<StageSpec> stages;
    std::vector<PlainLayer> head;

    int input_pixels_across() const { return resolution_width > 0 ? resolution_width : resolution; }
    bool operator==(const ModelSpec&) const = default;
};

constexpr int max_stage_depth = 1000;
constexpr int max_section_entries = 64;  // of the stem, the stages and the head, each

// Whether blocks of this kind have an inner width, and so one entry a block in StageSpec::inner_widths.
bool has_inner_width(BlockKind kind);
// Whether the inner width is a multiple of the block's input (inverted residuals) rather than of its own
// width.
bool inner_derives_from_input(BlockKind kind);
// Whether a block of this stage has no expansion conv if its inner width equals its input width.
bool may_lack_expansion(const StageSpec& stage);
// Whether the first block of a stage adds its input because the two widths are equal. Blocks that always add one, projected
// where the shapes differ, are not meant.
bool has_optional_skip(const StageSpec& stage, int input_width, int width);

// The usual padding: half of what a kernel with this dilation covers, rounded down. It keeps the size of a map at
// stride 1 if the kernel is odd.
constexpr int half_window(int kernel, int dilation) {
    return ((kernel - 1) * dilation + 1) / 2;
}

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
