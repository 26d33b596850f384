#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "base/error.hpp"
#include "models/structure/detail/channel_units.hpp"
#include "models/structure/structure.hpp"

namespace hacscale {
namespace {

using detail::ChannelUnits;
using detail::UnitRun;

constexpr int none = -1;

// Which unit follows which wherever they are, with as many channels in each tensor.
class Chains {
public:
    Chains(const Graph& graph, const ChannelUnits& units)
        : next_(static_cast<std::size_t>(units.size()), unseen), before_(next_) {
        for (TensorId tensor = 0; tensor < static_cast<TensorId>(graph.tensors.size()); ++tensor) {
            const std::vector<UnitRun>& runs = units.runs_of(tensor);
            for (std::size_t i = 0; i < runs.size(); ++i) {
                const bool linked = i + 1 < runs.size() && runs[i].channels == runs[i + 1].channels &&
                                    !units.is_given(runs[i].unit) && !units.is_given(runs[i + 1].unit);
                see(next_, runs[i].unit, linked ? runs[i + 1].unit : none);
                if (i + 1 < runs.size()) see(before_, runs[i + 1].unit, linked ? runs[i].unit : none);
            }
            if (!runs.empty()) see(before_, runs.front().unit, none);
        }
    }

    // The unit that follows this one; none at the end of a chain.
    int after(int unit) const {
        const int next = next_[static_cast<std::size_t>(unit)];
        return next >= 0 && before_[static_cast<std::size_t>(next)] == unit ? next : none;
    }

private:
    static constexpr int unseen = -2;

    static void see(std::vector<int>& list, int unit, int neighbour) {
        int& known = list[static_cast<std::size_t>(unit)];
        if (known == unseen) known = neighbour;
        if (known != neighbour) known = none;
    }

    std::vector<int> next_;
    std::vector<int> before_;
};

void add_once(std::vector<int>& list, int value) {
    if (std::find(list.begin(), list.end(), value) == list.end()) list.push_back(value);
}

class GroupSearch {
public:
    GroupSearch(const Graph& graph, const GroupRules& rules)
        : graph_(graph),
          rules_(rules),
          units_(graph, rules),
          chains_(graph, units_),
          group_of_(static_cast<std::size_t>(units_.size()), none),
          groups_of_tensor_(graph.tensors.size()) {}

    std::vector<ChannelGroup> find() {
        for (TensorId tensor = 0; tensor < static_cast<TensorId>(graph_.tensors.size()); ++tensor) {
            for (const UnitRun& run : units_.runs_of(tensor)) {
                if (units_.is_given(run.unit)) continue;
                // A chain begins with its first unit in every tensor, so also where it is met first.
                if (group_of_[static_cast<std::size_t>(run.unit)] == none) begin(tensor, run);
                if (is_first(run.unit)) add_segment(tensor, run);
            }
        }
        for (int n = 0; n < static_cast<int>(graph_.nodes.size()); ++n) add_node(n);
        return std::move(groups_);
    }

private:
    ChannelGroup& group_of(int unit) {
        return groups_[static_cast<std::size_t>(group_of_[static_cast<std::size_t>(unit)])];
    }
    bool is_first(int unit) const {
        return first_units_[static_cast<std::size_t>(group_of_[static_cast<std::size_t>(unit)])] == unit;
    }

    void begin(TensorId tensor, const UnitRun& run) {
        int units = 0;
        for (int unit = run.unit; unit != none; unit = chains_.after(unit), ++units) {
            group_of_[static_cast<std::size_t>(unit)] = static_cast<int>(groups_.size());
        }
        first_units_.push_back(run.unit);
        ChannelGroup& group = groups_.emplace_back();
        group.grouped_convs = rules_.grouped_convs;
        group.multiple = run.channels;
        group.base_width = units * run.channels;
        const int producer = graph_.tensors[static_cast<std::size_t>(tensor)].producer;
        group.name = graph_.nodes[static_cast<std::size_t>(producer)].name;
        const int named = ++named_after_[producer];
        if (named > 1) group.name += fmt::format("#{}", named);
    }

    void add_segment(TensorId tensor, const UnitRun& run) {
        ChannelGroup& group = group_of(run.unit);
        const int channels = group.units() * run.channels;
        if (!group.segments.empty() && group.segments.front().tensor == tensor) {
            group.base_width += channels;
            group.multiple += run.channels;
        }
        group.segments.push_back({tensor, run.first, channels});
        if (group.tensors.empty() || group.tensors.back() != tensor) {
            group.tensors.push_back(tensor);
            group.channels.push_back(0);
            groups_of_tensor_[static_cast<std::size_t>(tensor)].push_back(
                group_of_[static_cast<std::size_t>(run.unit)]);
        }
        group.channels.back() += channels;
    }

    void add_node(int index) {
        const Node& node = graph_.nodes[static_cast<std::size_t>(index)];
        const auto groups_in = [&](TensorId tensor) -> const std::vector<int>& {
            return groups_of_tensor_[static_cast<std::size_t>(tensor)];
        };
        const auto group_at = [&](int group) -> ChannelGroup& {
            return groups_[static_cast<std::size_t>(group)];
        };
        for (const TensorId tensor : node.inputs) {
            for (const int group : groups_in(tensor)) add_once(group_at(group).readers, index);
        }
        for (const TensorId tensor : node.outputs) {
            for (const int group : groups_in(tensor)) add_once(group_at(group).producers, index);
        }
        if (node.layer.kind != LayerKind::slice) return;
        const TensorId input = node.inputs.front();
        for (const int g : groups_in(input)) {
            ChannelGroup& group = group_at(g);
            int before = 0;
            for (const ChannelSegment& segment : group.segments) {
                if (segment.tensor == input && segment.first < node.layer.first_channel)
                    before += segment.channels;
            }
            if (before > 0) group.slices.push_back({index, before});
        }
    }

    const Graph& graph_;
    GroupRules rules_;
    ChannelUnits units_;
    Chains chains_;
    std::vector<int> group_of_;  // by unit
    std::vector<std::vector<int>> groups_of_tensor_;
    std::vector<int> first_units_;    // by group
    std::map<int, int> named_after_;  // by node
    std::vector<ChannelGroup> groups_;
};

}  // namespace

std::vector<ChannelGroup> channel_groups(const Graph& graph, const GroupRules& rules) {
    return GroupSearch(graph, rules).find();
}

std::vector<int> widths_between(const ChannelGroup& group, int grid, double min_ratio, double max_ratio) {
    constexpr double rounding = 1e-9;
    const int step = std::lcm(grid, group.multiple);
    const double least = group.base_width * min_ratio;
    const double most = std::min<double>(group.base_width * max_ratio, max_layer_size);
    const auto first = static_cast<int>(std::max(1.0, std::ceil(least / step - rounding)));
    const auto last = static_cast<int>(std::floor(most / step + rounding));
    std::vector<int> widths;
    for (int multiple = first; multiple <= last; ++multiple) widths.push_back(multiple * step);
    return widths;
}

void check_width(const ChannelGroup& group, int width) {
    if (width >= 1 && width <= max_layer_size && width % group.multiple == 0) return;
    throw InputError(fmt::format("{} has no width of {} channels, expected a multiple of {} up to {}",
                                 group.name, width, group.multiple, max_layer_size));
}

Graph widened(const Graph& graph, const ChannelGroup& group, int width) {
    check_width(group, width);
    Graph result = graph;
    const auto more = [&](int channels) {
        return static_cast<int>(std::int64_t{width - group.base_width} * channels / group.base_width);
    };
    for (std::size_t i = 0; i < group.tensors.size(); ++i) {
        result.tensors[static_cast<std::size_t>(group.tensors[i])].channels += more(group.channels[i]);
    }
    for (const SlicedBehind& slice : group.slices) {
        result.nodes[static_cast<std::size_t>(slice.node)].layer.first_channel += more(slice.channels);
    }
    const std::string where = fmt::format("{} at {} channels", group.name, width);
    const auto fit = [&](int index) {
        detail::fit_to_tensors(result.nodes[static_cast<std::size_t>(index)], result, group.grouped_convs,
                               where);
    };
    std::for_each(group.producers.begin(), group.producers.end(), fit);
    for (const int reader : group.readers) {
        if (std::find(group.producers.begin(), group.producers.end(), reader) == group.producers.end())
            fit(reader);
    }
    return result;
}

}  // namespace hacscale
