#include "profiler/sweep/graph_widths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "base/error.hpp"
#include "models/structure/structure.hpp"
#include "profiler/sweep/sweep_space.hpp"

namespace hacscale {
namespace {

void check(const GraphWidths& widths) {
    if (!(widths.min_ratio > 0.0 && widths.min_ratio <= 1.0 && widths.max_ratio >= 1.0 &&
          widths.max_ratio <= 64.0)) {
        throw InputError(
            fmt::format("widths of {} to {} times the network's own, expected more than 0 to 1, and 1 to 64",
                        widths.min_ratio, widths.max_ratio));
    }
    if (widths.grid < 1 || widths.levels < 2) {
        throw InputError(
            fmt::format("{} levels of widths that are multiples of {}, expected 2 or more, and 1 or more",
                        widths.levels, widths.grid));
    }
}

// Ascending, the group's own among them.
std::vector<int> widths_of(const ChannelGroup& group, const GraphWidths& widths) {
    std::vector<int> values = widths_between(group, widths.grid, widths.min_ratio, widths.max_ratio);
    const auto own = std::ranges::lower_bound(values, group.base_width);
    if (own == values.end() || *own != group.base_width) values.insert(own, group.base_width);
    return values;
}

bool meet(const ChannelGroup& a, const ChannelGroup& b) {
    const auto layers_of = [](const ChannelGroup& group) {
        std::vector<int> layers;
        std::ranges::set_union(group.producers, group.readers, std::back_inserter(layers));
        return layers;
    };
    std::vector<int> both;
    std::ranges::set_intersection(layers_of(a), layers_of(b), std::back_inserter(both));
    return !both.empty();
}

// Of each group a column below `columns`, other than those of the groups that it meets; where they have all of them, the one
// that fewest of them have.
std::vector<std::size_t> columns_of(const std::vector<ChannelGroup>& groups, std::size_t columns) {
    std::vector<std::vector<std::size_t>> neighbours(groups.size());
    for (std::size_t a = 0; a < groups.size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
            if (!meet(groups[a], groups[b])) continue;
            neighbours[a].push_back(b);
            neighbours[b].push_back(a);
        }
    }
    std::vector<std::size_t> order(groups.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, std::greater<>(),
                             [&](std::size_t group) { return neighbours[group].size(); });
    std::vector<std::size_t> column(groups.size(), columns);
    for (const std::size_t group : order) {
        std::vector<int> uses(columns, 0);
        for (const std::size_t other : neighbours[group]) {
            if (column[other] < columns) ++uses[column[other]];
        }
        column[group] = static_cast<std::size_t>(std::ranges::min_element(uses) - uses.begin());
    }
    return column;
}

bool is_prime(std::size_t number) {
    for (std::size_t i = 2; i * i <= number; ++i) {
        if (number % i == 0) return false;
    }
    return number > 1;
}

// The base with groups at these widths; a group that no layer can have as wide keeps its own.
Network network_at(const Network& base, const std::vector<ChannelGroup>& groups,
                   const std::vector<int>& widths) {
    Network network{.name = base.name, .graph = base.graph};
    for (std::size_t g = 0; g < groups.size(); ++g) {
        if (widths[g] == groups[g].base_width) continue;
        try {
            network.graph = widened(network.graph, groups[g], widths[g]);
        } catch (const InputError&) {
            continue;
        }
    }
    return network;
}

constexpr int networks_a_round = 4;
constexpr int max_rounds = 3;

}  // namespace

std::vector<Network> networks_of_pairs(const Network& base, const GraphWidths& widths) {
    check(widths);
    const std::vector<ChannelGroup> groups = channel_groups(base.graph);
    std::vector<std::vector<int>> levels;  // of each group, the widths that are measured
    std::size_t most = 1;
    for (const ChannelGroup& group : groups) {
        const std::vector<int> candidates = widths_of(group, widths);
        const auto own = std::ranges::find(candidates, group.base_width) - candidates.begin();
        std::vector<int>& measured = levels.emplace_back();
        for (const std::size_t place :
             detail::spread(candidates.size(), widths.levels, static_cast<std::size_t>(own))) {
            measured.push_back(candidates[place]);
        }
        most = std::max(most, measured.size());
    }
    std::size_t prime = std::max<std::size_t>(most, 2);
    while (!is_prime(prime)) ++prime;
    const std::vector<std::size_t> columns = columns_of(groups, prime + 1);
    std::vector<Network> networks;
    std::set<std::vector<int>> known;
    for (std::size_t row = 0; row < prime * prime; ++row) {
        const std::size_t x = row % prime;
        const std::size_t y = row / prime;
        std::vector<int> chosen;
        for (std::size_t g = 0; g < groups.size(); ++g) {
            const std::size_t level = columns[g] == prime ? y : (x + columns[g] * y) % prime;
            chosen.push_back(levels[g][level % levels[g].size()]);
        }
        if (known.insert(chosen).second) networks.push_back(network_at(base, groups, chosen));
    }
    return networks;
}

std::vector<Network> drawn_networks(const Network& base, const GraphWidths& widths, int count,
                                    std::uint64_t seed) {
    check(widths);
    const std::vector<ChannelGroup> groups = channel_groups(base.graph);
    std::mt19937_64 generator(seed);
    std::vector<Network> networks;
    for (int i = 0; i < count; ++i) {
        std::vector<int> chosen;
        for (const ChannelGroup& group : groups) {
            const std::vector<int> candidates = widths_of(group, widths);
            chosen.push_back(candidates[generator() % candidates.size()]);
        }
        networks.push_back(network_at(base, groups, chosen));
    }
    return networks;
}

SweepSummary sweep(const DeviceHandle& device, Table& table, const Network& base, const GraphWidths& widths,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events) {
    detail::SweepRun run(device, table, base.name, measure, settings, events);
    std::vector<Network> pairs = networks_of_pairs(base, widths);
    run.share_time(pairs.size() + networks_a_round);
    run.run(std::move(pairs));
    bool predicted = false;
    for (int round = 0; round < max_rounds && !predicted && !run.out_of_time(); ++round) {
        predicted = run.predicts(drawn_networks(base, widths, networks_a_round,
                                                run.measure().seed + static_cast<std::uint64_t>(round)));
    }
    return run.summary(predicted);
}

}  // namespace hacscale
