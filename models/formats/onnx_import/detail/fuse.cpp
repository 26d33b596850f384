#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "models/formats/onnx_import/detail/draft.hpp"

namespace hacscale::detail {
namespace {

constexpr std::array activated_kinds{LayerKind::conv,       LayerKind::linear,   LayerKind::transposed_conv,
                                     LayerKind::add,        LayerKind::multiply, LayerKind::scale_shift,
                                     LayerKind::group_norm, LayerKind::map_bias, LayerKind::map_scale};

bool is_plain(const DraftLayer& draft) {
    return draft.layer.activation == Activation::none && !draft.layer.residual;
}

// Whether a scale and shift of its outputs can be a part of its weights.
bool takes_scale(LayerKind kind) {
    return kind == LayerKind::conv || kind == LayerKind::linear || kind == LayerKind::scale_shift ||
           kind == LayerKind::transposed_conv;
}

// Makes them one; `scale` and `shift` have one number an output channel.
void scale_outputs(DraftLayer& draft, const std::vector<float>& scale, const std::vector<float>& shift) {
    LayerSpec& layer = draft.layer;
    std::vector<float>& weights = draft.weights.weights;
    std::vector<float>& bias = draft.weights.bias;
    const bool has_bias = layer.bias || layer.kind == LayerKind::scale_shift;
    if (!has_bias) bias.assign(static_cast<std::size_t>(layer.out_channels), 0.0F);
    if (layer.kind != LayerKind::scale_shift) layer.bias = true;

    const std::size_t outputs = bias.size();
    if (layer.kind == LayerKind::transposed_conv) {
        // in_channels x (out_channels / groups) x taps: an input's outputs are those of its group.
        const std::size_t share = outputs / static_cast<std::size_t>(layer.groups);
        const std::size_t inputs_a_group = static_cast<std::size_t>(layer.in_channels / layer.groups);
        const auto taps = static_cast<std::size_t>(layer.window.taps());
        for (std::size_t i = 0; i < weights.size(); ++i) {
            const std::size_t output = i / taps % share;
            const std::size_t input = i / taps / share;
            weights[i] *= scale[input / inputs_a_group * share + output];
        }
    } else {
        const std::size_t an_output = weights.size() / outputs;
        for (std::size_t i = 0; i < weights.size(); ++i) weights[i] *= scale[i / an_output];
    }
    for (std::size_t c = 0; c < outputs; ++c) bias[c] = bias[c] * scale[c] + shift[c];
}

class Fusion {
public:
    explicit Fusion(Draft& draft) : draft_(draft) {
        for (const std::string& output : draft.outputs) ++reads_[output];
        for (std::size_t i = 0; i < draft.layers.size(); ++i) {
            writers_[draft.layers[i].output] = i;
            for (const std::string& input : draft.layers[i].inputs) ++reads_[input];
        }
    }

    void run() {
        each([&](DraftLayer& draft) { fold_scale(draft); });
        each([&](DraftLayer& draft) { add_maps(draft); });
        each([&](DraftLayer& draft) { add_to_conv(draft); });
        each([&](DraftLayer& draft) { activate(draft); });
        each([&](DraftLayer& draft) { gate_channels(draft); });
        leave_out_kernels_over_channels();
        std::erase_if(draft_.layers, [](const DraftLayer& draft) { return draft.removed; });
    }

private:
    template <typename Pass>
    void each(const Pass& pass) {
        for (DraftLayer& draft : draft_.layers) {
            if (!draft.removed) pass(draft);
        }
    }

    // Null for inputs of the network.
    DraftLayer* writer_of(const std::string& value) {
        const auto found = writers_.find(value);
        return found == writers_.end() ? nullptr : &draft_.layers[found->second];
    }
    // The layer that writes the value for one reader only.
    DraftLayer* sole_writer_of(const std::string& value) {
        return reads_[value] == 1 ? writer_of(value) : nullptr;
    }

    // `into` takes over what `draft`, which reads it, writes.
    void absorb(DraftLayer& into, DraftLayer& draft) {
        reads_.erase(into.output);
        writers_.erase(into.output);
        into.output = draft.output;
        writers_[into.output] = static_cast<std::size_t>(&into - draft_.layers.data());
        into.parameters.insert(draft.parameters.begin(), draft.parameters.end());
        draft.removed = true;
    }

    void fold_scale(DraftLayer& draft) {
        if (draft.layer.kind != LayerKind::scale_shift) return;
        DraftLayer* const writer = sole_writer_of(draft.inputs.front());
        if (writer == nullptr || !takes_scale(writer->layer.kind) || !is_plain(*writer)) return;
        scale_outputs(*writer, draft.weights.weights, draft.weights.bias);
        absorb(*writer, draft);
    }

    // Two learned maps one after another, such as a class token and the positions, are one.
    void add_maps(DraftLayer& draft) {
        if (draft.layer.kind != LayerKind::map_bias) return;
        DraftLayer* const writer = sole_writer_of(draft.inputs.front());
        if (writer == nullptr || writer->layer.kind != LayerKind::map_bias || !is_plain(*writer)) return;
        for (std::size_t i = 0; i < draft.weights.bias.size(); ++i) {
            writer->weights.bias[i] += draft.weights.bias[i];
        }
        absorb(*writer, draft);
    }

    // The conv of an add that runs last has both of its operands.
    void add_to_conv(DraftLayer& draft) {
        const bool of_one_shape = draft.layer.kind == LayerKind::add && draft.layer.mode == Mode::plain;
        if (!of_one_shape || draft.inputs[0] == draft.inputs[1]) return;
        const auto place = [&](const std::string& value) {
            const auto found = writers_.find(value);
            return found == writers_.end() ? -1 : static_cast<std::int64_t>(found->second);
        };
        const bool second_is_later = place(draft.inputs[1]) > place(draft.inputs[0]);
        const std::string later = draft.inputs[second_is_later ? 1 : 0];
        const std::string other = draft.inputs[second_is_later ? 0 : 1];
        DraftLayer* const writer = sole_writer_of(later);
        if (writer == nullptr || writer->layer.kind != LayerKind::conv || !is_plain(*writer)) return;
        writer->layer.residual = true;
        writer->layer.activation = draft.layer.activation;
        writer->layer.alpha = draft.layer.alpha;
        writer->inputs.push_back(other);
        absorb(*writer, draft);
    }

    void activate(DraftLayer& draft) {
        if (draft.layer.kind != LayerKind::activation) return;
        DraftLayer* const writer = sole_writer_of(draft.inputs.front());
        if (writer == nullptr || writer->layer.activation != Activation::none ||
            std::ranges::find(activated_kinds, writer->layer.kind) == activated_kinds.end()) {
            return;
        }
        writer->layer.activation = draft.layer.activation;
        writer->layer.alpha = draft.layer.alpha;
        absorb(*writer, draft);
    }

    // ---- Squeeze-excite and ECA: x times a gate that is made of the means of x ----

    void gate_channels(DraftLayer& draft) {
        if (draft.layer.kind != LayerKind::multiply || draft.layer.mode != Mode::per_channel) return;
        if (squeeze_excite(draft)) return;
        eca(draft);
    }

    // A layer of weights on one pixel: a linear layer, or a 1x1 conv.
    static bool is_product(const DraftLayer& draft) {
        const LayerSpec& layer = draft.layer;
        const bool pixel = layer.in_height * layer.in_width == 1;
        const bool dense =
            layer.kind == LayerKind::linear || (layer.kind == LayerKind::conv && layer.groups == 1);
        return pixel && dense && !layer.residual && layer.window == Window{};
    }

    bool pools(const DraftLayer* draft, const std::string& value) const {
        return draft != nullptr && draft->layer.kind == LayerKind::global_avg_pool &&
               draft->inputs.front() == value && draft->layer.activation == Activation::none;
    }

    bool squeeze_excite(DraftLayer& product) {
        DraftLayer* const excite = sole_writer_of(product.inputs[1]);
        if (excite == nullptr || !is_product(*excite)) return false;
        DraftLayer* const squeeze = sole_writer_of(excite->inputs.front());
        if (squeeze == nullptr || !is_product(*squeeze)) return false;
        DraftLayer* const pool = sole_writer_of(squeeze->inputs.front());
        if (!pools(pool, product.inputs[0])) return false;

        LayerSpec layer = product.layer;
        layer.kind = LayerKind::squeeze_excite;
        layer.mode = Mode::plain;
        layer.inputs = 1;
        layer.bias = true;
        layer.activation = squeeze->layer.activation;
        layer.alpha = squeeze->layer.alpha;
        layer.gate = excite->layer.activation;
        layer.squeeze_channels = squeeze->layer.out_channels;
        if (product.layer.activation != Activation::none || validate(layer)) return false;

        const auto bias_of = [](const DraftLayer& part) {
            return part.layer.bias ? part.weights.bias : std::vector<float>(part.layer.out_channels, 0.0F);
        };
        product.weights = {.weights = squeeze->weights.weights,
                           .bias = bias_of(*squeeze),
                           .weights2 = excite->weights.weights,
                           .bias2 = bias_of(*excite)};
        become(product, layer, module_above(squeeze->name, excite->name), {pool, squeeze, excite});
        return true;
    }

    void eca(DraftLayer& product) {
        DraftLayer* const gate = sole_writer_of(product.inputs[1]);
        if (gate == nullptr || gate->layer.kind != LayerKind::activation) return;
        DraftLayer* const kernel = sole_writer_of(gate->inputs.front());
        if (kernel == nullptr || kernel->over_channels.empty()) return;
        DraftLayer* const pool = sole_writer_of(kernel->inputs.front());
        if (!pools(pool, product.inputs[0])) return;
        LayerSpec layer = product.layer;
        layer.kind = LayerKind::eca;
        layer.mode = Mode::plain;
        layer.inputs = 1;
        layer.gate = gate->layer.activation;
        layer.window.kernel = {1, static_cast<int>(kernel->over_channels.size())};
        if (product.layer.activation != Activation::none || validate(layer)) return;
        product.weights.weights = std::move(kernel->over_channels);
        become(product, layer, kernel->name, {pool, kernel, gate});
    }

    void become(DraftLayer& product, const LayerSpec& layer, std::string name,
                std::vector<DraftLayer*> parts) {
        product.layer = layer;
        product.name = std::move(name);
        reads_[product.inputs[0]] -= 1;  // the pool's
        product.inputs.resize(1);
        for (DraftLayer* const part : parts) {
            product.parameters.insert(part->parameters.begin(), part->parameters.end());
            writers_.erase(part->output);
            part->removed = true;
        }
    }

    // "block.se" for "block.se.fc1" and "block.se.fc2".
    static std::string module_above(const std::string& first, const std::string& second) {
        const auto [end, other] = std::ranges::mismatch(first, second);
        const std::string common(first.begin(), end);
        const std::size_t cut = common.find_last_of("./");
        return cut == std::string::npos || cut == 0 ? first : common.substr(0, cut);
    }

    // Those that no ECA took, and all that reads what they would write.
    void leave_out_kernels_over_channels() {
        std::unordered_set<std::string> lost;
        for (DraftLayer& draft : draft_.layers) {
            if (draft.removed) continue;
            const bool reads_lost = std::ranges::any_of(
                draft.inputs, [&](const std::string& input) { return lost.contains(input); });
            if (draft.over_channels.empty() && !reads_lost) continue;
            draft_.left_out.push_back(fmt::format(
                "{}: {}", draft.name,
                reads_lost ? "it reads what another one that is left out computes"
                           : "a kernel over channels that is no part of efficient channel attention"));
            lost.insert(draft.output);
            draft.removed = true;
        }
        for (std::size_t i = draft_.outputs.size(); i-- > 0;) {
            if (!lost.contains(draft_.outputs[i])) continue;
            draft_.outputs.erase(draft_.outputs.begin() + static_cast<std::ptrdiff_t>(i));
            draft_.output_names.erase(draft_.output_names.begin() + static_cast<std::ptrdiff_t>(i));
            draft_.vector_outputs.erase(draft_.vector_outputs.begin() + static_cast<std::ptrdiff_t>(i));
        }
    }

    Draft& draft_;
    std::unordered_map<std::string, std::size_t> writers_;  // of a value: index into layers
    std::unordered_map<std::string, int> reads_;  // of a value; being an output of the network counts as one
};

}  // namespace

void fuse(Draft& draft) {
    Fusion(draft).run();
}

}  // namespace hacscale::detail
