#include "scaling/planner/detail/completion.hpp"

#include <algorithm>

namespace hacscale::planner {
namespace {

// What can follow at some point of the chain.
struct Rest {
    std::int64_t cost = unreachable;
    NeedsRange needs;

    // This one comes first, then `other`.
    void precede(const Rest& other) {
        needs.reachable = needs.reachable && other.needs.reachable;
        cost = cost == unreachable || other.cost == unreachable ? unreachable : cost + other.cost;
        needs.least.add(other.needs.least);
        needs.most.add(other.needs.most);
    }
    // Either this or `other`.
    void join(const Rest& other) {
        if (!other.needs.reachable) return;
        if (!needs.reachable) {
            *this = other;
            return;
        }
        cost = std::min(cost, other.cost);
        for (const auto member : {&Needs::params, &Needs::macs, &Needs::weight_bytes, &Needs::peak_bytes}) {
            needs.least.*member = std::min(needs.least.*member, other.needs.least.*member);
            needs.most.*member = std::max(needs.most.*member, other.needs.most.*member);
        }
    }
};

Rest rest_of(const std::vector<BlockWay>& ways) {
    Rest rest;
    for (const BlockWay& way : ways) {
        if (way.feasible()) rest.join({way.cost, {true, way.needs, way.needs}});
    }
    return rest;
}

Rest rest_of(const WayList& ways) {
    if (ways.empty()) return {};
    return {ways.corner().cost, {true, {}, {}}};
}

// `rest_of_first` and `rest_of_further`: of a list of a stage.
template <typename First, typename Further>
Completion complete_by(const Chain& chain, const First& rest_of_first, const Further& rest_of_further) {
    const std::size_t stages = chain.stages.size();
    Completion result;
    result.after.resize(stages);
    result.body_most.resize(stages);
    std::vector<Rest> after(static_cast<std::size_t>(chain.stages.back().widths), {0, {true, {}, {}}});
    for (std::size_t s = stages; s-- > 0;) {
        const ChainStage& stage = chain.stages[s];
        std::vector<Rest> before(static_cast<std::size_t>(stage.previous_widths));
        for (int width = 0; width < stage.widths; ++width) {
            const Rest& left = after[static_cast<std::size_t>(width)];
            result.after[s].push_back(left.needs);
            Rest blocks{0, {true, {}, {}}};  // after the first, up to the position at hand
            Rest body;
            std::size_t depth = 0;
            for (int position = 1; position <= stage.most_blocks(); ++position) {
                if (position > 1) blocks.precede(rest_of_further(s, stage.further_at(width, position - 1)));
                if (position != stage.depths[depth]) continue;
                body.join(blocks);
                ++depth;
            }
            result.body_most[s].push_back(body.needs.most);
            body.precede(left);
            for (int previous = 0; previous < stage.previous_widths; ++previous) {
                Rest whole = rest_of_first(s, stage.first_at(previous, width));
                whole.precede(body);
                before[static_cast<std::size_t>(previous)].join(whole);
            }
        }
        after = std::move(before);
    }
    Rest whole{chain.cost_offset, {true, chain.needs_offset, chain.needs_offset}};
    whole.precede(after.front());
    result.least_cost = whole.cost;
    result.total = whole.needs;
    return result;
}

}  // namespace

Completion complete(const Chain& chain) {
    return complete_by(
        chain, [&](std::size_t s, std::size_t list) { return rest_of(chain.stages[s].first[list]); },
        [&](std::size_t s, std::size_t list) { return rest_of(chain.stages[s].further[list]); });
}

Completion complete(const Chain& chain, const UsefulWays& ways) {
    return complete_by(
        chain, [&](std::size_t s, std::size_t list) { return rest_of(ways.first(s, list)); },
        [&](std::size_t s, std::size_t list) { return rest_of(ways.further(s, list)); });
}

}  // namespace hacscale::planner
