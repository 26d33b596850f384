// Operators that change the spatial sizes without weights: resizing, padding, and channels to space and back.
#include <algorithm>
#include <cmath>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

// Output sizes from scales: floor(input x scale).
Ints scaled(const Step& step, const std::vector<float>& scales) {
    Ints sizes;
    for (std::size_t i = 0; i < scales.size(); ++i) {
        const double size = std::floor(static_cast<double>(step.dims(0)[i]) * static_cast<double>(scales[i]));
        constexpr double largest = 1LL << 31;
        if (!(size >= 0 && size < largest)) {
            step.refuse("a scale is " + std::to_string(scales[i]) + ", which is not supported");
        }
        sizes.push_back(static_cast<std::int64_t>(size));
    }
    return sizes;
}

// Resize's inputs: x, scales in opset 10; x, roi, scales, sizes since 11. Upsample's scales are an input in opset 9.
void form_resize(Step& step) {
    const bool is_old = step.node.op_type == "Upsample" || step.opset() < 11;
    const std::size_t at_scales = is_old ? 1 : 2;
    const std::size_t rank = step.dims(0).size();
    std::vector<float> scales;
    if (step.has(at_scales)) {
        scales = step.numbers(at_scales, "scales");
    }
    Ints sizes;
    if (!is_old && step.has(3)) {
        sizes = step.integers(3, "sizes");
    }
    // Scales and sizes for some axes only.
    const Ints axes = step.node.integers("axes", {});
    if (!axes.empty()) {
        (void)step.axes(axes, step.rank(0));
        std::vector<float> all_scales(rank, 1.0F);
        Ints all_sizes = step.dims(0);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::int64_t axis = step.axis(axes[i], step.rank(0));
            if (i < scales.size()) {
                all_scales[axis] = scales[i];
            }
            if (i < sizes.size()) {
                all_sizes[axis] = sizes[i];
            }
        }
        if (!scales.empty()) {
            scales = all_scales;
        }
        if (!sizes.empty()) {
            sizes = all_sizes;
        }
    }
    if (step.node.text("keep_aspect_ratio_policy", "stretch") != "stretch") {
        step.refuse("the attribute \"keep_aspect_ratio_policy\" is not supported");
    }
    if (sizes.empty()) {
        if (scales.size() != rank) {
            step.refuse("it has " + std::to_string(scales.size()) + " scales for " + std::to_string(rank) +
                        " dimensions");
        }
        sizes = scaled(step, scales);
    } else {
        if (sizes.size() != rank) {
            step.refuse("it has " + std::to_string(sizes.size()) + " sizes for " + std::to_string(rank) +
                        " dimensions");
        }
        scales.clear();
        for (std::size_t i = 0; i < rank; ++i) {
            scales.push_back(static_cast<float>(sizes[i]) /
                             static_cast<float>(std::max<std::int64_t>(step.dims(0)[i], 1)));
        }
    }
    const std::string mode = step.node.text("mode", "nearest");
    Node& node = step.node;
    std::map<std::string, Attribute, std::less<>> form = {
        {"sizes", sizes}, {"scales", scales}, {"mode", mode}};
    form["coordinate_transformation_mode"] =
        is_old ? "asymmetric" : node.text("coordinate_transformation_mode", "half_pixel");
    if (mode == "nearest") {
        form["nearest_mode"] = is_old ? "floor" : node.text("nearest_mode", "round_prefer_floor");
    }
    if (mode == "cubic") {
        form["cubic_coeff_a"] = node.number("cubic_coeff_a", -0.75F);
    }
    if (node.integer("antialias", 0) != 0) {
        form["antialias"] = std::int64_t{1};
    }
    if (node.integer("exclude_outside", 0) != 0) {
        form["exclude_outside"] = std::int64_t{1};
    }
    node.op_type = "Resize";
    node.attributes = std::move(form);
    step.drop_inputs(1);
}

std::vector<ValueType> infer_resize(const Step& step) {
    return {{step.type(0).type, step.node.integers("sizes", {})}};
}

// Pads and value are attributes until opset 10 and inputs since 11; axes are an input since 18.
void form_pad(Step& step) {
    const auto given = step.parameter(1, "pads");
    if (!given) {
        step.refuse("it has no \"pads\"");
    }
    const std::string mode = step.node.text("mode", "constant");
    float value = step.node.number("value", 0);
    if (step.has(2)) {
        const std::vector<float> values = step.numbers(2, "constant_value");
        if (!values.empty()) {
            value = values.front();
        }
    }
    const std::size_t rank = step.dims(0).size();
    Ints pads = *given;
    if (step.has(3)) {
        const Ints axes = step.integers(3, "axes");
        (void)step.axes(axes, step.rank(0));
        if (given->size() != 2 * axes.size()) {
            step.refuse("its \"pads\" and \"axes\" do not fit");
        }
        pads.assign(2 * rank, 0);
        for (std::size_t i = 0; i < axes.size(); ++i) {
            const std::int64_t axis = step.axis(axes[i], step.rank(0));
            pads[axis] = (*given)[i];
            pads[axis + rank] = (*given)[i + axes.size()];
        }
    }
    if (pads.size() != 2 * rank) {
        step.refuse("it has " + std::to_string(pads.size()) + " pads for " + std::to_string(rank) +
                    " dimensions");
    }
    step.node.attributes = {{"pads", pads}, {"mode", mode}, {"value", value}};
    step.drop_inputs(1);
}

std::vector<ValueType> infer_pad(const Step& step) {
    ValueType result = step.type(0);
    const Ints pads = step.node.integers("pads", {});
    constexpr std::int64_t largest = std::int64_t{1} << 31;
    for (std::size_t i = 0; i < result.dims.size(); ++i) {
        const std::int64_t start = pads[i];
        const std::int64_t end = pads[i + result.dims.size()];
        if (std::abs(std::clamp(start, -largest, largest)) == largest ||
            std::abs(std::clamp(end, -largest, largest)) == largest || result.dims[i] + start + end < 0) {
            step.refuse("the pads " + std::to_string(start) + " and " + std::to_string(end) +
                        " do not fit the size " + std::to_string(result.dims[i]));
        }
        if (step.node.text("mode", "constant") == "reflect" &&
            (start >= result.dims[i] + (start == 0) || end >= result.dims[i] + (end == 0))) {
            step.refuse("it reflects more than the input's " + std::to_string(result.dims[i]) + " elements");
        }
        result.dims[i] += start + end;
    }
    return {result};
}

std::vector<Tensor> fold_pad(const Step& step) {
    const Tensor& input = *step.constant(0);
    const ValueType type = infer_pad(step).front();
    const Ints pads = step.node.integers("pads", {});
    if (step.node.text("mode", "constant") != "constant") {
        return {};
    }
    const Tensor value =
        tensor_as(tensor_of({}, {1}, std::vector<float>{step.node.number("value", 0)}), type.type);
    const Ints strides = strides_of(input.dims);
    const Ints result_strides = strides_of(type.dims);
    return {picked(type.type, type.dims, [&](std::int64_t i) {
        std::int64_t at = 0;
        for (std::size_t axis = 0; axis < strides.size(); ++axis) {
            const std::int64_t index = i / result_strides[axis] % type.dims[axis] - pads[axis];
            if (index < 0 || index >= input.dims[axis]) {
                return value.data.view();
            }
            at += index * strides[axis];
        }
        return element(input, at);
    })};
}

std::int64_t block_of(const Step& step) {
    const std::int64_t block = step.node.integer("blocksize", 0);
    constexpr std::int64_t largest = 1 << 15;
    if (step.rank(0) != 4 || block < 1 || block > largest) {
        step.refuse("its input " + shape_text(step.dims(0)) + " or its blocksize " + std::to_string(block) +
                    " is not supported");
    }
    return block;
}

void form_depth_to_space(Step& step) {
    step.node.attributes = {{"blocksize", block_of(step)}, {"mode", step.node.text("mode", "DCR")}};
}

std::vector<ValueType> infer_depth_to_space(const Step& step) {
    const std::int64_t block = block_of(step);
    const Ints& dims = step.dims(0);
    if (dims[1] % (block * block) != 0) {
        step.refuse("its blocksize " + std::to_string(block) + " does not divide the channels of " +
                    shape_text(dims));
    }
    return {{step.type(0).type, {dims[0], dims[1] / (block * block), dims[2] * block, dims[3] * block}}};
}

std::vector<ValueType> infer_space_to_depth(const Step& step) {
    const std::int64_t block = block_of(step);
    const Ints& dims = step.dims(0);
    if (dims[2] % block != 0 || dims[3] % block != 0) {
        step.refuse("its blocksize " + std::to_string(block) + " does not divide the sizes of " +
                    shape_text(dims));
    }
    return {{step.type(0).type, {dims[0], dims[1] * block * block, dims[2] / block, dims[3] / block}}};
}

}  // namespace

std::vector<Op> resize_ops() {
    return {
        {"DepthToSpace", 1, 1, form_depth_to_space, infer_depth_to_space, nullptr},
        {"Pad", 1, 4, form_pad, infer_pad, fold_pad},
        {"Resize", 1, 4, form_resize, infer_resize, nullptr},
        {"SpaceToDepth", 1, 1, nullptr, infer_space_to_depth, nullptr},
        {"Upsample", 1, 2, form_resize, nullptr, nullptr},
    };
}

}  // namespace hacscale::onnx::detail
