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

Rest rest_of(const std::vector<BlockWay>& ways, bool with_needs) {
    Rest rest;
    if (!with_needs) {
        for (const BlockWay& way : ways) rest.cost = std::min(rest.cost, way.cost);
        rest.needs.reachable = rest.cost != unreachable;
        return rest;
    }
    for (const BlockWay& way : ways) {
        if (way.feasible()) rest.join({way.cost, {true, way.needs, way.needs}});
    }
    return rest;
}

}  // namespace

Completion complete(const Chain& chain, bool with_needs) {
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
                if (position > 1)
                    blocks.precede(rest_of(stage.further[stage.further_at(width, position - 1)], with_needs));
                if (position != stage.depths[depth]) continue;
                body.join(blocks);
                ++depth;
            }
            result.body_most[s].push_back(body.needs.most);
            body.precede(left);
            for (int previous = 0; previous < stage.previous_widths; ++previous) {
                Rest whole = rest_of(stage.first[stage.first_at(previous, width)], with_needs);
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

}  // namespace hacscale::planner
