// What benchmarks of planners know of the network that they plan, and the limits and counters that they share.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdint>

#include "scaling/planner/pareto_front.hpp"

namespace hacscale::bench {

struct PlannedNetwork {
    std::int64_t base_ps = 0;
    std::int64_t base_params = 0;

    // `budget` in base latencies; `params_ratio`: cap on params, in base params; 0: none.
    FrontLimits limits(double budget, double epsilon, double params_ratio) const {
        FrontLimits limits;
        limits.max_cost = static_cast<std::int64_t>(budget * static_cast<double>(base_ps));
        limits.epsilon = epsilon;
        if (params_ratio > 0.0) {
            limits.caps.params = static_cast<std::int64_t>(params_ratio * static_cast<double>(base_params));
        }
        return limits;
    }
};

// A ParetoFront or a GraphFront.
template <typename Front>
void count(benchmark::State& state, const Front& front, double log10_choices) {
    state.counters["log10_choices"] = log10_choices;
    state.counters["points"] = static_cast<double>(front.size());
    state.counters["candidates"] = static_cast<double>(front.statistics.candidates);
    state.counters["peak_MiB"] = static_cast<double>(front.statistics.peak_bytes) / (1 << 20);
}

}  // namespace hacscale::bench
