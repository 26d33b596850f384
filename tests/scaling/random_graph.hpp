// Random small graph problems for properties of the planner, and the brute force they are compared with.
#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include "scaling/planner/graph_front.hpp"
#include "tests/scaling/random_chain.hpp"

namespace hacscale::testing {

// The widths of a random directed acyclic graph of layers: convs join two of them, adds and depthwise convs tie them, layers
// behind concats see sums, splits leave one part of a sum. Sizes, spread of values (small spreads make ties), equal layers,
// infeasible entries and offsets all vary with the seed.
GraphProblem random_graph_problem(std::mt19937_64& random);
// A limit and sometimes caps that cut through the problem's choices.
FrontLimits random_graph_limits(const GraphProblem& problem, std::mt19937_64& random);

// A random choice of a network's problem (graph_costs()), as it is before gains are added. What others determine is set to what
// they say.
Assignment random_assignment(const GraphProblem& problem, std::mt19937_64& random);

std::vector<FrontPoint> brute_force_front(const GraphProblem& problem, const FrontLimits& limits);

}  // namespace hacscale::testing
