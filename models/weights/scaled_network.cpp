#include "models/weights/scaled_network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "models/weights/detail/channel_sources.hpp"
#include "models/weights/detail/choose.hpp"
#include "models/weights/detail/mapped_weights.hpp"

namespace hacscale {

using detail::at;

ScaledNetwork scaled_network(const Network& base, const std::vector<ChannelGroup>& groups,
                             const std::vector<Repeat>& repeats, const GraphChoice& choice,
                             const WeightSettings& settings) {
    check_weights(base);
    if (!settings.block_scores.empty() && settings.block_scores.size() != repeats.size()) {
        throw InputError(fmt::format("scores of {} repeats, the network has {}", settings.block_scores.size(),
                                     repeats.size()));
    }
    const GraphChoice as_it_is = choice_of(groups, repeats);
    if (choice.depths.size() != repeats.size() || choice.widths.size() != groups.size()) {
        scaled(base.graph, groups, repeats, choice);  // which says what it lacks
    }
    ScaledNetwork result;
    std::vector<std::vector<int>> kept;  // of each repeat
    BlockScores own;
    for (std::size_t r = 0; r < repeats.size(); ++r) {
        std::vector<int> blocks = blocks_of(repeats[r], choice, r);
        const bool chosen = !choice.blocks.empty() && !choice.blocks[r].empty();
        if (!chosen && choice.depths[r] < repeats[r].count) {
            if (settings.block_scores.empty() && own.empty()) own = block_scores(base, repeats);
            const std::vector<double>& scores =
                settings.block_scores.empty() ? own[r] : settings.block_scores[r];
            if (scores.size() != at(repeats[r].count)) {
                throw InputError(fmt::format("the repeat {} has {} blocks and {} scores", repeats[r].name,
                                             repeats[r].count, scores.size()));
            }
            blocks = detail::best_blocks(scores, choice.depths[r], repeats[r].name);
        }
        kept.push_back(blocks);
        blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
        result.keeps_all = result.keeps_all && static_cast<int>(blocks.size()) == repeats[r].count;
    }
    // Blocks that the choice itself names have the widths of their own groups.
    GraphChoice named = choice;
    named.blocks = kept;
    if (choice.blocks.empty()) named = keeping_blocks(groups, repeats, std::move(named), std::move(kept));
    ScaledGraph made = scaled(base.graph, groups, repeats, named);
    result.blocks = named.blocks;
    result.units = detail::chosen_units(base, groups, named.widths, settings);
    for (std::size_t g = 0; g < groups.size(); ++g) {
        result.keeps_all = result.keeps_all && named.widths[g] >= groups[g].base_width;
    }
    result.channels = detail::channel_sources(base.graph, groups, result.units);
    const detail::WeightMap map{base, result.channels, settings};
    result.network = Network{.name = base.name, .graph = std::move(made.graph)};
    result.network.input_names = base.input_names;
    result.network.output_names = base.output_names;
    result.network.vector_outputs = base.vector_outputs;
    result.network.left_out = base.left_out;
    result.origins = std::move(made.origins);
    result.network.weights =
        detail::mapped_weights(map, result.network.graph, result.origins, result.inexact);
    // Blocks that others replace in their place, without an add, read channels of another group.
    const std::vector<bool> tied = ties_its_ends(base.graph, groups, repeats);
    for (std::size_t r = 0; r < repeats.size(); ++r) {
        if (tied[r] || choice.depths[r] == as_it_is.depths[r]) continue;
        if (choice.depths[r] < as_it_is.depths[r]) {
            result.inexact.push_back(
                fmt::format("{}: blocks are left out between channels that no add ties, so the layers behind "
                            "them read other channels",
                            repeats[r].name));
        }
    }
    detail::Identity identity = detail::start_as_identities(result.network, made.added, result.inexact);
    result.zeroed = std::move(identity.zeroed);
    result.copying = std::move(identity.copying);
    return result;
}

}  // namespace hacscale
