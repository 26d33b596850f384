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
#include "models/weights/weight_settings.hpp"
#include "records/comparison.hpp"
#include "scaling/context.hpp"

namespace hacscale::harness {

struct ChoiceFiles {
    std::filesystem::path onnx;      // empty: not wanted
    std::filesystem::path channels;  // JSON (docs/formats.md); the same
    std::filesystem::path scores;    // of units, as read_scores() takes them; empty: by the norms of weights
    std::int64_t opset = default_onnx_opset;
    GroupedConvs grouped_convs = GroupedConvs::keep_width;  // as the choice was made with

    bool any() const { return !onnx.empty() || !channels.empty(); }
};

// Writes the choice of a row of a comparison of `base`, which has weights. Returns a line for each file: what it holds, and whether its
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
                             GroupedConvs grouped_convs = GroupedConvs::keep_width);

}  // namespace hacscale::harness
