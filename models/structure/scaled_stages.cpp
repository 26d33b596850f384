#include "models/structure/scaled_stages.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

std::size_t as_index(int index) {
    return static_cast<std::size_t>(index);
}

[[noreturn]] void refuse(const ModelSpec& base, const std::string& why) {
    throw InputError(fmt::format(
        "{} scaled so is no model with stages any more: {}; write it as an ONNX file", base.name, why));
}

// Of a width of the model, the first tensor whose channels it sets; nothing where that cannot be told.
std::optional<TensorId> first_tensor_of(const ModelSpec& base, const Graph& graph, const WidthGroup& width) {
    try {
        const Graph wider = lower(widened(base, width, 2 * width.base_width));
        if (wider.nodes.size() != graph.nodes.size()) return std::nullopt;
        for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
            if (wider.nodes[n].layer.out_channels == graph.nodes[n].layer.out_channels) continue;
            return graph.nodes[n].outputs.front();
        }
    } catch (const InputError&) {
        return std::nullopt;
    }
    return std::nullopt;
}

// The width that the model's number has where the groups of its channels are as wide as chosen.
int chosen_width(const WidthGroup& width, TensorId tensor, const std::vector<ChannelGroup>& groups,
                 const GraphChoice& choice) {
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (!std::ranges::binary_search(groups[g].tensors, tensor)) continue;
        return static_cast<int>(std::int64_t{width.base_width} * choice.widths[g] / groups[g].base_width);
    }
    return width.base_width;
}

// Of each stage, the base's block that each of its blocks is, or is a copy of.
std::vector<std::vector<int>> blocks_of_stages(const ModelSpec& base, const Graph& graph,
                                               const ScaledGraph& made) {
    std::vector<std::vector<int>> blocks(base.stages.size());
    int last_block = -1;
    int last_stage = -1;
    for (std::size_t n = 0; n < made.graph.nodes.size(); ++n) {
        const Node& node = made.graph.nodes[n];
        if (node.stage < 0 || node.stage >= static_cast<int>(base.stages.size())) continue;
        if (node.layer.kind == LayerKind::max_pool) continue;  // behind the last block
        if (node.stage == last_stage && node.block == last_block) continue;
        last_stage = node.stage;
        last_block = node.block;
        blocks[as_index(node.stage)].push_back(graph.nodes[as_index(made.origins[n].node)].block);
    }
    return blocks;
}

}  // namespace

ModelSpec scaled_stages(const ModelSpec& base, const std::vector<ChannelGroup>& groups,
                        const std::vector<Repeat>& repeats, const GraphChoice& choice) {
    const Graph graph = lower(base);
    const ScaledGraph made = scaled(graph, groups, repeats, choice);
    ModelSpec model = base;
    for (const WidthGroup& width : width_groups(base)) {
        const auto tensor = first_tensor_of(base, graph, width);
        if (!tensor) continue;  // the comparison of layers below tells whether that matters
        const int chosen = chosen_width(width, *tensor, groups, choice);
        if (chosen != width.base_width) model = widened(model, width, chosen);
    }
    const std::vector<std::vector<int>> blocks = blocks_of_stages(base, graph, made);
    for (std::size_t s = 0; s < model.stages.size(); ++s) {
        StageSpec& stage = model.stages[s];
        if (blocks[s].empty())
            refuse(base, fmt::format("{} has no blocks", stage_name(base, static_cast<int>(s))));
        stage.depth = static_cast<int>(blocks[s].size());
        if (stage.inner_widths.empty()) continue;
        std::vector<int> inner;
        for (const int block : blocks[s]) inner.push_back(stage.inner_widths.at(as_index(block)));
        stage.inner_widths = std::move(inner);
    }
    const Graph written = lower(model);
    const bool as_many = written.nodes.size() == made.graph.nodes.size();
    for (std::size_t n = 0; n < std::min(written.nodes.size(), made.graph.nodes.size()); ++n) {
        if (written.nodes[n].layer.key() == made.graph.nodes[n].layer.key()) continue;
        refuse(base, fmt::format("{} would be {}, not {}", written.nodes[n].name,
                                 written.nodes[n].layer.key(), made.graph.nodes[n].layer.key()));
    }
    if (!as_many) refuse(base, "it has another number of layers");
    return model;
}

}  // namespace hacscale
