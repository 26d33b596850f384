#include "scaling/planner/detail/useful_ways.hpp"

#include <algorithm>
#include <tuple>

namespace hacscale::planner {
namespace {

constexpr std::size_t most_optimistic_ways = 16;
constexpr std::size_t most_real_ways = 8;

// Of some ways, in the order of their costs.
UsefulWay corner_of(std::span<const UsefulWay> ways) {
    UsefulWay corner = ways.front();
    for (const UsefulWay& way : ways) {
        corner.gain = std::max(corner.gain, way.gain);
        corner.params = std::min(corner.params, way.params);
    }
    return corner;
}

// From the last way to the first, which leaves inner widths, whose gains ascend, in the order of their costs.
// Without caps, ways that the last one taken makes needless are left out.
void take(const std::vector<BlockWay>& ways, std::int64_t max_cost, bool with_caps,
          std::vector<UsefulWay>& to) {
    for (std::size_t i = ways.size(); i-- > 0;) {
        const BlockWay& way = ways[i];
        if (way.cost > max_cost) continue;
        if (!with_caps && !to.empty()) {
            const UsefulWay& last = to.back();
            const bool better = last.cost < way.cost || last.gain > way.gain;
            if (better && last.cost <= way.cost && last.gain >= way.gain) continue;
        }
        to.push_back({way.cost, way.gain, way.needs.params, static_cast<std::uint16_t>(i)});
    }
}

// Most lists descend, but for the last way, which is the inner width that follows: these take no sorting.
void put_in_order(std::vector<UsefulWay>& ways) {
    const auto before = [](const UsefulWay& a, const UsefulWay& b) {
        return std::tie(a.cost, b.gain, a.params, a.index) < std::tie(b.cost, a.gain, b.params, b.index);
    };
    std::reverse(ways.begin(), ways.end());
    if (ways.size() > 1 && std::is_sorted(ways.begin() + 1, ways.end(), before)) {
        std::rotate(ways.begin(), ways.begin() + 1,
                    std::lower_bound(ways.begin() + 1, ways.end(), ways.front(), before));
    } else {
        std::sort(ways.begin(), ways.end(), before);
    }
}

void drop_needless(std::vector<UsefulWay>& ways) {
    std::size_t kept = 0;
    for (const UsefulWay& way : ways) {
        if (kept == 0 || way.gain > ways[kept - 1].gain) ways[kept++] = way;
    }
    ways.resize(kept);
}

}  // namespace

UsefulWays::UsefulWays(const Chain& chain, std::int64_t max_cost, bool with_caps) : chain_(chain) {
    reserve();
    std::vector<UsefulWay> useful;
    for (const ChainStage& stage : chain.stages) {
        stages_.push_back({ends_.size() - 1, ends_.size() - 1 + stage.first.size()});
        for (const auto* lists : {&stage.first, &stage.further}) {
            for (const std::vector<BlockWay>& ways : *lists) {
                useful.clear();
                take(ways, max_cost, with_caps, useful);
                put_in_order(useful);
                if (!with_caps) drop_needless(useful);
                add(useful);
            }
        }
    }
}

// Room that is not written to takes no memory.
void UsefulWays::reserve() {
    std::size_t most = 0;
    std::size_t most_optimistic = 0;
    std::size_t most_real = 0;
    for (const ChainStage& stage : chain_.stages) {
        for (const auto* lists : {&stage.first, &stage.further}) {
            for (const std::vector<BlockWay>& ways : *lists) {
                most += ways.size();
                most_optimistic += std::min(ways.size(), most_optimistic_ways);
                most_real += std::min(ways.size(), most_real_ways);
            }
        }
    }
    useful_.reserve(most);
    optimistic_.reserve(most_optimistic);
    real_.reserve(most_real);
}

void UsefulWays::add(const std::vector<UsefulWay>& ways) {
    for (const UsefulWay& way : ways) useful_.push_back(way.index);
    ends_.push_back(useful_.size());
    const std::size_t groups = std::min(ways.size(), most_optimistic_ways);
    for (std::size_t group = 0; group < groups; ++group) {
        const std::size_t begin = group * ways.size() / groups;
        const std::size_t end = (group + 1) * ways.size() / groups;
        optimistic_.push_back(corner_of({ways.data() + begin, end - begin}));
    }
    const auto first = optimistic_.end() - static_cast<std::ptrdiff_t>(groups);
    corners_.push_back(groups == 0 ? UsefulWay{} : corner_of({first, optimistic_.end()}));
    optimistic_ends_.push_back(optimistic_.size());
    const std::size_t some = std::min(ways.size(), most_real_ways);
    for (std::size_t i = 0; i < some; ++i) {
        real_.push_back(ways.size() == some ? ways[i] : ways[i * (ways.size() - 1) / (some - 1)]);
    }
    real_ends_.push_back(real_.size());
}

}  // namespace hacscale::planner
