// Weights of a network with stages from those of its base: which node comes from which, by stage, block and the layer's name within the block.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "base/error.hpp"
#include "models/formats/formats.hpp"
#include "models/stages/lowering.hpp"
#include "models/weights/detail/choose.hpp"
#include "models/weights/detail/mapped_weights.hpp"
#include "models/weights/scaled_network.hpp"

namespace hacscale {
namespace {

using detail::ChannelSources;

using detail::at;

std::string own_name(const Node& node) {
    return node.name.substr(node.name.rfind('.') + 1);
}

// A layer's place: stage, block within it, name within that.
using Place = std::tuple<int, int, std::string>;
Place place_of(const Node& node) {
    return {node.stage, node.block, own_name(node)};
}

Network network_of(const ModelSpec& model, const std::vector<LayerWeights>& weights) {
    return {.name = model.name, .hash = model_hash(model), .graph = lower(model), .weights = weights};
}

class StageMapping {
public:
    StageMapping(const ModelSpec& base, const std::vector<LayerWeights>& weights, const ModelSpec& target,
                 const WeightSettings& settings)
        : base_model_(base), target_model_(target), settings_(settings), base_(network_of(base, weights)) {
        check_weights(base_);
        if (base.stages.size() != target.stages.size()) {
            throw InputError(
                fmt::format("{} has {} stages and {} has {}: weights go from a network to a scaled one",
                            base.name, base.stages.size(), target.name, target.stages.size()));
        }
        groups_ = channel_groups(base_.graph, {.grouped_convs = grouped_convs_of(base)});
        repeats_ = repeats(base_.graph);
        result_.network = network_of(target, {});
    }

    ScaledNetwork run() {
        choose_blocks();
        find_origins();
        const std::vector<int> widths = find_widths();
        result_.units = detail::chosen_units(base_, groups_, widths, settings_);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            result_.keeps_all = result_.keeps_all && widths[g] >= groups_[g].base_width;
        }
        result_.channels = detail::channel_sources(base_.graph, groups_, result_.units);
        leave_out_other_shapes(result_.channels);
        const detail::WeightMap map{base_, result_.channels, settings_};
        Network& network = result_.network;
        network.weights = detail::mapped_weights(map, network.graph, result_.origins, result_.inexact);
        detail::Identity identity = detail::start_as_identities(result_.network, added_, result_.inexact);
        result_.zeroed = std::move(identity.zeroed);
        result_.copying = std::move(identity.copying);
        say_what_differs();
        return std::move(result_);
    }

private:
    // ---- Blocks ----

    // Of each block that repeats, its stage, its number there, and its score.
    struct Block {
        std::size_t repeat = 0;
        int number = 0;  // in the repeat
        double score = 0.0;
    };

    void choose_blocks() {
        if (!settings_.block_scores.empty() && settings_.block_scores.size() != repeats_.size()) {
            throw InputError(fmt::format("scores of {} repeats, the network has {}",
                                         settings_.block_scores.size(), repeats_.size()));
        }
        const BlockScores scores =
            settings_.block_scores.empty() ? hacscale::block_scores(base_, repeats_) : settings_.block_scores;
        std::map<std::pair<int, int>, Block> repeating;  // by stage and block
        for (std::size_t r = 0; r < repeats_.size(); ++r) {
            for (int b = 0; b < repeats_[r].count; ++b) {
                const Node& first =
                    base_.graph.nodes[at(repeats_[r].first_node + b * repeats_[r].block_nodes)];
                repeating[{first.stage, first.block}] = {r, b, scores[r].at(at(b))};
            }
        }
        std::set<std::pair<int, int>> dropped;
        for (int s = 0; s < static_cast<int>(base_model_.stages.size()); ++s) {
            const int depth = base_model_.stages[at(s)].depth;
            const int wanted = target_model_.stages[at(s)].depth;
            std::vector<int> blocks;  // as they may go: the least important one first, then from the end on
            for (int b = 0; b < depth; ++b) blocks.push_back(b);
            std::ranges::stable_sort(blocks, {}, [&](int b) {
                const auto known = repeating.find({s, b});
                return known == repeating.end() ? std::tuple(1, 0.0, -b)
                                                : std::tuple(0, known->second.score, -b);
            });
            for (int i = 0; i < depth - wanted; ++i) dropped.insert({s, blocks[at(i)]});
            std::vector<int>& kept = kept_.emplace_back();
            for (int b = 0; b < depth; ++b) {
                if (!dropped.contains({s, b})) kept.push_back(b);
            }
            result_.keeps_all = result_.keeps_all && wanted >= depth;
            last_repeats_.push_back(repeating.contains({s, depth - 1}));
        }
        for (std::size_t r = 0; r < repeats_.size(); ++r) result_.blocks.emplace_back();
        for (const auto& [where, block] : repeating) {
            if (dropped.contains(where)) continue;
            std::vector<int>& list = result_.blocks[block.repeat];
            list.push_back(block.number);
            const auto stage = at(where.first);
            if (where.first < 0 || stage >= base_model_.stages.size()) continue;
            if (where.second + 1 != base_model_.stages[stage].depth) continue;
            for (int b = where.second + 1; b < target_model_.stages[stage].depth; ++b)
                list.push_back(block.number);
        }
    }

    // ---- Nodes ----

    bool in_stages(const Node& node) const {
        return node.stage >= 0 && node.stage < static_cast<int>(base_model_.stages.size());
    }

    void find_origins() {
        std::map<Place, int> base_nodes;
        for (std::size_t n = 0; n < base_.graph.nodes.size(); ++n) {
            base_nodes[place_of(base_.graph.nodes[n])] = static_cast<int>(n);
        }
        const Graph& graph = result_.network.graph;
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            const Node& node = graph.nodes[n];
            Place place = place_of(node);
            int copy = 0;
            bool known = true;
            if (in_stages(node) && node.layer.kind == LayerKind::max_pool) {
                std::get<1>(place) = base_model_.stages[at(node.stage)].depth - 1;  // behind the last block
            } else if (in_stages(node)) {
                const std::vector<int>& kept = kept_[at(node.stage)];
                const auto block = at(node.block);
                const bool is_new = block >= kept.size();
                copy = is_new ? node.block - static_cast<int>(kept.size()) + 1 : 0;
                known = !is_new || last_repeats_[at(node.stage)];
                std::get<1>(place) = is_new ? kept.back() : kept[block];
                if (is_new) extend_added(static_cast<int>(n), node);
            }
            const auto origin = base_nodes.find(place);
            known = known && origin != base_nodes.end();
            result_.origins.push_back({known ? origin->second : no_node, copy});
            if (!known && copy == 0) {
                result_.inexact.push_back(
                    fmt::format("{}: the base has no such layer, so it has random weights", node.name));
            }
        }
    }

    void extend_added(int n, const Node& node) {
        const auto place = std::pair(node.stage, node.block);
        if (added_.empty() || last_added_ != place) added_.push_back({n, n});
        added_.back().end = n + 1;
        last_added_ = place;
    }

    // ---- Channels ----

    std::vector<int> find_widths() const {
        constexpr int unknown = 0;
        std::vector<int> widths(groups_.size(), unknown);
        for (std::size_t n = 0; n < result_.origins.size(); ++n) {
            if (result_.origins[n].node == no_node || result_.origins[n].copy > 0) continue;
            const Node& base = base_.graph.nodes[at(result_.origins[n].node)];
            const Node& node = result_.network.graph.nodes[n];
            for (std::size_t g = 0; g < groups_.size(); ++g) {
                const ChannelGroup& group = groups_[g];
                const auto tensor = std::ranges::lower_bound(group.tensors, base.outputs.front());
                if (tensor == group.tensors.end() || *tensor != base.outputs.front()) continue;
                const int of_group = group.channels[static_cast<std::size_t>(tensor - group.tensors.begin())];
                // A stage's layers have the channels of one group, all of them.
                const auto width =
                    static_cast<int>(std::int64_t{node.layer.out_channels} * group.base_width / of_group);
                if (widths[g] == unknown) widths[g] = width;
                if (widths[g] == width) continue;
                throw InputError(
                    fmt::format("{}: it has {} channels where {} others have {} that are tied to it in {}",
                                node.name, width, group.name, widths[g], base_.name));
            }
        }
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            if (widths[g] == unknown) widths[g] = groups_[g].base_width;
            check_width(groups_[g], widths[g]);
        }
        return widths;
    }

    // New blocks whose widths are not those of the block that they repeat start with random weights.
    void leave_out_other_shapes(const ChannelSources& sources) {
        for (const NodeRange& block : added_) {
            bool fits = true;
            for (int n = block.begin; n < block.end; ++n) {
                const int origin = result_.origins[at(n)].node;
                if (origin == no_node) {
                    fits = false;
                    continue;
                }
                const Node& base = base_.graph.nodes[at(origin)];
                const LayerSpec& layer = result_.network.graph.nodes[at(n)].layer;
                fits = fits &&
                       static_cast<int>(sources[at(base.inputs.front())].size()) == layer.in_channels &&
                       static_cast<int>(sources[at(base.outputs.front())].size()) == layer.out_channels &&
                       base.layer.kind == layer.kind;
            }
            for (int n = block.begin; n < block.end && !fits; ++n) result_.origins[at(n)].node = no_node;
        }
    }

    // ---- What the weights cannot keep ----

    void say_what_differs() {
        if (base_model_.resolution != target_model_.resolution) {
            result_.inexact.push_back(fmt::format("inputs have {} rows, the base's {}",
                                                  target_model_.resolution, base_model_.resolution));
        }
        for (std::size_t n = 0; n < result_.origins.size(); ++n) {
            if (result_.origins[n].node == no_node) continue;
            const Node& node = result_.network.graph.nodes[n];
            const bool adds = base_.graph.nodes[at(result_.origins[n].node)].layer.residual;
            if (node.layer.residual == adds) continue;
            result_.inexact.push_back(fmt::format("{}: it {} what its block reads, the base's layer {}",
                                                  node.name, adds ? "does not add" : "adds",
                                                  adds ? "does" : "does not"));
        }
    }

    const ModelSpec& base_model_;
    const ModelSpec& target_model_;
    const WeightSettings& settings_;
    Network base_;
    std::vector<ChannelGroup> groups_;
    std::vector<Repeat> repeats_;
    std::vector<std::vector<int>> kept_;  // of each stage, the base's blocks
    std::vector<bool> last_repeats_;  // of each stage, whether another block like its last one fits behind it
    std::vector<NodeRange> added_;
    std::pair<int, int> last_added_{-1, -1};
    ScaledNetwork result_;
};

}  // namespace

GroupedConvs grouped_convs_of(const ModelSpec& model) {
    const bool counted =
        std::ranges::any_of(model.stages, [](const StageSpec& stage) { return stage.groups > 1; });
    return counted ? GroupedConvs::keep_count : GroupedConvs::keep_width;
}

ScaledNetwork scaled_network(const ModelSpec& base, const std::vector<LayerWeights>& weights,
                             const ModelSpec& target, const WeightSettings& settings) {
    return StageMapping(base, weights, target, settings).run();
}

}  // namespace hacscale
