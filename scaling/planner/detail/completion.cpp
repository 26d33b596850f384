#include "scaling/planner/detail/completion.hpp"

#include <algorithm>
#include <utility>

namespace hacscale::planner {

Completion complete(const Chain& chain) {
    const std::size_t stages = chain.stages.size();
    Completion result;
    result.least_params.resize(stages);
    result.most_params.resize(stages);
    std::vector<std::int64_t> cost_after(static_cast<std::size_t>(chain.stages.back().widths), 0);
    result.least_params.back() = cost_after;
    result.most_params.back() = cost_after;
    for (std::size_t s = stages; s-- > 0;) {
        const ChainStage& stage = chain.stages[s];
        const auto before = static_cast<std::size_t>(stage.previous_widths);
        std::vector<std::int64_t> cost(before, unreachable);
        std::vector<std::int64_t> least(before, unreachable);
        std::vector<std::int64_t> most(before, 0);
        for (int width = 0; width < stage.widths; ++width) {
            const auto w = static_cast<std::size_t>(width);
            if (cost_after[w] == unreachable) continue;
            std::int64_t body_cost = unreachable;
            std::int64_t body_least = unreachable;
            std::int64_t body_most = 0;
            for (int depth = 0; depth < stage.depths; ++depth) {
                const std::size_t body = stage.body(width, depth);
                if (stage.body_cost[body] == infeasible_cost) continue;
                body_cost = std::min(body_cost, stage.body_cost[body] + cost_after[w]);
                body_least = std::min(body_least, stage.body_params[body] + result.least_params[s][w]);
                body_most = std::max(body_most, stage.body_params[body] + result.most_params[s][w]);
            }
            if (body_cost == unreachable) continue;
            for (int previous = 0; previous < stage.previous_widths; ++previous) {
                const std::size_t entry = stage.entry(previous, width);
                if (stage.entry_cost[entry] == infeasible_cost) continue;
                const auto p = static_cast<std::size_t>(previous);
                cost[p] = std::min(cost[p], stage.entry_cost[entry] + body_cost);
                least[p] = std::min(least[p], stage.entry_params[entry] + body_least);
                most[p] = std::max(most[p], stage.entry_params[entry] + body_most);
            }
        }
        if (s > 0) {
            result.least_params[s - 1] = std::move(least);
            result.most_params[s - 1] = std::move(most);
            cost_after = std::move(cost);
        } else if (cost.front() != unreachable) {
            result.least_cost = cost.front() + chain.cost_offset;
            result.most_total_params = most.front() + chain.params_offset;
        }
    }
    return result;
}

}  // namespace hacscale::planner
