#include "scaling/graph_space.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <optional>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "base/text/wording.hpp"

namespace hacscale {
namespace {

// Ratios come from decimal texts, so a product that should be an integer may be off in its last bits.
constexpr double ratio_rounding = 1e-9;
constexpr int max_depth = 1000;
constexpr double max_ratio = 100;  // beyond this a space is a mistake

// Finds what names stand for.
class Names {
public:
    Names(const Graph& base, const std::vector<ChannelGroup>& groups) : base_(base) {
        for (std::size_t g = 0; g < groups.size(); ++g) {
            group_.emplace(groups[g].name, g);
            names_.push_back(groups[g].name);
            for (const TensorId tensor : groups[g].tensors) groups_of_tensor_[tensor].push_back(g);
        }
        for (std::size_t n = 0; n < base.nodes.size(); ++n) {
            node_.emplace(base.nodes[n].name, n);
            if (!group_.contains(base.nodes[n].name)) names_.push_back(base.nodes[n].name);
        }
    }

    // What a name stands for: one group, or all that a layer writes. InputError when there is no such name.
    std::vector<std::size_t> groups(const std::string& name) const {
        if (const auto group = group_.find(name); group != group_.end()) return {group->second};
        const auto node = node_.find(name);
        if (node == node_.end()) {
            throw InputError(
                fmt::format("the network has no layer '{}'{}", name, detail::did_you_mean(name, names_)));
        }
        const auto written = groups_of_tensor_.find(base_.nodes[node->second].outputs.front());
        return written == groups_of_tensor_.end() ? std::vector<std::size_t>{} : written->second;
    }
    std::optional<std::size_t> node(const std::string& name) const {
        const auto found = node_.find(name);
        return found == node_.end() ? std::nullopt : std::optional(found->second);
    }

private:
    const Graph& base_;
    std::map<std::string, std::size_t> group_;
    std::map<std::string, std::size_t> node_;
    std::map<TensorId, std::vector<std::size_t>> groups_of_tensor_;
    std::vector<std::string> names_;
};

void check(const GraphSpaceSettings& settings) {
    if (settings.grid < 1 || settings.grid > 1024) {
        throw InputError(fmt::format("the width grid is {}, expected 1 to 1024 channels", settings.grid));
    }
    for (const auto& [what, low, high] :
         {std::make_tuple("width", settings.min_width_ratio, settings.max_width_ratio),
          std::make_tuple("depth", settings.min_depth_ratio, settings.max_depth_ratio)}) {
        if (low > 0.0 && low <= 1.0 && high >= 1.0 && high <= max_ratio) continue;
        throw InputError(
            fmt::format("{}s are within {} and {} times the base's, expected a least ratio of more than 0 "
                        "and at most 1, and a largest one of 1 to {}",
                        what, low, high, max_ratio));
    }
    if (settings.max_widths < 0) {
        throw InputError(
            fmt::format("at most {} widths a group, expected 0 (all) or more", settings.max_widths));
    }
    std::set<std::string> seen;
    const auto once = [&](const std::string& name) {
        if (!seen.insert(name).second) {
            throw InputError(fmt::format("'{}' is named twice; freeze it or limit it once", name));
        }
    };
    for (const std::string& name : settings.freeze) once(name);
    for (const WidthLimit& limit : settings.limits) once(limit.name);
}

std::vector<int> widths_of(const ChannelGroup& group, const GraphSpaceSettings& settings) {
    std::vector<int> widths =
        widths_between(group, settings.grid, settings.min_width_ratio, settings.max_width_ratio);
    const auto most = static_cast<std::size_t>(settings.max_widths);
    if (most > 0 && widths.size() > most) {
        std::vector<int> some;
        for (std::size_t i = 0; i < most; ++i) {
            some.push_back(widths[most == 1 ? widths.size() - 1 : i * (widths.size() - 1) / (most - 1)]);
        }
        widths = std::move(some);
    }
    const auto at = std::lower_bound(widths.begin(), widths.end(), group.base_width);
    if (at == widths.end() || *at != group.base_width) widths.insert(at, group.base_width);
    return widths;
}

std::vector<int> depths_of(const Repeat& repeat, const GraphSpaceSettings& settings) {
    const double low = std::ceil(repeat.count * settings.min_depth_ratio - ratio_rounding);
    const double high = std::floor(repeat.count * settings.max_depth_ratio + ratio_rounding);
    std::vector<int> depths;
    for (int depth = std::max(1, static_cast<int>(low)); depth <= std::min<double>(high, max_depth);
         ++depth) {
        depths.push_back(depth);
    }
    return depths;
}

class SpaceMaker {
public:
    SpaceMaker(const Graph& base, const GraphSpaceSettings& settings) : base_(base), settings_(settings) {
        check(settings);
        space_.groups = channel_groups(base, settings.group_rules);
        space_.repeats = repeats(base);
    }

    GraphSpace make() {
        for (const ChannelGroup& group : space_.groups) space_.widths.push_back(widths_of(group, settings_));
        const std::vector<bool> tied = ties_its_ends(base_, space_.groups, space_.repeats);
        for (std::size_t r = 0; r < space_.repeats.size(); ++r) {
            const Repeat& repeat = space_.repeats[r];
            space_.depths.push_back(tied[r] ? depths_of(repeat, settings_) : std::vector<int>{repeat.count});
        }
        const Names names(base_, space_.groups);
        for (const std::string& name : settings_.freeze) freeze(name, names);
        for (const WidthLimit& limit : settings_.limits) keep_within(limit, names);
        for (const ChannelGroup& group : space_.groups) {
            space_.block_of_group.push_back(block_of_group(space_.repeats, group));
        }
        return std::move(space_);
    }

private:
    void freeze(const std::string& name, const Names& names) {
        for (const std::size_t group : names.groups(name)) {
            space_.widths[group] = {space_.groups[group].base_width};
            named_[group] = name;
        }
        const std::optional<std::size_t> node = names.node(name);
        if (!node) return;
        if (const std::optional<BlockPlace> place = block_of_node(space_.repeats, static_cast<int>(*node))) {
            space_.depths[place->repeat] = {space_.repeats[place->repeat].count};
        }
    }

    void keep_within(const WidthLimit& limit, const Names& names) {
        const std::vector<std::size_t> found = names.groups(limit.name);
        if (found.empty()) {
            throw InputError(fmt::format(
                "the width of '{}' never changes, because it is an output of the network or tied to a given "
                "width; leave its limit out",
                limit.name));
        }
        if (found.size() > 1) {
            std::string list;
            for (const std::size_t group : found) {
                list += fmt::format("{}'{}'", list.empty() ? "" : ", ", space_.groups[group].name);
            }
            throw InputError(
                fmt::format("'{}' writes channels of several groups, {}; limit these", limit.name, list));
        }
        const ChannelGroup& group = space_.groups[found.front()];
        const auto [known, is_new] = named_.emplace(found.front(), limit.name);
        if (!is_new) {
            throw InputError(fmt::format("'{}' and '{}' are one width; freeze it or limit it once",
                                         known->second, limit.name));
        }
        if (limit.min > limit.max || group.base_width < limit.min || group.base_width > limit.max) {
            throw InputError(fmt::format(
                "the limit {}..{} of '{}' leaves out its width in the base, {}; expected MIN..MAX around it",
                limit.min, limit.max, limit.name, group.base_width));
        }
        std::erase_if(space_.widths[found.front()],
                      [&](int width) { return width < limit.min || width > limit.max; });
    }

    const Graph& base_;
    const GraphSpaceSettings& settings_;
    GraphSpace space_;
    std::map<std::size_t, std::string> named_;  // groups that a name froze or limited
};

}  // namespace

WidthLimit parse_width_limit(std::string_view text) {
    const auto fail = [&]() -> InputError {
        return InputError(fmt::format("'{}' limits no width, expected NAME:MIN..MAX", text));
    };
    // Names may have colons.
    const std::size_t colon = text.rfind(':');
    const std::size_t dots = text.rfind("..");
    if (colon == std::string_view::npos || colon == 0 || dots == std::string_view::npos || dots < colon) {
        throw fail();
    }
    const auto number = [&](std::string_view digits) {
        int value = 0;
        const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        if (error != std::errc() || end != digits.data() + digits.size() || value < 1 ||
            value > max_layer_size) {
            throw fail();
        }
        return value;
    };
    return {std::string(text.substr(0, colon)), number(text.substr(colon + 1, dots - colon - 1)),
            number(text.substr(dots + 2))};
}

double GraphSpace::log10_size() const {
    double sum = 0.0;
    for (const std::vector<int>& values : widths) sum += std::log10(static_cast<double>(values.size()));
    for (const std::vector<int>& values : depths) sum += std::log10(static_cast<double>(values.size()));
    return sum;
}

GraphSpace make_graph_space(const Graph& base, const GraphSpaceSettings& settings) {
    return SpaceMaker(base, settings).make();
}

}  // namespace hacscale
