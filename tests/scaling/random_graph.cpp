#include "tests/scaling/random_graph.hpp"

#include <algorithm>
#include <optional>

namespace hacscale::testing {
namespace {

using Random = std::mt19937_64;

std::int64_t between(Random& random, std::int64_t low, std::int64_t high) {
    return std::uniform_int_distribution<std::int64_t>(low, high)(random);
}

template <typename Value>
const Value& one_of(Random& random, const std::vector<Value>& values) {
    return values[static_cast<std::size_t>(between(random, 0, std::ssize(values) - 1))];
}

class Builder {
public:
    explicit Builder(Random& random) : random_(random) {
        cost_ = one_of<std::int64_t>(random, {3, 40, 5000, 100'000'000'000});
        params_ = one_of<std::int64_t>(random, {0, 3, 1000, 3'000'000});
        gain_ = one_of<std::int64_t>(random, {2, 50, 1'000'000'000});
        infeasible_ = between(random, 0, 1) == 1;
        grows_ = between(random, 0, 1) == 1;
    }

    GraphProblem build() {
        problem_.cost_offset = between(random_, 0, cost_);
        problem_.gain_offset = between(random_, -gain_, gain_);
        problem_.usage_offset = usage();
        tensors_.push_back(new_width());
        const std::int64_t layers = between(random_, 1, 9);
        for (std::int64_t layer = 0; layer < layers; ++layer) add_layer();
        return std::move(problem_);
    }

private:
    // At most so many choices of widths in all, for brute force.
    static constexpr std::int64_t max_choices = 600;

    int new_variable(int values) {
        problem_.values.push_back(values);
        return static_cast<int>(problem_.values.size()) - 1;
    }
    // A width of its own, or a given one where there are enough choices.
    int new_width() {
        const std::int64_t values = between(random_, 1, 4);
        if (choices_ * values > max_choices)
            return tensors_.empty() ? new_variable(1) : one_of(random_, tensors_);
        choices_ *= values;
        return new_variable(static_cast<int>(values));
    }

    ResourceUsage usage() {
        return {between(random_, 0, params_), between(random_, 0, params_), between(random_, 0, params_), 0};
    }

    int table(std::size_t entries) {
        // Equal layers share one.
        for (std::size_t t = 0; t < problem_.tables.size(); ++t) {
            if (problem_.tables[t].size() == entries && between(random_, 0, 1) == 0)
                return static_cast<int>(t);
        }
        FactorTable table(entries);
        for (std::size_t i = 0; i < entries; ++i) {
            const auto steps = static_cast<std::int64_t>(grows_ ? i : 0);
            table[i].gain =
                grows_ ? steps * gain_ / 2 + between(random_, 0, gain_) : between(random_, -gain_, gain_);
            table[i].usage = usage();
            if (infeasible_ && between(random_, 0, 6) == 0) continue;
            table[i].cost = steps * cost_ / 2 + between(random_, 0, cost_);
        }
        problem_.tables.push_back(std::move(table));
        return static_cast<int>(problem_.tables.size()) - 1;
    }

    void add_factor(std::vector<int> variables) {
        std::vector<int> distinct;
        std::size_t entries = 1;
        for (const int variable : variables) {
            if (std::find(distinct.begin(), distinct.end(), variable) != distinct.end()) continue;
            distinct.push_back(variable);
            entries *= static_cast<std::size_t>(problem_.values[static_cast<std::size_t>(variable)]);
        }
        const int of = table(entries);
        problem_.factors.push_back({std::move(distinct), of});
    }

    int sum_of(int a, int b) {
        const int values_a = problem_.values[static_cast<std::size_t>(a)];
        const int values_b = problem_.values[static_cast<std::size_t>(b)];
        std::vector<int> sums;
        for (int i = 0; i < values_a; ++i) {
            for (int j = 0; j < values_b; ++j) sums.push_back(infeasible_ && i + j == 3 ? -1 : i + j);
        }
        const int variable = new_variable(values_a + values_b - 1);
        problem_.derivations.push_back(std::move(sums));
        problem_.derived.push_back({variable, a, b, static_cast<int>(problem_.derivations.size()) - 1});
        return variable;
    }

    void add_layer() {
        const int input = one_of(random_, tensors_);
        switch (between(random_, 0, 6)) {
            case 0: {  // a depthwise conv, or an add of tensors of one width
                add_factor({input});
                tensors_.push_back(input);
                return;
            }
            case 1: {  // a conv with a residual add: it writes a width that there is
                add_factor({input, one_of(random_, tensors_)});
                return;
            }
            case 2:
            case 3: {  // a concat, perhaps of a concat, and a conv behind it
                const int other = one_of(random_, tensors_);
                if (other == input) break;
                const int sum = sum_of(input, other);
                tensors_.push_back(sum);
                const int output = new_width();
                add_factor({sum, output});
                tensors_.push_back(output);
                return;
            }
            case 4: {  // a conv whose output is split: one part is read on
                const int left = new_width();
                const int right = new_width();
                if (left == right) break;
                add_factor({input, sum_of(left, right)});
                tensors_.push_back(left);
                return;
            }
            case 5: {  // a layer that three widths decide
                add_factor({input, one_of(random_, tensors_), new_width()});
                return;
            }
            default:
                break;
        }
        const int output = new_width();
        add_factor({input, output});
        tensors_.push_back(output);
    }

    Random& random_;
    std::int64_t cost_ = 1;
    std::int64_t params_ = 1;
    std::int64_t gain_ = 1;
    bool infeasible_ = false;
    bool grows_ = false;  // later entries cost and gain more, as wider layers do
    std::int64_t choices_ = 1;
    std::vector<int> tensors_;  // the variable of each one's width
    GraphProblem problem_;
};

// Calls visit(totals) for every feasible choice.
template <typename Visit>
void for_each_choice(const GraphProblem& problem, const Visit& visit) {
    std::vector<bool> is_derived(problem.values.size(), false);
    for (const DerivedVariable& derived : problem.derived) {
        is_derived[static_cast<std::size_t>(derived.variable)] = true;
    }
    Assignment choice(problem.values.size(), 0);
    while (true) {
        bool possible = true;
        // Sums come after what they are sums of.
        for (const DerivedVariable& derived : problem.derived) {
            const auto at = [&](int variable) { return choice[static_cast<std::size_t>(variable)]; };
            const int value =
                problem.derivations[static_cast<std::size_t>(derived.table)][static_cast<std::size_t>(
                    at(derived.first) * problem.values[static_cast<std::size_t>(derived.second)] +
                    at(derived.second))];
            possible = possible && value >= 0;
            choice[static_cast<std::size_t>(derived.variable)] =
                static_cast<std::uint16_t>(std::max(0, value));
        }
        if (possible) {
            if (const auto totals = totals_of(problem, choice)) visit(*totals);
        }
        std::size_t v = 0;
        for (; v < choice.size(); ++v) {
            if (is_derived[v]) continue;
            if (++choice[v] < problem.values[v]) break;
            choice[v] = 0;
        }
        if (v == choice.size()) return;
    }
}

}  // namespace

GraphProblem random_graph_problem(std::mt19937_64& random) {
    return Builder(random).build();
}

FrontLimits random_graph_limits(const GraphProblem& problem, std::mt19937_64& random) {
    ChainTotals most;
    for_each_choice(problem, [&](const ChainTotals& totals) {
        most.cost = std::max(most.cost, totals.cost);
        most.usage.params = std::max(most.usage.params, totals.usage.params);
        most.usage.macs = std::max(most.usage.macs, totals.usage.macs);
    });
    FrontLimits limits;
    limits.max_cost = between(random, 0, 2) == 0 ? most.cost : between(random, most.cost / 4, most.cost + 1);
    const auto some_cap = [&](std::int64_t most_used) -> std::optional<std::int64_t> {
        if (between(random, 1, 3) > 1) return std::nullopt;
        return between(random, most_used / 3, most_used + 1);
    };
    limits.caps.params = some_cap(most.usage.params);
    limits.caps.macs = some_cap(most.usage.macs);
    return limits;
}

Assignment random_assignment(const GraphProblem& problem, std::mt19937_64& random) {
    Assignment values;
    for (const int count : problem.values) {
        values.push_back(static_cast<std::uint16_t>(random() % static_cast<unsigned>(count)));
    }
    for (const Factor& factor : problem.factors) {
        // Copies of a block, which the depth before them determines.
        if (factor.variables.size() != 2) continue;
        const FactorTable& table = problem.tables[static_cast<std::size_t>(factor.table)];
        const auto second =
            static_cast<std::size_t>(problem.values[static_cast<std::size_t>(factor.variables[1])]);
        const std::size_t row = values[static_cast<std::size_t>(factor.variables[0])] * second;
        const auto feasible = [](const BlockOption& entry) { return entry.feasible(); };
        const auto begin = table.begin() + static_cast<std::ptrdiff_t>(row);
        const auto end = begin + static_cast<std::ptrdiff_t>(second);
        if (std::count_if(begin, end, feasible) != 1 || second == 1) continue;
        values[static_cast<std::size_t>(factor.variables[1])] =
            static_cast<std::uint16_t>(std::find_if(begin, end, feasible) - begin);
    }
    for (const DerivedVariable& derived : problem.derived) {
        const auto second =
            static_cast<std::size_t>(problem.values[static_cast<std::size_t>(derived.second)]);
        values[static_cast<std::size_t>(derived.variable)] = static_cast<std::uint16_t>(
            problem.derivations[static_cast<std::size_t>(derived.table)]
                               [values[static_cast<std::size_t>(derived.first)] * second +
                                values[static_cast<std::size_t>(derived.second)]]);
    }
    return values;
}

std::vector<FrontPoint> brute_force_front(const GraphProblem& problem, const FrontLimits& limits) {
    std::vector<FrontPoint> points;
    for_each_choice(problem, [&](const ChainTotals& totals) {
        if (totals.cost <= limits.max_cost && limits.caps.admit(totals.usage)) {
            points.push_back({totals.cost, totals.gain, totals.usage});
        }
    });
    return front_among(std::move(points));
}

}  // namespace hacscale::testing
