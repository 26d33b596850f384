// The planner's problem with no networks in it: a chain of stages, each with a width and a depth to choose.
//
// One choice of widths w[0..n) and depths d[0..n) costs
//     cost_offset + sum over i of entry_cost_i(w[i-1], w[i]) + body_cost_i(w[i], d[i])
// and gains gain_offset + sum over i of gain_i(w[i], d[i]); params add up as costs do. Before stage 0 there
// is one fixed "previous width", index 0. The split into entry and body is what networks have: only the first
// block of a stage sees the width of the stage before it. Widths and depths are indices here; their values
// live with the caller.
//
// All quantities are integers, so that sums are the same in every order and dominance is decided exactly:
// costs count cost quanta (1 ps, or one MAC), gains count gain quanta (1e-9), params count parameters.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace hacscale {

constexpr double picoseconds_per_us = 1e6;
constexpr double gain_quanta_per_unit = 1e9;
// Marks an entry or a body that cannot be chosen, in its cost.
constexpr std::int64_t infeasible_cost = std::numeric_limits<std::int64_t>::max();

struct ChainStage {
    int previous_widths = 1;
    int widths = 1;
    int depths = 1;
    std::vector<std::int64_t> entry_cost;    // [previous_widths x widths]
    std::vector<std::int64_t> entry_params;  // [previous_widths x widths]
    std::vector<std::int64_t> body_cost;     // [widths x depths]
    std::vector<std::int64_t> body_params;   // [widths x depths]
    std::vector<std::int64_t> gain;          // [widths x depths]

    std::size_t entry(int previous, int width) const {
        return static_cast<std::size_t>(previous) * static_cast<std::size_t>(widths) +
               static_cast<std::size_t>(width);
    }
    std::size_t body(int width, int depth) const {
        return static_cast<std::size_t>(width) * static_cast<std::size_t>(depths) +
               static_cast<std::size_t>(depth);
    }
};

// A stage with all its tables allocated, everything infeasible, gains and params 0.
ChainStage make_stage(int previous_widths, int widths, int depths);

struct Chain {
    std::vector<ChainStage> stages;
    std::int64_t cost_offset = 0;
    std::int64_t params_offset = 0;
    std::int64_t gain_offset = 0;
};

// One chain a resolution; the planner chooses among them too. All have the same number of stages.
struct ChainProblem {
    std::vector<Chain> chains;
};

struct ChainChoice {
    int chain = 0;
    std::vector<int> widths;  // indices, one a stage
    std::vector<int> depths;
};

struct ChainTotals {
    std::int64_t cost = 0;
    std::int64_t params = 0;
    std::int64_t gain = 0;
};

// What a choice comes to; nothing when a part of it is infeasible. The indices must be within the tables.
std::optional<ChainTotals> totals_of(const ChainProblem& problem, const ChainChoice& choice);

// Throws InputError when tables have the wrong size, stages do not follow one another, a cost or params is
// negative, or sums could leave the range in which they are exact (2^52).
void check(const ChainProblem& problem);

}  // namespace hacscale
