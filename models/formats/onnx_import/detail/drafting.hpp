// Nodes of an ONNX model become layers, one after another, each by the rule of its operator.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "models/formats/onnx_import/detail/draft.hpp"

namespace hacscale::detail {

// Why a node is no layer.
struct NoLayer {
    std::string reason;
};
[[noreturn]] void no_layer(std::string reason);

// The number as an int, which `what` names where it is none.
int small(std::int64_t number, std::string_view what);

// "layer1.0.conv1" for "layer1.0.conv1.weight"; nothing for constants that an exporter numbers.
std::optional<std::string> module_of(const std::string& initializer);

class Drafting {
public:
    explicit Drafting(const onnx::Model& model);
    Draft draft();

private:
    using Rule = void (Drafting::*)(const onnx::Node&);

    void add(const onnx::Node& node);
    void undo_beyond(std::size_t layers, std::size_t inputs);
    void leave_out(const onnx::Node& node, const std::string& reason);
    void add_input(const std::string& value);
    // Of values that no layer writes, nothing.
    void add_output(const std::string& value);

    // ---- Values ----

    const std::string& source_of(const std::string& value) const;
    // N C H W and N C, of one image; nothing for others, and for more elements than a layer may have.
    std::optional<MapSize> size_of_value(const std::string& value) const;
    const std::vector<std::int64_t>& dims_of(const std::string& value) const;
    const onnx::Tensor* constant(const onnx::Node& node, std::size_t input) const;
    std::vector<float> weights(const onnx::Node& node, std::size_t input, DraftLayer& layer);
    void learn(const onnx::Tensor& tensor, DraftLayer& layer);
    // A value that layers can read: as it is, flattened ones only where `flat`. What left-out nodes compute becomes an input.
    std::string data(const onnx::Node& node, std::size_t input, bool flat = false);
    const MapSize& size(const std::string& source) const { return draft_.sizes.at(source); }

    // ---- What rules share ----

    // A layer of this kind that reads the node's first input and has its shape; without a bias.
    DraftLayer begin(const onnx::Node& node, LayerKind kind, bool flat = false);
    // Adds the layer, where it is sound and has as many weights as its operator says.
    void finish(DraftLayer draft);
    void set_window(const onnx::Node& node, Window& window, const std::vector<std::int64_t>& kernel) const;
    // Of a constant that is added to or multiplied with a map: a number for each channel.
    std::vector<float> per_channel(const onnx::Tensor& tensor, const MapSize& map, std::size_t rank) const;

    // ---- Layers with weights: weighted_layers.cpp ----

    void name_after_weights(const onnx::Node& node, DraftLayer& draft) const;
    void conv(const onnx::Node& node);
    void transposed_conv(const onnx::Node& node);
    const std::vector<std::int64_t>& dims_of_weights(const onnx::Node& node, std::size_t rank) const;
    void add_bias(const onnx::Node& node, DraftLayer& draft);
    void linear(const onnx::Node& node);
    void batch_norm(const onnx::Node& node);
    void prelu(const onnx::Node& node);
    void norm(const onnx::Node& node);
    void conv_over_channels(const onnx::Node& node);

    // ---- Layers of maps alone: map_layers.cpp ----

    struct Curve {
        Activation activation;
        float alpha = 0.0F;
    };
    void pool(const onnx::Node& node);
    void global_pool(const onnx::Node& node);
    void scale_or_shift(const onnx::Node& node, std::size_t which);
    void arithmetic(const onnx::Node& node);
    // The sum with the second one's negative.
    void difference(const onnx::Node& node);
    void concat(const onnx::Node& node);
    void add_slice(const onnx::Node& node, const std::string& output, std::int64_t first, std::int64_t count);
    void split(const onnx::Node& node);
    void slice(const onnx::Node& node);
    void pad(const onnx::Node& node);
    void resize(const onnx::Node& node);
    void reshape(const onnx::Node& node);
    void shuffle(const onnx::Node& node);
    static std::optional<Curve> activation_of(const onnx::Node& node);
    void activation(const onnx::Node& node, const Curve& curve);

    const onnx::Graph& graph_;
    std::unordered_map<std::string, const onnx::Tensor*> constants_;
    std::unordered_map<std::string, std::vector<std::int64_t>> dims_;
    std::unordered_map<std::string, std::string> aliases_;  // reshaped values, and whose numbers they have
    std::unordered_set<std::string> flattened_;             // of those, maps as vectors
    std::unordered_set<std::string> written_;               // by layers
    std::unordered_set<std::string> outputs_;
    Draft draft_;
};

}  // namespace hacscale::detail
