#include "models/weights/detail/identity.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "models/graph/graph.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/reference.hpp"

namespace hacscale::detail {
namespace {

// What is known of a tensor's numbers.
enum class Range : std::uint8_t { any, not_negative, up_to_six };

Range range_of(const Graph& graph, TensorId tensor) {
    const int producer = graph.tensors[static_cast<std::size_t>(tensor)].producer;
    if (producer == no_node) return Range::any;
    const Node& node = graph.nodes[static_cast<std::size_t>(producer)];
    switch (node.layer.kind) {
        case LayerKind::max_pool:
        case LayerKind::channel_shuffle:
        case LayerKind::slice:
            return range_of(graph, node.inputs.front());
        case LayerKind::squeeze_excite:
            return Range::any;
        default:
            break;
    }
    if (node.layer.activation == Activation::relu6) return Range::up_to_six;
    return node.layer.activation == Activation::relu ? Range::not_negative : Range::any;
}

bool keeps(Activation activation, Range range) {
    switch (activation) {
        case Activation::none:
            return true;
        case Activation::relu:
        case Activation::leaky_relu:
        case Activation::elu:
            return range != Range::any;
        case Activation::relu6:
            return range == Range::up_to_six;
        default:
            return false;
    }
}

bool keeps_zero(Activation activation) {
    return activation != Activation::sigmoid && activation != Activation::hard_sigmoid &&
           activation != Activation::softplus;
}

enum class Role : std::uint8_t { zero, copy };

class Search {
public:
    Search(const Graph& graph, int begin, int end) : graph_(graph), begin_(begin), end_(end) {}

    Identity run() {
        Identity result;
        const std::vector<int> last = last_readers(graph_);
        std::optional<TensorId> output;
        for (int n = begin_; n < end_; ++n) {
            const Node& node = at(n);
            for (const TensorId input : node.inputs) {
                if (producer_of(input) != no_node) continue;
                if (input_ && *input_ != input) result.reason = "it reads several tensors";
                input_ = input;
            }
            if (last[static_cast<std::size_t>(node.outputs.front())] < end_) continue;
            if (output) result.reason = "it puts out several tensors";
            output = node.outputs.front();
        }
        if (!input_ || !output) result.reason = "it reads or puts out nothing";
        if (!result.reason.empty()) return result;
        range_ = range_of(graph_, *input_);
        if (!passes(*output)) {
            result.reason =
                "its output is no sum of its input and of layers that can be zero, or an activation behind "
                "the sum changes the "
                "input";
            return result;
        }
        for (const auto& [node, role] : roles_)
            (role == Role::zero ? result.zeroed : result.copying).push_back(node);
        return result;
    }

private:
    const Node& at(int node) const { return graph_.nodes[static_cast<std::size_t>(node)]; }
    // Within the block.
    int producer_of(TensorId tensor) const {
        const int producer = graph_.tensors[static_cast<std::size_t>(tensor)].producer;
        return producer >= begin_ && producer < end_ ? producer : no_node;
    }

    bool take(int node, Role role) { return roles_.try_emplace(node, role).first->second == role; }

    // Whether all of `steps` succeed; what they took is given back where they do not.
    template <typename... Steps>
    bool all(Steps... steps) {
        const std::map<int, Role> before = roles_;
        if ((steps() && ...)) return true;
        roles_ = before;
        return false;
    }

    // Whether the tensor can be equal to the block's input.
    bool passes(TensorId tensor) {
        if (tensor == *input_) return true;
        const int n = producer_of(tensor);
        if (n == no_node) return false;
        const Node& node = at(n);
        const LayerSpec& layer = node.layer;
        switch (layer.kind) {
            case LayerKind::conv:
                if (!keeps(layer.activation, range_)) return false;
                if (layer.residual) {
                    return all([&] { return passes(node.residual_input()); },
                               [&] { return take(n, Role::zero); });
                }
                return copies(layer) &&
                       all([&] { return passes(node.inputs.front()); }, [&] { return take(n, Role::copy); });
            case LayerKind::add: {
                if (layer.mode != Mode::plain || !keeps(layer.activation, range_)) return false;
                const TensorId a = node.inputs[0];
                const TensorId b = node.inputs[1];
                return all([&] { return passes(a); }, [&] { return vanishes(b); }) ||
                       all([&] { return passes(b); }, [&] { return vanishes(a); });
            }
            case LayerKind::scale_shift:
                return keeps(layer.activation, range_) &&
                       all([&] { return passes(node.inputs.front()); }, [&] { return take(n, Role::copy); });
            case LayerKind::activation:
                return keeps(layer.activation, range_) && passes(node.inputs.front());
            case LayerKind::prelu:
                return range_ != Range::any && passes(node.inputs.front());
            default:
                return false;
        }
    }

    // A conv that can put out what it reads.
    static bool copies(const LayerSpec& layer) {
        const Window& window = layer.window;
        for (const int axis : {0, 1}) {
            const int pad = window.pads[static_cast<std::size_t>(axis)];
            if (window.strides[static_cast<std::size_t>(axis)] != 1 || pad < 0 ||
                pad % window.dilations[static_cast<std::size_t>(axis)] != 0 ||
                pad / window.dilations[static_cast<std::size_t>(axis)] >=
                    window.kernel[static_cast<std::size_t>(axis)]) {
                return false;
            }
        }
        return layer.in_channels == layer.out_channels && layer.out_height() == layer.in_height &&
               layer.out_width() == layer.in_width;
    }

    // Whether the tensor can be zero.
    bool vanishes(TensorId tensor) {
        const int n = producer_of(tensor);
        if (n == no_node) return false;
        const Node& node = at(n);
        const LayerSpec& layer = node.layer;
        const auto input = [&](std::size_t i) {
            return [this, &node, i] { return vanishes(node.inputs[i]); };
        };
        const auto own = [&] { return take(n, Role::zero); };
        switch (layer.kind) {
            case LayerKind::conv:
                if (layer.residual) return keeps_zero(layer.activation) && all(input(1), own);
                return keeps_zero(layer.activation) && own();
            case LayerKind::linear:
            case LayerKind::transposed_conv:
            case LayerKind::scale_shift:
            case LayerKind::group_norm:
                return keeps_zero(layer.activation) && own();
            case LayerKind::layer_norm:
                return own();
            case LayerKind::max_pool:
            case LayerKind::avg_pool:
            case LayerKind::global_avg_pool:
            case LayerKind::squeeze_excite:
            case LayerKind::eca:
            case LayerKind::slice:
            case LayerKind::resize:
            case LayerKind::channel_shuffle:
            case LayerKind::pixel_shuffle:
            case LayerKind::space_to_depth:
            case LayerKind::prelu:
            case LayerKind::reshape:
            case LayerKind::permute:
                return vanishes(node.inputs.front());
            case LayerKind::activation:
                return keeps_zero(layer.activation) && vanishes(node.inputs.front());
            case LayerKind::pad:
                return layer.mode != Mode::ones && vanishes(node.inputs.front());
            case LayerKind::multiply:
                if (!keeps_zero(layer.activation)) return false;
                if (vanishes(node.inputs[0])) return true;
                return layer.mode != Mode::divide && layer.mode != Mode::divide_per_channel &&
                       layer.mode != Mode::divide_per_pixel && vanishes(node.inputs[1]);
            case LayerKind::add:
                return keeps_zero(layer.activation) && all(input(0), input(1));
            case LayerKind::concat: {
                const std::map<int, Role> before = roles_;
                for (const TensorId read : node.inputs) {
                    if (vanishes(read)) continue;
                    roles_ = before;
                    return false;
                }
                return true;
            }
            case LayerKind::matmul:
                return vanishes(node.inputs[0]) || vanishes(node.inputs[1]);
            default:
                return false;
        }
    }

    const Graph& graph_;
    int begin_;
    int end_;
    std::optional<TensorId> input_;
    Range range_ = Range::any;
    std::map<int, Role> roles_;
};

void zero(LayerWeights& weights) {
    std::ranges::fill(weights.weights, 0.0F);
    std::ranges::fill(weights.bias, 0.0F);
}

void copy_input(const LayerSpec& layer, LayerWeights& weights) {
    zero(weights);
    if (layer.kind == LayerKind::scale_shift) {
        std::ranges::fill(weights.weights, 1.0F);
        return;
    }
    const Window& window = layer.window;
    const int row = window.pads[0] / window.dilations[0];
    const int column = window.pads[1] / window.dilations[1];
    const int share = layer.in_channels / layer.groups;
    for (int c = 0; c < layer.out_channels; ++c) {
        const std::size_t pair = static_cast<std::size_t>(c) * static_cast<std::size_t>(share) +
                                 static_cast<std::size_t>(c % share);
        weights.weights[(pair * static_cast<std::size_t>(window.kernel[0]) + static_cast<std::size_t>(row)) *
                            static_cast<std::size_t>(window.kernel[1]) +
                        static_cast<std::size_t>(column)] = 1.0F;
    }
}

}  // namespace

Identity make_identity(const Graph& graph, int begin, int end, std::vector<LayerWeights>& weights) {
    Identity identity = Search(graph, begin, end).run();
    for (const int node : identity.zeroed) zero(weights[static_cast<std::size_t>(node)]);
    for (const int node : identity.copying) {
        copy_input(graph.nodes[static_cast<std::size_t>(node)].layer,
                   weights[static_cast<std::size_t>(node)]);
    }
    return identity;
}

}  // namespace hacscale::detail
