#include "models/formats/onnx_export/quantized.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <map>
#include <set>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

// No concats: what they only pass on is as it is, and OpenVINO 2026.4 crashes where it moves a quantization in front of one whose
// inputs have none (DenseNet).
constexpr std::array<std::string_view, 6> quantized_operators{"Conv",    "Gemm",        "Add",
                                                              "MaxPool", "AveragePool", "GlobalAveragePool"};

bool has_integer_kernel(const onnx::Node& node) {
    return std::ranges::find(quantized_operators, node.op_type) != quantized_operators.end();
}
bool has_weights(const onnx::Node& node) {
    return node.op_type == "Conv" || node.op_type == "Gemm";
}
// Computed by the cut of the QuantizeLinear behind it.
bool is_cut(const onnx::Node& node) {
    return node.op_type == "Relu" || node.op_type == "Clip";
}

// Kinds whose nodes read and write tensors of the layer's own sizes. Others (a squeeze-excite's two products) are left as they are.
bool is_quantized(const LayerSpec& layer) {
    constexpr std::array kinds{LayerKind::conv,     LayerKind::linear,          LayerKind::max_pool,
                               LayerKind::avg_pool, LayerKind::global_avg_pool, LayerKind::add};
    return std::ranges::find(kinds, layer.kind) != kinds.end() && layer.mode != Mode::per_channel &&
           layer.mode != Mode::per_pixel;
}

// Who reads and writes what.
class Values {
public:
    Values(const TracedExport& exported, const Graph& graph) {
        const onnx::Graph& model = exported.model.graph;
        for (const onnx::Tensor& tensor : model.initializers) constants_.insert(tensor.name);
        for (std::size_t i = 0; i < model.nodes.size(); ++i) {
            for (const std::string& input : model.nodes[i].inputs) readers_[input].push_back(i);
            for (const std::string& output : model.nodes[i].outputs) writers_[output] = i;
        }
        for (const onnx::ValueInfo& output : model.outputs) outputs_.insert(output.name);
        for (std::size_t i = 0; i < model.nodes.size(); ++i) {
            const onnx::Node& node = model.nodes[i];
            if (!has_integer_kernel(node) || !is_quantized(graph.nodes[exported.layers[i]].layer)) continue;
            for (const std::string& input : node.inputs) add(input);
            add(written_by(model, i));
        }
    }

    // In the order of who reads them first.
    const std::vector<std::string>& wanted() const { return wanted_; }
    bool is_input(const std::string& value) const { return !writers_.contains(value); }

private:
    void add(const std::string& value) {
        const bool is_output = outputs_.contains(value);
        if (constants_.contains(value) || is_output || !seen_.insert(value).second) return;
        wanted_.push_back(value);
    }

    // What the node puts out, after the cut behind it where nothing else reads it.
    std::string written_by(const onnx::Graph& model, std::size_t node) const {
        const std::string& output = model.nodes[node].outputs.front();
        const auto readers = readers_.find(output);
        if (readers == readers_.end() || readers->second.size() != 1) return output;
        const onnx::Node& reader = model.nodes[readers->second.front()];
        return is_cut(reader) ? reader.outputs.front() : output;
    }

    std::unordered_map<std::string, std::vector<std::size_t>> readers_;
    std::unordered_map<std::string, std::size_t> writers_;
    std::set<std::string> constants_;
    std::set<std::string> outputs_;
    std::set<std::string> seen_;
    std::vector<std::string> wanted_;
};

struct Scale {
    float step = 1.0F;
    int zero = 0;
};

// Of uint8.
Scale scale_of(const ValueRange& range) {
    const float low = std::min(0.0F, range.low);
    const float high = std::max(0.0F, range.high);
    if (!(high > low)) return {};
    const float step = (high - low) / 255.0F;
    return {step, static_cast<int>(std::lround(-low / step))};
}

template <typename Stored>
onnx::Tensor stored_tensor(std::string name, onnx::DataType type, std::vector<std::int64_t> dims,
                           const std::vector<Stored>& values) {
    return {std::move(name), type, std::move(dims),
            onnx::Bytes(
                std::string(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(Stored)))};
}

class Quantizing {
public:
    Quantizing(TracedExport exported, const Graph& graph, const std::vector<ValueRange>& ranges, int greatest)
        : from_(std::move(exported)), graph_(graph), greatest_(static_cast<float>(greatest)) {
        const Values values(from_, graph);
        if (values.wanted().size() != ranges.size()) {
            throw InputError("ranges for another number of values than the network quantizes");
        }
        for (std::size_t i = 0; i < ranges.size(); ++i) {
            const std::string& value = values.wanted()[i];
            scales_[value] = scale_of(ranges[i]);
            if (values.is_input(value)) inputs_.push_back(value);
        }
        for (const onnx::Tensor& tensor : from_.model.graph.initializers) constants_[tensor.name] = &tensor;
    }

    TracedExport run() {
        TracedExport result;
        result.model = from_.model;
        nodes_ = &result.model.graph.nodes;
        tensors_ = &result.model.graph.initializers;
        layers_ = &result.layers;
        nodes_->clear();
        for (const std::string& input : inputs_) quantize(input, first_layer(input));
        for (std::size_t i = 0; i < from_.model.graph.nodes.size(); ++i) {
            add(from_.model.graph.nodes[i], from_.layers[i]);
        }
        drop_unread(result.model.graph);
        return result;
    }

private:
    int first_layer(const std::string& value) const {
        for (std::size_t i = 0; i < from_.model.graph.nodes.size(); ++i) {
            const auto& inputs = from_.model.graph.nodes[i].inputs;
            if (std::ranges::find(inputs, value) != inputs.end()) return from_.layers[i];
        }
        return 0;
    }

    void add(onnx::Node node, int layer) {
        const std::string output = node.outputs.front();
        const bool quantize_weights = has_weights(node) && is_quantized(graph_.nodes[layer].layer) &&
                                      scales_.contains(node.inputs.front());
        if (quantize_weights) set_weights(node, layer);
        for (std::string& input : node.inputs) {
            if (scales_.contains(input)) input += "/dequantized";
        }
        put(std::move(node), layer);
        if (scales_.contains(output)) quantize(output, layer);
    }

    void put(onnx::Node node, int layer) {
        nodes_->push_back(std::move(node));
        layers_->push_back(layer);
    }

    void put(std::string_view op_type, const std::string& name, std::vector<std::string> inputs,
             const std::string& output, int layer) {
        onnx::Node node;
        node.op_type = op_type;
        node.name = name;
        node.inputs = std::move(inputs);
        node.outputs = {output};
        put(std::move(node), layer);
    }

    void quantize(const std::string& value, int layer) {
        const Scale& scale = scales_.at(value);
        tensors_->push_back(
            stored_tensor<float>(value + "/scale", onnx::DataType::float32, {}, {scale.step}));
        tensors_->push_back(stored_tensor<std::uint8_t>(value + "/zero", onnx::DataType::uint8, {},
                                                        {static_cast<std::uint8_t>(scale.zero)}));
        const std::string& name = graph_.nodes[layer].name;
        put("QuantizeLinear", name + "/QuantizeLinear/" + value, {value, value + "/scale", value + "/zero"},
            value + "/quantized", layer);
        put("DequantizeLinear", name + "/DequantizeLinear/" + value,
            {value + "/quantized", value + "/scale", value + "/zero"}, value + "/dequantized", layer);
    }

    // The weights as int8 and the bias as int32, both dequantized in front of the node.
    void set_weights(onnx::Node& node, int layer) {
        const onnx::Tensor& weights = *constants_.at(node.inputs[1]);
        const std::vector<float> values = weights.floats();
        const std::int64_t channels = weights.dims.front();
        const std::size_t each = values.size() / static_cast<std::size_t>(channels);
        std::vector<float> steps;
        std::vector<std::int8_t> stored;
        for (std::int64_t c = 0; c < channels; ++c) {
            const auto begin = values.begin() + static_cast<std::ptrdiff_t>(c * each);
            float largest = 0.0F;
            for (auto value = begin; value != begin + static_cast<std::ptrdiff_t>(each); ++value) {
                largest = std::max(largest, std::abs(*value));
            }
            steps.push_back(largest > 0.0F ? largest / greatest_ : 1.0F);
            for (auto value = begin; value != begin + static_cast<std::ptrdiff_t>(each); ++value) {
                stored.push_back(static_cast<std::int8_t>(std::lround(*value / steps.back())));
            }
        }
        const float input_step = scales_.at(node.inputs.front()).step;
        if (node.inputs.size() > 2) {
            const std::vector<float> bias = constants_.at(node.inputs[2])->floats();
            std::vector<std::int32_t> stored_bias;
            std::vector<float> bias_steps;
            for (std::size_t c = 0; c < bias.size(); ++c) {
                bias_steps.push_back(input_step * steps[c]);
                constexpr double most = 2147483647.0;
                stored_bias.push_back(static_cast<std::int32_t>(
                    std::clamp(std::round(static_cast<double>(bias[c]) / bias_steps.back()), -most, most)));
            }
            node.inputs[2] = constant(node.name + "/bias", {channels}, onnx::DataType::int32, stored_bias,
                                      bias_steps, layer);
        }
        node.inputs[1] =
            constant(node.name + "/weights", weights.dims, onnx::DataType::int8, stored, steps, layer);
    }

    template <typename Stored>
    std::string constant(const std::string& name, const std::vector<std::int64_t>& dims, onnx::DataType type,
                         const std::vector<Stored>& values, const std::vector<float>& steps, int layer) {
        const auto channels = static_cast<std::int64_t>(steps.size());
        tensors_->push_back(stored_tensor(name + "/quantized", type, dims, values));
        tensors_->push_back(stored_tensor(name + "/scale", onnx::DataType::float32, {channels}, steps));
        tensors_->push_back(
            stored_tensor(name + "/zero", type, {channels}, std::vector<Stored>(steps.size(), 0)));
        onnx::Node node;
        node.op_type = "DequantizeLinear";
        node.name = name + "/DequantizeLinear";
        node.inputs = {name + "/quantized", name + "/scale", name + "/zero"};
        node.outputs = {name + "/dequantized"};
        node.attributes["axis"] = std::int64_t{0};
        put(node, layer);
        return node.outputs.front();
    }

    static void drop_unread(onnx::Graph& graph) {
        std::set<std::string> read;
        for (const onnx::Node& node : graph.nodes) read.insert(node.inputs.begin(), node.inputs.end());
        std::erase_if(graph.initializers,
                      [&](const onnx::Tensor& tensor) { return !read.contains(tensor.name); });
    }

    TracedExport from_;
    const Graph& graph_;
    float greatest_;
    std::map<std::string, Scale> scales_;
    std::vector<std::string> inputs_;  // of these, those of the network
    std::map<std::string, const onnx::Tensor*> constants_;
    std::vector<onnx::Node>* nodes_ = nullptr;
    std::vector<onnx::Tensor>* tensors_ = nullptr;
    std::vector<int>* layers_ = nullptr;
};

}  // namespace

std::vector<std::string> values_to_quantize(const TracedExport& exported, const Graph& graph) {
    return Values(exported, graph).wanted();
}

onnx::Model with_ranges(onnx::Model model, const std::vector<std::string>& values) {
    model.graph.outputs.clear();
    for (const std::string& value : values) {
        for (const char* op_type : {"ReduceMin", "ReduceMax"}) {
            onnx::Node& node = model.graph.nodes.emplace_back();
            node.op_type = op_type;
            node.name = value + '/' + op_type;
            node.inputs = {value};
            node.outputs = {node.name};
            node.attributes["keepdims"] = std::int64_t{0};
            model.graph.outputs.push_back(onnx::value_info(node.name, onnx::DataType::float32, {}));
        }
    }
    return model;
}

TracedExport quantized(TracedExport exported, const Graph& graph, const std::vector<ValueRange>& ranges,
                       int greatest) {
    return Quantizing(std::move(exported), graph, ranges, greatest).run();
}

}  // namespace hacscale
