#include "scaling/planner/least_need.hpp"

#include <algorithm>

#include "scaling/planner/pareto_front.hpp"

namespace hacscale {
namespace {

// The problem in which a choice gains the more the less of something it needs.
ChainProblem with_gains(ChainProblem problem, std::int64_t Needs::*need) {
    for (Chain& chain : problem.chains) {
        chain.gain_offset = -(chain.needs_offset.*need);
        for (ChainStage& stage : chain.stages) {
            std::fill(stage.gain.begin(), stage.gain.end(), 0);
            for (auto* lists : {&stage.first, &stage.further}) {
                for (std::vector<BlockWay>& ways : *lists) {
                    for (BlockWay& way : ways) way.gain = -(way.needs.*need);
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

std::optional<std::int64_t> least_sum(const ChainProblem& problem, std::int64_t max_cost,
                                      std::int64_t Needs::*need) {
    const ParetoFront front = front_of(with_gains(problem, need), max_cost, {});
    if (front.size() == 0) return std::nullopt;
    return front.needs.back().*need;
}

// Memory is a sum and a largest part, so that no gain stands for it: the cap is narrowed down instead.
std::optional<std::int64_t> least_memory(const ChainProblem& problem, std::int64_t max_cost) {
    const ChainProblem plain = with_gains(problem, &Needs::weight_bytes);
    const ParetoFront lightest = front_of(plain, max_cost, {});
    if (lightest.size() == 0) return std::nullopt;
    // The lightest weights alone cannot be undercut; their network is possible.
    std::int64_t impossible = lightest.needs.back().weight_bytes - 1;
    std::int64_t possible = lightest.needs.back().memory_bytes();
    while (possible - impossible > 1) {
        Caps caps;
        caps.memory_bytes = impossible + (possible - impossible) / 2;
        const ParetoFront within = front_of(plain, max_cost, caps);
        if (within.size() == 0) {
            impossible = *caps.memory_bytes;
            continue;
        }
        for (const Needs& needs : within.needs) possible = std::min(possible, needs.memory_bytes());
    }
    return possible;
}

}  // namespace

std::optional<std::int64_t> least_need(const ChainProblem& problem, std::int64_t max_cost, Need need) {
    switch (need) {
        case Need::params:
            return least_sum(problem, max_cost, &Needs::params);
        case Need::macs:
            return least_sum(problem, max_cost, &Needs::macs);
        case Need::memory_bytes:
            return least_memory(problem, max_cost);
    }
    return std::nullopt;
}

}  // namespace hacscale
