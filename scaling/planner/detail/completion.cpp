#include "scaling/planner/detail/completion.hpp"

#include <algorithm>

namespace hacscale::planner {
namespace {

// What can come after some point of the chain.
struct Rest {
    std::int64_t cost = unreachable;
    UsageRange usage;

    // This one comes first, then `other`.
    void precede(const Rest& other) {
        usage.reachable = usage.reachable && other.usage.reachable;
        cost = cost == unreachable || other.cost == unreachable ? unreachable : cost + other.cost;
        usage.min.add(other.usage.min);
        usage.max.add(other.usage.max);
    }
    // Either this or `other`.
    void join(const Rest& other) {
        if (!other.usage.reachable) return;
        if (!usage.reachable) {
            *this = other;
            return;
        }
        cost = std::min(cost, other.cost);
        for (const auto member : {&ResourceUsage::params, &ResourceUsage::macs, &ResourceUsage::weight_bytes,
                                  &ResourceUsage::peak_bytes}) {
            usage.min.*member = std::min(usage.min.*member, other.usage.min.*member);
            usage.max.*member = std::max(usage.max.*member, other.usage.max.*member);
        }
    }
};

Rest rest_of(const std::vector<BlockOption>& options) {
    Rest rest;
    for (const BlockOption& option : options) {
        if (option.feasible()) rest.join({option.cost, {true, option.usage, option.usage}});
    }
    return rest;
}

Rest rest_of(const OptionList& options) {
    if (options.empty()) return {};
    return {options.corner().cost, {true, {}, {}}};
}

// `rest_of_first` and `rest_of_further`: of a list of a stage.
template <typename First, typename Further>
Completion complete_by(const Chain& chain, const First& rest_of_first, const Further& rest_of_further) {
    const std::size_t stages = chain.stages.size();
    Completion result;
    result.after.resize(stages);
    result.body_max.resize(stages);
    std::vector<Rest> after(static_cast<std::size_t>(chain.stages.back().widths), {0, {true, {}, {}}});
    for (std::size_t s = stages; s-- > 0;) {
        const ChainStage& stage = chain.stages[s];
        std::vector<Rest> before(static_cast<std::size_t>(stage.previous_widths));
        for (int width = 0; width < stage.widths; ++width) {
            const Rest& left = after[static_cast<std::size_t>(width)];
            result.after[s].push_back(left.usage);
            Rest blocks{0, {true, {}, {}}};  // after the first, up to the position at hand
            Rest body;
            std::size_t depth = 0;
            for (int position = 1; position <= stage.max_blocks(); ++position) {
                if (position > 1) blocks.precede(rest_of_further(s, stage.further_at(width, position - 1)));
                if (position != stage.depths[depth]) continue;
                body.join(blocks);
                ++depth;
            }
            result.body_max[s].push_back(body.usage.max);
            body.precede(left);
            for (int previous = 0; previous < stage.previous_widths; ++previous) {
                Rest whole = rest_of_first(s, stage.first_at(previous, width));
                whole.precede(body);
                before[static_cast<std::size_t>(previous)].join(whole);
            }
        }
        after = std::move(before);
    }
    Rest whole{chain.cost_offset, {true, chain.usage_offset, chain.usage_offset}};
    whole.precede(after.front());
    result.min_cost = whole.cost;
    result.total = whole.usage;
    return result;
}

}  // namespace

Completion complete(const Chain& chain) {
    return complete_by(
        chain, [&](std::size_t s, std::size_t list) { return rest_of(chain.stages[s].first[list]); },
        [&](std::size_t s, std::size_t list) { return rest_of(chain.stages[s].further[list]); });
}

Completion complete(const Chain& chain, const Candidates& options) {
    return complete_by(
        chain, [&](std::size_t s, std::size_t list) { return rest_of(options.first(s, list)); },
        [&](std::size_t s, std::size_t list) { return rest_of(options.further(s, list)); });
}

}  // namespace hacscale::planner
