#include "scaling/graph_gain.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <random>
#include <set>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/graph_context.hpp"
#include "scaling/strategies/strategy.hpp"
#include "tests/models/random_graph.hpp"
#include "tests/scaling/random_graph.hpp"
#include "tests/scaling/synthetic_source.hpp"

namespace hacscale {
namespace {

using testing::SyntheticSource;

GraphSpaceSettings few_widths(int count) {
    GraphSpaceSettings settings;
    settings.grid = 1;
    settings.min_width_ratio = 0.2;
    settings.max_width_ratio = 5.0;
    settings.max_widths = count;
    return settings;
}

GraphGain balanced(const Graph& base, const GraphSpace& space) {
    return graph_gain(base, space, capacity_coefficients(base, space), GainOrigin::balanced);
}

// How many pairs of a choice lose by their imbalance.
int priced_pairs(const GraphGain& gain, const GraphSpace& space, const GraphChoice& choice) {
    int priced = 0;
    for (std::size_t p = 0; p < gain.pairs.size(); ++p) {
        const int read = gain.pairs[p].read.at(space.groups, choice.widths);
        const int written = gain.pairs[p].written.at(space.groups, choice.widths);
        priced += gain.of_pair(p, read, written) < 0.0 ? 1 : 0;
    }
    return priced;
}

// A stem, three convs in a row and one behind a concat of two of them.
Graph row_and_concat() {
    Graph graph;
    graph.inputs = {graph.add_input(3, 8, 8)};
    const TensorId first = testing::conv(graph, "first", 0, 16);
    const TensorId second = testing::conv(graph, "second", first, 24);
    const TensorId third = testing::conv(graph, "third", second, 32);
    const TensorId both = testing::concat(graph, "both", {second, third});
    const TensorId after = testing::conv(graph, "after", both, 24);
    graph.outputs = {testing::conv(graph, "head", after, 10)};
    return graph;
}

// Widths of the base under which a pair of neighbours are, as texts "read>written".
std::vector<std::string> texts_of(const std::vector<Neighbours>& pairs) {
    std::vector<std::string> texts;
    for (const Neighbours& pair : pairs) {
        std::string text;
        for (const detail::ChannelSum* sum : {&pair.read, &pair.written}) {
            if (!text.empty()) text += ">";
            for (const auto& [group, channels] : sum->of_group) {
                text += (text.empty() || text.back() == '>' ? "" : "+") + std::to_string(group);
            }
        }
        texts.push_back(text);
    }
    return texts;
}

TEST(GraphGain, NeighboursAreReadAndWrittenByALayer) {
    const Graph base = row_and_concat();
    const GraphSpace space = make_graph_space(base, {});
    ASSERT_EQ(space.groups.size(), 4u);
    const std::vector<Neighbours> pairs = neighbours(base, space.groups);
    // What the concat joins is one neighbour of what is behind it.
    EXPECT_EQ(texts_of(pairs), (std::vector<std::string>{"0>1", "1>2", "1+2>3"}));
    const GraphGain gain = balanced(base, space);
    EXPECT_EQ(gain.of_pair(2, 56, 24), 0.0) << "56 channels are joined in the base";
    EXPECT_LT(gain.of_pair(2, 56, 96), 0.0);
}

TEST(GraphGain, IsTheOneOfStagesForAChainOfThem) {
    // Widths of a plain chain are groups, and neighbouring groups what neighbouring stages are.
    const Graph base = row_and_concat();
    const GraphSpace space = make_graph_space(base, {});
    const GraphCoefficients coefficients = capacity_coefficients(base, space);
    const GraphGain gain = graph_gain(base, space, coefficients, GainOrigin::balanced);
    EXPECT_NEAR(gain.width(1, 48), coefficients.width[1] * saturating_worth(std::log(2.0), usual_saturation),
                1e-12);
    EXPECT_NEAR(gain.of_pair(0, 16, 48), 0.0, 1e-12) << "a factor of 2 is free";
    EXPECT_EQ(gain.of_pair(0, 32, 48), 0.0) << "both grow";
    const double price = usual_imbalance * std::max(coefficients.width[0], coefficients.width[1]);
    EXPECT_NEAR(gain.of_pair(0, 8, 48), -price * std::pow(std::log(2.0), 2), 1e-12);
    EXPECT_NEAR(gain.of_pair(0, 32, 12), gain.of_pair(0, 8, 48), 1e-12);
    EXPECT_THROW(graph_gain(base, space, coefficients, GainOrigin::importance), InputError);
}

TEST(GraphGain, OfTheProblemIsThatOfTheChoice) {
    int priced = 0;
    for (unsigned seed = 0; seed < 100; ++seed) {
        std::mt19937_64 random(seed);
        const Graph base = testing::RandomGraph(seed).graph;
        const GraphSpace space = make_graph_space(base, few_widths(4));
        GraphCosts costs = graph_costs(base, space, SyntheticSource());
        const GraphProblem plain = costs.problem;
        const GraphGain gain = balanced(base, space);
        EXPECT_NEAR(gain.of(space, choice_of(space.groups, space.repeats)), 0.0, 1e-12) << "seed " << seed;
        add_gains(costs, space, gain);
        ASSERT_NO_THROW(check(costs.problem)) << "seed " << seed;
        for (int i = 0; i < 5; ++i) {
            const Assignment values = testing::random_assignment(plain, random);
            const GraphChoice choice = choice_from(space, values);
            const auto before = totals_of(plain, values);
            const auto totals = totals_of(costs.problem, values);
            ASSERT_EQ(totals.has_value(), before.has_value()) << "seed " << seed;
            if (!totals) continue;
            EXPECT_EQ(totals->cost, before->cost) << "seed " << seed;
            EXPECT_EQ(totals->usage, before->usage) << "seed " << seed;
            EXPECT_NEAR(static_cast<double>(totals->gain) / gain_quanta_per_unit, gain.of(space, choice),
                        1e-7)
                << "seed " << seed;
            priced += priced_pairs(gain, space, choice);
        }
    }
    EXPECT_GT(priced, 20);
}

// So elimination makes no table that is larger than without the pairs.
TEST(GraphGain, PairsAreOfVariablesThatALayerDependsOn) {
    int pairs = 0;
    int joined = 0;
    for (unsigned seed = 0; seed < 1500; ++seed) {
        const Graph base = testing::RandomGraph(seed).graph;
        const GraphSpace space = make_graph_space(base, few_widths(3));
        const GraphCosts costs = graph_costs(base, space, SyntheticSource());
        for (const Neighbours& pair : neighbours(base, space.groups)) {
            const int read = costs.read[pair.node].variable;
            const int written = costs.written[pair.node].variable;
            if (read < 0 || written < 0) continue;
            ++pairs;
            joined += pair.read.of_group.size() > 1 || pair.written.of_group.size() > 1 ? 1 : 0;
            const auto has_both = [&](const Factor& factor) {
                const auto has = [&](int variable) {
                    return std::count(factor.variables.begin(), factor.variables.end(), variable) == 1;
                };
                return has(read) && has(written);
            };
            EXPECT_TRUE(std::any_of(costs.problem.factors.begin(), costs.problem.factors.end(), has_both))
                << "seed " << seed;
        }
    }
    EXPECT_GT(pairs, 25);
    EXPECT_GT(joined, 10) << "of groups that a concat joins";
}

// All choices of a space, one after another.
class Choices {
public:
    explicit Choices(const GraphSpace& space)
        : space_(space), at_(space.groups.size() + space.repeats.size()) {}
    GraphChoice choice() const {
        GraphChoice choice;
        for (std::size_t g = 0; g < space_.groups.size(); ++g)
            choice.widths.push_back(space_.widths[g][at_[g]]);
        for (std::size_t r = 0; r < space_.repeats.size(); ++r) {
            choice.depths.push_back(space_.depths[r][at_[space_.groups.size() + r]]);
        }
        return choice;
    }
    bool next() {
        for (std::size_t i = 0; i < at_.size(); ++i) {
            const std::size_t groups = space_.groups.size();
            if (++at_[i] < (i < groups ? space_.widths[i] : space_.depths[i - groups]).size()) return true;
            at_[i] = 0;
        }
        return false;
    }

private:
    const GraphSpace& space_;
    std::vector<std::size_t> at_;
};

TEST(GraphGain, PlansWithPairsEqualBruteForce) {
    int compared = 0;
    int priced = 0;
    for (unsigned seed = 0; compared < 25 && seed < 400; ++seed) {
        const Graph base = testing::RandomGraph(seed).graph;
        const GraphSpace space = make_graph_space(base, few_widths(4));
        if (space.groups.empty() || space.log10_size() > 2.5) continue;
        GraphCosts costs = graph_costs(base, space, SyntheticSource());
        const GraphGain gain = balanced(base, space);
        if (gain.pairs.empty()) continue;
        ++compared;
        add_gains(costs, space, gain);
        FrontLimits limits;
        limits.max_cost = std::int64_t{1} << 50;
        const GraphFront front = graph_front(costs.problem, limits);
        ASSERT_TRUE(front.exact) << "seed " << seed;
        Choices choices(space);
        do {
            const GraphChoice choice = choices.choice();
            std::optional<Graph> network;
            try {
                network = scaled(base, space.groups, space.repeats, choice).graph;
            } catch (const InputError&) {
                continue;  // a layer that cannot run
            }
            std::int64_t cost = 0;
            for (const Node& node : network->nodes)
                cost += picoseconds(SyntheticSource::latency_us(node.layer));
            const auto best = front.best_within(cost);
            ASSERT_TRUE(best.has_value()) << "seed " << seed;
            const double worth = gain.of(space, choice);
            EXPECT_GE(static_cast<double>(front.gains[*best]) / gain_quanta_per_unit, worth - 1e-7)
                << "seed " << seed;
        } while (choices.next());
        for (const Assignment& values : front.choices) {
            const GraphChoice choice = choice_from(space, values);
            priced += priced_pairs(gain, space, choice);
        }
    }
    EXPECT_EQ(compared, 25);
    EXPECT_GT(priced, 0) << "some plans pay the price";
}

// A device on which maps of some sizes are nearly free and those of others expensive: what makes plain capacity alternate.
class SteepSource : public LatencySource {
public:
    LatencyEstimate estimate(const LayerSpec& layer) const override {
        const LayerCost cost = cost_of(layer, 1, DataType::f32);
        const bool expensive = layer.in_height == 32 || layer.in_height == 8;
        return {1.0 + static_cast<double>(cost.macs) / (expensive ? 2e3 : 200e3), EstimateKind::measured};
    }
};

Network levels() {
    Graph graph;
    graph.inputs = {graph.add_input(3, 64, 64)};
    TensorId here = 0;
    for (const char* name : {"a", "b", "c", "d"}) {
        here = testing::conv(graph, name, here, 64, 1, Window::square(3, 2, 1));
        here = testing::conv(graph, std::string(name) + "2", here, 64, 1, Window::square(3, 1, 1));
    }
    graph.outputs = {testing::conv(graph, "head", here, 10)};
    Network network;
    network.name = "levels";
    network.graph = graph;
    return network;
}

// The greatest factor between the width ratios of neighbouring groups.
double greatest_parting(GainOrigin origin, double budget) {
    const SteepSource source;
    ScalingSettings settings;
    settings.max_budget = budget;
    settings.space.grid = 16;
    settings.space.min_width_ratio = 0.25;
    settings.space.max_width_ratio = 4.0;
    const GraphContext context(levels(), source, settings, {}, origin);
    EXPECT_EQ(context.gain_origin(), origin);
    const Fit found = fit(find_strategy("hacscale"), context, context.budget_us(budget));
    EXPECT_EQ(found.status, FitStatus::ok) << found.reason;
    double most = 1.0;
    const GraphSpace& space = context.graph_space();
    for (const Neighbours& pair : neighbours(context.base().graph, space.groups)) {
        const double quotient = static_cast<double>(pair.read.at(space.groups, found.result.choice.widths)) /
                                pair.written.at(space.groups, found.result.choice.widths);
        most = std::max({most, quotient, 1.0 / quotient});  // all base widths are equal
    }
    return most;
}

TEST(GraphGain, BalancedKeepsNeighboursTogether) {
    for (const double budget : {0.6, 1.1}) {
        const double balanced = greatest_parting(GainOrigin::balanced, budget);
        EXPECT_LT(balanced, greatest_parting(GainOrigin::capacity, budget)) << budget;
        EXPECT_LT(balanced, 6.0) << budget;
    }
}

TEST(JoinFactors, LeavesEveryChoiceWhatItIs) {
    for (std::uint64_t seed = 0; seed < 200; ++seed) {
        std::mt19937_64 random(seed);
        const GraphProblem problem = testing::random_graph_problem(random);
        GraphProblem joined = problem;
        join_factors(joined);
        ASSERT_NO_THROW(check(joined)) << "seed " << seed;
        EXPECT_LE(joined.tables.size(), joined.factors.size()) << "seed " << seed;
        std::set<std::vector<int>> seen;
        for (const Factor& factor : joined.factors) {
            std::vector<int> variables = factor.variables;
            std::sort(variables.begin(), variables.end());
            EXPECT_TRUE(seen.insert(variables).second) << "seed " << seed;
        }
        for (int i = 0; i < 20; ++i) {
            Assignment choice;
            for (const int values : problem.values) {
                choice.push_back(static_cast<std::uint16_t>(random() % static_cast<unsigned>(values)));
            }
            const auto before = totals_of(problem, choice);
            const auto after = totals_of(joined, choice);
            ASSERT_EQ(before.has_value(), after.has_value()) << "seed " << seed;
            if (!before) continue;
            EXPECT_EQ(before->cost, after->cost) << "seed " << seed;
            EXPECT_EQ(before->gain, after->gain) << "seed " << seed;
            EXPECT_EQ(before->usage, after->usage) << "seed " << seed;
        }
    }
}

TEST(JoinFactors, KeepsEqualPartsEqual) {
    // Two parts of a chain whose variables are numbered in another order each.
    GraphProblem problem;
    problem.values = {2, 3, 2};
    problem.tables = {FactorTable(6, BlockOption{1, 0, {}}), FactorTable(6, BlockOption{0, 5, {}})};
    problem.factors = {{{1, 0}, 0}, {{1, 2}, 0}, {{0, 1}, 1}, {{2, 1}, 1}};
    join_factors(problem);
    ASSERT_EQ(problem.factors.size(), 2u);
    EXPECT_EQ(problem.factors[0].table, problem.factors[1].table);
}

}  // namespace
}  // namespace hacscale
