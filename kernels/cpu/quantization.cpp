#include "kernels/cpu/quantization.hpp"

#include <array>
#include <cmath>

#include "kernels/cpu/conv_plans.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "kernels/cpu/detail/per_cpu.hpp"

namespace hacscale::cpu {
namespace {

bool multiplies(const LayerSpec& layer) {
    return layer.kind == LayerKind::conv || layer.kind == LayerKind::linear;
}

// Which tensors some layer wants as integers. From the last node back, since a pool wants them for its reader, and a sum for what
// becomes of it.
std::vector<bool> wanted_as_integers(const Graph& graph, const std::vector<bool>& integer_nodes) {
    std::vector<bool> wanted(graph.tensors.size(), false);
    std::vector<bool> given_as_numbers(graph.tensors.size(), false);
    for (const TensorId id : graph.inputs) given_as_numbers[id] = true;
    for (const TensorId id : graph.outputs) given_as_numbers[id] = true;
    const auto want = [&](TensorId id) { wanted[id] = !given_as_numbers[id]; };
    for (std::size_t i = graph.nodes.size(); i-- > 0;) {
        const Node& node = graph.nodes[i];
        const bool output_wanted = wanted[node.outputs.front()];
        if (integer_nodes[i]) {
            want(node.inputs.front());
            if (node.layer.residual && output_wanted) want(node.residual_input());
        } else if (node.layer.kind == LayerKind::max_pool && output_wanted) {
            want(node.inputs.front());
        }
    }
    return wanted;
}

}  // namespace

HACSCALE_PER_CPU
ValueRange range_of(const float* values, std::size_t count) {
    constexpr std::size_t lanes = 16;
    std::array<float, lanes> low{};
    std::array<float, lanes> high{};
    std::size_t i = 0;
    for (; i + lanes <= count; i += lanes) {
        for (std::size_t lane = 0; lane < lanes; ++lane) {
            const float value = values[i + lane];
            low[lane] = value < low[lane] ? value : low[lane];
            high[lane] = value > high[lane] ? value : high[lane];
        }
    }
    ValueRange range;
    for (std::size_t lane = 0; lane < lanes; ++lane) range.add({low[lane], high[lane]});
    for (; i < count; ++i) range.add({values[i], values[i]});
    return range;
}

Stored as_integers(const ValueRange& range) {
    const bool is_signed = range.low < 0.0F;
    const float scale = is_signed ? std::max(-range.low, range.high) / max_signed : range.high / max_unsigned;
    // Of a tensor of zeros, and of numbers so small that their steps are none, any scale is right.
    const bool is_step = std::isnormal(scale) && std::isfinite(1.0F / scale);
    return {is_signed ? Element::s8 : Element::u8, is_step ? scale : 1.0F};
}

bool computes_with_integers(const LayerSpec& layer, int batch) {
    if (layer.kind == LayerKind::linear) {
        // With sums of 16 bits, oneDNN cuts products of a matrix and one vector of weights, however small these are.
        return layer.out_channels > 1 || onednn::has_wide_sums();
    }
    if (layer.groups == 1) return true;
    const int block = channel_block();
    return has_integer_kernel({layer, batch, DataType::i8,
                               input_shape(layer, batch, block, /*network_input=*/false),
                               output_shape(layer, batch, block)});
}

Quantization quantize(const Graph& graph, const std::vector<ValueRange>& ranges,
                      const std::function<bool(const LayerSpec&)>& has_kernel) {
    Quantization result;
    for (const Node& node : graph.nodes) {
        result.integer_nodes.push_back(multiplies(node.layer) && has_kernel(node.layer));
    }
    for (const ValueRange& range : ranges) result.integers.push_back(as_integers(range));
    result.stored.resize(graph.tensors.size());
    const std::vector<bool> wanted = wanted_as_integers(graph, result.integer_nodes);
    for (std::size_t i = 0; i < graph.nodes.size(); ++i) {
        const Node& node = graph.nodes[i];
        const TensorId output = node.outputs.front();
        const TensorId input = node.inputs.front();
        if (!wanted[output]) continue;
        // A maximum of integers is one of them, of the same scale.
        if (node.layer.kind == LayerKind::max_pool && result.stored[input].is_integer()) {
            result.integer_nodes[i] = true;
            result.integers[output] = result.stored[input];
        }
        if (result.integer_nodes[i]) result.stored[output] = result.integers[output];
    }
    return result;
}

int weight_limit(const LayerSpec& layer, Element source) {
    // Two products of 255 and 64 just fit into 16 bits. oneDNN's convs halve the weights for signed sources by themselves.
    const bool fits = onednn::has_wide_sums() || (layer.kind == LayerKind::conv && source == Element::s8);
    return fits ? 127 : 64;
}

std::vector<float> weight_scales(const LayerSpec& layer, const LayerWeights& weights, Element source) {
    const auto limit = static_cast<float>(weight_limit(layer, source));
    const auto channels = static_cast<std::size_t>(layer.out_channels);
    const std::size_t row = weights.weights.size() / channels;
    std::vector<float> scales;
    for (std::size_t c = 0; c < channels; ++c) {
        const ValueRange range = range_of(weights.weights.data() + c * row, row);
        const float scale = std::max(-range.low, range.high) / limit;
        scales.push_back(std::isnormal(scale) ? scale : 1.0F);
    }
    return scales;
}

}  // namespace hacscale::cpu
