// Operators with a window that moves over the spatial axes: convs and pools. In their form, all attributes of the window are there:
// kernel_shape, strides, dilations and pads (the starts of all axes, then the ends), with auto_pad resolved.
#include <algorithm>

#include "models/formats/onnx/detail/ops.hpp"
#include "models/formats/onnx/detail/wording.hpp"

namespace hacscale::onnx::detail {

namespace {

constexpr std::int64_t largest_size = std::int64_t{1} << 31;

struct Window {
    Ints kernel, strides, dilations, pads;

    std::size_t axes() const { return kernel.size(); }
    // The distance that a dilated kernel covers.
    std::int64_t extent(std::size_t axis) const { return (kernel[axis] - 1) * dilations[axis] + 1; }
};

Ints window_list(const Step& step, std::string_view name, std::size_t count, std::int64_t otherwise,
                 std::int64_t lowest) {
    Ints list = step.node.integers(name, Ints(count, otherwise));
    if (list.size() != count) {
        step.refuse("the attribute \"" + std::string(name) + "\" has " + std::to_string(list.size()) +
                    " numbers, expected " + std::to_string(count));
    }
    for (const std::int64_t each : list) {
        if (each < lowest || each >= largest_size) {
            step.refuse("the attribute \"" + std::string(name) + "\" has the number " + std::to_string(each) +
                        ", expected at least " + std::to_string(lowest));
        }
    }
    return list;
}

Window window_of(const Step& step, std::size_t axes) {
    return {window_list(step, "kernel_shape", axes, 1, 1), window_list(step, "strides", axes, 1, 1),
            window_list(step, "dilations", axes, 1, 1), window_list(step, "pads", 2 * axes, 0, 0)};
}

std::size_t spatial_axes(const Step& step) {
    if (step.rank(0) < 3) {
        step.refuse("its input " + shape_text(step.dims(0)) + " has no spatial axis");
    }
    return step.dims(0).size() - 2;
}

// SAME_UPPER and SAME_LOWER: as many outputs as strides fit into the input; an odd pad goes to the end or to the start.
void resolve_auto_pad(Step& step, Window& window) {
    const std::string rule = step.node.text("auto_pad", "NOTSET");
    if (rule == "NOTSET") {
        return;
    }
    if (rule != "VALID" && rule != "SAME_UPPER" && rule != "SAME_LOWER") {
        step.refuse("the attribute \"auto_pad\" is \"" + readable(rule) +
                    "\", expected NOTSET, VALID, SAME_UPPER or SAME_LOWER");
    }
    window.pads.assign(2 * window.axes(), 0);
    if (rule == "VALID") {
        return;
    }
    for (std::size_t i = 0; i < window.axes(); ++i) {
        const std::int64_t size = step.dims(0)[i + 2];
        const std::int64_t outputs = (size + window.strides[i] - 1) / window.strides[i];
        const std::int64_t pad =
            std::max<std::int64_t>((outputs - 1) * window.strides[i] + window.extent(i) - size, 0);
        window.pads[i] = rule == "SAME_UPPER" ? pad / 2 : pad - pad / 2;
        window.pads[i + window.axes()] = pad - window.pads[i];
    }
}

void store(Step& step, const Window& window) {
    step.node.attributes["kernel_shape"] = window.kernel;
    step.node.attributes["strides"] = window.strides;
    step.node.attributes["dilations"] = window.dilations;
    step.node.attributes["pads"] = window.pads;
    step.node.attributes.erase("auto_pad");
}

// What is left of the padded input once the window stands at its start; refused where the window does not fit.
std::int64_t room(const Step& step, const Window& window, std::size_t axis) {
    const std::int64_t padded =
        step.dims(0)[axis + 2] + window.pads[axis] + window.pads[axis + window.axes()];
    if (padded < window.extent(axis)) {
        step.refuse("its window of " + std::to_string(window.extent(axis)) +
                    " is larger than the padded input of " + std::to_string(padded));
    }
    return padded - window.extent(axis);
}

// ---- Conv ----

void form_conv(Step& step) {
    const std::size_t axes = spatial_axes(step);
    const Ints& weights = step.dims(1);
    if (weights.size() != axes + 2) {
        step.refuse("its weights " + shape_text(weights) + " do not fit the input " +
                    shape_text(step.dims(0)));
    }
    const Ints kernel(weights.begin() + 2, weights.end());
    if (step.node.integers("kernel_shape", kernel) != kernel) {
        step.refuse("the attribute \"kernel_shape\" differs from the weights' " + shape_text(weights));
    }
    step.node.attributes["kernel_shape"] = kernel;
    Window window = window_of(step, axes);
    if (step.node.op_type == "Conv") {
        resolve_auto_pad(step, window);
    }
    store(step, window);
    step.node.attributes["group"] = step.node.integer("group", 1);
}

void check_channels(const Step& step, std::int64_t inputs_of_weights, std::int64_t outputs) {
    const std::int64_t group = step.node.integer("group", 1);
    const std::int64_t channels = step.dims(0)[1];
    if (group < 1 || group > largest_size || inputs_of_weights != channels || outputs % group != 0 ||
        channels % group != 0) {
        step.refuse("its weights " + shape_text(step.dims(1)) + " in " + std::to_string(group) +
                    " groups do not fit the " + std::to_string(channels) + " channels of its input");
    }
    if (step.has(2) && step.dims(2) != Ints{outputs}) {
        step.refuse("its bias has the shape " + shape_text(step.dims(2)) + ", expected " +
                    std::to_string(outputs));
    }
}

std::vector<ValueType> infer_conv(const Step& step) {
    const Window window = window_of(step, spatial_axes(step));
    const Ints& weights = step.dims(1);
    const std::int64_t group = step.node.integer("group", 1);
    if (weights[1] > largest_size || group > largest_size) {
        step.refuse("the attribute \"group\" is too large");
    }
    check_channels(step, weights[1] * group, weights[0]);
    Ints dims = {step.dims(0)[0], weights[0]};
    for (std::size_t i = 0; i < window.axes(); ++i) {
        dims.push_back(room(step, window, i) / window.strides[i] + 1);
    }
    return {{step.type(0).type, dims}};
}

// Of maps; position encodings go through one.
std::vector<Tensor> fold_conv(const Step& step) {
    const Ints& in = step.dims(0);
    if (in.size() != 4 || !is_floating(step.type(0).type)) {
        return {};
    }
    const Ints& weights = step.dims(1);
    const Ints out = infer_conv(step).front().dims;
    const std::int64_t kernel_size = count_of({weights[1], weights[2], weights[3]});
    if (!step.take_multiplies(count_of(out) * std::min<std::int64_t>(kernel_size, std::int64_t{1} << 20))) {
        return {};
    }
    const Window window = window_of(step, 2);
    const std::int64_t group_outputs = out[1] / step.node.integer("group", 1);
    const std::vector<float> x = step.constant(0)->floats();
    const std::vector<float> w = step.constant(1)->floats();
    const std::vector<float> bias = step.has(2) ? step.constant(2)->floats() : std::vector<float>{};
    std::vector<float> result;
    result.reserve(static_cast<std::size_t>(count_of(out)));
    const auto at = [](const std::vector<float>& values, std::int64_t index) {
        return static_cast<double>(values[static_cast<std::size_t>(index)]);
    };
    const auto sum_at = [&](std::int64_t n, std::int64_t o, std::int64_t row, std::int64_t column) {
        double sum = bias.empty() ? 0.0 : at(bias, o);
        const std::int64_t first_channel = o / group_outputs * weights[1];
        for (std::int64_t c = 0; c < weights[1]; ++c) {
            for (std::int64_t y = 0; y < weights[2]; ++y) {
                const std::int64_t in_row =
                    row * window.strides[0] + y * window.dilations[0] - window.pads[0];
                if (in_row < 0 || in_row >= in[2]) {
                    continue;
                }
                for (std::int64_t z = 0; z < weights[3]; ++z) {
                    const std::int64_t in_column =
                        column * window.strides[1] + z * window.dilations[1] - window.pads[1];
                    if (in_column < 0 || in_column >= in[3]) {
                        continue;
                    }
                    sum += at(x, ((n * in[1] + first_channel + c) * in[2] + in_row) * in[3] + in_column) *
                           at(w, ((o * weights[1] + c) * weights[2] + y) * weights[3] + z);
                }
            }
        }
        return static_cast<float>(sum);
    };
    for (std::int64_t n = 0; n < out[0]; ++n) {
        for (std::int64_t o = 0; o < out[1]; ++o) {
            for (std::int64_t row = 0; row < out[2]; ++row) {
                for (std::int64_t column = 0; column < out[3]; ++column) {
                    result.push_back(sum_at(n, o, row, column));
                }
            }
        }
    }
    return {tensor_as(tensor_of({}, out, result), step.type(0).type)};
}

// ---- ConvTranspose ----

// output_shape becomes pads; its rule: total padding = stride x (input - 1) + output_padding + extent - output.
void form_conv_transpose(Step& step) {
    const std::string rule = step.node.text("auto_pad", "NOTSET");
    form_conv(step);
    Window window = window_of(step, spatial_axes(step));
    const Ints extra = window_list(step, "output_padding", window.axes(), 0, 0);
    Ints outputs = step.node.integers("output_shape", {});
    if (outputs.size() == window.axes() + 2) {
        outputs.erase(outputs.begin(), outputs.begin() + 2);
    }
    if (outputs.empty() && (rule == "SAME_UPPER" || rule == "SAME_LOWER")) {
        for (std::size_t i = 0; i < window.axes(); ++i) {
            if (step.dims(0)[i + 2] > largest_size) {
                step.refuse("its input is too large");
            }
            outputs.push_back(step.dims(0)[i + 2] * window.strides[i]);
        }
    }
    if (!outputs.empty() && outputs.size() != window.axes()) {
        step.refuse("the attribute \"output_shape\" does not fit its input");
    }
    for (std::size_t i = 0; i < outputs.size(); ++i) {
        if (step.dims(0)[i + 2] > largest_size) {
            step.refuse("its input is too large");
        }
        const std::int64_t whole =
            window.strides[i] * (step.dims(0)[i + 2] - 1) + extra[i] + window.extent(i);
        if (outputs[i] < 1 || outputs[i] > whole) {
            step.refuse("the attribute \"output_shape\" cannot be reached by padding");
        }
        const std::int64_t pad = whole - outputs[i];
        window.pads[i] = rule == "SAME_UPPER" ? pad / 2 : pad - pad / 2;
        window.pads[i + window.axes()] = pad - window.pads[i];
    }
    if (rule == "VALID") {
        window.pads.assign(2 * window.axes(), 0);
    }
    store(step, window);
    step.node.attributes["output_padding"] = extra;
    step.node.attributes.erase("output_shape");
}

std::vector<ValueType> infer_conv_transpose(const Step& step) {
    const Window window = window_of(step, spatial_axes(step));
    const Ints extra = step.node.integers("output_padding", {});
    const Ints& weights = step.dims(1);
    const std::int64_t group = step.node.integer("group", 1);
    if (weights[1] > largest_size || group > largest_size) {
        step.refuse("the attribute \"group\" is too large");
    }
    check_channels(step, weights[0], weights[1] * group);
    Ints dims = {step.dims(0)[0], weights[1] * group};
    for (std::size_t i = 0; i < window.axes(); ++i) {
        if (step.dims(0)[i + 2] > largest_size) {
            step.refuse("its input is too large");
        }
        const std::int64_t size = (step.dims(0)[i + 2] - 1) * window.strides[i] + window.extent(i) +
                                  extra[i] - window.pads[i] - window.pads[i + window.axes()];
        if (size < 1) {
            step.refuse("its pads are larger than its output");
        }
        dims.push_back(size);
    }
    return {{step.type(0).type, dims}};
}

// ---- Pools ----

// With ceil_mode, the last window may reach over the end, but does not start there. Where the pads can be made larger so that the
// window fits, they are: that changes nothing for a maximum, nor for a mean that does not count pads.
void resolve_ceil_mode(Step& step, Window& window) {
    const bool counts_pads = step.node.integer("count_include_pad", 0) != 0;
    const bool has_pads =
        std::any_of(window.pads.begin(), window.pads.end(), [](std::int64_t pad) { return pad != 0; });
    const bool is_max = step.node.op_type == "MaxPool";
    if (counts_pads && !has_pads) {
        step.node.attributes["count_include_pad"] = std::int64_t{0};
    }
    if (!is_max && counts_pads && has_pads) {
        bool fits = true;
        for (std::size_t i = 0; i < window.axes(); ++i) {
            fits = fits && room(step, window, i) % window.strides[i] == 0;
        }
        if (!fits) {
            step.refuse("it has \"ceil_mode\" and counts pads, which is not supported together");
        }
        return;
    }
    for (std::size_t i = 0; i < window.axes(); ++i) {
        const std::int64_t rest = room(step, window, i);
        std::int64_t steps = (rest + window.strides[i] - 1) / window.strides[i];
        if (steps * window.strides[i] >= step.dims(0)[i + 2] + window.pads[i]) {
            --steps;
        }
        window.pads[i + window.axes()] += std::max<std::int64_t>(steps * window.strides[i] - rest, 0);
    }
}

void form_pool(Step& step) {
    const std::size_t axes = spatial_axes(step);
    if (step.node.integers("kernel_shape") == nullptr) {
        step.refuse("it has no attribute \"kernel_shape\"");
    }
    if (step.node.outputs.size() > 1 && !step.node.outputs[1].empty()) {
        step.refuse("its output \"Indices\" is not supported");
    }
    step.node.outputs.resize(1);
    Window window = window_of(step, axes);
    resolve_auto_pad(step, window);
    const bool is_max = step.node.op_type == "MaxPool";
    if (!is_max) {
        step.node.attributes["count_include_pad"] = step.node.integer("count_include_pad", 0);
    }
    if (step.node.integer("ceil_mode", 0) != 0) {
        resolve_ceil_mode(step, window);
    }
    for (std::size_t i = 0; i < axes; ++i) {
        // A window in the pads alone would have no maximum and no mean.
        if (window.pads[i] >= window.extent(i)) {
            step.refuse("its pads are not smaller than its kernel");
        }
    }
    store(step, window);
    step.node.attributes.erase("ceil_mode");
    step.node.attributes.erase("storage_order");
    bool covers_all = !is_max;
    bool has_pads = false;
    for (std::size_t i = 0; i < axes; ++i) {
        covers_all = covers_all && window.kernel[i] == step.dims(0)[i + 2] && window.dilations[i] == 1;
        has_pads = has_pads || window.pads[i] != 0 || window.pads[i + axes] != 0;
    }
    if (!has_pads && !is_max) {
        step.node.attributes["count_include_pad"] = std::int64_t{0};
    }
    if (covers_all && !has_pads) {
        step.node.op_type = "GlobalAveragePool";
        step.node.attributes.clear();
    }
}

std::vector<ValueType> infer_pool(const Step& step) {
    const Window window = window_of(step, spatial_axes(step));
    Ints dims = {step.dims(0)[0], step.dims(0)[1]};
    for (std::size_t i = 0; i < window.axes(); ++i) {
        dims.push_back(room(step, window, i) / window.strides[i] + 1);
    }
    return {{step.type(0).type, dims}};
}

std::vector<ValueType> infer_global_pool(const Step& step) {
    ValueType result = step.type(0);
    std::fill(result.dims.begin() + 2,
              result.dims.begin() + 2 + static_cast<std::int64_t>(spatial_axes(step)), 1);
    return {result};
}

}  // namespace

std::vector<Op> window_ops() {
    return {
        {"AveragePool", 1, 1, form_pool, infer_pool, nullptr},
        {"Conv", 2, 3, form_conv, infer_conv, fold_conv},
        {"ConvTranspose", 2, 3, form_conv_transpose, infer_conv_transpose, nullptr},
        {"GlobalAveragePool", 1, 1, nullptr, infer_global_pool, nullptr},
        {"GlobalMaxPool", 1, 1, nullptr, infer_global_pool, nullptr},
        {"MaxPool", 1, 1, form_pool, infer_pool, nullptr},
    };
}

}  // namespace hacscale::onnx::detail
