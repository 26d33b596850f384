// Tensors brought into the sizes and the order of axes that a layer reads.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "models/formats/onnx_import/detail/drafting.hpp"
#include "models/ops/permute.hpp"

namespace hacscale::detail {

View Drafting::view_of(const std::string& value) const {
    const auto found = views_.find(value);
    if (found != views_.end()) return found->second;
    if (!size_of_value(value)) {
        no_layer(
            fmt::format("its input \"{}\" is {}, which is no map", value, onnx::shape_text(dims_of(value))));
    }
    return {value, row_major(dims_of(value))};
}

View Drafting::read(const onnx::Node& node, std::size_t input) {
    const std::string& value = node.inputs.at(input);
    if (constants_.contains(value)) no_layer(fmt::format("its input \"{}\" is a constant", value));
    View view = view_of(value);
    if (!draft_.sizes.contains(view.source)) add_input(view.source);
    return view;
}

std::string Drafting::formed(const std::string& source, const MapSize& size) {
    if (this->size(source) == size) return source;
    const auto found = unformed_.find(source);
    std::string original = found == unformed_.end() ? source : found->second;
    const MapSize& from = this->size(original);
    if (from == size) return original;
    std::string output = fmt::format("{}.{}x{}x{}", original, size.channels, size.height, size.width);
    if (draft_.sizes.contains(output)) return output;
    DraftLayer draft;
    draft.name = place_ + ".reshape";
    draft.layer.kind = LayerKind::reshape;
    draft.layer.in_channels = from.channels;
    draft.layer.in_height = from.height;
    draft.layer.in_width = from.width;
    draft.layer.out_channels = size.channels;
    draft.layer.size = {size.height, size.width};
    draft.inputs = {original};
    draft.output = output;
    finish(std::move(draft));
    unformed_[output] = original;
    return output;
}

View Drafting::arranged(const View& given, const Order& order) {
    View view = given;
    while (const auto step = next_step(view.axes, storage_order(view.axes), order)) {
        std::array<int, 3> axes{0, 1, 2};
        for (std::size_t i = 0; i < step->order.size(); ++i) axes[i] = static_cast<int>(step->order[i]);
        const MapSize from{
            small(step->groups * step->sizes[0], "the channels of the axes that it moves"),
            small(step->sizes[1], "the rows of the axes that it moves"),
            step->sizes.size() < 3 ? 1 : small(step->sizes[2], "the columns of the axes that it moves")};
        DraftLayer draft;
        draft.name = place_ + ".permute";
        draft.layer.kind = LayerKind::permute;
        draft.layer.mode = *std::ranges::find(permute_orders, axes, axes_of);
        draft.layer.groups = small(step->groups, "the groups of channels that stay");
        draft.inputs = {formed(view.source, from)};
        draft.layer.in_channels = from.channels;
        draft.layer.in_height = from.height;
        draft.layer.in_width = from.width;
        draft.layer.out_channels = permuted_channels(draft.layer);
        draft.output =
            fmt::format("{}.g{}_{}", draft.inputs.front(), step->groups, name_of(draft.layer.mode));
        view = {draft.output, stored_in(view.axes, step->result)};
        if (!draft_.sizes.contains(draft.output)) finish(std::move(draft));
    }
    return view;
}

View Drafting::with_channels(const View& view, std::size_t axis) {
    View result = arranged(view, order_with_first(view.axes, {axis}));
    result.source = formed_channels(result, result.axes.at(axis).size);
    return result;
}

int Drafting::channels_of_element(const View& view, std::int64_t count) const {
    const int channels = size(view.source).channels;
    return channels % count == 0 ? static_cast<int>(channels / count) : 1;
}

std::string Drafting::formed_channels(const View& view, std::int64_t channels) {
    if (size(view.source).channels == channels) return view.source;
    const std::int64_t pixels = elements_of(view.axes) / channels;
    std::int64_t width = pixels;
    if (pixels > max_layer_size) {  // rows of the innermost axis
        width = view.axes[storage_order(view.axes).back()].size;
        if (pixels % width != 0) width = 1;
    }
    return formed(view.source, {small(channels, "the channels"), small(pixels / width, "the rows"),
                                small(width, "the columns")});
}

void Drafting::finish(DraftLayer draft, const Axes& axes) {
    const std::string output = draft.output;
    finish(std::move(draft));
    views_[output] = {output, axes};
}

}  // namespace hacscale::detail
