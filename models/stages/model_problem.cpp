#include "models/stages/model_problem.hpp"

#include <fmt/format.h>

#include <cmath>
#include <string_view>

namespace hacscale::detail {
namespace {

// Checks the values of one entry of a model.
class EntryCheck {
public:
    EntryCheck(const ModelSpec& model, ModelSection section, int index)
        : model_(model), section_(section), index_(index) {}

    void range(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high) const {
        if (value >= low && value <= high) return;
        fail(field, fmt::format("{} is {}, expected {} to {}", field, value, low, high));
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

void check_plain(const EntryCheck& entry, const PlainLayer& layer, bool classes_allowed) {
    if (const auto* conv = std::get_if<ConvSpec>(&layer)) {
        entry.range("width", conv->width, 1, max_layer_size);
        entry.range("kernel", conv->kernel, 1, max_layer_size);
        entry.range("stride", conv->stride, 1, max_layer_size);
    } else if (const auto* pool = std::get_if<MaxPoolSpec>(&layer)) {
        check_pool(entry, *pool);
    } else if (const auto* linear = std::get_if<LinearSpec>(&layer)) {
        // Only the last linear layer of a model may leave its width to `classes`.
        if (linear->width != 0 || !classes_allowed) entry.range("width", linear->width, 1, max_layer_size);
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

void check_stage(const EntryCheck& entry, const StageSpec& stage) {
    entry.range("width", stage.width, 1, max_layer_size);
    entry.range("depth", stage.depth, 1, max_stage_depth);
    entry.range("stride", stage.stride, 1, max_layer_size);
    entry.range("kernel", stage.kernel, 1, max_layer_size);
    const int expected = has_inner_width(stage.block) ? stage.depth : 0;
    if (std::ssize(stage.inner_widths) != expected) {
        entry.fail("inner_width", fmt::format("{} inner widths, expected {} (one a block) for {} blocks",
                                              stage.inner_widths.size(), expected, name_of(stage.block)));
    }
    for (const int inner : stage.inner_widths) entry.range("inner_width", inner, 1, max_layer_size);
    if (stage.block == BlockKind::bottleneck) {
        entry.range("group_width", stage.group_width, 0, max_layer_size);
    } else if (stage.group_width != 0) {
        entry.fail("group_width", fmt::format("a group width belongs to bottleneck blocks, not to {} blocks",
                                              name_of(stage.block)));
    }
    for (const int inner : stage.inner_widths) {
        if (stage.group_width > 0 && inner % stage.group_width != 0) {
            entry.fail("group_width", fmt::format("group width {} does not divide the inner width {}",
                                                  stage.group_width, inner));
        }
    }
    if (stage.squeeze_excite) {
        if (!inner_derives_from_input(stage.block) && stage.block != BlockKind::bottleneck) {
            entry.fail("squeeze_excite",
                       fmt::format("squeeze-excite belongs to bottleneck and inverted residual blocks, "
                                   "not to {} blocks",
                                   name_of(stage.block)));
        }
        check_squeeze(entry, *stage.squeeze_excite);
    }
    if (stage.pool) check_pool(entry, *stage.pool);
}

}  // namespace

void check_fields(const ModelSpec& model) {
    const EntryCheck whole(model, ModelSection::model, 0);
    whole.range("channels", model.in_channels, 1, max_layer_size);
    whole.range("resolution", model.resolution, 1, max_layer_size);
    whole.range("classes", model.classes, 1, max_layer_size);
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
        check_plain({model, ModelSection::stem, i}, model.stem[i], false);
    }
    for (int i = 0; i < std::ssize(model.stages); ++i) {
        check_stage({model, ModelSection::stages, i}, model.stages[i]);
    }
    int last_linear = -1;
    for (int i = 0; i < std::ssize(model.head); ++i) {
        if (std::holds_alternative<LinearSpec>(model.head[i])) last_linear = i;
    }
    for (int i = 0; i < std::ssize(model.head); ++i) {
        check_plain({model, ModelSection::head, i}, model.head[i], i == last_linear);
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
