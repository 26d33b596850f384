// The planner's problem of any shape, with no networks in it: variables with few values each, and tables over one or a few
// of them. A choice has one value a variable. What it costs, gains and uses are sums over the tables, each at the values of
// its variables, and the problem's offsets; a choice with an infeasible entry is none.
//
// Tables are dense, so a layer that reads many variables' widths joined (a concat) has a table over their sum instead: a
// derived variable, whose value two others determine. Sums of several are sums of sums. Values are indices here; the caller
// keeps what they mean. Quantities are integers, as in a ChainProblem.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/planner/chain_problem.hpp"

namespace hacscale {

// Row-major over the values of a factor's variables; peak bytes are not looked at.
using FactorTable = std::vector<BlockOption>;

struct Factor {
    std::vector<int> variables;  // one or more, each once
    int table = 0;               // index into GraphProblem::tables; factors that are alike share one
};

// A variable that two others determine.
struct DerivedVariable {
    int variable = 0;
    int first = 0;
    int second = 0;
    // [values of first x values of second]: the value; -1: the two do not go together. Those that are alike share one.
    int table = 0;  // index into GraphProblem::derivations
};

struct GraphProblem {
    std::vector<int> values;  // of each variable, how many it has
    std::vector<FactorTable> tables;
    std::vector<Factor> factors;
    std::vector<std::vector<int>> derivations;
    std::vector<DerivedVariable> derived;
    std::int64_t cost_offset = 0;
    std::int64_t gain_offset = 0;
    ResourceUsage usage_offset;

    std::size_t table_bytes() const;
};

using Assignment = std::vector<std::uint16_t>;  // one index a variable, derived ones too

// What a choice comes to; nothing when it is infeasible. The indices must be within the tables.
std::optional<ChainTotals> totals_of(const GraphProblem& problem, const Assignment& choice);

// Adds up factors over the same variables, so that there is one of each: every choice comes to the same, in less time. Factors
// that were alike still share a table.
void join_factors(GraphProblem& problem);

// Throws InputError for variables that do not exist, tables of another size than their variables', a variable that is
// derived twice or of itself, a cost or a usage that is negative, or sums that could leave the range in which they are
// exact (2^52).
void check(const GraphProblem& problem);

}  // namespace hacscale
