#include "scaling/planner/chain_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::int64_t exact_limit = std::int64_t{1} << 52;  // sums of doubles up to here are exact
constexpr std::size_t most_options = 65535;                  // indices are kept in 16 bits

[[noreturn]] void refuse(std::size_t chain, std::size_t stage, const std::string& what) {
    throw InputError("planner: chain " + std::to_string(chain) + ", stage " + std::to_string(stage) + ": " +
                     what);
}

// The largest absolute values that sums over the chain can reach.
struct Sums {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    Needs needs;

    void take_larger(const BlockWay& way) {
        cost = std::max(cost, way.cost);
        gain = std::max(gain, magnitude(way.gain));
        needs.params = std::max(needs.params, way.needs.params);
        needs.macs = std::max(needs.macs, way.needs.macs);
        needs.weight_bytes = std::max(needs.weight_bytes, way.needs.weight_bytes);
        needs.peak_bytes = std::max(needs.peak_bytes, way.needs.peak_bytes);
    }
    void add(const Sums& other) {
        grow(cost, other.cost);
        grow(gain, other.gain);
        grow(needs.params, other.needs.params);
        grow(needs.macs, other.needs.macs);
        grow(needs.weight_bytes, other.needs.weight_bytes);
        grow(needs.peak_bytes, other.needs.peak_bytes);
    }
    std::int64_t largest() const {
        return std::max({cost, gain, needs.params, needs.macs, needs.weight_bytes, needs.peak_bytes});
    }
    // The most negative number has no absolute value; either end is far outside the limit.
    static std::int64_t magnitude(std::int64_t value) {
        if (value <= -exact_limit || value >= exact_limit) return exact_limit;
        return value < 0 ? -value : value;
    }

private:
    static void grow(std::int64_t& sum, std::int64_t value) {
        sum = std::min(exact_limit, sum + std::min(exact_limit, value));
    }
};

bool is_negative(const Needs& needs) {
    return needs.params < 0 || needs.macs < 0 || needs.weight_bytes < 0 || needs.peak_bytes < 0;
}

Sums largest_of(const std::vector<std::vector<BlockWay>>& lists, std::size_t chain, std::size_t index) {
    Sums most;
    for (const std::vector<BlockWay>& ways : lists) {
        if (ways.empty() || ways.size() > most_options) {
            refuse(chain, index, "a block must have 1 to 65535 ways");
        }
        for (const BlockWay& way : ways) {
            if (way.cost < 0 || is_negative(way.needs)) {
                refuse(chain, index, "costs and needs must not be negative");
            }
            if (way.feasible()) most.take_larger(way);
        }
    }
    return most;
}

void check_stage(const ChainStage& stage, int previous_widths, std::size_t chain, std::size_t index,
                 Sums& sums) {
    if (stage.previous_widths != previous_widths) {
        refuse(chain, index,
               "it expects " + std::to_string(stage.previous_widths) + " widths before it, but there are " +
                   std::to_string(previous_widths) + "; give both stages the same widths");
    }
    const auto widths = static_cast<std::size_t>(stage.widths);
    if (stage.widths < 1 || widths > most_options || stage.depths.empty() ||
        stage.depths.size() > most_options) {
        refuse(chain, index, "widths and depths must each have 1 to 65535 options");
    }
    if (stage.depths.front() < 1 || std::adjacent_find(stage.depths.begin(), stage.depths.end(),
                                                       std::greater_equal<>()) != stage.depths.end()) {
        refuse(chain, index, "depths must ascend from 1 or more");
    }
    const auto blocks = static_cast<std::size_t>(stage.most_blocks());
    const auto unknown_kind = [&](int kind) { return kind < 0 || kind >= stage.kind_count; };
    if (stage.first.size() != static_cast<std::size_t>(previous_widths) * widths ||
        stage.further.size() != widths * static_cast<std::size_t>(stage.kind_count) ||
        stage.gain.size() != widths * stage.depths.size() || stage.kinds.size() + 1 < blocks ||
        std::any_of(stage.kinds.begin(), stage.kinds.end(), unknown_kind)) {
        refuse(chain, index, "its tables do not have one value an option; use make_stage()");
    }
    sums.add(largest_of(stage.first, chain, index));
    const Sums further = largest_of(stage.further, chain, index);
    for (std::size_t block = 1; block < blocks; ++block) sums.add(further);
    Sums own;
    for (const std::int64_t gain : stage.gain) own.gain = std::max(own.gain, Sums::magnitude(gain));
    sums.add(own);
}

}  // namespace

std::int64_t picoseconds(double latency_us) {
    // A layer that takes over an hour is a fault of the table, and its sums would leave the exact range.
    if (!(latency_us >= 0.0 && latency_us < 3.6e9)) {
        throw InputError(fmt::format("a latency of {} us is not possible; check the table", latency_us));
    }
    return std::llround(latency_us * picoseconds_per_us);
}

void Needs::add(const Needs& other) {
    params += other.params;
    macs += other.macs;
    weight_bytes += other.weight_bytes;
    peak_bytes = std::max(peak_bytes, other.peak_bytes);
}

bool Caps::admit(const Needs& needs) const {
    return (!params || needs.params <= *params) && (!macs || needs.macs <= *macs) &&
           (!memory_bytes || needs.memory_bytes() <= *memory_bytes);
}

ChainStage make_stage(int previous_widths, int widths, std::vector<int> depths, int kind_count) {
    ChainStage stage;
    stage.previous_widths = previous_widths;
    stage.widths = widths;
    stage.depths = std::move(depths);
    stage.kind_count = kind_count;
    for (int block = 1; block < stage.most_blocks(); ++block) {
        stage.kinds.push_back(std::min(block, kind_count) - 1);
    }
    const auto columns = static_cast<std::size_t>(widths);
    stage.first.assign(static_cast<std::size_t>(previous_widths) * columns, {BlockWay{}});
    stage.further.assign(columns * static_cast<std::size_t>(kind_count), {BlockWay{}});
    stage.gain.assign(columns * stage.depths.size(), 0);
    return stage;
}

std::optional<ChainTotals> totals_of(const ChainProblem& problem, const ChainChoice& choice) {
    const Chain& chain = problem.chains[static_cast<std::size_t>(choice.chain)];
    ChainTotals totals{chain.cost_offset, chain.gain_offset, chain.needs_offset};
    int previous = 0;
    for (std::size_t s = 0; s < chain.stages.size(); ++s) {
        const ChainStage& stage = chain.stages[s];
        const int width = choice.widths[s];
        const auto depth = static_cast<std::size_t>(choice.depths[s]);
        for (int block = 0; block < stage.depths[depth]; ++block) {
            const std::vector<BlockWay>& ways = block == 0 ? stage.first[stage.first_at(previous, width)]
                                                           : stage.further[stage.further_at(width, block)];
            const BlockWay& way = ways[static_cast<std::size_t>(choice.way(s, block))];
            if (!way.feasible()) return std::nullopt;
            totals.cost += way.cost;
            totals.gain += way.gain;
            totals.needs.add(way.needs);
        }
        totals.gain += stage.gain[stage.gain_at(width, depth)];
        previous = width;
    }
    return totals;
}

void check(const ChainProblem& problem) {
    if (problem.chains.empty() || problem.chains.size() > most_options) {
        throw InputError("planner: there must be 1 to 65535 chains");
    }
    const std::size_t stages = problem.chains.front().stages.size();
    if (stages == 0) throw InputError("planner: a chain must have at least one stage");
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        const Chain& chain = problem.chains[c];
        if (chain.stages.size() != stages) refuse(c, 0, "all chains must have the same number of stages");
        if (chain.cost_offset < 0 || is_negative(chain.needs_offset)) {
            refuse(c, 0, "offsets must not be negative");
        }
        Sums sums;
        Sums offsets;
        offsets.take_larger({chain.cost_offset, chain.gain_offset, chain.needs_offset});
        sums.add(offsets);
        int previous_widths = 1;
        for (std::size_t s = 0; s < stages; ++s) {
            check_stage(chain.stages[s], previous_widths, c, s, sums);
            previous_widths = chain.stages[s].widths;
        }
        if (sums.largest() >= exact_limit) {
            refuse(c, 0, "sums over the chain could exceed 2^52; use a coarser unit");
        }
    }
}

}  // namespace hacscale
