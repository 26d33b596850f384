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

GroupPairs neighbouring_groups(const Graph& base, const std::vector<ChannelGroup>& groups) {
    std::vector<std::vector<std::size_t>> read(base.nodes.size());
    std::vector<std::vector<std::size_t>> written(base.nodes.size());
    for (std::size_t g = 0; g < groups.size(); ++g) {
        for (const int node : groups[g].readers) read[static_cast<std::size_t>(node)].push_back(g);
        for (const int node : groups[g].producers) written[static_cast<std::size_t>(node)].push_back(g);
    }
    GroupPairs pairs;
    for (std::size_t n = 0; n < base.nodes.size(); ++n) {
        if (read[n].size() != 1 || written[n].size() != 1 || read[n] == written[n]) continue;
        const std::pair<std::size_t, std::size_t> pair = std::minmax(read[n].front(), written[n].front());
        if (std::find(pairs.begin(), pairs.end(), pair) == pairs.end()) pairs.push_back(pair);
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
        const auto& [first, second] = pairs[p];
        if (space.is_gone(choice, first) || space.is_gone(choice, second)) continue;
        sum += of_pair(p, choice.widths[first], choice.widths[second]);
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
    gain.pairs = neighbouring_groups(base, space.groups);
    std::vector<double> prices;
    std::vector<double> base_quotients;
    for (const auto& [first, second] : gain.pairs) {
        prices.push_back(usual_imbalance *
                         std::max({0.0, coefficients.width[first], coefficients.width[second]}));
        base_quotients.push_back(static_cast<double>(unchanged.widths[first]) / unchanged.widths[second]);
    }
    gain.of_pair = [prices, base_quotients](std::size_t pair, int first_width, int second_width) {
        const double quotient = static_cast<double>(first_width) / second_width / base_quotients[pair];
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
        const auto& [first, second] = gain.pairs[p];
        // Where either group may be gone with its block, so is what their ratio is worth.
        const BlockCopies& of_first = costs.copies_of_group[first];
        const BlockCopies& of_second = costs.copies_of_group[second];
        const BlockCopies& block = of_first.variable >= 0 ? of_first : of_second;
        std::vector<int> variables;
        if (block.variable >= 0) variables.push_back(block.variable);
        variables.push_back(static_cast<int>(first));
        variables.push_back(static_cast<int>(second));
        std::vector<std::int64_t> gains;
        for (const int copies : block.variable >= 0 ? block.copies : std::vector<int>{1}) {
            for (const int a : space.widths[first]) {
                for (const int b : space.widths[second]) {
                    gains.push_back(copies > 0 ? gain_in_quanta(gain.of_pair(p, a, b)) : 0);
                }
            }
        }
        add(std::move(variables), std::move(gains));
    }
    join_factors(problem);
}

}  // namespace hacscale
