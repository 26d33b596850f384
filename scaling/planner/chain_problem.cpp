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
constexpr std::size_t max_options = 65535;                   // indices are kept in 16 bits

[[noreturn]] void fail(std::size_t chain, std::size_t stage, const std::string& what) {
    throw InputError("planner: chain " + std::to_string(chain) + ", stage " + std::to_string(stage) + ": " +
                     what);
}

// The largest absolute values that sums over the chain can reach.
struct Sums {
    std::int64_t cost = 0;
    std::int64_t gain = 0;
    ResourceUsage usage;

    void take_larger(const BlockOption& option) {
        cost = std::max(cost, option.cost);
        gain = std::max(gain, magnitude(option.gain));
        usage.params = std::max(usage.params, option.usage.params);
        usage.macs = std::max(usage.macs, option.usage.macs);
        usage.weight_bytes = std::max(usage.weight_bytes, option.usage.weight_bytes);
        usage.peak_bytes = std::max(usage.peak_bytes, option.usage.peak_bytes);
    }
    void add(const Sums& other) {
        grow(cost, other.cost);
        grow(gain, other.gain);
        grow(usage.params, other.usage.params);
        grow(usage.macs, other.usage.macs);
        grow(usage.weight_bytes, other.usage.weight_bytes);
        grow(usage.peak_bytes, other.usage.peak_bytes);
    }
    std::int64_t largest() const {
        return std::max({cost, gain, usage.params, usage.macs, usage.weight_bytes, usage.peak_bytes});
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

bool is_negative(const ResourceUsage& usage) {
    return usage.params < 0 || usage.macs < 0 || usage.weight_bytes < 0 || usage.peak_bytes < 0;
}

Sums largest_of(const std::vector<std::vector<BlockOption>>& lists, std::size_t chain, std::size_t index) {
    Sums max;
    for (const std::vector<BlockOption>& options : lists) {
        if (options.empty() || options.size() > max_options) {
            fail(chain, index, "a block must have 1 to 65535 ways");
        }
        for (const BlockOption& option : options) {
            if (option.cost < 0 || is_negative(option.usage)) {
                fail(chain, index, "costs and needs must not be negative");
            }
            if (option.feasible()) max.take_larger(option);
        }
    }
    return max;
}

void check_stage(const ChainStage& stage, int previous_widths, std::size_t chain, std::size_t index,
                 Sums& sums) {
    if (stage.previous_widths != previous_widths) {
        fail(chain, index,
             "it expects " + std::to_string(stage.previous_widths) + " widths before it, but there are " +
                 std::to_string(previous_widths) + "; give both stages the same widths");
    }
    const auto widths = static_cast<std::size_t>(stage.widths);
    if (stage.widths < 1 || widths > max_options || stage.depths.empty() ||
        stage.depths.size() > max_options) {
        fail(chain, index, "widths and depths must each have 1 to 65535 options");
    }
    if (stage.depths.front() < 1 || std::adjacent_find(stage.depths.begin(), stage.depths.end(),
                                                       std::greater_equal<>()) != stage.depths.end()) {
        fail(chain, index, "depths must ascend from 1 or more");
    }
    const auto blocks = static_cast<std::size_t>(stage.max_blocks());
    const auto unknown_kind = [&](int kind) { return kind < 0 || kind >= stage.kind_count; };
    if (stage.first.size() != static_cast<std::size_t>(previous_widths) * widths ||
        stage.further.size() != widths * static_cast<std::size_t>(stage.kind_count) ||
        stage.gain.size() != widths * stage.depths.size() || stage.kinds.size() + 1 < blocks ||
        std::any_of(stage.kinds.begin(), stage.kinds.end(), unknown_kind)) {
        fail(chain, index, "its tables do not have one value an option; use make_stage()");
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

void ResourceUsage::add(const ResourceUsage& other) {
    params += other.params;
    macs += other.macs;
    weight_bytes += other.weight_bytes;
    peak_bytes = std::max(peak_bytes, other.peak_bytes);
}

bool Caps::admit(const ResourceUsage& usage) const {
    return (!params || usage.params <= *params) && (!macs || usage.macs <= *macs) &&
           (!memory_bytes || usage.memory_bytes() <= *memory_bytes);
}

ChainStage make_stage(int previous_widths, int widths, std::vector<int> depths, int kind_count) {
    ChainStage stage;
    stage.previous_widths = previous_widths;
    stage.widths = widths;
    stage.depths = std::move(depths);
    stage.kind_count = kind_count;
    for (int block = 1; block < stage.max_blocks(); ++block) {
        stage.kinds.push_back(std::min(block, kind_count) - 1);
    }
    const auto columns = static_cast<std::size_t>(widths);
    stage.first.assign(static_cast<std::size_t>(previous_widths) * columns, {BlockOption{}});
    stage.further.assign(columns * static_cast<std::size_t>(kind_count), {BlockOption{}});
    stage.gain.assign(columns * stage.depths.size(), 0);
    return stage;
}

std::optional<ChainTotals> totals_of(const ChainProblem& problem, const ChainChoice& choice) {
    const Chain& chain = problem.chains[static_cast<std::size_t>(choice.chain)];
    ChainTotals totals{chain.cost_offset, chain.gain_offset, chain.usage_offset};
    int previous = 0;
    for (std::size_t s = 0; s < chain.stages.size(); ++s) {
        const ChainStage& stage = chain.stages[s];
        const int width = choice.widths[s];
        const auto depth = static_cast<std::size_t>(choice.depths[s]);
        for (int block = 0; block < stage.depths[depth]; ++block) {
            const std::vector<BlockOption>& options = block == 0
                                                          ? stage.first[stage.first_at(previous, width)]
                                                          : stage.further[stage.further_at(width, block)];
            const BlockOption& option = options[static_cast<std::size_t>(choice.option(s, block))];
            if (!option.feasible()) return std::nullopt;
            totals.cost += option.cost;
            totals.gain += option.gain;
            totals.usage.add(option.usage);
        }
        totals.gain += stage.gain[stage.gain_at(width, depth)];
        previous = width;
    }
    return totals;
}

void check(const ChainProblem& problem) {
    if (problem.chains.empty() || problem.chains.size() > max_options) {
        throw InputError("planner: there must be 1 to 65535 chains");
    }
    const std::size_t stages = problem.chains.front().stages.size();
    if (stages == 0) throw InputError("planner: a chain must have at least one stage");
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        const Chain& chain = problem.chains[c];
        if (chain.stages.size() != stages) fail(c, 0, "all chains must have the same number of stages");
        if (chain.cost_offset < 0 || is_negative(chain.usage_offset)) {
            fail(c, 0, "offsets must not be negative");
        }
        Sums sums;
        Sums offsets;
        offsets.take_larger({chain.cost_offset, chain.gain_offset, chain.usage_offset});
        sums.add(offsets);
        int previous_widths = 1;
        for (std::size_t s = 0; s < stages; ++s) {
            check_stage(chain.stages[s], previous_widths, c, s, sums);
            previous_widths = chain.stages[s].widths;
        }
        if (sums.largest() >= exact_limit) {
            fail(c, 0, "sums over the chain could exceed 2^52; use a coarser unit");
        }
    }
}

}  // namespace hacscale
