#include "scaling/planner/detail/useful_ways.hpp"

#include <algorithm>
#include <tuple>

namespace hacscale::planner {
namespace {

// There must be some ways.
UsefulWay corner_of(std::span<const UsefulWay> ways) {
    UsefulWay corner = ways.front();
    for (const UsefulWay& way : ways) {
        corner.gain = std::max(corner.gain, way.gain);
        corner.params = std::min(corner.params, way.params);
    }
    return corner;
}

}  // namespace

UsefulWays::UsefulWays(const Chain& chain, std::int64_t max_cost, bool with_caps) {
    // Room that is not written to takes no memory.
    std::size_t most = 0;
    for (const ChainStage& stage : chain.stages) {
        for (const auto* lists : {&stage.first, &stage.further}) {
            for (const std::vector<BlockWay>& ways : *lists) most += ways.size();
        }
    }
    ways_.reserve(most);
    for (const ChainStage& stage : chain.stages) {
        stages_.push_back({ends_.size() - 1, ends_.size() - 1 + stage.first.size()});
        for (const auto* lists : {&stage.first, &stage.further}) {
            for (const std::vector<BlockWay>& ways : *lists) add(ways, max_cost, with_caps);
        }
    }
}

void UsefulWays::add(const std::vector<BlockWay>& ways, std::int64_t max_cost, bool with_caps) {
    const std::size_t begin = ways_.size();
    for (std::size_t i = 0; i < ways.size(); ++i) {
        const BlockWay& way = ways[i];
        if (way.cost <= max_cost)
            ways_.push_back({way.cost, way.gain, way.needs.params, static_cast<std::uint16_t>(i)});
    }
    const auto first = ways_.begin() + static_cast<std::ptrdiff_t>(begin);
    std::sort(first, ways_.end(), [](const UsefulWay& a, const UsefulWay& b) {
        return std::tie(a.cost, b.gain, a.params, a.index) < std::tie(b.cost, a.gain, b.params, b.index);
    });
    if (!with_caps && first != ways_.end()) {
        auto kept = first;
        for (auto way = first + 1; way != ways_.end(); ++way) {
            if (way->gain > kept->gain) *++kept = *way;
        }
        ways_.erase(kept + 1, ways_.end());
    }
    ends_.push_back(ways_.size());
    corners_.push_back(first == ways_.end() ? UsefulWay{} : corner_of({first, ways_.end()}));
}

CoarseWays CoarseWays::optimistic(std::span<const UsefulWay> ways) {
    CoarseWays coarse;
    coarse.count_ = std::min(ways.size(), most_ways);
    std::size_t next = 0;
    for (std::size_t group = 0; group < coarse.count_; ++group) {
        const std::size_t end = (group + 1) * ways.size() / coarse.count_;
        coarse.ways_[group] = corner_of(ways.subspan(next, end - next));
        next = end;
    }
    return coarse;
}

CoarseWays CoarseWays::real(std::span<const UsefulWay> ways) {
    CoarseWays some;
    some.count_ = std::min(ways.size(), most_ways);
    for (std::size_t i = 0; i < some.count_; ++i)
        some.ways_[i] = ways.size() <= most_ways ? ways[i] : ways[i * (ways.size() - 1) / (most_ways - 1)];
    return some;
}

}  // namespace hacscale::planner
