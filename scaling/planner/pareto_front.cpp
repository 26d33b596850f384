#include "scaling/planner/pareto_front.hpp"

#include <algorithm>
#include <utility>

#include "base/error.hpp"
#include "scaling/planner/detail/bounds.hpp"
#include "scaling/planner/detail/chain_search.hpp"
#include "scaling/planner/detail/completion.hpp"

namespace hacscale {
namespace {

void check(const FrontLimits& limits) {
    if (limits.max_cost < 0 || limits.max_cost > std::int64_t{1} << 52) {
        throw InputError("planner: the largest cost must be within [0, 2^52]");
    }
    for (const std::optional<std::int64_t>& cap :
         {limits.caps.params, limits.caps.macs, limits.caps.memory_bytes}) {
        if (cap && *cap < 0) throw InputError("planner: a cap must not be negative");
    }
    if (!(limits.epsilon >= 0.0 && limits.epsilon < 1.0)) {
        throw InputError("planner: epsilon must be within [0, 1)");
    }
}

// A cap that no choice exceeds is none, and the search without one is faster.
Caps binding_caps(const ChainProblem& problem, const Caps& caps) {
    Caps binding;
    if (!caps.any()) return binding;
    for (const Chain& chain : problem.chains) {
        const ResourceUsage max = planner::complete(chain).total.max;
        if (caps.params && max.params > *caps.params) binding.params = caps.params;
        if (caps.macs && max.macs > *caps.macs) binding.macs = caps.macs;
        if (caps.memory_bytes && max.memory_bytes() > *caps.memory_bytes) {
            binding.memory_bytes = caps.memory_bytes;
        }
    }
    return binding;
}

// Where some block has several options, one for each block of the deepest chain there.
std::vector<int> option_slots(const ChainProblem& problem) {
    std::vector<int> slots(problem.chains.front().stages.size(), 0);
    const auto has_choice = [](const std::vector<std::vector<BlockOption>>& lists) {
        return std::any_of(lists.begin(), lists.end(),
                           [](const auto& options) { return options.size() > 1; });
    };
    for (const Chain& chain : problem.chains) {
        for (std::size_t s = 0; s < slots.size(); ++s) {
            const ChainStage& stage = chain.stages[s];
            if (has_choice(stage.first) || has_choice(stage.further)) {
                slots[s] = std::max(slots[s], stage.max_blocks());
            }
        }
    }
    return slots;
}

planner::Search prepare(const ChainProblem& problem, const FrontLimits& limits) {
    planner::Search search;
    search.epsilon = limits.epsilon;
    search.max_bytes = limits.max_bytes;
    search.max_cost = limits.max_cost;
    if (limits.epsilon > 0) {
        search.max_cost +=
            static_cast<std::int64_t>(static_cast<double>(limits.max_cost) * limits.epsilon) + 1;
    }
    search.caps = binding_caps(problem, limits.caps);
    search.option_slots = option_slots(problem);
    search.grid = planner::make_grid(search.max_cost);
    search.prices = planner::params_prices(problem, search.caps);
    for (const Chain& chain : problem.chains) {
        search.options.emplace_back(chain, search.max_cost, search.caps.any());
        search.bytes += search.options.back().bytes();
    }
    search.incumbents =
        planner::incumbent_gains(problem, search.options, search.grid, search.prices, search.caps);
    return search;
}

}  // namespace

ChainChoice ParetoFront::choice(std::size_t point) const {
    std::size_t row = 1;
    for (const int slots : option_slots) row += 2 + static_cast<std::size_t>(slots);
    const std::uint16_t* at = choices.data() + point * row;
    ChainChoice result;
    result.chain = *at++;
    for (const int slots : option_slots) {
        result.widths.push_back(*at++);
        result.depths.push_back(*at++);
        result.options.emplace_back();
        for (int slot = 0; slot < slots; ++slot, ++at) {
            if (*at != planner::absent_option) result.options.back().push_back(*at);
        }
    }
    return result;
}

std::optional<std::size_t> PlanFront::best_within(std::int64_t cost) const {
    const auto above = std::upper_bound(costs.begin(), costs.end(), cost);
    if (above == costs.begin()) return std::nullopt;
    return static_cast<std::size_t>(above - costs.begin()) - 1;
}

ParetoFront pareto_front(const ChainProblem& problem, const FrontLimits& limits) {
    check(problem);
    check(limits);
    ParetoFront front;
    const planner::Search search = prepare(problem, limits);
    planner::CompleteChoices found;
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        planner::ChainSearch(problem.chains[c], search.options[c], search, front.statistics)
            .run(static_cast<std::uint16_t>(c), found);
    }
    const auto count = static_cast<std::ptrdiff_t>(found.values.size());
    planner::keep_best(found.values, 1, planner::no_floor);
    front.option_slots = search.option_slots;
    const auto rows = static_cast<std::ptrdiff_t>(found.rows.size());
    const std::ptrdiff_t row = count > 0 ? rows / count : 0;
    front.choices.reserve(found.values.size() * static_cast<std::size_t>(row));
    for (const planner::Label& label : found.values) {
        front.costs.push_back(label.cost);
        front.gains.push_back(label.gain);
        front.usage.push_back(label.usage);
        const auto first = found.rows.begin() + static_cast<std::ptrdiff_t>(label.origin.label) * row;
        front.choices.insert(front.choices.end(), first, first + row);
    }
    return front;
}

// ---- The least usage ----

namespace {

// The problem in which a choice gains the more the less of a resource it uses.
ChainProblem with_gains(ChainProblem problem, std::int64_t ResourceUsage::*resource) {
    for (Chain& chain : problem.chains) {
        chain.gain_offset = -(chain.usage_offset.*resource);
        for (ChainStage& stage : chain.stages) {
            std::fill(stage.gain.begin(), stage.gain.end(), 0);
            for (auto* lists : {&stage.first, &stage.further}) {
                for (std::vector<BlockOption>& options : *lists) {
                    for (BlockOption& option : options) option.gain = -(option.usage.*resource);
                }
            }
        }
    }
    return problem;
}

ParetoFront front_of(const ChainProblem& problem, std::int64_t max_cost, const Caps& caps) {
    FrontLimits limits;
    limits.max_cost = max_cost;
    limits.caps = caps;
    return pareto_front(problem, limits);
}

std::optional<std::int64_t> min_sum(const ChainProblem& problem, std::int64_t max_cost,
                                    std::int64_t ResourceUsage::*resource) {
    const ParetoFront front = front_of(with_gains(problem, resource), max_cost, {});
    if (front.size() == 0) return std::nullopt;
    return front.usage.back().*resource;
}

// Memory is a sum and a largest part, so that no gain stands for it: the cap is narrowed down instead.
std::optional<std::int64_t> min_memory(const ChainProblem& problem, std::int64_t max_cost) {
    const ChainProblem plain = with_gains(problem, &ResourceUsage::weight_bytes);
    const ParetoFront lightest = front_of(plain, max_cost, {});
    if (lightest.size() == 0) return std::nullopt;
    // The lightest weights alone cannot be undercut; their network is possible.
    std::int64_t impossible = lightest.usage.back().weight_bytes - 1;
    std::int64_t possible = lightest.usage.back().memory_bytes();
    while (possible - impossible > 1) {
        Caps caps;
        caps.memory_bytes = impossible + (possible - impossible) / 2;
        const ParetoFront within = front_of(plain, max_cost, caps);
        if (within.size() == 0) {
            impossible = *caps.memory_bytes;
            continue;
        }
        for (const ResourceUsage& usage : within.usage) possible = std::min(possible, usage.memory_bytes());
    }
    return possible;
}

}  // namespace

std::optional<std::int64_t> min_usage(const ChainProblem& problem, std::int64_t max_cost, Resource resource) {
    switch (resource) {
        case Resource::params:
            return min_sum(problem, max_cost, &ResourceUsage::params);
        case Resource::macs:
            return min_sum(problem, max_cost, &ResourceUsage::macs);
        case Resource::memory_bytes:
            return min_memory(problem, max_cost);
    }
    return std::nullopt;
}

}  // namespace hacscale
