#include "models/weights/detail/mapped_weights.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "models/graph/graph_values.hpp"
#include "models/ops/operator.hpp"
#include "models/weights/detail/gather.hpp"
#include "models/weights/detail/identity.hpp"

namespace hacscale::detail {
namespace {

// Layers of an imported file with one module's weights have its name with "#2", "#3" (onnx_import): they get the same numbers.
std::uint64_t seed_of(const std::string& name, std::uint64_t seed) {
    return std::hash<std::string_view>()(std::string_view(name).substr(0, name.find('#'))) ^ seed;
}

class Mapping {
public:
    Mapping(const WeightMap& map, const Graph& graph, const std::vector<NodeOrigin>& origins,
            std::vector<std::string>& inexact)
        : map_(map), graph_(graph), origins_(origins), inexact_(inexact) {}

    std::vector<LayerWeights> run() {
        std::vector<LayerWeights> weights;
        for (std::size_t n = 0; n < graph_.nodes.size(); ++n) {
            const Node& node = graph_.nodes[n];
            const int origin = origins_[n].node;
            if (origin == no_node) {
                weights.push_back(random_weights(node.layer, seed_of(node.name, map_.settings.seed)));
            } else {
                weights.push_back(of(node, map_.base.graph.nodes[at(origin)], map_.base.weights[at(origin)]));
            }
        }
        return weights;
    }

private:
    const std::vector<int>& sources_of(TensorId base_tensor) const { return map_.sources[at(base_tensor)]; }

    LayerWeights of(const Node& node, const Node& base, const LayerWeights& weights) {
        const std::vector<int>& out = sources_of(base.outputs.front());
        // Channels of all data inputs of a layer that has several; of the first one otherwise.
        const bool joins = operator_of(base.layer.kind).shares_channels;
        const std::vector<int> in = joins ? joined_sources(base) : sources_of(base.inputs.front());
        const bool by_pixel = node.layer.kind == LayerKind::linear ||
                              node.layer.kind == LayerKind::map_bias ||
                              node.layer.kind == LayerKind::map_scale;
        const bool same_pixels =
            node.layer.in_height == base.layer.in_height && node.layer.in_width == base.layer.in_width;
        if (static_cast<int>(in.size()) != node.layer.in_channels ||
            static_cast<int>(out.size()) != node.layer.out_channels || node.layer.kind != base.layer.kind ||
            node.layer.window.kernel != base.layer.window.kernel || node.layer.bias != base.layer.bias ||
            (by_pixel && !same_pixels)) {
            throw InputError(fmt::format(
                "{} ({}) cannot have the weights of {} ({}): {} of its input and {} of its output "
                "channels come from there",
                node.name, node.layer.key(), base.name, base.layer.key(), in.size(), out.size()));
        }
        check_ties(node, base, in, out);
        const GatherCall call{base,
                              weights,
                              node.layer,
                              in,
                              out,
                              map_.settings.unevenness,
                              seed_of(base.name, map_.settings.seed)};
        if (const auto reason = inexact_reason(call)) inexact_.push_back(node.name + ": " + *reason);
        return gathered(call);
    }

    std::vector<int> joined_sources(const Node& base) const {
        std::vector<int> joined;
        int before = 0;
        for (std::size_t i = 0; i < base.layer.inputs; ++i) {
            for (const int source : sources_of(base.inputs[i])) joined.push_back(before + source);
            before += map_.base.graph.input_of(base, i).channels;
        }
        return joined;
    }

    // That what a layer keeps together is one channel of the base on all sides.
    void check_ties(const Node& node, const Node& base, const std::vector<int>& in,
                    const std::vector<int>& out) const {
        const Operator& op = operator_of(base.layer.kind);
        const ChannelTie tie = op.channel_tie(base.layer);
        bool together = true;
        if (tie == ChannelTie::one_to_one) {
            for (std::size_t i = 0; i < base.layer.inputs; ++i) {
                const bool all = map_.base.graph.input_of(base, i).channels == base.layer.out_channels;
                together = together && (!all || sources_of(base.inputs[i]) == out);
            }
        }
        if (base.layer.residual) together = together && sources_of(base.residual_input()) == out;
        if (tie == ChannelTie::moved) {
            for (int c = 0; c < node.layer.out_channels; ++c) {
                const int from = op.source_channel(node.layer, c);
                together = together && in[at(from)] == op.source_channel(base.layer, out[at(c)]);
            }
        }
        if (together) return;
        throw InputError(fmt::format(
            "{}: the channels that it reads are not those of the base's layer; these are the channel "
            "groups of another network",
            node.name));
    }

    const WeightMap& map_;
    const Graph& graph_;
    const std::vector<NodeOrigin>& origins_;
    std::vector<std::string>& inexact_;
};

}  // namespace

std::vector<LayerWeights> mapped_weights(const WeightMap& map, const Graph& graph,
                                         const std::vector<NodeOrigin>& origins,
                                         std::vector<std::string>& inexact) {
    if (map.settings.unevenness < 0.0 || map.settings.unevenness >= 0.5) {
        throw InputError(
            fmt::format("an unevenness of {}, expected 0 to below 0.5", map.settings.unevenness));
    }
    return Mapping(map, graph, origins, inexact).run();
}

Identity start_as_identities(Network& network, const std::vector<NodeRange>& added,
                             std::vector<std::string>& inexact) {
    Identity all;
    for (const NodeRange& block : added) {
        const Identity identity = make_identity(network.graph, block.begin, block.end, network.weights);
        all.zeroed.insert(all.zeroed.end(), identity.zeroed.begin(), identity.zeroed.end());
        all.copying.insert(all.copying.end(), identity.copying.begin(), identity.copying.end());
        if (identity.reason.empty()) continue;
        inexact.push_back(fmt::format("{}: the new block does not start as an identity: {}",
                                      network.graph.nodes[at(block.begin)].name, identity.reason));
    }
    return all;
}

}  // namespace hacscale::detail
