#include "models/stages/model_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::array<std::pair<BlockKind, std::string_view>, 9> block_names{{
    {BlockKind::conv, "conv"},
    {BlockKind::separable, "separable"},
    {BlockKind::basic, "basic"},
    {BlockKind::preact_basic, "preact_basic"},
    {BlockKind::bottleneck, "bottleneck"},
    {BlockKind::inverted_residual, "inverted_residual"},
    {BlockKind::fused_inverted_residual, "fused_inverted_residual"},
    {BlockKind::preact_bottleneck, "preact_bottleneck"},
    {BlockKind::universal_inverted_bottleneck, "universal_inverted_bottleneck"},
}};

}  // namespace

bool has_inner_width(BlockKind kind) {
    return kind != BlockKind::conv && kind != BlockKind::separable;
}

bool inner_derives_from_input(BlockKind kind) {
    return kind == BlockKind::inverted_residual || kind == BlockKind::fused_inverted_residual ||
           kind == BlockKind::universal_inverted_bottleneck;
}

bool may_lack_expansion(const StageSpec& stage) {
    return (stage.block == BlockKind::inverted_residual ||
            stage.block == BlockKind::fused_inverted_residual) &&
           !stage.keep_expansion;
}

bool has_optional_skip(const StageSpec& stage, int input_width, int width) {
    return width == input_width && stage.stride == 1 && inner_derives_from_input(stage.block);
}

int stage_input_width(const ModelSpec& model, int stage) {
    if (stage > 0) return model.stages[stage - 1].width;
    int width = model.in_channels;
    for (const PlainLayer& layer : model.stem) {
        if (const auto* conv = std::get_if<ConvSpec>(&layer)) width = conv->width;
        if (const auto* linear = std::get_if<LinearSpec>(&layer)) width = linear->width;
    }
    return width;
}

int squeeze_width(const SqueezeExciteSpec& spec, int inner_width, int input_width) {
    const double exact = spec.ratio * (spec.from == SqueezeFrom::inner ? inner_width : input_width);
    if (spec.divisor == 1) return std::max(1, static_cast<int>(std::lround(exact)));
    const int multiples = static_cast<int>((exact + spec.divisor / 2.0) / spec.divisor);
    const int rounded = std::max(1, multiples) * spec.divisor;
    // Rounding down may not take more than a tenth.
    return rounded < 0.9 * exact ? rounded + spec.divisor : rounded;
}

std::string_view name_of(BlockKind kind) {
    for (const auto& [candidate, name] : block_names) {
        if (candidate == kind) return name;
    }
    throw InputError(fmt::format("{} is no kind of block", static_cast<int>(kind)));
}

BlockKind block_kind_from_name(std::string_view name) {
    std::string known;
    for (const auto& [kind, candidate] : block_names) {
        if (candidate == name) return kind;
        known += known.empty() ? "" : ", ";
        known += candidate;
    }
    throw InputError(fmt::format("'{}' is no kind of block; expected one of {}", name, known));
}

std::string stage_name(const ModelSpec& model, int stage) {
    if (stage < 0) {
        return "stem";
    }
    const auto index = static_cast<std::size_t>(stage);
    if (index >= model.stages.size()) {
        return "head";
    }
    const std::string& name = model.stages[index].name;
    return name.empty() ? fmt::format("stage {}", index + 1) : name;
}

std::vector<std::string> stage_names(const ModelSpec& model) {
    std::vector<std::string> names;
    for (int stage = 0; stage < static_cast<int>(model.stages.size()); ++stage) {
        names.push_back(stage_name(model, stage));
    }
    return names;
}

}  // namespace hacscale
