// What was chosen for a network without stages, as files: an ONNX file with the weights that training goes on from, and the
// counts of channels by tensor and module, for whoever resizes the module that the file came from.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "models/formats/onnx_export/onnx_export.hpp"
#include "models/graph/network.hpp"
#include "models/structure/scaled_graph.hpp"
#include "models/weights/scaled_network.hpp"
#include "models/weights/weight_settings.hpp"
#include "records/comparison.hpp"
#include "scaling/context.hpp"

namespace hacscale::harness {

struct ChoiceFiles {
    std::filesystem::path onnx;      // empty: not wanted
    std::filesystem::path channels;  // JSON (docs/formats.md); the same
    std::filesystem::path scores;    // of units, as read_scores() takes them; empty: by the norms of weights
    std::int64_t opset = default_onnx_opset;
    GroupRules group_rules{};  // as the choice was made with

    bool any() const { return !onnx.empty() || !channels.empty(); }
};

// The choice of a row of a comparison of a graph. Throws InputError where the comparison is of another network.
GraphChoice graph_choice_of(const records::ComparisonRecord& record, const ScalingChoice& choice,
                            const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats);

// By what units and blocks are kept: a scores file, and the norms of weights for what it leaves out, or without one.
struct UnitRanking {
    WeightSettings settings;
    std::string method;  // in words
};
UnitRanking unit_ranking(const Network& base, const std::vector<ChannelGroup>& groups,
                         const std::vector<Repeat>& repeats, const std::filesystem::path& scores);

// Whether the outputs are the base's, and why not.
std::string outputs_text(const ScaledNetwork& scaled, const std::string& method);

// The network that a row of a comparison of `base` chose, with weights. Throws as write_choice() does.
Network chosen_network(const Network& base, const records::ComparisonRecord& record,
                       const records::StrategyRow& row, const std::filesystem::path& scores,
                       const GroupRules& rules);

// Writes the choice of a row of a comparison of `base`, which has weights. Returns lines that say what each file holds, and whether its
// outputs are the base's. Throws InputError as scaled_network() does, and for rows of another network; WorkError where a file cannot be
// written.
std::vector<std::string> write_choice(const Network& base, const records::ComparisonRecord& record,
                                      const records::StrategyRow& row, const ChoiceFiles& files);

// What pruning ranks the channels of a network by, which has weights: the L1 norms of its weights; and what a scores file (which may be
// empty) says, nothing where it is empty.
struct PruningScores {
    ChannelScores norms;
    std::optional<ChannelScores> given;
};
PruningScores pruning_scores(const Network& base, const std::filesystem::path& scores,
                             const GroupRules& rules = {});

}  // namespace hacscale::harness
