#include "models/formats/onnx_import/detail/drafting.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <functional>
#include <limits>
#include <map>
#include <numeric>
#include <utility>

namespace hacscale::detail {

std::optional<std::string> module_of(const std::string& initializer) {
    const std::size_t dot = initializer.rfind('.');
    if (dot == std::string::npos || dot == 0) return std::nullopt;
    // "/stages.2/blocks/Constant_output_0" is of no module: the dot is within a part of its path.
    if (initializer.find('/', dot) != std::string::npos) return std::nullopt;
    return initializer.substr(0, dot);
}

std::optional<std::string> module_of_node(const std::string& node) {
    if (!node.starts_with('/')) return std::nullopt;
    std::string path;    // of the modules before `part`
    std::string before;  // the last of them
    for (std::size_t begin = 1, end = node.find('/', 1); end != std::string::npos;
         begin = end + 1, end = node.find('/', begin)) {
        const std::string part = node.substr(begin, end - begin);
        if (!before.empty() && part.starts_with(before + ".")) {
            path += part.substr(before.size());
        } else {
            path += (path.empty() ? "" : ".") + part;
        }
        before = part;
    }
    return path.empty() ? std::nullopt : std::optional(path);
}

void no_layer(std::string reason) {
    throw NoLayer{std::move(reason)};
}

int small(std::int64_t number, std::string_view what) {
    if (number < 0 || number > std::numeric_limits<int>::max()) {
        no_layer(fmt::format("{} is {}", what, number));
    }
    return static_cast<int>(number);
}

Drafting::Drafting(const onnx::Model& model) : graph_(model.graph) {
    draft_.moved_from = model.moved_from;
    for (const onnx::Tensor& tensor : graph_.initializers) constants_[tensor.name] = &tensor;
    for (const auto* infos : {&graph_.value_info, &graph_.inputs, &graph_.outputs}) {
        for (const onnx::ValueInfo& info : *infos) {
            if (auto sizes = info.sizes()) dims_[info.name] = std::move(*sizes);
        }
    }
}

Draft Drafting::draft() {
    for (const onnx::ValueInfo& input : graph_.inputs) {
        if (size_of_value(input.name)) add_input(input.name);
    }
    for (const onnx::Node& node : graph_.nodes) add(node);
    for (const onnx::ValueInfo& output : graph_.outputs) {
        place_ = output.name;
        try {
            const View view = view_of(output.name);
            if (!draft_.sizes.contains(view.source)) continue;
            const auto size = size_of_value(output.name);
            const View natural = arranged(view, natural_order(view.axes));
            views_[output.name] = {size ? formed(natural.source, *size) : natural.source, natural.axes};
        } catch (const NoLayer& cause) {
            draft_.left_out.push_back(fmt::format("the output \"{}\" has its numbers in another order: {}",
                                                  output.name, cause.reason));
        }
        add_output(output.name);
    }
    return std::move(draft_);
}

void Drafting::add(const onnx::Node& node) {
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
        {"Sub", &Drafting::difference},
        {"Mul", &Drafting::arithmetic},
        {"Concat", &Drafting::concat},
        {"Split", &Drafting::split},
        {"Slice", &Drafting::slice},
        {"Pad", &Drafting::pad},
        {"Resize", &Drafting::resize},
        {"Reshape", &Drafting::reshape},
        {"Transpose", &Drafting::transpose},
        {"MatMul", &Drafting::matmul},
        {"Einsum", &Drafting::einsum},
        {"Neg", &Drafting::negative},
        {"Softmax", &Drafting::softmax},
        {"ReduceMean", &Drafting::reduce},
        {"ReduceSum", &Drafting::reduce},
        {"ReduceMax", &Drafting::reduce},
        {"Gather", &Drafting::gather},
        {"Expand", &Drafting::expand},
        {"Tile", &Drafting::tile},
        {"Pow", &Drafting::power},
        {"Div", &Drafting::arithmetic},
        {"Max", &Drafting::maximum},
        {"PRelu", &Drafting::prelu},
        {"LayerNormChannels", &Drafting::norm},
        {"LayerNormalization", &Drafting::norm},
        {"GroupNorm", &Drafting::norm},
        {"InstanceNormalization", &Drafting::norm},
        {"Grn", &Drafting::norm},
        {"UncenteredNorm", &Drafting::norm},
        {"UncenteredGroupNorm", &Drafting::norm},
        {"ChannelShuffle", &Drafting::shuffle},
        {"DepthToSpace", &Drafting::shuffle},
        {"SpaceToDepth", &Drafting::shuffle},
        {"ConvOverChannels", &Drafting::conv_over_channels},
    };
    const std::size_t layers = draft_.layers.size();
    const std::size_t inputs = draft_.inputs.size();
    place_ = node.name;
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

void Drafting::undo_beyond(std::size_t layers, std::size_t inputs) {
    for (std::size_t i = layers; i < draft_.layers.size(); ++i) {
        draft_.sizes.erase(draft_.layers[i].output);
        written_.erase(draft_.layers[i].output);
        views_.erase(draft_.layers[i].output);
    }
    draft_.layers.resize(layers);
    for (std::size_t i = inputs; i < draft_.inputs.size(); ++i) draft_.sizes.erase(draft_.inputs[i]);
    draft_.inputs.resize(inputs);
}

void Drafting::leave_out(const onnx::Node& node, const std::string& reason) {
    draft_.left_out.push_back(fmt::format("{}: {}", node.place(), reason));
    draft_.left_out_macs += multiplies_of(node);
    for (const std::string& output : node.outputs) draft_.left_out_elements += elements_of_value(output);
    for (const std::string& input : node.inputs) add_output(input);
}

std::int64_t Drafting::elements_of_value(const std::string& value) const {
    const auto known = dims_.find(value);
    if (known == dims_.end()) return 0;
    return std::accumulate(known->second.begin(), known->second.end(), std::int64_t{1}, std::multiplies<>());
}

std::int64_t Drafting::multiplies_of(const onnx::Node& node) const {
    const auto elements = [&](std::size_t input) { return elements_of_value(node.inputs[input]); };
    const auto dims = [&](std::size_t input) { return dims_.find(node.inputs[input]); };
    if (node.inputs.size() < 2 || node.outputs.empty() || dims(0) == dims_.end()) return 0;
    const std::vector<std::int64_t>& first = dims(0)->second;
    if (first.empty()) return 0;
    if (node.op_type == "MatMul" || node.op_type == "Gemm")
        return elements_of_value(node.outputs.front()) * first.back();
    const auto weights = constants_.find(node.inputs[1]);
    if (weights == constants_.end() || weights->second->dims.empty() || weights->second->dims.front() < 1)
        return 0;
    const std::int64_t each = weights->second->count() / weights->second->dims.front();  // of one filter
    if (node.op_type == "Conv") return elements_of_value(node.outputs.front()) * each;
    return node.op_type == "ConvTranspose" ? elements(0) * each : 0;
}

void Drafting::add_input(const std::string& value) {
    draft_.inputs.push_back(value);
    draft_.sizes[value] = *size_of_value(value);
}

void Drafting::add_output(const std::string& value) {
    const auto view = views_.find(value);
    const std::string source = view == views_.end() ? value : view->second.source;
    if (!written_.contains(source) || !outputs_.insert(source).second) return;
    draft_.outputs.push_back(source);
    draft_.output_names.push_back(value);
    const auto dims = dims_.find(value);
    draft_.vector_outputs.push_back(dims != dims_.end() && dims->second.size() == 2);
}

std::optional<MapSize> Drafting::size_of_value(const std::string& value) const {
    const auto found = dims_.find(value);
    if (found == dims_.end()) return std::nullopt;
    const std::vector<std::int64_t>& dims = found->second;
    if (dims.empty()) return std::nullopt;
    double elements = 1.0;  // cannot overflow
    for (const std::int64_t size : dims) {
        if (size < 1 || size > std::numeric_limits<int>::max()) return std::nullopt;
        elements *= static_cast<double>(size);
    }
    if (elements > max_layer_macs) return std::nullopt;
    const std::size_t first = dims.front() == 1 && dims.size() > 1 ? 1 : 0;
    MapSize size{.channels = static_cast<int>(dims[first])};
    std::int64_t height = 1;
    for (std::size_t axis = first + 1; axis < dims.size(); ++axis) {
        if (axis + 1 == dims.size()) {
            size.width = static_cast<int>(dims[axis]);
        } else {
            height *= dims[axis];
        }
    }
    if (height > std::numeric_limits<int>::max()) return std::nullopt;
    size.height = static_cast<int>(height);
    return size;
}

const std::vector<std::int64_t>& Drafting::dims_of(const std::string& value) const {
    const auto found = dims_.find(value);
    if (found == dims_.end()) no_layer(fmt::format("the sizes of \"{}\" are not known", value));
    return found->second;
}

const onnx::Tensor* Drafting::constant(const onnx::Node& node, std::size_t input) const {
    if (input >= node.inputs.size()) return nullptr;
    const auto found = constants_.find(node.inputs[input]);
    return found == constants_.end() ? nullptr : found->second;
}

std::vector<float> Drafting::weights(const onnx::Node& node, std::size_t input, DraftLayer& layer) {
    const onnx::Tensor* const tensor = constant(node, input);
    if (tensor == nullptr) {
        no_layer(
            fmt::format("\"{}\" is computed, and only constant weights can be used", node.inputs.at(input)));
    }
    learn(*tensor, layer);
    return tensor->floats();
}

bool Drafting::is_parameter(const onnx::Tensor& tensor) const {
    const auto moved = draft_.moved_from.find(tensor.name);
    const std::string& name = moved == draft_.moved_from.end() ? tensor.name : moved->second;
    if (module_of(name)) return true;
    const auto is_word = [](unsigned char c) { return std::isalnum(c) != 0 || c == '_'; };
    const auto is_digit = [](unsigned char c) { return std::isdigit(c) != 0; };
    const std::string last = name.substr(name.rfind('_') + 1);
    return tensor.count() > 1 && std::ranges::all_of(name, is_word) && !std::ranges::all_of(last, is_digit);
}

void Drafting::learn(const onnx::Tensor& tensor, DraftLayer& layer) {
    layer.parameters.insert(tensor.name);
    draft_.parameter_counts[tensor.name] = tensor.count();
}

std::string Drafting::data(const onnx::Node& node, std::size_t input, bool flat) {
    const View view = read(node, input);
    const std::vector<std::int64_t>& dims = dims_of(node.inputs[input]);
    if (dims.size() < 2 || dims.size() > 4 || dims.front() != 1) {
        no_layer(fmt::format("its input \"{}\" is {}, and it reads maps (1xCxHxW) or vectors (1xC)",
                             node.inputs[input], onnx::shape_text(dims)));
    }
    const View natural = arranged(view, natural_order(view.axes));
    return flat ? natural.source : formed(natural.source, *size_of_value(node.inputs[input]));
}

DraftLayer Drafting::begin(const onnx::Node& node, LayerKind kind, bool flat) {
    return begin_on(node, kind, data(node, 0, flat));
}

DraftLayer Drafting::begin_on(const onnx::Node& node, LayerKind kind, const std::string& source) {
    DraftLayer draft;
    draft.name = node.name;
    draft.layer.kind = kind;
    draft.inputs = {source};
    draft.output = node.outputs.at(0);
    const MapSize& in = size(draft.inputs.front());
    // No layer has more, and weights for each of billions would fill the memory before finish() says so.
    if (in.channels > max_layer_size) {
        no_layer(fmt::format("its input has {} channels, expected {} at most", in.channels, max_layer_size));
    }
    draft.layer.in_channels = draft.layer.out_channels = in.channels;
    draft.layer.in_height = in.height;
    draft.layer.in_width = in.width;
    return draft;
}

void Drafting::finish(DraftLayer draft) {
    const LayerSpec& layer = draft.layer;
    if (draft.over_channels.empty()) {
        if (const auto reason = validate(layer)) no_layer(*reason);
        for (const WeightPart& part : operator_of(layer.kind).weights(layer)) {
            const auto given = static_cast<std::int64_t>((draft.weights.*part.values).size());
            const std::int64_t expected =
                std::accumulate(part.shape.begin(), part.shape.end(), std::int64_t{1}, std::multiplies<>());
            if (given != expected) {
                no_layer(fmt::format("its {} has {} numbers, expected {} ({})", part.name, given, expected,
                                     onnx::shape_text(part.shape)));
            }
        }
    }
    draft_.sizes[draft.output] = {layer.out_channels, layer.out_height(), layer.out_width()};
    written_.insert(draft.output);
    draft_.layers.push_back(std::move(draft));
}

void Drafting::set_window(const onnx::Node& node, Window& window,
                          const std::vector<std::int64_t>& kernel) const {
    // The one axis of N C L is the width of a map of one row.
    const auto take = [&](std::string_view attribute, auto& into, std::int64_t otherwise) {
        const std::size_t axes = into.size() / 2 * kernel.size();
        const std::vector<std::int64_t> values =
            node.integers(attribute, std::vector<std::int64_t>(axes, otherwise));
        if (values.size() != axes) {
            no_layer(fmt::format("{} has {} numbers, expected {}", attribute, values.size(), axes));
        }
        const std::size_t step = into.size() / axes;
        for (std::size_t i = 0; i < axes; ++i) into[(i + 1) * step - 1] = small(values[i], attribute);
    };
    if (kernel.empty() || kernel.size() > 2) {
        no_layer(fmt::format("its kernel has {} axes, and layers have two", kernel.size()));
    }
    window.kernel = {kernel.size() == 1 ? 1 : small(kernel.front(), "kernel_shape"),
                     small(kernel.back(), "kernel_shape")};
    take("strides", window.strides, 1);
    take("dilations", window.dilations, 1);
    take("pads", window.pads, 0);
    for (int axis = 0; axis < 2; ++axis) {
        if (window.kernel[axis] == 1) window.dilations[axis] = 1;
    }
}

std::vector<float> Drafting::per_channel(const onnx::Tensor& tensor, const MapSize& map,
                                         std::size_t rank) const {
    std::vector<float> values = tensor.floats();
    if (values.size() == 1) return std::vector<float>(map.channels, values.front());
    std::vector<std::int64_t> dims = tensor.dims;
    while (dims.size() < rank) dims.insert(dims.begin(), 1);
    const bool channels =
        dims.size() == rank && dims[1] == map.channels && static_cast<std::int64_t>(values.size()) == dims[1];
    if (!channels) {
        no_layer(fmt::format("its constant is {}, expected one number or one for each of {} channels",
                             onnx::shape_text(tensor.dims), map.channels));
    }
    return values;
}

Draft draft_of(const onnx::Model& model) {
    return Drafting(model).draft();
}

}  // namespace hacscale::detail
