#include "models/stages/model_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <optional>
#include <string_view>

namespace hacscale::detail {
namespace {

// Checks the values of one entry of a model.
class EntryCheck {
public:
    EntryCheck(const ModelSpec& model, ModelSection section, int index)
        : model_(model), section_(section), index_(index) {}

    // `what`: the value in words, where it is not the field itself.
    void range(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high,
               std::string_view what = {}) const {
        if (value >= low && value <= high) return;
        fail(field,
             fmt::format("{} is {}, expected {} to {}", what.empty() ? field : what, value, low, high));
    }

    [[noreturn]] void fail(std::string_view field, const std::string& fault) const {
        throw ModelProblem({section_, index_, std::string(field)}, words_for(model_, section_, index_),
                           fault);
    }

private:
    const ModelSpec& model_;
    ModelSection section_;
    int index_;
};

void check_pool(const EntryCheck& entry, const MaxPoolSpec& pool) {
    entry.range("kernel", pool.kernel, 1, max_layer_size);
    entry.range("stride", pool.stride, 1, max_layer_size);
    // A window that is in the padding altogether would have no maximum.
    entry.range("padding", pool.padding, 0, pool.kernel / 2);
}

// A window with its dilation is no larger than a layer, and padding alone is never under it.
void check_window(const EntryCheck& entry, int kernel, const std::optional<int>& padding, int dilation) {
    entry.range("dilation", dilation, 1, max_layer_size);
    const std::int64_t covered = std::int64_t{kernel - 1} * dilation + 1;
    entry.range("dilation", covered, 1, max_layer_size, "kernel with its dilation");
    if (padding) entry.range("padding", *padding, 0, covered - 1);
}

// `classes`: of the model.
void check_plain(const EntryCheck& entry, const PlainLayer& layer, bool classes_allowed, int classes) {
    if (const auto* conv = std::get_if<ConvSpec>(&layer)) {
        entry.range("width", conv->width, 1, max_layer_size);
        entry.range("kernel", conv->kernel, 1, max_layer_size);
        entry.range("stride", conv->stride, 1, max_layer_size);
        entry.range("groups", conv->groups, 1, max_layer_size);
        check_window(entry, conv->kernel, conv->padding, conv->dilation);
    } else if (const auto* pool = std::get_if<MaxPoolSpec>(&layer)) {
        check_pool(entry, *pool);
    } else if (const auto* linear = std::get_if<LinearSpec>(&layer)) {
        // Only the last linear layer of a model may leave its width to `classes`.
        if (linear->width != 0 || !classes_allowed) entry.range("width", linear->width, 1, max_layer_size);
        if (linear->width == 0 && classes == 0) {
            entry.fail("width",
                       "the last linear layer has no width and the model no classes; give it one of the two");
        }
    }
}

void check_squeeze(const EntryCheck& entry, const SqueezeExciteSpec& squeeze) {
    if (!(squeeze.ratio > 0.0 && squeeze.ratio <= 1.0)) {
        entry.fail("ratio", fmt::format("ratio is {}, expected more than 0 and at most 1", squeeze.ratio));
    }
    entry.range("divisor", squeeze.divisor, 1, 1024);
    if (squeeze.gate != Activation::sigmoid && squeeze.gate != Activation::hard_sigmoid) {
        entry.fail("gate",
                   fmt::format("gate is {}, expected sigmoid or hard_sigmoid", name_of(squeeze.gate)));
    }
}

bool is_bottleneck(const StageSpec& stage) {
    return stage.block == BlockKind::bottleneck || stage.block == BlockKind::preact_bottleneck;
}

void check_groups(const EntryCheck& entry, const StageSpec& stage) {
    entry.range("group_width", stage.group_width, 0, max_layer_size);
    entry.range("groups", stage.groups, 1, max_layer_size);
    if (stage.group_width != 0 && !is_bottleneck(stage)) {
        entry.fail("group_width", fmt::format("a group width belongs to bottleneck blocks, not to {} blocks",
                                              name_of(stage.block)));
    }
    if (stage.groups != 1 && stage.block != BlockKind::conv && !is_bottleneck(stage)) {
        entry.fail("groups", fmt::format("groups belong to conv and bottleneck blocks, not to {} blocks",
                                         name_of(stage.block)));
    }
    if (stage.groups != 1 && stage.group_width != 0) {
        entry.fail("groups",
                   "groups and group_width both say how the spatial conv is grouped; give one of them");
    }
    for (const int inner : stage.inner_widths) {
        if (stage.group_width > 0 && inner % stage.group_width != 0) {
            entry.fail("group_width", fmt::format("group width {} does not divide the inner width {}",
                                                  stage.group_width, inner));
        }
        if (inner % stage.groups != 0) {
            entry.fail("groups",
                       fmt::format("{} groups do not divide the inner width {}", stage.groups, inner));
        }
    }
}

void check_stage_squeeze(const EntryCheck& entry, const StageSpec& stage) {
    const SqueezeExciteSpec& squeeze = *stage.squeeze_excite;
    if (stage.block == BlockKind::conv) {
        entry.fail("squeeze_excite", "squeeze-excite belongs to blocks of several convs, not to conv blocks");
    }
    const bool basic = stage.block == BlockKind::basic || stage.block == BlockKind::preact_basic;
    if (basic && squeeze.place != SqueezePlace::output) {
        entry.fail("at", fmt::format("squeeze-excite is at the output of {} blocks; expected 'at: output'",
                                     name_of(stage.block)));
    }
    if (!basic && !is_bottleneck(stage) && squeeze.place == SqueezePlace::output) {
        entry.fail("at", fmt::format(
                             "squeeze-excite comes after the spatial conv of {} blocks; expected 'at: inner'",
                             name_of(stage.block)));
    }
    check_squeeze(entry, squeeze);
}

// What belongs to some kinds of blocks only.
void check_kind(const EntryCheck& entry, const StageSpec& stage) {
    const std::string_view kind = name_of(stage.block);
    const bool universal = stage.block == BlockKind::universal_inverted_bottleneck;
    if (stage.stride_in == StrideIn::first && !is_bottleneck(stage)) {
        entry.fail("stride_in",
                   fmt::format("only bottleneck blocks have their stride in the first conv, not {} "
                               "blocks",
                               kind));
    }
    if (stage.keep_expansion && (universal || !inner_derives_from_input(stage.block))) {
        entry.fail("keep_expansion",
                   fmt::format("keep_expansion belongs to inverted residuals, not to {} blocks", kind));
    }
    if (stage.start_kernel != 0 && !universal) {
        entry.fail(
            "start_kernel",
            fmt::format("start_kernel belongs to universal inverted bottlenecks, not to {} blocks", kind));
    }
    if (universal && stage.padding) {
        entry.fail("padding",
                   fmt::format("the convs of {} blocks have the padding that keeps a map's size", kind));
    }
    if (universal && stage.kernel == 0 && stage.start_kernel == 0 && stage.stride != 1) {
        entry.fail("stride", fmt::format("stride {} needs a depthwise conv: give kernel or start_kernel",
                                         stage.stride));
    }
    const bool preactivated =
        stage.block == BlockKind::preact_basic || stage.block == BlockKind::preact_bottleneck;
    if (preactivated && !stage.batch_norm) {
        entry.fail("batch_norm",
                   fmt::format("{} blocks begin with a batch-norm; they cannot be without", kind));
    }
}

void check_stage(const EntryCheck& entry, const StageSpec& stage) {
    const bool universal = stage.block == BlockKind::universal_inverted_bottleneck;
    entry.range("width", stage.width, 1, max_layer_size);
    entry.range("depth", stage.depth, 1, max_stage_depth);
    entry.range("stride", stage.stride, 1, max_layer_size);
    entry.range("kernel", stage.kernel, universal ? 0 : 1, max_layer_size);
    entry.range("start_kernel", stage.start_kernel, 0, max_layer_size);
    check_window(entry, std::max({stage.kernel, stage.start_kernel, 1}), stage.padding, stage.dilation);
    const int expected = has_inner_width(stage.block) ? stage.depth : 0;
    if (std::ssize(stage.inner_widths) != expected) {
        entry.fail("inner_width", fmt::format("{} inner widths, expected {} (one a block) for {} blocks",
                                              stage.inner_widths.size(), expected, name_of(stage.block)));
    }
    for (const int inner : stage.inner_widths) entry.range("inner_width", inner, 1, max_layer_size);
    check_groups(entry, stage);
    check_kind(entry, stage);
    if (stage.squeeze_excite) check_stage_squeeze(entry, stage);
    if (stage.pool) check_pool(entry, *stage.pool);
}

void check_outputs(const EntryCheck& whole, const ModelSpec& model) {
    const std::vector<int>& outputs = model.output_stages;
    if (outputs.empty()) return;
    if (outputs.front() < 0 || outputs.back() >= std::ssize(model.stages) ||
        std::adjacent_find(outputs.begin(), outputs.end(), std::greater_equal<>()) != outputs.end()) {
        whole.fail("outputs", "outputs: expected stages of the model, each once, in their order");
    }
    if (model.head.empty() && outputs.back() != std::ssize(model.stages) - 1) {
        whole.fail("outputs", fmt::format("outputs: nothing reads what comes after {}; add the last stage to "
                                          "them or remove the stages after it",
                                          words_for(model, ModelSection::stages, outputs.back())));
    }
}

}  // namespace

void check_fields(const ModelSpec& model) {
    const EntryCheck whole(model, ModelSection::model, 0);
    whole.range("channels", model.in_channels, 1, max_layer_size);
    whole.range("resolution", model.resolution, 1, max_layer_size);
    whole.range("resolution", model.input_pixels_across(), 1, max_layer_size);
    whole.range("classes", model.classes, 0, max_layer_size);
    if (!(model.batch_norm_epsilon > 0.0 && model.batch_norm_epsilon <= 1.0)) {
        whole.fail("batch_norm_epsilon",
                   fmt::format("batch_norm_epsilon is {}, expected more than 0 and at most 1",
                               model.batch_norm_epsilon));
    }
    if (model.stem.empty() && model.stages.empty() && model.head.empty()) {
        whole.fail("stages", "the model has no layers");
    }
    for (const auto& [field, size] :
         {std::pair{"stem", model.stem.size()}, std::pair{"stages", model.stages.size()},
          std::pair{"head", model.head.size()}}) {
        if (size > max_section_entries) {
            whole.fail(field, fmt::format("{} has {} entries, expected at most {}", field, size,
                                          max_section_entries));
        }
    }
    for (int i = 0; i < std::ssize(model.stem); ++i) {
        check_plain({model, ModelSection::stem, i}, model.stem[i], false, model.classes);
    }
    for (int i = 0; i < std::ssize(model.stages); ++i) {
        check_stage({model, ModelSection::stages, i}, model.stages[i]);
    }
    check_outputs(whole, model);
    int last_linear = -1;
    for (int i = 0; i < std::ssize(model.head); ++i) {
        if (std::holds_alternative<LinearSpec>(model.head[i])) last_linear = i;
    }
    for (int i = 0; i < std::ssize(model.head); ++i) {
        check_plain({model, ModelSection::head, i}, model.head[i], i == last_linear, model.classes);
    }
}

std::string words_for(const ModelSpec& model, ModelSection section, int index) {
    switch (section) {
        case ModelSection::stem:
            return fmt::format("entry {} of the stem", index + 1);
        case ModelSection::stages:
            return model.stages[index].name.empty() ? fmt::format("stage {}", index + 1)
                                                    : fmt::format("stage '{}'", model.stages[index].name);
        case ModelSection::head:
            return fmt::format("entry {} of the head", index + 1);
        case ModelSection::model:
            break;
    }
    return model.name.empty() ? "the model" : fmt::format("model '{}'", model.name);
}

}  // namespace hacscale::detail
