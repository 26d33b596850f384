#include "scaling/planner/detail/coarse_ways.hpp"

#include <algorithm>
#include <tuple>

namespace hacscale::planner {
namespace {

constexpr std::size_t most_ways = 16;

// Ascending in cost.
std::vector<BlockWay> feasible_ways(const std::vector<BlockWay>& ways) {
    std::vector<BlockWay> feasible;
    for (const BlockWay& way : ways) {
        if (way.feasible()) feasible.push_back(way);
    }
    std::sort(feasible.begin(), feasible.end(), [](const BlockWay& a, const BlockWay& b) {
        return std::make_tuple(a.cost, -a.gain) < std::make_tuple(b.cost, -b.gain);
    });
    return feasible;
}

}  // namespace

std::vector<BlockWay> optimistic_ways(const std::vector<BlockWay>& ways) {
    std::vector<BlockWay> feasible = feasible_ways(ways);
    if (feasible.size() <= most_ways) return feasible;
    std::vector<BlockWay> coarse;
    std::size_t next = 0;
    for (std::size_t group = 0; group < most_ways; ++group) {
        const std::size_t end = (group + 1) * feasible.size() / most_ways;
        BlockWay best = feasible[next];
        for (; next < end; ++next) {
            best.gain = std::max(best.gain, feasible[next].gain);
            best.needs.params = std::min(best.needs.params, feasible[next].needs.params);
        }
        coarse.push_back(best);
    }
    return coarse;
}

std::vector<BlockWay> some_ways(const std::vector<BlockWay>& ways) {
    std::vector<BlockWay> feasible = feasible_ways(ways);
    if (feasible.size() <= most_ways) return feasible;
    std::vector<BlockWay> some;
    for (std::size_t i = 0; i < most_ways; ++i)
        some.push_back(feasible[i * (feasible.size() - 1) / (most_ways - 1)]);
    return some;
}

}  // namespace hacscale::planner
