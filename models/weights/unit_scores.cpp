#include "models/weights/unit_scores.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>
#include <numeric>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "base/text/utf8.hpp"
#include "models/ops/operator.hpp"
#include "models/weights/detail/channel_sources.hpp"
#include "models/weights/detail/identity.hpp"

namespace hacscale {
namespace {

using detail::at;

// Of each output channel of a layer, the norm of the weights that compute it; empty where no weights of its own do.
std::vector<double> channel_norms(const LayerSpec& layer, const LayerWeights& weights, WeightNorm norm) {
    const bool joining = layer.kind == LayerKind::conv || layer.kind == LayerKind::linear ||
                         layer.kind == LayerKind::transposed_conv;
    if (!joining && layer.kind != LayerKind::scale_shift) return {};
    std::vector<double> sums(at(layer.out_channels), 0.0);
    const std::size_t filter = weights.weights.size() / sums.size();
    // PyTorch orders those of transposed convs by input channel first.
    const bool input_first = layer.kind == LayerKind::transposed_conv;
    const std::size_t taps = input_first ? static_cast<std::size_t>(layer.window.taps()) : 1;
    const int share = layer.out_channels / layer.groups;
    for (std::size_t i = 0; i < weights.weights.size(); ++i) {
        std::size_t channel = i / filter;
        if (input_first) {
            const std::size_t in = i / taps / at(share);
            const std::size_t group = in / at(layer.in_channels / layer.groups);
            channel = group * at(share) + i / taps % at(share);
        }
        const double weight = weights.weights[i];
        sums[channel] += norm == WeightNorm::l1 ? std::abs(weight) : weight * weight;
    }
    if (norm == WeightNorm::l2) {
        for (double& sum : sums) sum = std::sqrt(sum);
    }
    return sums;
}

}  // namespace

void check_weights(const Network& network) {
    if (network.weights.size() != network.graph.nodes.size()) {
        throw InputError(fmt::format("{} has weights of {} of its {} layers, expected all", network.name,
                                     network.weights.size(), network.graph.nodes.size()));
    }
    for (std::size_t n = 0; n < network.weights.size(); ++n) {
        const Node& node = network.graph.nodes[n];
        for (const WeightPart& part : operator_of(node.layer.kind).weights(node.layer)) {
            const std::vector<float>& values = network.weights[n].*part.values;
            const std::int64_t count =
                std::accumulate(part.shape.begin(), part.shape.end(), std::int64_t{1}, std::multiplies<>());
            if (static_cast<std::int64_t>(values.size()) != count) {
                throw InputError(fmt::format(
                    "{}.{}: expected {} numbers of the shape [{}], found {}: these are the weights of "
                    "another network",
                    node.name, part.name, count, fmt::join(part.shape, ", "), values.size()));
            }
            const auto bad = std::ranges::find_if(values, [](float value) { return !std::isfinite(value); });
            if (bad != values.end()) {
                throw InputError(fmt::format(
                    "{}.{}: number {} is {}, expected numbers that are finite; was the training that "
                    "wrote it stable?",
                    node.name, part.name, bad - values.begin(), *bad));
            }
        }
    }
}

UnitScores weight_scores(const Network& network, const std::vector<ChannelGroup>& groups, WeightNorm norm) {
    check_weights(network);
    UnitScores scores;
    for (const ChannelGroup& group : groups) {
        std::vector<double>& units = scores.emplace_back(at(group.units()), 0.0);
        for (const int producer : group.producers) {
            const Node& node = network.graph.nodes[at(producer)];
            const std::vector<double> norms = channel_norms(node.layer, network.weights[at(producer)], norm);
            if (norms.empty()) continue;
            const double mean =
                std::accumulate(norms.begin(), norms.end(), 0.0) / static_cast<double>(norms.size());
            if (mean == 0.0) continue;
            for (const ChannelSegment& segment : group.segments) {
                if (segment.tensor != node.outputs.front()) continue;
                const int each = segment.channels / group.units();
                for (int c = 0; c < segment.channels; ++c) {
                    units[at(c / each)] += norms[at(segment.first + c)] / mean / each;
                }
            }
        }
    }
    return scores;
}

BlockScores block_scores(const Network& network, const std::vector<Repeat>& repeats) {
    check_weights(network);
    BlockScores scores;
    std::vector<LayerWeights> weights = network.weights;
    for (const Repeat& repeat : repeats) {
        std::vector<double>& blocks = scores.emplace_back();
        for (int block = 0; block < repeat.count; ++block) {
            const int begin = repeat.first_node + block * repeat.block_nodes;
            const detail::Identity identity =
                detail::make_identity(network.graph, begin, begin + repeat.block_nodes, weights);
            double sum = 0.0;
            std::size_t count = 0;
            for (const int node : identity.zeroed) {
                for (const float weight : network.weights[at(node)].weights)
                    sum += std::abs(static_cast<double>(weight));
                count += network.weights[at(node)].weights.size();
            }
            const bool adds = count > 0 && identity.copying.empty();
            blocks.push_back(adds ? sum / static_cast<double>(count) : -block);
        }
    }
    return scores;
}

namespace {

constexpr std::uintmax_t max_scores_bytes = std::uintmax_t{64} << 20;

class ScoresReader {
public:
    explicit ScoresReader(const std::filesystem::path& file)
        : file_(file), json_(nlohmann::json::parse(read_file(file, max_scores_bytes), nullptr, false)) {
        const bool sound = json_.is_object() && json_.contains("method") && json_["method"].is_string() &&
                           json_.contains("groups") && json_["groups"].is_object() &&
                           (!json_.contains("blocks") || json_["blocks"].is_object());
        if (!sound) fail(R"(expected {"method": NAME, "groups": {GROUP: [numbers]}})");
    }

    ScoresFile read(const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats) const {
        ScoresFile result{json_["method"].get<std::string>(), UnitScores(groups.size()), {}};
        for (const auto& [name, list] : json_["groups"].items()) {
            const auto found = std::ranges::find(groups, name, &ChannelGroup::name);
            if (found == groups.end())
                fail(fmt::format("the network has no channel group {:.100}", printable(name)));
            result.unit_scores[static_cast<std::size_t>(found - groups.begin())] = units_of(*found, list);
        }
        if (!json_.contains("blocks")) return result;
        result.block_scores.resize(repeats.size());
        for (const auto& [name, list] : json_["blocks"].items()) {
            const auto found = std::ranges::find(repeats, name, &Repeat::name);
            if (found == repeats.end()) {
                fail(fmt::format("the network has no repeated blocks {:.100}", printable(name)));
            }
            result.block_scores[static_cast<std::size_t>(found - repeats.begin())] =
                numbers_in(name, list, {at(found->count)}, "one a block");
        }
        return result;
    }

private:
    [[noreturn]] void fail(const std::string& message) const {
        throw InputError(file_.string() + ": " + message);
    }

    std::vector<double> numbers_in(const std::string& name, const nlohmann::json& list,
                                   const std::vector<std::size_t>& lengths, const std::string& what) const {
        if (!list.is_array() || std::ranges::find(lengths, list.size()) == lengths.end()) {
            fail(
                fmt::format("{}: expected a list of {} numbers, {}", name, fmt::join(lengths, " or "), what));
        }
        std::vector<double> numbers;
        for (const nlohmann::json& value : list) {
            if (!value.is_number() || !std::isfinite(value.get<double>())) {
                fail(fmt::format("{}: score {} is no finite number", name, numbers.size()));
            }
            numbers.push_back(value.get<double>());
        }
        return numbers;
    }

    std::vector<double> units_of(const ChannelGroup& group, const nlohmann::json& list) const {
        const auto units = at(group.units());
        std::vector<double> numbers =
            numbers_in(group.name, list, {units, at(group.base_width)}, "one a unit or one a channel");
        if (numbers.size() == units) return numbers;
        // Channels of the first tensor, whose segments hold all units one after another.
        const auto segments = static_cast<std::size_t>(
            std::ranges::count(group.segments, group.tensors.front(), &ChannelSegment::tensor));
        const std::size_t each = numbers.size() / segments / units;
        std::vector<double> sums(units, 0.0);
        for (std::size_t i = 0; i < numbers.size(); ++i) sums[i / each % units] += numbers[i];
        return sums;
    }

    const std::filesystem::path& file_;
    nlohmann::json json_;
};

}  // namespace

ScoresFile read_scores(const std::filesystem::path& file, const std::vector<ChannelGroup>& groups,
                       const std::vector<Repeat>& repeats) {
    return ScoresReader(file).read(groups, repeats);
}

}  // namespace hacscale
