#include "scaling/planner/detail/window_search.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <utility>

#include "scaling/planner/detail/elimination.hpp"

namespace hacscale::planner {
namespace {

// A window's tables have at most so many entries together: a few milliseconds for each of its fronts.
constexpr std::size_t max_window_entries = std::size_t{1} << 15;
constexpr std::size_t max_window_variables = 12;
// Choices that windows are solved around, spread over the front.
constexpr std::size_t max_starts = 8;
constexpr double window_epsilon = 0.001;

// Which variables are in a table together, and which ones each determines.
class Surroundings {
public:
    explicit Surroundings(const GraphProblem& problem)
        : problem_(problem), near_(problem.values.size()), determines_(problem.values.size()) {
        for (const Factor& factor : problem.factors) join(factor.variables);
        for (const DerivedVariable& derived : problem.derived) {
            join({derived.first, derived.second, derived.variable});
            determines_[index(derived.first)].push_back(derived.variable);
            determines_[index(derived.second)].push_back(derived.variable);
        }
    }

    // Variables around a first one, as many as can be solved exactly together.
    std::vector<bool> window_around(int first) const {
        std::vector<bool> window(near_.size(), false);
        std::vector<bool> tried(near_.size(), false);
        std::deque<int> next{first};
        std::size_t size = 0;
        while (!next.empty() && size < max_window_variables) {
            const int variable = next.front();
            next.pop_front();
            if (tried[index(variable)]) continue;
            tried[index(variable)] = true;
            std::vector<bool> larger = window;
            free_with_what_it_determines(variable, larger);
            if (size > 0 && !is_small(larger)) continue;
            window = std::move(larger);
            size = static_cast<std::size_t>(std::count(window.begin(), window.end(), true));
            for (const int other : near_[index(variable)]) next.push_back(other);
        }
        return window;
    }

private:
    void join(const std::vector<int>& variables) {
        for (const int a : variables) {
            for (const int b : variables) {
                std::vector<int>& near = near_[index(a)];
                if (a != b && std::find(near.begin(), near.end(), b) == near.end()) near.push_back(b);
            }
        }
    }

    void free_with_what_it_determines(int variable, std::vector<bool>& window) const {
        if (window[index(variable)]) return;
        window[index(variable)] = true;
        for (const int other : determines_[index(variable)]) free_with_what_it_determines(other, window);
    }

    // The shape alone says how large tables get.
    bool is_small(const std::vector<bool>& window) const {
        GraphProblem shape;
        std::vector<int> place(window.size(), -1);
        for (std::size_t v = 0; v < window.size(); ++v) {
            if (!window[v]) continue;
            place[v] = static_cast<int>(shape.values.size());
            shape.values.push_back(problem_.values[v]);
        }
        const auto add = [&](const std::vector<int>& variables) {
            Factor factor;
            for (const int variable : variables) {
                if (place[index(variable)] >= 0) factor.variables.push_back(place[index(variable)]);
            }
            factor.table = static_cast<int>(shape.factors.size());
            if (!factor.variables.empty()) shape.factors.push_back(std::move(factor));
        };
        for (const Factor& factor : problem_.factors) add(factor.variables);
        for (const DerivedVariable& derived : problem_.derived) {
            add({derived.first, derived.second, derived.variable});
        }
        const Elimination tree = eliminate(shape, max_window_entries, max_window_entries);
        return tree.exact && tree.total_clique_size() <= max_window_entries;
    }

    const GraphProblem& problem_;
    std::vector<std::vector<int>> near_;
    std::vector<std::vector<int>> determines_;
};

// Sets the variables that others determine; false when two values do not go together.
bool settle(const GraphProblem& problem, Assignment& choice) {
    for (std::size_t round = 0; round <= problem.derived.size(); ++round) {
        bool changed = false;
        for (const DerivedVariable& derived : problem.derived) {
            const int value =
                problem.derivations[index(derived.table)][std::size_t{choice[index(derived.first)]} *
                                                              index(problem.values[index(derived.second)]) +
                                                          choice[index(derived.second)]];
            if (value < 0) return false;
            if (choice[index(derived.variable)] == value) continue;
            choice[index(derived.variable)] = static_cast<std::uint16_t>(value);
            changed = true;
        }
        if (!changed) return true;
    }
    return true;
}

class WindowSearch {
public:
    WindowSearch(const GraphProblem& problem, const FrontLimits& limits, int rounds, const SolveWindow& solve,
                 Archive& archive)
        : problem_(problem), limits_(limits), rounds_(rounds), solve_(solve), archive_(archive) {
        limits_.epsilon = std::max(limits_.epsilon, window_epsilon);
        // Every variable is in some window.
        const Surroundings surroundings(problem);
        std::vector<bool> covered(problem.values.size(), false);
        for (std::size_t v = 0; v < covered.size(); ++v) {
            if (covered[v]) continue;
            windows_.push_back(surroundings.window_around(static_cast<int>(v)));
            for (std::size_t other = 0; other < covered.size(); ++other) {
                if (windows_.back()[other]) covered[other] = true;
            }
        }
    }

    void run() {
        for (int round = 0; round < rounds_; ++round) {
            bool changed = false;
            for (const std::vector<bool>& window : windows_) {
                for (const Assignment& start : starts()) changed = solve(window, start) || changed;
            }
            if (!changed) return;
        }
    }

private:
    std::vector<Assignment> starts() const {
        const std::vector<Archive::Point>& points = archive_.points();
        const std::size_t count = std::min(points.size(), max_starts);
        std::vector<Assignment> starts;
        for (std::size_t i = 0; i < count; ++i) {
            const std::size_t at = count == 1 ? 0 : i * (points.size() - 1) / (count - 1);
            starts.push_back(points[at].choice);
        }
        return starts;
    }

    // True when it found something better.
    bool solve(const std::vector<bool>& window, const Assignment& start) {
        const std::optional<HeldProblem> held = hold(problem_, start, window);
        if (!held) return false;
        const std::size_t before = archive_.points().size();
        const std::vector<std::int64_t> gains_before = gains();
        std::vector<Archive::Point> points = solve_(held->problem, limits_);
        for (Archive::Point& point : points) {
            Assignment choice = start;
            for (std::size_t v = 0; v < held->free.size(); ++v) {
                choice[index(held->free[v])] = point.choice[v];
            }
            point.choice = std::move(choice);
        }
        archive_.add(std::move(points));
        return archive_.points().size() != before || gains() != gains_before;
    }

    std::vector<std::int64_t> gains() const {
        std::vector<std::int64_t> gains;
        for (const Archive::Point& point : archive_.points()) gains.push_back(point.gain);
        return gains;
    }

    const GraphProblem& problem_;
    FrontLimits limits_;
    int rounds_;
    const SolveWindow& solve_;
    Archive& archive_;
    std::vector<std::vector<bool>> windows_;
};

// The problem in which what is infeasible costs more than any choice that is not; nothing where that leaves the exact range.
std::optional<GraphProblem> with_penalties(const GraphProblem& problem) {
    std::vector<std::int64_t> max_cost;
    for (const FactorTable& table : problem.tables) {
        std::int64_t max = 0;
        for (const BlockOption& entry : table) max = entry.feasible() ? std::max(max, entry.cost) : max;
        max_cost.push_back(max);
    }
    std::int64_t penalty = problem.cost_offset + 1;
    for (const Factor& factor : problem.factors) penalty += max_cost[index(factor.table)];
    if (penalty > (std::int64_t{1} << 51) / static_cast<std::int64_t>(problem.factors.size() + 1)) {
        return std::nullopt;
    }
    GraphProblem penalized = problem;
    for (FactorTable& table : penalized.tables) {
        for (BlockOption& entry : table) {
            if (!entry.feasible()) entry = {penalty, 0, {}};
            entry.gain = 0;
        }
    }
    return penalized;
}

}  // namespace

std::optional<HeldProblem> hold(const GraphProblem& problem, const Assignment& choice,
                                const std::vector<bool>& free) {
    HeldProblem held;
    std::vector<int> place(free.size(), -1);
    for (std::size_t v = 0; v < free.size(); ++v) {
        if (!free[v]) continue;
        place[v] = static_cast<int>(held.free.size());
        held.free.push_back(static_cast<int>(v));
        held.problem.values.push_back(problem.values[v]);
    }
    held.problem.cost_offset = problem.cost_offset;
    held.problem.gain_offset = problem.gain_offset;
    held.problem.usage_offset = problem.usage_offset;
    const auto add = [&](Factor factor, FactorTable table) {
        factor.table = static_cast<int>(held.problem.tables.size());
        held.problem.tables.push_back(std::move(table));
        held.problem.factors.push_back(std::move(factor));
    };
    for (const Factor& factor : problem.factors) {
        Factor part;
        std::vector<std::size_t> sizes;
        std::vector<std::size_t> strides;  // in the whole table, of its free variables
        std::size_t first = 0;
        std::size_t stride = 1;
        for (std::size_t i = factor.variables.size(); i-- > 0;) {
            const std::size_t variable = index(factor.variables[i]);
            if (free[variable]) {
                part.variables.insert(part.variables.begin(), place[variable]);
                sizes.insert(sizes.begin(), index(problem.values[variable]));
                strides.insert(strides.begin(), stride);
            } else {
                first += stride * choice[variable];
            }
            stride *= index(problem.values[variable]);
        }
        const FactorTable& whole = problem.tables[index(factor.table)];
        if (part.variables.empty()) {
            const BlockOption& entry = whole[first];
            if (!entry.feasible()) return std::nullopt;
            held.problem.cost_offset += entry.cost;
            held.problem.gain_offset += entry.gain;
            held.problem.usage_offset.add(entry.usage);
            continue;
        }
        std::size_t entries = 1;
        for (const std::size_t size : sizes) entries *= size;
        FactorTable table;
        table.reserve(entries);
        Odometer odometer(sizes, sizes.size(), {&strides});
        for (std::size_t i = 0; i < entries; ++i, odometer.advance()) {
            table.push_back(whole[first + odometer.place(0)]);
        }
        add(std::move(part), std::move(table));
    }
    for (const DerivedVariable& derived : problem.derived) {
        const int variable = place[index(derived.variable)];
        if (variable < 0) continue;
        const std::vector<int>& whole = problem.derivations[index(derived.table)];
        const std::size_t seconds = index(problem.values[index(derived.second)]);
        const int first = place[index(derived.first)];
        const int second = place[index(derived.second)];
        if (first >= 0 && second >= 0) {
            held.problem.derived.push_back(
                {variable, first, second, static_cast<int>(held.problem.derivations.size())});
            held.problem.derivations.push_back(whole);
            continue;
        }
        // With one of the two held, or both, it is a table of what goes together.
        const auto values = index(problem.values[index(derived.variable)]);
        const int other = first >= 0 ? first : second;
        const std::size_t others = other >= 0 ? index(held.problem.values[index(other)]) : 1;
        FactorTable table(others * values);
        for (std::size_t i = 0; i < others; ++i) {
            const std::size_t at_first = first >= 0 ? i : choice[index(derived.first)];
            const std::size_t at_second = second >= 0 ? i : choice[index(derived.second)];
            const int value = whole[at_first * seconds + at_second];
            if (value >= 0) table[i * values + index(value)].cost = 0;
        }
        Factor factor;
        if (other >= 0) factor.variables.push_back(other);
        factor.variables.push_back(variable);
        add(std::move(factor), std::move(table));
    }
    return held;
}

void search_windows(const GraphProblem& problem, const FrontLimits& limits, int rounds,
                    const PriceBounds& bounds, const SolveWindow& solve, Archive& archive) {
    std::optional<Assignment> any;
    for (std::size_t k = 0; k < price_count; ++k) {
        Assignment choice = bounds.best_choice(k);
        if (!settle(problem, choice)) continue;
        archive.add(problem, choice);
        if (!any) any = std::move(choice);
    }
    if (archive.points().empty() && any) {
        // Nothing feasible yet: what is infeasible is removed window by window.
        if (const std::optional<GraphProblem> penalized = with_penalties(problem)) {
            FrontLimits all = limits;
            all.max_cost = std::int64_t{1} << 52;
            Archive steps(all.max_cost, limits.caps);
            steps.add(*penalized, *any);
            WindowSearch(*penalized, all, rounds, solve, steps).run();
            if (!steps.points().empty()) archive.add(problem, steps.points().front().choice);
        }
    }
    WindowSearch(problem, limits, rounds, solve, archive).run();
}

}  // namespace hacscale::planner
