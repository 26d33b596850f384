// How much each unit of a channel group matters to a network (models/structure/structure.hpp), and each of its repeated blocks: what
// a smaller network keeps.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "models/graph/network.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {

// Of each group, one number a unit; of a group without numbers none.
using UnitScores = std::vector<std::vector<double>>;
// Of each repeat, one number a block.
using BlockScores = std::vector<std::vector<double>>;

enum class WeightNorm : std::uint8_t { l1, l2 };

// By the norm of the filters that compute a unit's channels (Li et al. 2017), in all layers that write the group: each layer's norms over
// their mean, so that layers count alike, then the sum. Throws InputError, which names the tensor, for weights that are not the
// network's or no numbers.
UnitScores weight_scores(const Network& network, const std::vector<ChannelGroup>& groups,
                         WeightNorm norm = WeightNorm::l1);

// By the mean absolute weight of the layers that the block adds to what it reads, so that a block that changes little comes last. Blocks
// that add nothing to what they read matter less the later they come.
BlockScores block_scores(const Network& network, const std::vector<Repeat>& repeats);

// Scores that another program computed, by Taylor or Fisher, from a file:
//   {"method": "taylor", "groups": {"layer1.0.conv1": [0.3, 0.1, ...], ...}, "blocks": {"layer1.0.conv1": [0.9, 0.2]}}
// A list of `groups` has one number a unit, or one a channel of the group's first tensor, which are added up; one of `blocks`, which may
// be absent, has one number a block of the repeat. Groups and repeats that are not in the file have no scores. Throws InputError, which
// names the file and the group, for a file of another form, a group or repeat that the network does not have, a list of another
// length, and what is no number.
struct ScoresFile {
    std::string method;
    UnitScores unit_scores;
    BlockScores block_scores;  // empty without the key
};
ScoresFile read_scores(const std::filesystem::path& file, const std::vector<ChannelGroup>& groups,
                       const std::vector<Repeat>& repeats);

// Throws InputError, which names the tensor ("conv1.weight"), where weights have not the sizes that the graph's layers need, or hold a
// number that is not finite.
void check_weights(const Network& network);

}  // namespace hacscale
