// Pools, sums, products, concats, and moves of channels and pixels: layers without weights.
#include <fmt/format.h>

#include <array>
#include <cstddef>
#include <string>
#include <utility>

#include "models/formats/onnx_export/detail/layer_export.hpp"

#include "models/ops/broadcast.hpp"

namespace hacscale::detail {
namespace {

template <std::size_t Count>
OnnxInts ints_of(const std::array<int, Count>& values) {
    return OnnxInts(values.begin(), values.end());
}

OnnxAttributes pool_attributes(const Window& window) {
    return {{"kernel_shape", ints_of(window.kernel)},
            {"strides", ints_of(window.strides)},
            {"pads", ints_of(window.pads)}};
}

// The channels of blocks first, or those of pixels.
bool channels_come_first(const LayerSpec& layer) {
    return layer.mode == Mode::channels_first;
}

bool is_square_block(const LayerSpec& layer) {
    return layer.window.strides[0] == layer.window.strides[1];
}

struct ResizeAttributes {
    const char* mode;
    const char* place;
    const char* rounding;
};

ResizeAttributes resize_attributes(Mode mode) {
    switch (mode) {
        case Mode::nearest_half_pixel:
            return {"nearest", "half_pixel", "round_prefer_floor"};
        case Mode::nearest_half_pixel_up:
            return {"nearest", "half_pixel", "round_prefer_ceil"};
        case Mode::bilinear:
            return {"linear", "half_pixel", nullptr};
        case Mode::bilinear_align_corners:
            return {"linear", "align_corners", nullptr};
        default:
            return {"nearest", "asymmetric", "floor"};
    }
}

}  // namespace

std::string write_max_pool(LayerExport& out) {
    const Window& window = out.layer().window;
    OnnxAttributes attributes = pool_attributes(window);
    if (window.dilations != Window().dilations) {
        constexpr std::int64_t opset_of_dilations = 10;
        out.needs_opset(opset_of_dilations, "MaxPool with dilations");
        attributes["dilations"] = ints_of(window.dilations);
    }
    return out.add("MaxPool", {out.input()}, std::move(attributes));
}

std::string write_avg_pool(LayerExport& out) {
    OnnxAttributes attributes = pool_attributes(out.layer().window);
    attributes["count_include_pad"] = std::int64_t{out.layer().mode == Mode::count_padding ? 1 : 0};
    return out.add("AveragePool", {out.input()}, std::move(attributes));
}

std::string write_global_avg_pool(LayerExport& out) {
    return out.add("GlobalAveragePool", {out.input()});
}

std::string write_add(LayerExport& out) {
    return out.add("Add", out.inputs);
}

std::string write_multiply(LayerExport& out) {
    return out.add(divides(out.layer().mode) ? "Div" : "Mul", out.inputs);
}

std::string write_concat(LayerExport& out) {
    return out.add("Concat", out.inputs, {{"axis", std::int64_t{1}}});
}

std::string write_slice(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const OnnxInts first{layer.first_channel};
    const OnnxInts end{layer.first_channel + layer.out_channels};
    constexpr std::int64_t parameters_are_inputs = 10;
    if (out.opset() < parameters_are_inputs) {
        return out.add("Slice", {out.input()}, {{"starts", first}, {"ends", end}, {"axes", OnnxInts{1}}});
    }
    return out.add("Slice", {out.input(), out.writer.integers(first), out.writer.integers(end),
                             out.writer.integers({1})});
}

// Negative pads crop.
std::string write_pad(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const auto& [top, left, bottom, right] = layer.window.pads;
    const OnnxInts pads{0, 0, top, left, 0, 0, bottom, right};
    OnnxAttributes attributes;
    if (layer.mode == Mode::reflect || layer.mode == Mode::edge) {
        attributes["mode"] = std::string(name_of(layer.mode));
    }
    const bool ones = layer.mode == Mode::ones;
    constexpr std::int64_t parameters_are_inputs = 11;
    if (out.opset() < parameters_are_inputs) {
        attributes["pads"] = pads;
        if (ones) attributes["value"] = 1.0F;
        return out.add("Pad", {out.input()}, std::move(attributes));
    }
    std::vector<std::string> inputs{out.input(), out.writer.integers(pads)};
    if (ones) inputs.push_back(out.writer.scalar(1.0F));
    return out.add("Pad", std::move(inputs), std::move(attributes));
}

// By scales where they are whole numbers; else by sizes, of which the first two come from the input, so that the batch stays open.
std::string write_resize(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const bool whole = layer.size[0] % layer.in_height == 0 && layer.size[1] % layer.in_width == 0;
    const auto scales = [&] {
        const auto scale = [](int to, int from) {
            const int times = to / from;
            return static_cast<float>(times);
        };
        return out.writer.own_tensor(
            out.name + "/scales", {4},
            {1.0F, 1.0F, scale(layer.size[0], layer.in_height), scale(layer.size[1], layer.in_width)});
    };
    constexpr std::int64_t opset_of_resize = 10;
    constexpr std::int64_t opset_of_modes = 11;
    if (out.opset() < opset_of_modes) {
        if (layer.mode != Mode::nearest || !whole) {
            out.needs_opset(opset_of_modes,
                            fmt::format("Resize of a {}x{} map to {}x{} ({})", layer.in_height,
                                        layer.in_width, layer.size[0], layer.size[1], name_of(layer.mode)));
        }
        const char* const op_type = out.opset() < opset_of_resize ? "Upsample" : "Resize";
        return out.add(op_type, {out.input(), scales()}, {{"mode", std::string("nearest")}});
    }
    const auto [mode, place, rounding] = resize_attributes(layer.mode);
    OnnxAttributes attributes{{"mode", std::string(mode)},
                              {"coordinate_transformation_mode", std::string(place)}};
    if (rounding != nullptr) attributes["nearest_mode"] = std::string(rounding);
    // What is not given is left out since opset 13, and an empty tensor before.
    constexpr std::int64_t inputs_are_optional = 13;
    const std::string none =
        out.opset() < inputs_are_optional ? out.writer.own_tensor(out.name + "/none", {0}, {}) : "";
    if (whole) return out.add("Resize", {out.input(), none, scales()}, std::move(attributes));
    OnnxWriter& writer = out.writer;
    const std::string shape = out.add_part("Shape", {out.input()});
    const std::string kept =
        out.add_part("Slice", {shape, writer.integers({0}), writer.integers({2}), writer.integers({0})});
    const std::string sizes =
        out.add_part("Concat", {kept, writer.integers(ints_of(layer.size))}, {{"axis", std::int64_t{0}}});
    return out.add("Resize", {out.input(), none, none, sizes}, std::move(attributes));
}

// ---- Shuffles: other shapes, and axes in another order. The last Reshape has the layer's name ----

std::string write_channel_shuffle(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const std::int64_t height = layer.in_height;
    const std::int64_t width = layer.in_width;
    const std::string groups =
        out.reshaped(out.input(), {0, layer.groups, layer.in_channels / layer.groups, height, width});
    const std::string moved = out.add_part("Transpose", {groups}, {{"perm", OnnxInts{0, 2, 1, 3, 4}}});
    return out.add("Reshape", {moved, out.writer.integers({0, layer.in_channels, height, width})});
}

std::string write_pixel_shuffle(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const bool channels_first = channels_come_first(layer);
    const auto& [rows, columns] = layer.window.strides;
    constexpr std::int64_t opset_of_modes = 11;
    if (is_square_block(layer) && (!channels_first || out.opset() >= opset_of_modes)) {
        OnnxAttributes attributes{{"blocksize", std::int64_t{rows}}};
        if (channels_first) attributes["mode"] = std::string("CRD");
        return out.add("DepthToSpace", {out.input()}, std::move(attributes));
    }
    const OnnxInts split =
        channels_first ? OnnxInts{0, layer.out_channels, rows, columns, layer.in_height, layer.in_width}
                       : OnnxInts{0, rows, columns, layer.out_channels, layer.in_height, layer.in_width};
    const OnnxInts order = channels_first ? OnnxInts{0, 1, 4, 2, 5, 3} : OnnxInts{0, 3, 4, 1, 5, 2};
    const std::string moved =
        out.add_part("Transpose", {out.reshaped(out.input(), split)}, {{"perm", order}});
    return out.add(
        "Reshape",
        {moved, out.writer.integers({0, layer.out_channels, layer.out_height(), layer.out_width()})});
}

std::string write_space_to_depth(LayerExport& out) {
    const LayerSpec& layer = out.layer();
    const bool channels_first = channels_come_first(layer);
    const auto& [rows, columns] = layer.window.strides;
    if (is_square_block(layer) && !channels_first) {
        return out.add("SpaceToDepth", {out.input()}, {{"blocksize", std::int64_t{rows}}});
    }
    const std::int64_t height = layer.out_height();
    const std::int64_t width = layer.out_width();
    const std::string split = out.reshaped(out.input(), {0, layer.in_channels, height, rows, width, columns});
    const OnnxInts order = channels_first ? OnnxInts{0, 1, 3, 5, 2, 4} : OnnxInts{0, 3, 5, 1, 2, 4};
    const std::string moved = out.add_part("Transpose", {split}, {{"perm", order}});
    return out.add("Reshape", {moved, out.writer.integers({0, layer.out_channels, height, width})});
}

}  // namespace hacscale::detail
