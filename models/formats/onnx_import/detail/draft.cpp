#include "models/formats/onnx_import/detail/draft.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <unordered_set>
#include <utility>

namespace hacscale::detail {
namespace {

// Why a node is no layer.
struct NoLayer {
    std::string reason;
};

[[noreturn]] void no_layer(std::string reason) {
    throw NoLayer{std::move(reason)};
}

int small(std::int64_t number, std::string_view what) {
    if (number < 0 || number > std::numeric_limits<int>::max()) {
        no_layer(fmt::format("{} is {}", what, number));
    }
    return static_cast<int>(number);
}

std::string shape_text(const std::vector<std::int64_t>& dims) {
    return fmt::format("{}", fmt::join(dims, "x"));
}

// "layer1.0.conv1" for "layer1.0.conv1.weight"; nothing for constants that an exporter numbers.
std::optional<std::string> module_of(const std::string& initializer) {
    const std::size_t dot = initializer.rfind('.');
    if (dot == std::string::npos || dot == 0) return std::nullopt;
    return initializer.substr(0, dot);
}

class Drafting {
public:
    explicit Drafting(const onnx::Model& model) : graph_(model.graph) {
        for (const onnx::Tensor& tensor : graph_.initializers) constants_[tensor.name] = &tensor;
        for (const auto* infos : {&graph_.value_info, &graph_.inputs, &graph_.outputs}) {
            for (const onnx::ValueInfo& info : *infos) {
                if (auto sizes = info.sizes()) dims_[info.name] = std::move(*sizes);
            }
        }
    }

    Draft draft() {
        for (const onnx::ValueInfo& input : graph_.inputs) {
            if (size_of_value(input.name)) add_input(input.name);
        }
        for (const onnx::Node& node : graph_.nodes) add(node);
        for (const onnx::ValueInfo& output : graph_.outputs) add_output(output.name);
        return std::move(draft_);
    }

private:
    using Rule = void (Drafting::*)(const onnx::Node&);

    void add(const onnx::Node& node) {
        static const std::map<std::string_view, Rule> rules{
            {"Conv", &Drafting::conv},
            {"ConvTranspose", &Drafting::transposed_conv},
            {"Gemm", &Drafting::linear},
            {"MaxPool", &Drafting::pool},
            {"AveragePool", &Drafting::pool},
            {"GlobalAveragePool", &Drafting::global_pool},
            {"GlobalMaxPool", &Drafting::global_pool},
            {"BatchNormalization", &Drafting::batch_norm},
            {"Add", &Drafting::arithmetic},
            {"Sum", &Drafting::arithmetic},
            {"Mul", &Drafting::arithmetic},
            {"Concat", &Drafting::concat},
            {"Split", &Drafting::split},
            {"Slice", &Drafting::slice},
            {"Pad", &Drafting::pad},
            {"Resize", &Drafting::resize},
            {"Reshape", &Drafting::reshape},
            {"PRelu", &Drafting::prelu},
            {"LayerNormChannels", &Drafting::norm},
            {"GroupNorm", &Drafting::norm},
            {"InstanceNormalization", &Drafting::norm},
            {"Grn", &Drafting::norm},
            {"ChannelShuffle", &Drafting::shuffle},
            {"DepthToSpace", &Drafting::shuffle},
            {"SpaceToDepth", &Drafting::shuffle},
            {"ConvOverChannels", &Drafting::conv_over_channels},
        };
        const std::size_t layers = draft_.layers.size();
        const std::size_t inputs = draft_.inputs.size();
        try {
            if (const auto activation = activation_of(node)) return this->activation(node, *activation);
            const auto rule = rules.find(node.op_type);
            if (rule == rules.end()) no_layer("there is no layer for this operator");
            (this->*rule->second)(node);
        } catch (const NoLayer& cause) {
            undo_beyond(layers, inputs);
            leave_out(node, cause.reason);
        }
    }

    void undo_beyond(std::size_t layers, std::size_t inputs) {
        for (std::size_t i = layers; i < draft_.layers.size(); ++i) {
            draft_.sizes.erase(draft_.layers[i].output);
            written_.erase(draft_.layers[i].output);
        }
        draft_.layers.resize(layers);
        for (std::size_t i = inputs; i < draft_.inputs.size(); ++i) draft_.sizes.erase(draft_.inputs[i]);
        draft_.inputs.resize(inputs);
    }

    void leave_out(const onnx::Node& node, const std::string& reason) {
        draft_.left_out.push_back(fmt::format("{} is left out: {}", node.place(), reason));
        for (const std::string& input : node.inputs) add_output(input);
    }

    void add_input(const std::string& value) {
        draft_.inputs.push_back(value);
        draft_.sizes[value] = *size_of_value(value);
    }

    // Of values that no layer writes, nothing.
    void add_output(const std::string& value) {
        const std::string& source = source_of(value);
        if (!written_.contains(source) || !outputs_.insert(source).second) return;
        draft_.outputs.push_back(source);
    }

    // ---- Values ----

    const std::string& source_of(const std::string& value) const {
        const auto found = aliases_.find(value);
        return found == aliases_.end() ? value : found->second;
    }

    // N C H W and N C, of one image; nothing for others.
    std::optional<MapSize> size_of_value(const std::string& value) const {
        const auto found = dims_.find(value);
        if (found == dims_.end()) return std::nullopt;
        const std::vector<std::int64_t>& dims = found->second;
        const bool fits = std::ranges::all_of(
            dims, [](std::int64_t size) { return size >= 1 && size <= std::numeric_limits<int>::max(); });
        if (!fits || dims.front() != 1 || (dims.size() != 2 && dims.size() != 4)) return std::nullopt;
        MapSize size{.channels = static_cast<int>(dims[1])};
        if (dims.size() == 4) {
            size.height = static_cast<int>(dims[2]);
            size.width = static_cast<int>(dims[3]);
        }
        return size;
    }

    const std::vector<std::int64_t>& dims_of(const std::string& value) const {
        const auto found = dims_.find(value);
        if (found == dims_.end()) no_layer(fmt::format("the sizes of \"{}\" are not known", value));
        return found->second;
    }

    const onnx::Tensor* constant(const onnx::Node& node, std::size_t input) const {
        if (input >= node.inputs.size()) return nullptr;
        const auto found = constants_.find(node.inputs[input]);
        return found == constants_.end() ? nullptr : found->second;
    }

    std::vector<float> weights(const onnx::Node& node, std::size_t input, DraftLayer& layer) {
        const onnx::Tensor* const tensor = constant(node, input);
        if (tensor == nullptr) {
            no_layer(fmt::format("\"{}\" is computed, and only constant weights can be used",
                                 node.inputs.at(input)));
        }
        learn(*tensor, layer);
        return tensor->floats();
    }

    void learn(const onnx::Tensor& tensor, DraftLayer& layer) {
        layer.parameters.insert(tensor.name);
        draft_.parameter_counts[tensor.name] = tensor.count();
    }

    // A value that layers can read: as it is, flattened ones only where `flat`. What left-out nodes compute becomes an input.
    std::string data(const onnx::Node& node, std::size_t input, bool flat = false) {
        const std::string& value = node.inputs.at(input);
        if (constants_.contains(value)) no_layer(fmt::format("its input \"{}\" is a constant", value));
        const std::string& source = source_of(value);
        if (!flat && flattened_.contains(value)) {
            no_layer(fmt::format("its input \"{}\" is a map that was flattened", value));
        }
        if (!draft_.sizes.contains(source)) {
            if (!size_of_value(source)) {
                no_layer(
                    fmt::format("its input \"{}\" is {}, and layers read maps (1xCxHxW) or vectors (1xC)",
                                value, shape_text(dims_of(value))));
            }
            add_input(source);
        }
        return source;
    }

    const MapSize& size(const std::string& source) const { return draft_.sizes.at(source); }

    // ---- Layers ----

    DraftLayer begin(const onnx::Node& node, LayerKind kind, bool flat = false) {
        DraftLayer draft;
        draft.name = node.name;
        draft.layer.kind = kind;
        draft.layer.bias = kind == LayerKind::squeeze_excite;
        draft.inputs = {data(node, 0, flat)};
        draft.output = node.outputs.at(0);
        const MapSize& in = size(draft.inputs.front());
        draft.layer.in_channels = draft.layer.out_channels = in.channels;
        draft.layer.in_height = in.height;
        draft.layer.in_width = in.width;
        return draft;
    }

    void finish(DraftLayer draft) {
        const LayerSpec& layer = draft.layer;
        if (draft.over_channels.kernel == 0) {
            if (const auto reason = validate(layer)) no_layer(*reason);
        }
        draft_.sizes[draft.output] = {layer.out_channels, layer.out_height(), layer.out_width()};
        written_.insert(draft.output);
        draft_.layers.push_back(std::move(draft));
    }

    void set_window(const onnx::Node& node, Window& window, const std::vector<std::int64_t>& kernel) const {
        const auto take = [&](std::string_view attribute, auto& into, std::int64_t otherwise) {
            const std::vector<std::int64_t> values =
                node.integers(attribute, std::vector<std::int64_t>(into.size(), otherwise));
            if (values.size() != into.size()) {
                no_layer(fmt::format("{} has {} numbers, expected {} (layers have two axes)", attribute,
                                     values.size(), into.size()));
            }
            for (std::size_t i = 0; i < into.size(); ++i) into[i] = small(values[i], attribute);
        };
        if (kernel.size() != 2)
            no_layer(fmt::format("its kernel has {} axes, and layers have two", kernel.size()));
        window.kernel = {small(kernel[0], "kernel_shape"), small(kernel[1], "kernel_shape")};
        take("strides", window.strides, 1);
        take("dilations", window.dilations, 1);
        take("pads", window.pads, 0);
        for (int axis = 0; axis < 2; ++axis) {
            if (window.kernel[axis] == 1) window.dilations[axis] = 1;
        }
    }

    void name_after_weights(const onnx::Node& node, DraftLayer& draft) const {
        if (const auto module = module_of(node.inputs.at(1))) draft.name = *module;
    }

    void conv(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::conv);
        name_after_weights(node, draft);
        const std::vector<std::int64_t>& dims = dims_of_weights(node, 4);
        set_window(node, draft.layer.window, {dims[2], dims[3]});
        draft.layer.groups = small(node.integer("group", 1), "group");
        draft.layer.out_channels = small(dims[0], "output channels");
        draft.weights.weights = weights(node, 1, draft);
        add_bias(node, draft);
        finish(std::move(draft));
    }

    void transposed_conv(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::transposed_conv);
        name_after_weights(node, draft);
        const std::vector<std::int64_t>& dims = dims_of_weights(node, 4);
        set_window(node, draft.layer.window, {dims[2], dims[3]});
        // More output at the far side is less padding there.
        const std::vector<std::int64_t> more = node.integers("output_padding", {0, 0});
        for (int axis = 0; axis < 2; ++axis) {
            int& pad = draft.layer.window.pads[axis + 2];
            pad = small(pad - more.at(axis), "the padding at the far side, without output_padding,");
        }
        draft.layer.groups = small(node.integer("group", 1), "group");
        draft.layer.out_channels = small(dims[1] * draft.layer.groups, "output channels");
        draft.weights.weights = weights(node, 1, draft);
        add_bias(node, draft);
        finish(std::move(draft));
    }

    const std::vector<std::int64_t>& dims_of_weights(const onnx::Node& node, std::size_t rank) const {
        const onnx::Tensor* const tensor = constant(node, 1);
        if (tensor == nullptr) no_layer("its weights are computed, and only constant weights can be used");
        if (tensor->dims.size() != rank) {
            no_layer(fmt::format("its weights are {}, and layers have two axes", shape_text(tensor->dims)));
        }
        return tensor->dims;
    }

    void add_bias(const onnx::Node& node, DraftLayer& draft) {
        if (node.inputs.size() < 3 || node.inputs[2].empty()) return;
        draft.layer.bias = true;
        draft.weights.bias = weights(node, 2, draft);
    }

    void linear(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::linear, /*flat=*/true);
        name_after_weights(node, draft);
        const std::vector<std::int64_t>& dims = dims_of_weights(node, 2);
        if (node.integer("transB", 0) != 1 || node.number("alpha", 1.0F) != 1.0F ||
            (node.inputs.size() > 2 && node.number("beta", 1.0F) != 1.0F)) {
            no_layer("its product is not that of a linear layer");
        }
        draft.layer.out_channels = small(dims[0], "output features");
        const std::int64_t features = size(draft.inputs.front()).elements();
        if (features != dims[1]) no_layer(fmt::format("it reads {} features of {}", dims[1], features));
        draft.weights.weights = weights(node, 1, draft);
        add_bias(node, draft);
        if (draft.layer.bias && draft.weights.bias.size() == 1) {
            draft.weights.bias.resize(dims[0], draft.weights.bias.front());
        }
        finish(std::move(draft));
    }

    void pool(const onnx::Node& node) {
        const bool average = node.op_type == "AveragePool";
        if (node.outputs.size() > 1 && !node.outputs[1].empty()) no_layer("its indices are read");
        DraftLayer draft = begin(node, average ? LayerKind::avg_pool : LayerKind::max_pool);
        Window& window = draft.layer.window;
        set_window(node, window, node.integers("kernel_shape", {}));
        const bool padded = window.pads != std::array<int, 4>{0, 0, 0, 0};
        if (average && padded && node.integer("count_include_pad", 0) == 1)
            draft.layer.mode = Mode::count_padding;
        finish(std::move(draft));
    }

    void global_pool(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::global_avg_pool);
        if (node.op_type == "GlobalMaxPool") {
            draft.layer.kind = LayerKind::max_pool;
            draft.layer.window.kernel = {draft.layer.in_height, draft.layer.in_width};
        }
        finish(std::move(draft));
    }

    void batch_norm(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::scale_shift);
        const std::vector<float> scale = weights(node, 1, draft);
        const std::vector<float> bias = weights(node, 2, draft);
        const onnx::Tensor* const mean = constant(node, 3);
        const onnx::Tensor* const variance = constant(node, 4);
        if (mean == nullptr || variance == nullptr) no_layer("its mean and variance are computed");
        name_after_weights(node, draft);
        const std::vector<float> means = mean->floats();
        const std::vector<float> variances = variance->floats();
        const double epsilon = node.number("epsilon", 1e-5F);
        for (std::size_t c = 0; c < scale.size(); ++c) {
            const double factor = scale[c] / std::sqrt(variances.at(c) + epsilon);
            draft.weights.weights.push_back(static_cast<float>(factor));
            draft.weights.bias.push_back(static_cast<float>(bias.at(c) - factor * means.at(c)));
        }
        finish(std::move(draft));
    }

    // Of a constant that is added to or multiplied with a map: a number for each channel.
    std::vector<float> per_channel(const onnx::Tensor& tensor, const MapSize& map, std::size_t rank) const {
        const std::vector<float> values = tensor.floats();
        if (values.size() == 1) return std::vector<float>(map.channels, values.front());
        std::vector<std::int64_t> dims = tensor.dims;
        while (dims.size() < rank) dims.insert(dims.begin(), 1);
        const bool channels = dims.size() == rank && dims[1] == map.channels &&
                              static_cast<std::int64_t>(values.size()) == dims[1];
        if (!channels) {
            no_layer(fmt::format("its constant is {}, expected one number or one for each of {} channels",
                                 shape_text(tensor.dims), map.channels));
        }
        return values;
    }

    void scale_or_shift(const onnx::Node& node, std::size_t which) {
        onnx::Node reordered = node;
        std::swap(reordered.inputs[0], reordered.inputs[1 - which]);
        DraftLayer draft = begin(reordered, LayerKind::scale_shift);
        const onnx::Tensor& tensor = *constant(node, which);
        const std::size_t rank = dims_of(node.outputs.at(0)).size();
        const std::vector<float> values = per_channel(tensor, size(draft.inputs.front()), rank);
        if (module_of(tensor.name)) learn(tensor, draft);  // exporters' own constants have no module
        const bool scales = node.op_type == "Mul";
        draft.weights.weights = scales ? values : std::vector<float>(values.size(), 1.0F);
        draft.weights.bias = scales ? std::vector<float>(values.size(), 0.0F) : values;
        finish(std::move(draft));
    }

    void arithmetic(const onnx::Node& node) {
        const bool product = node.op_type == "Mul";
        if (node.inputs.size() < 2) no_layer("it has one input");
        for (const std::size_t which : {std::size_t{0}, std::size_t{1}}) {
            if (node.inputs.size() == 2 && constant(node, which) != nullptr)
                return scale_or_shift(node, which);
        }
        onnx::Node pair = node;
        std::vector<std::string> rest(node.inputs.begin() + 2, node.inputs.end());
        for (std::size_t i = 0; i <= rest.size(); ++i) {
            // A sum of several values is a chain of adds.
            pair.outputs = {i == rest.size() ? node.outputs[0] : fmt::format("{}.{}", node.outputs[0], i)};
            const MapSize first = size(data(pair, 0));
            const MapSize second = size(data(pair, 1));
            const bool gate = product && first != second && first.channels == second.channels;
            if (gate && first.height * first.width == 1) std::swap(pair.inputs[0], pair.inputs[1]);
            DraftLayer draft = begin(pair, product ? LayerKind::multiply : LayerKind::add);
            const MapSize& other = size(data(pair, 1));
            if (gate && other.height * other.width == 1) {
                draft.layer.mode = Mode::per_channel;
            } else if (first != second) {
                no_layer(fmt::format(
                    "its inputs are {}x{}x{} and {}x{}x{}; of different sizes, there is a layer for "
                    "a map times one number a channel only",
                    first.channels, first.height, first.width, second.channels, second.height, second.width));
            }
            draft.layer.inputs = 2;
            draft.inputs.push_back(data(pair, 1));
            finish(std::move(draft));
            if (i < rest.size()) pair.inputs = {pair.outputs[0], rest[i]};
        }
    }

    void concat(const onnx::Node& node) {
        if (node.integer("axis", 1) != 1) no_layer("it joins another axis than the channels");
        DraftLayer draft = begin(node, LayerKind::concat);
        for (std::size_t i = 1; i < node.inputs.size(); ++i) {
            draft.inputs.push_back(data(node, i));
            draft.layer.in_channels += size(draft.inputs.back()).channels;
        }
        draft.layer.inputs = static_cast<std::uint16_t>(
            std::min<std::size_t>(draft.inputs.size(), std::numeric_limits<std::uint16_t>::max()));
        draft.layer.out_channels = draft.layer.in_channels;
        finish(std::move(draft));
    }

    void add_slice(const onnx::Node& node, const std::string& output, std::int64_t first,
                   std::int64_t count) {
        DraftLayer draft = begin(node, LayerKind::slice);
        draft.output = output;
        draft.layer.first_channel = small(first, "the first channel");
        draft.layer.out_channels = small(count, "the number of channels");
        finish(std::move(draft));
    }

    void split(const onnx::Node& node) {
        if (node.integer("axis", 0) != 1) no_layer("it divides another axis than the channels");
        const std::vector<std::int64_t> sizes = node.integers("split", {});
        std::int64_t first = 0;
        for (std::size_t i = 0; i < node.outputs.size(); ++i) {
            if (!node.outputs[i].empty()) add_slice(node, node.outputs[i], first, sizes.at(i));
            first += sizes.at(i);
        }
    }

    void slice(const onnx::Node& node) {
        const std::vector<std::int64_t> starts = node.integers("starts", {});
        const std::vector<std::int64_t> counts = node.integers("counts", {});
        const std::vector<std::int64_t> steps = node.integers("steps", {});
        const std::vector<std::int64_t>& dims = dims_of(node.inputs.at(0));
        for (std::size_t axis = 0; axis < dims.size(); ++axis) {
            const bool whole = starts.at(axis) == 0 && counts.at(axis) == dims[axis];
            if (steps.at(axis) != 1 || (axis != 1 && !whole))
                no_layer("it takes more than neighbouring channels apart");
        }
        add_slice(node, node.outputs.at(0), starts[1], counts[1]);
    }

    void pad(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::pad);
        const std::vector<std::int64_t> pads = node.integers("pads", {});
        if (node.text("mode", "constant") != "constant" || node.number("value", 0.0F) != 0.0F) {
            no_layer("it pads with other values than zeros");
        }
        if (pads.size() != 8 || pads[0] != 0 || pads[1] != 0 || pads[4] != 0 || pads[5] != 0) {
            no_layer("it pads other axes than height and width");
        }
        draft.layer.window.pads = {small(pads[2], "pads"), small(pads[3], "pads"), small(pads[6], "pads"),
                                   small(pads[7], "pads")};
        finish(std::move(draft));
    }

    void resize(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::resize);
        const MapSize out = size_of_value(node.outputs.at(0)).value_or(MapSize{});
        if (out.channels != draft.layer.in_channels) no_layer("it resizes other axes than height and width");
        draft.layer.size = {out.height, out.width};
        const std::string mode = node.text("mode", "nearest");
        const std::string place = node.text("coordinate_transformation_mode", "half_pixel");
        const bool centres = place == "half_pixel" || place == "pytorch_half_pixel";
        const bool grows = out.height % draft.layer.in_height == 0 && out.width % draft.layer.in_width == 0;
        if (mode == "linear" && centres) {
            draft.layer.mode = Mode::bilinear;
        } else if (mode == "linear" && place == "align_corners") {
            draft.layer.mode = Mode::bilinear_align_corners;
        } else if (mode == "nearest") {
            const std::string rounding = node.text("nearest_mode", "round_prefer_floor");
            // By a whole factor, each element becomes a block of equal ones, wherever the centres are.
            if ((place == "asymmetric" && rounding == "floor") || (grows && centres && rounding != "ceil")) {
                draft.layer.mode = Mode::nearest;
            } else if (centres && rounding == "round_prefer_floor") {
                draft.layer.mode = Mode::nearest_half_pixel;
            } else if (centres && rounding == "round_prefer_ceil") {
                draft.layer.mode = Mode::nearest_half_pixel_up;
            } else {
                no_layer(fmt::format("nearest elements at {} rounded by {}", place, rounding));
            }
        } else {
            no_layer(fmt::format("mode \"{}\" at {}", mode, place));
        }
        finish(std::move(draft));
    }

    void reshape(const onnx::Node& node) {
        const std::string& value = node.inputs.at(0);
        const std::string source = data(node, 0, /*flat=*/true);
        const auto to = size_of_value(node.outputs.at(0));
        const MapSize& from = size(source);
        if (!to || to->elements() != from.elements()) {
            no_layer(fmt::format("{} becomes {}", shape_text(dims_of(value)),
                                 shape_text(dims_of(node.outputs.at(0)))));
        }
        const bool flat = to->height * to->width == 1;
        if (*to != from && !flat) no_layer("its output is a map of other sizes");
        aliases_[node.outputs.at(0)] = source;
        if (*to != from) flattened_.insert(node.outputs.at(0));
    }

    void prelu(const onnx::Node& node) {
        DraftLayer draft = begin(node, LayerKind::prelu);
        name_after_weights(node, draft);
        const onnx::Tensor* const slopes = constant(node, 1);
        if (slopes == nullptr) no_layer("its slopes are computed");
        learn(*slopes, draft);
        draft.weights.weights =
            per_channel(*slopes, size(draft.inputs.front()), dims_of(node.outputs.at(0)).size());
        finish(std::move(draft));
    }

    void norm(const onnx::Node& node) {
        DraftLayer draft = begin(node, node.op_type == "LayerNormChannels" ? LayerKind::layer_norm
                                       : node.op_type == "Grn"             ? LayerKind::grn
                                                                           : LayerKind::group_norm);
        name_after_weights(node, draft);
        draft.layer.epsilon = Parameter(node.number("epsilon", 1e-5F));
        if (node.op_type == "GroupNorm")
            draft.layer.groups = small(node.integer("num_groups", 1), "num_groups");
        if (node.op_type == "InstanceNormalization") draft.layer.groups = draft.layer.in_channels;
        draft.weights.weights = weights(node, 1, draft);
        const bool shifts = node.inputs.size() > 2 && !node.inputs[2].empty();
        draft.weights.bias =
            shifts ? weights(node, 2, draft) : std::vector<float>(draft.weights.weights.size(), 0.0F);
        finish(std::move(draft));
    }

    void shuffle(const onnx::Node& node) {
        if (node.op_type == "ChannelShuffle") {
            DraftLayer draft = begin(node, LayerKind::channel_shuffle);
            draft.layer.groups = small(node.integer("groups", 1), "groups");
            return finish(std::move(draft));
        }
        const bool spreads = node.op_type == "DepthToSpace";
        DraftLayer draft = begin(node, spreads ? LayerKind::pixel_shuffle : LayerKind::space_to_depth);
        const int block = small(node.integer("blocksize", 1), "blocksize");
        draft.layer.window.strides = {block, block};
        const bool channels_first = spreads ? node.text("mode", "DCR") == "CRD" : node.domain == "hacscale";
        draft.layer.mode = channels_first ? Mode::channels_first : Mode::blocks_first;
        const std::int64_t pixels = std::int64_t{block} * block;
        draft.layer.out_channels = small(spreads ? draft.layer.in_channels / std::max<std::int64_t>(1, pixels)
                                                 : draft.layer.in_channels * pixels,
                                         "output channels");
        finish(std::move(draft));
    }

    void conv_over_channels(const onnx::Node& node) {
        if (node.inputs.size() > 2 && !node.inputs[2].empty()) no_layer("a kernel over channels with a bias");
        DraftLayer draft = begin(node, LayerKind::eca);
        name_after_weights(node, draft);
        draft.over_channels.weights = weights(node, 1, draft);
        draft.over_channels.kernel =
            small(static_cast<std::int64_t>(draft.over_channels.weights.size()), "kernel");
        const std::vector<std::int64_t> pads = node.integers("pads", {0, 0});
        if (pads.size() != 2 || pads[0] != pads[1] || 2 * pads[0] + 1 != draft.over_channels.kernel) {
            no_layer("its output has other channels than its input");
        }
        finish(std::move(draft));
    }

    // ---- Activations ----

    struct Curve {
        Activation activation;
        float alpha = 0.0F;
    };

    static std::optional<Curve> activation_of(const onnx::Node& node) {
        static const std::map<std::string_view, Activation> plain{
            {"Relu", Activation::relu},   {"Sigmoid", Activation::sigmoid},
            {"Tanh", Activation::tanh},   {"Softplus", Activation::softplus},
            {"Silu", Activation::silu},   {"HardSwish", Activation::hard_swish},
            {"Relu6", Activation::relu6}, {"Mish", Activation::mish},
        };
        if (const auto found = plain.find(node.op_type); found != plain.end()) return Curve{found->second};
        if (node.op_type == "HardSigmoid" && node.domain == "hacscale")
            return Curve{Activation::hard_sigmoid};
        if (node.op_type == "Gelu") {
            return Curve{node.text("approximate", "none") == "tanh" ? Activation::gelu_tanh
                                                                    : Activation::gelu};
        }
        if (node.op_type == "LeakyRelu") return Curve{Activation::leaky_relu, node.number("alpha", 0.01F)};
        if (node.op_type == "Elu") return Curve{Activation::elu, node.number("alpha", 1.0F)};
        return std::nullopt;
    }

    void activation(const onnx::Node& node, const Curve& curve) {
        if (curve.alpha < 0.0F) no_layer(fmt::format("its alpha is {}", curve.alpha));
        DraftLayer draft = begin(node, LayerKind::activation);
        draft.layer.activation = curve.activation;
        if (has_alpha(curve.activation)) draft.layer.alpha = Parameter(curve.alpha);
        finish(std::move(draft));
    }

    const onnx::Graph& graph_;
    std::unordered_map<std::string, const onnx::Tensor*> constants_;
    std::unordered_map<std::string, std::vector<std::int64_t>> dims_;
    std::unordered_map<std::string, std::string> aliases_;  // reshaped values, and whose numbers they have
    std::unordered_set<std::string> flattened_;             // of those, maps as vectors
    std::unordered_set<std::string> written_;               // by layers
    std::unordered_set<std::string> outputs_;
    Draft draft_;
};

}  // namespace

Draft draft_of(const onnx::Model& model) {
    return Drafting(model).draft();
}

}  // namespace hacscale::detail
