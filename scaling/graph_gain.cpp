#include "scaling/graph_gain.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <map>

#include "base/error.hpp"

namespace hacscale {
namespace {

// The mean slope of ln capacity between two values, of those at which there is a network.
class Slope {
public:
    explicit Slope(const Graph& base, int value) { take(base, value); }

    template <typename MakeGraph>
    void look_at(int value, const MakeGraph& make) {
        try {
            take(make(value), value);
        } catch (const InputError&) {
            // Layers that do not run at this value leave the slope to the others.
        }
    }
    double value() const {
        return high_ > low_ ? (at_high_ - at_low_) / std::log(static_cast<double>(high_) / low_) : 0.0;
    }

private:
    void take(const Graph& graph, int value) {
        const double capacity = ln_capacity(graph);
        if (high_ == 0 || value < low_) {
            low_ = value;
            at_low_ = capacity;
        }
        if (value > high_) {
            high_ = value;
            at_high_ = capacity;
        }
    }

    int low_ = 0;
    int high_ = 0;
    double at_low_ = 0.0;
    double at_high_ = 0.0;
};

// What each value of a group or a repeat is worth.
std::function<double(std::size_t, int)> worth_of(std::vector<int> base, std::vector<double> coefficients,
                                                 double saturation) {
    return [base = std::move(base), coefficients = std::move(coefficients), saturation](std::size_t i,
                                                                                        int value) {
        return coefficients[i] * saturating_worth(std::log(static_cast<double>(value) / base[i]), saturation);
    };
}

std::vector<std::size_t> groups_of(const Neighbours& pair) {
    std::vector<std::size_t> groups;
    for (const detail::ChannelSum* sum : {&pair.read, &pair.written}) {
        for (const auto& [group, channels] : sum->of_group) groups.push_back(group);
    }
    return groups;
}

std::int64_t gain_in_quanta(double gain) {
    return std::llround(gain * gain_quanta_per_unit);
}

}  // namespace

GraphCoefficients capacity_coefficients(const Graph& base, const GraphSpace& space) {
    GraphCoefficients coefficients;
    for (const ChannelGroup& group : space.groups) {
        Slope slope(base, group.base_width);
        const auto at = [&](int width) { return widened(base, group, width); };
        const int half = std::max(1, group.base_width / 2 / group.multiple) * group.multiple;
        slope.look_at(half, at);
        slope.look_at(2 * group.base_width, at);
        coefficients.width.push_back(slope.value());
    }
    const GraphChoice unchanged = choice_of(space.groups, space.repeats);
    for (std::size_t r = 0; r < space.repeats.size(); ++r) {
        const int count = space.repeats[r].count;
        Slope slope(base, count);
        const auto at = [&](int depth) {
            GraphChoice choice = unchanged;
            choice.depths[r] = depth;
            return scaled(base, space.groups, space.repeats, choice).graph;
        };
        slope.look_at(std::max(1, count / 2), at);
        slope.look_at(2 * count, at);
        coefficients.depth.push_back(slope.value());
    }
    return coefficients;
}

GraphCoefficients equal_coefficients(const GraphCoefficients& coefficients, const GraphSpace& space) {
    const auto mean = [](const std::vector<double>& values, const std::vector<std::vector<int>>& choices) {
        double sum = 0.0;
        double count = 0.0;
        for (std::size_t i = 0; i < values.size(); ++i) {
            if (choices[i].size() < 2) continue;
            sum += values[i];
            count += 1.0;
        }
        return std::vector<double>(values.size(), count > 0.0 ? sum / count : 0.0);
    };
    return {mean(coefficients.width, space.widths), mean(coefficients.depth, space.depths)};
}

std::vector<Neighbours> neighbours(const Graph& base, const std::vector<ChannelGroup>& groups) {
    std::vector<bool> reads(base.nodes.size());
    std::vector<bool> writes(base.nodes.size());
    for (const ChannelGroup& group : groups) {
        for (const int node : group.readers) reads[static_cast<std::size_t>(node)] = true;
        for (const int node : group.producers) writes[static_cast<std::size_t>(node)] = true;
    }
    const std::vector<detail::ChannelSum> sums = detail::channel_sums(base, groups);
    std::vector<Neighbours> pairs;
    for (std::size_t n = 0; n < base.nodes.size(); ++n) {
        if (!reads[n] || !writes[n]) continue;
        const Node& node = base.nodes[n];
        Neighbours pair{n, detail::channels_read_by(node, sums),
                        sums[static_cast<std::size_t>(node.outputs.front())]};
        const auto is_read = [&](const auto& term) { return pair.read.of_group.contains(term.first); };
        const bool apart = std::none_of(pair.written.of_group.begin(), pair.written.of_group.end(), is_read);
        if (!apart || pair.read.of_group.empty() || pair.written.of_group.empty()) continue;
        const bool is_new = std::none_of(pairs.begin(), pairs.end(), [&](const Neighbours& known) {
            return (known.read == pair.read && known.written == pair.written) ||
                   (known.read == pair.written && known.written == pair.read);
        });
        if (is_new) pairs.push_back(std::move(pair));
    }
    return pairs;
}

double GraphGain::of(const GraphSpace& space, const GraphChoice& choice) const {
    double sum = 0.0;
    for (std::size_t r = 0; r < space.repeats.size(); ++r) sum += depth(r, choice.depths[r]);
    for (std::size_t g = 0; g < space.groups.size(); ++g) {
        if (!space.is_gone(choice, g)) sum += width(g, choice.widths[g]);
    }
    for (std::size_t p = 0; p < pairs.size(); ++p) {
        const std::vector<std::size_t> groups = groups_of(pairs[p]);
        if (std::any_of(groups.begin(), groups.end(),
                        [&](std::size_t group) { return space.is_gone(choice, group); })) {
            continue;
        }
        sum += of_pair(p, pairs[p].read.at(space.groups, choice.widths),
                       pairs[p].written.at(space.groups, choice.widths));
    }
    return sum;
}

GraphGain graph_gain(const Graph& base, const GraphSpace& space, const GraphCoefficients& coefficients,
                     GainOrigin origin) {
    if (origin != GainOrigin::balanced && origin != GainOrigin::capacity) {
        throw InputError(fmt::format(
            "gain by {} is of stages; a network without stages has balanced or capacity", name_of(origin)));
    }
    const bool balanced = origin == GainOrigin::balanced;
    const double saturation = balanced ? usual_saturation : 0.0;
    const GraphChoice unchanged = choice_of(space.groups, space.repeats);
    GraphGain gain;
    gain.width = worth_of(unchanged.widths, coefficients.width, saturation);
    gain.depth = worth_of(unchanged.depths, coefficients.depth, saturation);
    if (!balanced) return gain;
    gain.pairs = neighbours(base, space.groups);
    std::vector<double> prices;
    std::vector<double> base_quotients;
    for (const Neighbours& pair : gain.pairs) {
        double greatest = 0.0;
        for (const std::size_t group : groups_of(pair)) {
            greatest = std::max(greatest, coefficients.width[group]);
        }
        prices.push_back(usual_imbalance * greatest);
        base_quotients.push_back(static_cast<double>(pair.read.at(space.groups, unchanged.widths)) /
                                 pair.written.at(space.groups, unchanged.widths));
    }
    gain.of_pair = [prices, base_quotients](std::size_t pair, int read, int written) {
        const double quotient = static_cast<double>(read) / written / base_quotients[pair];
        return -prices[pair] * parting_loss(std::log(quotient));
    };
    return gain;
}

GainOrigin gain_of_graphs(const std::vector<std::filesystem::path>& files, const std::string& network) {
    if (files.empty()) return GainOrigin::balanced;
    if (files.size() == 1 && files.front() == capacity_word) return GainOrigin::capacity;
    throw InputError(fmt::format(
        "{} has no stages, which sensitivities and importance are of; leave --gain out, or give capacity",
        network));
}

void add_gains(GraphCosts& costs, const GraphSpace& space, const GraphGain& gain) {
    GraphProblem& problem = costs.problem;
    // Equal tables are one, so that equal blocks stay equal.
    std::map<std::vector<std::int64_t>, int> known;
    const auto add = [&](std::vector<int> variables, std::vector<std::int64_t> gains) {
        if (std::all_of(gains.begin(), gains.end(), [](std::int64_t value) { return value == 0; })) return;
        const auto [table, is_new] = known.try_emplace(gains, static_cast<int>(problem.tables.size()));
        if (is_new) {
            FactorTable entries;
            for (const std::int64_t value : gains) entries.push_back({0, value, {}});
            problem.tables.push_back(std::move(entries));
        }
        problem.factors.push_back({std::move(variables), table->second});
    };
    for (std::size_t g = 0; g < space.groups.size(); ++g) {
        const BlockCopies& block = costs.copies_of_group[g];
        std::vector<std::int64_t> gains;
        for (const int width : space.widths[g]) gains.push_back(gain_in_quanta(gain.width(g, width)));
        if (block.variable < 0) {
            add({static_cast<int>(g)}, std::move(gains));
            continue;
        }
        std::vector<std::int64_t> by_copies;
        for (const int copies : block.copies) {
            for (const std::int64_t value : gains) by_copies.push_back(copies > 0 ? value : 0);
        }
        add({block.variable, static_cast<int>(g)}, std::move(by_copies));
    }
    for (std::size_t r = 0; r < space.repeats.size(); ++r) {
        std::vector<std::int64_t> gains;
        for (const int depth : space.depths[r]) gains.push_back(gain_in_quanta(gain.depth(r, depth)));
        add({static_cast<int>(space.groups.size() + r)}, std::move(gains));
    }
    for (std::size_t p = 0; p < gain.pairs.size(); ++p) {
        const Neighbours& pair = gain.pairs[p];
        // Where one of the groups may be gone with its block, so is what their ratio is worth.
        BlockCopies block;
        for (const std::size_t group : groups_of(pair)) {
            if (costs.copies_of_group[group].variable >= 0) block = costs.copies_of_group[group];
        }
        if (block.variable < 0) block.copies = {1};
        const ChannelAxis& read = costs.read[pair.node];
        const ChannelAxis& written = costs.written[pair.node];
        std::vector<int> variables;
        for (const int variable : {block.variable, read.variable, written.variable}) {
            if (variable >= 0) variables.push_back(variable);
        }
        if (variables.empty()) continue;
        std::vector<std::int64_t> gains;
        for (const int copies : block.copies) {
            for (const int a : read.channels) {
                for (const int b : written.channels) {
                    gains.push_back(copies > 0 ? gain_in_quanta(gain.of_pair(p, a, b)) : 0);
                }
            }
        }
        add(std::move(variables), std::move(gains));
    }
    join_factors(problem);
}

}  // namespace hacscale
