// The planner's problem with no networks in it: a chain of stages, each with a width, a depth, and an
// option for each of its blocks to choose.
//
// A stage with width w and depth d has d blocks. The first one is one of the options first(v, w), where
// v is the width of the stage before; the block at position j > 0 in one of further(w, j). Only the first
// block sees the width before it, as in networks. Each option has a cost, a gain and resource usage; those
// of a choice are the sums over its blocks and stages, with the chain's offsets, and gain(w, d) of each
// stage. Before stage 0 there is one fixed "previous width", index 0. Widths, depths and options are indices
// here; the caller keeps their values.
//
// All quantities are integers, so that sums are the same in every order and dominance is decided exactly:
// costs count cost quanta (1 ps, or one MAC), gains count gain quanta (1e-9).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace hacscale {

constexpr double picoseconds_per_us = 1e6;
constexpr double gain_quanta_per_unit = 1e9;
// Microseconds to whole picoseconds; InputError when that is negative or not finite.
std::int64_t picoseconds(double latency_us);
// Marks an option that cannot be chosen, in its cost.
constexpr std::int64_t infeasible_cost = std::numeric_limits<std::int64_t>::max();

// What a choice takes besides its cost.
struct ResourceUsage {
    std::int64_t params = 0;
    std::int64_t macs = 0;
    std::int64_t weight_bytes = 0;
    std::int64_t peak_bytes = 0;  // of activations alive at once: of parts, the largest counts

    void add(const ResourceUsage& other);
    std::int64_t memory_bytes() const { return weight_bytes + peak_bytes; }
    bool operator==(const ResourceUsage&) const = default;
};

// The most that a choice may use; nothing: no cap.
struct Caps {
    std::optional<std::int64_t> params;
    std::optional<std::int64_t> macs;
    std::optional<std::int64_t> memory_bytes;

    bool any() const { return params || macs || memory_bytes; }
    bool admit(const ResourceUsage& usage) const;
};

// One choice for a block.
struct BlockOption {
    std::int64_t cost = infeasible_cost;
    std::int64_t gain = 0;
    ResourceUsage usage;
    bool feasible() const { return cost != infeasible_cost; }
};

struct ChainStage {
    int previous_widths = 1;
    int widths = 1;
    std::vector<int> depths;  // numbers of blocks, ascending
    // Which list of options the block at position j has, at j - 1: blocks that are alike share one.
    std::vector<int> kinds;
    int kind_count = 0;
    std::vector<std::vector<BlockOption>> first;    // [previous_widths x widths]
    std::vector<std::vector<BlockOption>> further;  // [widths x kind_count]
    std::vector<std::int64_t> gain;                 // [widths x depths]

    int max_blocks() const { return depths.back(); }
    std::size_t first_at(int previous, int width) const { return at(previous, widths, width); }
    std::size_t kind_at(int width, int kind) const { return at(width, kind_count, kind); }
    std::size_t further_at(int width, int position) const {
        return kind_at(width, kinds[static_cast<std::size_t>(position - 1)]);
    }
    std::size_t gain_at(int width, std::size_t depth) const {
        return at(width, static_cast<int>(depths.size()), static_cast<int>(depth));
    }

private:
    static std::size_t at(int row, int columns, int column) {
        return static_cast<std::size_t>(row) * static_cast<std::size_t>(columns) +
               static_cast<std::size_t>(column);
    }
};

// A stage with all its tables allocated: one option a block, which is infeasible; gains and usage 0.
// `kind_count` kinds of blocks after the first, the last of which repeats.
ChainStage make_stage(int previous_widths, int widths, std::vector<int> depths, int kind_count = 1);

struct Chain {
    std::vector<ChainStage> stages;
    std::int64_t cost_offset = 0;
    std::int64_t gain_offset = 0;
    ResourceUsage usage_offset;
};

// One chain a resolution; the planner chooses among them too. All have the same number of stages.
struct ChainProblem {
    std::vector<Chain> chains;
};

struct ChainChoice {
    int chain = 0;
    std::vector<int> widths;  // indices, one a stage
    std::vector<int> depths;  // indices
    // For each stage one option a block; a stage with an empty list, or no lists at all: the first option of each.
    std::vector<std::vector<int>> options;

    int option(std::size_t stage, int position) const {
        if (stage >= options.size() || options[stage].empty()) return 0;
        return options[stage][static_cast<std::size_t>(position)];
    }
};

struct ChainTotals {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    ResourceUsage usage;
};

// What a choice comes to; nothing when a part of it is infeasible. The indices must be within the tables.
std::optional<ChainTotals> totals_of(const ChainProblem& problem, const ChainChoice& choice);

// What a search over choices took.
struct FrontStatistics {
    std::int64_t candidates = 0;  // partial choices looked at
    std::int64_t labels = 0;      // partial choices kept
    std::size_t peak_bytes = 0;   // of the planner's own tables
};

// Throws InputError when tables have the wrong size, stages do not fit each other, a cost or a usage is
// negative, or sums could leave the range in which they are exact (2^52).
void check(const ChainProblem& problem);

}  // namespace hacscale
