#include "profiler/sweep/nearby_widths.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {
namespace {

// Groups of which no two are read or written by one layer.
struct Independent {
    std::vector<const ChannelGroup*> groups;
    std::set<int> layers;  // that read or write one of them

    bool takes(const ChannelGroup& group) const {
        const auto known = [this](int layer) { return layers.contains(layer); };
        return std::none_of(group.producers.begin(), group.producers.end(), known) &&
               std::none_of(group.readers.begin(), group.readers.end(), known);
    }
    void add(const ChannelGroup& group) {
        groups.push_back(&group);
        layers.insert(group.producers.begin(), group.producers.end());
        layers.insert(group.readers.begin(), group.readers.end());
    }
};

std::vector<Independent> apart(const std::vector<ChannelGroup>& groups) {
    std::vector<Independent> sets;
    for (const ChannelGroup& group : groups) {
        const auto set = std::find_if(sets.begin(), sets.end(),
                                      [&](const Independent& known) { return known.takes(group); });
        (set == sets.end() ? sets.emplace_back() : *set).add(group);
    }
    return sets;
}

// The multiples next to the base's width: the first above, the first below, the second above, and so on.
std::optional<int> nearby(const ChannelGroup& group, int place, int grid) {
    const int step = std::lcm(grid, group.multiple);
    const int steps = place / 2 + 1;
    const int floor = group.base_width / step * step;
    const int first_below = floor == group.base_width ? floor : floor + step;
    const int width = place % 2 == 0 ? floor + steps * step : first_below - steps * step;
    return width > 0 ? std::optional(width) : std::nullopt;
}

}  // namespace

std::vector<Network> nearby_networks(const Network& base, int counts, int grid) {
    if (counts < 1 || grid < 1) {
        throw InputError(fmt::format("{} nearby widths, multiples of {}: both are 1 or more", counts, grid));
    }
    const std::vector<ChannelGroup> groups = channel_groups(base.graph);
    const std::vector<Independent> sets = apart(groups);
    std::vector<Network> networks;
    for (int place = 0; place < 2 * counts; ++place) {
        for (const Independent& set : sets) {
            Network network{.name = base.name, .graph = base.graph};
            bool changed = false;
            for (const ChannelGroup* group : set.groups) {
                const std::optional<int> width = nearby(*group, place, grid);
                if (!width) continue;
                try {
                    network.graph = widened(network.graph, *group, *width);
                    changed = true;
                } catch (const InputError&) {
                    continue;  // no layer can be as wide
                }
            }
            if (changed) networks.push_back(std::move(network));
        }
    }
    return networks;
}

}  // namespace hacscale
