#include "scaling/planner/chain_problem.hpp"

#include <algorithm>
#include <string>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::int64_t exact_limit = std::int64_t{1} << 52;  // sums of doubles up to here are exact
constexpr int most_options = 65535;                          // indices are kept in 16 bits

[[noreturn]] void refuse(std::size_t chain, std::size_t stage, const std::string& what) {
    throw InputError("planner: chain " + std::to_string(chain) + ", stage " + std::to_string(stage) + ": " +
                     what);
}

// The largest absolute value among the options that can be chosen.
std::int64_t largest(const std::vector<std::int64_t>& values, const std::vector<std::int64_t>& costs) {
    std::int64_t result = 0;
    for (std::size_t i = 0; i < values.size(); ++i) {
        if (costs[i] == infeasible_cost) continue;
        // The most negative number has no absolute value; either end is far outside the limit.
        if (values[i] <= -exact_limit || values[i] >= exact_limit) return exact_limit;
        result = std::max(result, values[i] < 0 ? -values[i] : values[i]);
    }
    return result;
}

struct Sums {
    std::int64_t cost = 0;
    std::int64_t params = 0;
    std::int64_t gain = 0;
};

void add(std::int64_t& sum, std::int64_t value) {
    sum = std::min(exact_limit, sum + value);
}

void check_stage(const ChainStage& stage, int previous_widths, std::size_t chain, std::size_t index,
                 Sums& sums) {
    if (stage.previous_widths != previous_widths) {
        refuse(chain, index,
               "it expects " + std::to_string(stage.previous_widths) + " widths before it, but there are " +
                   std::to_string(previous_widths) + "; give both stages the same widths");
    }
    if (stage.widths < 1 || stage.widths > most_options || stage.depths < 1 || stage.depths > most_options) {
        refuse(chain, index, "widths and depths must each have 1 to 65535 options");
    }
    const auto entries =
        static_cast<std::size_t>(stage.previous_widths) * static_cast<std::size_t>(stage.widths);
    const auto bodies = static_cast<std::size_t>(stage.widths) * static_cast<std::size_t>(stage.depths);
    if (stage.entry_cost.size() != entries || stage.entry_params.size() != entries ||
        stage.body_cost.size() != bodies || stage.body_params.size() != bodies ||
        stage.gain.size() != bodies) {
        refuse(chain, index, "its tables do not have one value an option; use make_stage()");
    }
    const auto negative = [](std::int64_t value) { return value < 0; };
    for (const auto* values :
         {&stage.entry_cost, &stage.entry_params, &stage.body_cost, &stage.body_params}) {
        if (std::any_of(values->begin(), values->end(), negative)) {
            refuse(chain, index, "costs and params must not be negative");
        }
    }
    add(sums.cost, largest(stage.entry_cost, stage.entry_cost));
    add(sums.cost, largest(stage.body_cost, stage.body_cost));
    add(sums.params, largest(stage.entry_params, stage.entry_cost));
    add(sums.params, largest(stage.body_params, stage.body_cost));
    add(sums.gain, largest(stage.gain, stage.body_cost));
}

}  // namespace

ChainStage make_stage(int previous_widths, int widths, int depths) {
    ChainStage stage;
    stage.previous_widths = previous_widths;
    stage.widths = widths;
    stage.depths = depths;
    const auto entries = static_cast<std::size_t>(previous_widths) * static_cast<std::size_t>(widths);
    const auto bodies = static_cast<std::size_t>(widths) * static_cast<std::size_t>(depths);
    stage.entry_cost.assign(entries, infeasible_cost);
    stage.entry_params.assign(entries, 0);
    stage.body_cost.assign(bodies, infeasible_cost);
    stage.body_params.assign(bodies, 0);
    stage.gain.assign(bodies, 0);
    return stage;
}

std::optional<ChainTotals> totals_of(const ChainProblem& problem, const ChainChoice& choice) {
    const Chain& chain = problem.chains[static_cast<std::size_t>(choice.chain)];
    ChainTotals totals{chain.cost_offset, chain.params_offset, chain.gain_offset};
    int previous = 0;
    for (std::size_t s = 0; s < chain.stages.size(); ++s) {
        const ChainStage& stage = chain.stages[s];
        const std::size_t entry = stage.entry(previous, choice.widths[s]);
        const std::size_t body = stage.body(choice.widths[s], choice.depths[s]);
        if (stage.entry_cost[entry] == infeasible_cost || stage.body_cost[body] == infeasible_cost) {
            return std::nullopt;
        }
        totals.cost += stage.entry_cost[entry] + stage.body_cost[body];
        totals.params += stage.entry_params[entry] + stage.body_params[body];
        totals.gain += stage.gain[body];
        previous = choice.widths[s];
    }
    return totals;
}

void check(const ChainProblem& problem) {
    if (problem.chains.empty() || problem.chains.size() > static_cast<std::size_t>(most_options)) {
        throw InputError("planner: there must be 1 to 65535 chains");
    }
    const std::size_t stages = problem.chains.front().stages.size();
    if (stages == 0) throw InputError("planner: a chain must have at least one stage");
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        const Chain& chain = problem.chains[c];
        if (chain.stages.size() != stages) refuse(c, 0, "all chains must have the same number of stages");
        if (chain.cost_offset < 0 || chain.params_offset < 0) refuse(c, 0, "offsets must not be negative");
        Sums sums;
        add(sums.cost, std::min(exact_limit, chain.cost_offset));
        add(sums.params, std::min(exact_limit, chain.params_offset));
        add(sums.gain, largest({chain.gain_offset}, {0}));
        int previous_widths = 1;
        for (std::size_t s = 0; s < stages; ++s) {
            check_stage(chain.stages[s], previous_widths, c, s, sums);
            previous_widths = chain.stages[s].widths;
        }
        if (std::max({sums.cost, sums.params, sums.gain}) >= exact_limit) {
            refuse(c, 0, "sums over the chain could exceed 2^52; use a coarser unit");
        }
    }
}

}  // namespace hacscale
