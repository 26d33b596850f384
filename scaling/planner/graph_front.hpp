// The Pareto front of (cost, gain) of a graph problem.
//
// Points, ties, caps on params and MACs, max_cost and epsilon mean what they mean in pareto_front.hpp. A cap on memory is refused:
// the peak of activations is no sum over tables. Where max_bytes, or the time that elimination may take, is not enough, the
// front is not given up: it is then one of real choices, not all of the best, and its max_gain() says how much better any
// other choice could be.
//
// How: the variables are eliminated along a tree decomposition, from partial choices ("labels") to larger ones
// (detail/graph_search.hpp). Lagrangian bounds on what the rest can add, from the same elimination with prices on cost
// (detail/price_rows.hpp), leave few partial choices to look at. Equal parts of a network are solved once. A pass over a clique
// of n entries takes about 10 n nanoseconds, and there are four to ten passes; so time grows with the number of variables and, on
// a path, with the square of their values.
//
// Where the graph has no decomposition with small tables, bounds come from mini-buckets (detail/elimination.hpp), and choices
// from exact fronts over windows of some variables with all others held (detail/window_search.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/planner/graph_problem.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale {

struct GraphFront : PlanFront {
    std::vector<Assignment> choices;
    // Whether the front is what FrontLimits::epsilon promises (0: all of it). Otherwise max_gain() says how far it may be.
    bool exact = true;
    FrontStatistics statistics;

    // No choice that costs at most this gains more (for costs up to FrontLimits::max_cost); nothing where it is known that there
    // is none.
    std::optional<double> max_gain(std::int64_t cost) const;
    // The most by which max_gain() exceeds the gain of best_within(), over all costs from the first point's on. 0 of exact
    // fronts, with an epsilon too.
    double gap() const;

    // A choice that costs at most B gains at most worth + price x B.
    struct Bound {
        double price = 0.0;
        double worth = 0.0;
    };
    std::vector<Bound> bounds;
    std::int64_t max_cost = 0;
};

// What elimination may take. The defaults are some seconds at most.
struct GraphEffort {
    std::size_t max_clique = std::size_t{1} << 25;   // entries of one table that elimination makes
    std::size_t max_entries = std::size_t{1} << 27;  // of all of them
    int refinements = 12;                            // of the bounds, before labels are compared
    int window_rounds = 3;                           // over all windows, where there are some
    // Under caps: fronts at prices on what is capped, and then partial choices that are compared, before the front is left as it is.
    int priced_fronts = 8;
    std::int64_t max_capped_candidates = 20'000'000;
};

// Throws InputError for limits that make no sense, for a cap on memory and as check() does.
GraphFront graph_front(const GraphProblem& problem, const FrontLimits& limits,
                       const GraphEffort& effort = {});

// The least cost of a choice that keeps the caps; nothing when there is none. Where the graph is too wide for exact elimination,
// the least cost that was found.
std::optional<std::int64_t> min_cost(const GraphProblem& problem, const Caps& caps,
                                     const GraphEffort& effort = {});

// The least of a resource, params or MACs, that the choices that cost at most `max_cost` use; nothing when there is none, and of
// memory. As exact as min_cost().
std::optional<std::int64_t> min_usage(const GraphProblem& problem, std::int64_t max_cost, Resource resource,
                                      const GraphEffort& effort = {});

}  // namespace hacscale
