// The table of operators, and what it answers about a layer of any kind.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/ops/reference.hpp"

namespace hacscale {
namespace {

const Operator& operator_at(KeyReader& reader) {
    for (const Operator* const op : all_operators()) {
        if (reader.take_word(op->name)) return *op;
    }
    std::string known;
    for (const Operator* const op : all_operators()) {
        known += (known.empty() ? "one of " : ", ") + std::string(op->name);
    }
    reader.fail(known);
}

std::optional<std::string> range_fault(std::string_view what, std::int64_t value, std::int64_t low,
                                       std::int64_t high) {
    if (value >= low && value <= high) return std::nullopt;
    return fmt::format("{} is {}, expected {} to {}", what, value, low, high);
}

std::optional<std::string> pair_fault(std::string_view what, const std::array<int, 2>& values) {
    for (const bool width : {false, true}) {
        const int value = values[width ? 1 : 0];
        if (value >= 1 && value <= max_layer_size) continue;
        const std::string_view side = values[0] == values[1] ? "" : width ? " width" : " height";
        return range_fault(fmt::format("{}{}", what, side), value, 1, max_layer_size);
    }
    return std::nullopt;
}

std::optional<std::string> window_fault(const Window& window, bool any_pads) {
    if (auto fault = pair_fault("kernel", window.kernel)) return fault;
    if (auto fault = pair_fault("stride", window.strides)) return fault;
    if (auto fault = pair_fault("dilation", window.dilations)) return fault;
    for (int axis = 0; axis < 2; ++axis) {
        // So that a layer has one key only.
        if (window.kernel[axis] == 1 && window.dilations[axis] != 1) return "a kernel of 1 has no dilation";
        if (window.span(axis) > max_layer_size) {
            return range_fault("elements under a dilated kernel", window.span(axis), 1, max_layer_size);
        }
    }
    for (int side = 0; side < 4; ++side) {
        const int pad = window.pads[side];
        const std::int64_t most = any_pads ? max_layer_size : window.span(side % 2) - 1;
        const std::int64_t least = any_pads ? -max_layer_size : 0;
        if (pad >= least && pad <= most) continue;
        constexpr std::array names{"top ", "left ", "bottom ", "right "};
        const bool equal = std::ranges::all_of(window.pads, [&](int other) { return other == pad; });
        return range_fault(fmt::format("{}padding", equal ? "" : names[side]), pad, least, most);
    }
    return std::nullopt;
}

// So that a layer has one key only.
std::optional<std::string> parameter_fault(const LayerSpec& layer) {
    if (has_alpha(layer.activation) == (layer.alpha.value() > 0.0F)) return std::nullopt;
    return fmt::format("alpha is {} with the activation {}; expected {}", layer.alpha.value(),
                       name_of(layer.activation),
                       has_alpha(layer.activation) ? "a number above 0" : "0, as it has no parameter");
}

}  // namespace

void no_such_operator(std::size_t index) {
    throw InputError(fmt::format("there is no operator {}", index));
}

std::span<const Operator* const> all_operators() {
    return operator_table;
}

std::string_view name_of(LayerKind kind) {
    return operator_of(kind).name;
}

// ---- Shape and key ----

std::array<int, 2> LayerSpec::output_size_by_table() const {
    return operator_of(kind).output_size(*this);
}

std::string LayerSpec::key() const {
    const Operator& op = operator_of(kind);
    KeyWriter key;
    key.begin(op.name, in_channels, in_height, in_width);
    op.write_key(*this, key);
    key.word_if(layout == Layout::blocked, name_of(Layout::blocked));
    return key.text();
}

LayerSpec LayerSpec::from_key(std::string_view key) {
    KeyReader reader(key);
    const Operator& op = operator_at(reader);
    LayerSpec layer;
    layer.kind = op.kind;
    reader.input(layer);
    layer.out_channels = layer.in_channels;
    op.read_key(reader, layer);
    if (reader.take_word(name_of(Layout::blocked))) layer.layout = Layout::blocked;
    if (!reader.at_end()) reader.fail("the end of the key");
    if (const auto fault = validate(layer)) throw InputError(fmt::format("layer key '{}': {}", key, *fault));
    return layer;
}

std::optional<std::string> validate(const LayerSpec& layer) {
    if (auto fault = range_fault("input channels", layer.in_channels, 1, max_layer_size)) return fault;
    if (auto fault = range_fault("input height", layer.in_height, 1, max_layer_size)) return fault;
    if (auto fault = range_fault("input width", layer.in_width, 1, max_layer_size)) return fault;
    if (auto fault = range_fault("output channels", layer.out_channels, 1, max_layer_size)) return fault;
    const Operator& op = operator_of(layer.kind);
    if (auto fault = window_fault(layer.window, op.any_pads)) return fault;
    if (auto fault = range_fault("groups", layer.groups, 1, layer.in_channels)) return fault;
    if (layer.in_channels % layer.groups != 0 || layer.out_channels % layer.groups != 0) {
        return fmt::format("{} groups do not divide {} input and {} output channels", layer.groups,
                           layer.in_channels, layer.out_channels);
    }
    if (!op.own_output_channels && layer.out_channels != layer.in_channels) {
        return fmt::format("a {} layer has as many output channels as input channels, not {} for {}", op.name,
                           layer.out_channels, layer.in_channels);
    }
    if (!op.takes_inputs(layer.inputs)) {
        return fmt::format("a {} layer does not take {} inputs", op.name, layer.inputs);
    }
    if (auto fault = parameter_fault(layer)) return fault;
    if (auto fault = op.validate(layer)) return fault;
    if (layer.out_height() < 1 || layer.out_width() < 1) {
        return fmt::format("a {}x{} input is smaller than the {}x{} window", layer.in_height, layer.in_width,
                           layer.window.span(0), layer.window.span(1));
    }
    // In floating point, because this check is what keeps the integer counts below from
    // overflowing.
    const double in = 1.0 * layer.in_channels * layer.in_height * layer.in_width;
    const double out = 1.0 * layer.out_channels * layer.out_height() * layer.out_width();
    const double macs = op.macs(layer);
    if (in > max_layer_macs || out > max_layer_macs || macs > max_layer_macs) {
        return fmt::format(
            "the layer is too large ({:.3g} multiplies, {:.3g} inputs, {:.3g} outputs; "
            "at most 2^40 each)",
            macs, in, out);
    }
    return std::nullopt;
}

// ---- Counts ----

std::int64_t product_weights(const LayerSpec& layer) {
    return operator_of(layer.kind).product_weights(layer);
}

LayerCost& LayerCost::operator+=(const LayerCost& other) {
    macs += other.macs;
    params += other.params;
    activations += other.activations;
    bytes += other.bytes;
    return *this;
}

namespace {

std::int64_t elements_read(const LayerSpec& layer, const Operator& op) {
    if (op.elements_read != nullptr) return op.elements_read(layer);
    // Planners ask for the cost of millions of layers, nearly all of which read one tensor.
    if (layer.inputs == 1) return std::int64_t{layer.in_channels} * layer.in_height * layer.in_width;
    std::int64_t sum = op.input_shape(layer, 0).elements();
    for (int i = 1; i < layer.inputs; ++i) sum += op.input_shape(layer, i).elements();
    return sum;
}

}  // namespace

LayerCost cost_of(const LayerSpec& layer, int batch, DataType type) {
    const Operator& op = operator_of(layer.kind);
    const std::int64_t inputs = elements_read(layer, op);
    const std::int64_t outputs = std::int64_t{layer.out_channels} * layer.out_height() * layer.out_width();

    LayerCost cost;
    cost.macs = batch * static_cast<std::int64_t>(op.macs(layer));
    cost.params = op.product_weights(layer) + op.offsets(layer);
    cost.activations = batch * outputs;
    const std::int64_t residual = layer.residual ? outputs : 0;
    cost.bytes =
        (batch * (inputs + outputs + residual) + cost.params) * static_cast<std::int64_t>(size_of(type));
    return cost;
}

// ---- Weights and reference ----

LayerWeights random_weights(const LayerSpec& layer, std::uint64_t seed) {
    RandomValues random(seed);
    return operator_of(layer.kind).random_weights(layer, random);
}

std::vector<double> reference_outputs(const LayerSpec& layer, int batch, const ReferenceInputs& inputs,
                                      const LayerWeights& weights,
                                      const std::vector<std::size_t>& positions) {
    const Operator& op = operator_of(layer.kind);
    const ReferenceCall call{layer, batch, inputs, weights, in_turn};
    std::vector<double> outputs;
    outputs.reserve(positions.size());
    if (op.reference_at != nullptr) {
        for (const std::size_t i : positions) outputs.push_back(op.reference_at(call, i));
        return outputs;
    }
    const std::vector<double> all = op.reference(call);
    for (const std::size_t i : positions) outputs.push_back(all[i]);
    return outputs;
}

std::vector<double> reference_layer(const LayerSpec& layer, int batch, const ReferenceInputs& inputs,
                                    const LayerWeights& weights, const ForEach& each) {
    return operator_of(layer.kind).reference({layer, batch, inputs, weights, each});
}

std::vector<double> reference_layer(const LayerSpec& layer, int batch, const std::vector<double>& input,
                                    const std::vector<double>& residual, const LayerWeights& weights) {
    ReferenceInputs inputs{&input};
    if (layer.residual) inputs.push_back(&residual);
    return reference_layer(layer, batch, inputs, weights);
}

}  // namespace hacscale
