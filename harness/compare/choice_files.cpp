#include "harness/compare/choice_files.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/error.hpp"
#include "base/text/lines.hpp"
#include "models/formats/onnx/onnx.hpp"
#include "models/structure/structure.hpp"
#include "models/weights/channel_document.hpp"
#include "models/weights/scaled_network.hpp"
#include "records/record_file.hpp"

namespace hacscale::harness {
namespace {

// A unit's score is shared out among its channels.
ChannelScores by_channel(const UnitScores& scores, const std::vector<ChannelGroup>& groups) {
    ChannelScores result;
    for (std::size_t g = 0; g < groups.size(); ++g) {
        std::vector<double>& channels = result.widths.emplace_back();
        for (const double score : scores[g]) {
            channels.insert(channels.end(), static_cast<std::size_t>(groups[g].multiple),
                            score / groups[g].multiple);
        }
    }
    return result;
}

}  // namespace

GraphChoice graph_choice_of(const records::ComparisonRecord& record, const ScalingChoice& choice,
                            const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats) {
    const auto is_named = [](const ChannelGroup& group, const std::string& name) {
        return group.name == name;
    };
    if (!std::equal(groups.begin(), groups.end(), record.width_names.begin(), record.width_names.end(),
                    is_named)) {
        throw InputError(fmt::format("the comparison is of another network than {}", record.model));
    }
    GraphChoice result = choice_of(groups, repeats);
    result.widths = choice.widths;
    for (std::size_t r = 0; r < repeats.size(); ++r) {
        const auto name = std::find(record.depth_names.begin(), record.depth_names.end(), repeats[r].name);
        if (name == record.depth_names.end()) {
            continue;  // its number of blocks cannot change
        }
        result.depths[r] = choice.depths[static_cast<std::size_t>(name - record.depth_names.begin())];
    }
    return result;
}

UnitRanking unit_ranking(const Network& base, const std::vector<ChannelGroup>& groups,
                         const std::vector<Repeat>& repeats, const std::filesystem::path& scores) {
    UnitRanking ranking{{}, "the L1 norm of their weights"};
    if (scores.empty()) {
        return ranking;
    }
    ScoresFile given = read_scores(scores, groups, repeats);
    ranking.method = fmt::format("{} of {}", given.method, scores.string());
    // Groups that the file leaves out are judged by their weights.
    const UnitScores norms = weight_scores(base, groups);
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (given.unit_scores[g].empty()) {
            given.unit_scores[g] = norms[g];
        }
    }
    ranking.settings.unit_scores = std::move(given.unit_scores);
    ranking.settings.block_scores = std::move(given.block_scores);
    const BlockScores of_weights = block_scores(base, repeats);
    for (std::size_t r = 0; r < ranking.settings.block_scores.size(); ++r) {
        if (ranking.settings.block_scores[r].empty()) {
            ranking.settings.block_scores[r] = of_weights[r];
        }
    }
    return ranking;
}

std::string outputs_text(const ScaledNetwork& scaled, const std::string& method) {
    if (scaled.same_function()) {
        return "outputs are the base's until it is trained";
    }
    if (!scaled.keeps_all) {
        return fmt::format("it keeps the channels with the greatest scores by {}; train it on", method);
    }
    return fmt::format("outputs are not quite the base's: {}", scaled.inexact.front());
}

namespace {

struct Choice {
    std::vector<ChannelGroup> groups;
    std::vector<Repeat> blocks;
    UnitRanking ranking;
    ScaledNetwork scaled;
};

Choice choice_of_row(const Network& base, const records::ComparisonRecord& record,
                     const records::StrategyRow& row, const std::filesystem::path& scores,
                     const GroupRules& rules) {
    std::vector<ChannelGroup> groups = channel_groups(base.graph, rules);
    std::vector<Repeat> blocks = repeats(base.graph);
    UnitRanking ranking = unit_ranking(base, groups, blocks, scores);
    ScaledNetwork scaled = scaled_network(
        base, groups, blocks, graph_choice_of(record, *row.choice, groups, blocks), ranking.settings);
    return {std::move(groups), std::move(blocks), std::move(ranking), std::move(scaled)};
}

}  // namespace

Network chosen_network(const Network& base, const records::ComparisonRecord& record,
                       const records::StrategyRow& row, const std::filesystem::path& scores,
                       const GroupRules& rules) {
    return choice_of_row(base, record, row, scores, rules).scaled.network;
}

std::vector<std::string> write_choice(const Network& base, const records::ComparisonRecord& record,
                                      const records::StrategyRow& row, const ChoiceFiles& files) {
    if (!row.choice) {
        throw WorkError(fmt::format("nothing is written: {} found no network within the budget: {}",
                                    row.strategy, row.reason));
    }
    const auto [groups, blocks, ranking, scaled] =
        choice_of_row(base, record, row, files.scores, files.group_rules);
    std::vector<std::string> lines;
    if (!base.left_out.empty()) {
        lines.push_back(fmt::format("without {} of the base's file that no layer here computes",
                                    counted(base.left_out.size(), "node")));
    }
    if (!files.onnx.empty()) {
        onnx::write_file(export_onnx(scaled.network, files.opset), files.onnx);
        lines.push_back(fmt::format("{}: {} params, {} MACs", files.onnx.string(),
                                    with_separators(scaled.network.graph.params()),
                                    with_separators(scaled.network.graph.macs())));
        lines.push_back(outputs_text(scaled, ranking.method));
    }
    if (!files.channels.empty()) {
        records::write_record(files.channels, channel_document(base, groups, blocks, scaled));
        lines.push_back(fmt::format("{}: the channels of its tensors and modules", files.channels.string()));
    }
    return lines;
}

PruningScores pruning_scores(const Network& base, const std::filesystem::path& scores,
                             const GroupRules& rules) {
    const std::vector<ChannelGroup> groups = channel_groups(base.graph, rules);
    PruningScores result{by_channel(weight_scores(base, groups), groups), std::nullopt};
    if (!scores.empty()) {
        result.given = by_channel(read_scores(scores, groups, repeats(base.graph)).unit_scores, groups);
    }
    return result;
}

}  // namespace hacscale::harness
