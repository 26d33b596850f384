#include "profiler/sweep/sweep_space.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>

namespace hacscale::detail {

std::vector<std::size_t> spread(std::size_t size, int count, std::size_t always) {
    if (size == 0) return {};
    std::vector<std::size_t> indices{always};
    const auto last = static_cast<double>(size - 1);
    for (int k = 0; k < count; ++k) {
        indices.push_back(static_cast<std::size_t>(std::lround(k * last / (count - 1))));
    }
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    return indices;
}

IntervalSearch::IntervalSearch(const std::vector<std::size_t>& measured) {
    for (std::size_t i = 1; i < measured.size(); ++i) add({measured[i - 1], measured[i]});
}

Interval IntervalSearch::take() {
    const Interval next = open_.front();
    open_.pop_front();
    return next;
}

void IntervalSearch::split(const Interval& interval) {
    add({interval.low, interval.middle()});
    add({interval.middle(), interval.high});
}

void IntervalSearch::add(const Interval& interval) {
    if (interval.high - interval.low >= 2) open_.push_back(interval);
}

InnerCandidates::InnerCandidates(const ModelSpec& base, const SweepSpace& space) : base_(base) {
    for (std::size_t stage = 0; stage < base.stages.size(); ++stage) {
        rules_.emplace_back(base, static_cast<int>(stage));
    }
    for (std::size_t stage = 0; stage < base.stages.size(); ++stage) {
        stages_.push_back(space.inner_options ? stage_of(space, stage) : Stage());
    }
}

bool InnerCandidates::empty() const {
    return std::all_of(stages_.begin(), stages_.end(), [](const Stage& s) { return s.values.empty(); });
}

InnerCandidates::Stage InnerCandidates::stage_of(const SweepSpace& space, std::size_t stage) const {
    const StageSpec& spec = base_.stages[stage];
    const int base_before = stage == 0 ? 0 : base_.stages[stage - 1].width;
    std::map<int, int> homes;  // value: stage width
    const auto add = [&](int block, int before, int width) {
        for (const int value : space.inner_options(stage, block, before, width)) {
            const auto [known, is_new] = homes.try_emplace(value, width);
            const auto off = [&](int w) { return std::abs(w - spec.width); };
            if (!is_new && off(width) < off(known->second)) known->second = width;
        }
    };
    // Blocks beyond the base's repeat its last one. Inner widths follow either the stage's width or the
    // block's input, so that each of the two can be varied alone.
    for (int block = 0; block < std::min(std::max(spec.depth, 2), space.max_depths[stage]); ++block) {
        if (!rules_[stage].is_free(block)) continue;
        for (const int width : space.widths[stage]) add(block, base_before, width);
        if (block > 0 || stage == 0) continue;
        for (const int before : space.widths[stage - 1]) add(block, before, spec.width);
    }
    Stage found;
    for (const auto& [value, home] : homes) {
        found.values.push_back(value);
        found.homes.push_back(home);
    }
    if (found.values.size() < 2) return {};
    const int last = rules_[stage].is_free(spec.depth - 1) ? spec.depth - 1 : 0;
    const auto place = std::lower_bound(found.values.begin(), found.values.end(), spec.inner_widths[last]);
    found.base_index =
        std::min(static_cast<std::size_t>(place - found.values.begin()), found.values.size() - 1);
    return found;
}

int InnerCandidates::apart_from_input(std::size_t stage, int value, int input) const {
    if (!may_lack_expansion(base_.stages[stage]) || value != input) return value;
    const int grid = rules_[stage].grid();
    // Outwards at the lower end, so that the rectangle keeps its edge.
    const bool lowest = value == stages_[stage].values.front() && value > grid;
    return lowest ? value - grid : value + grid;
}

std::vector<std::vector<int>> InnerCandidates::lists(const ScalingChoice& choice,
                                                     const std::vector<int>& wanted) const {
    ScalingChoice following = choice;
    following.inner_widths.clear();
    const ModelSpec model = scaled(base_, following);
    std::vector<std::vector<int>> lists(wanted.size());
    for (std::size_t stage = 0; stage < wanted.size(); ++stage) {
        if (wanted[stage] == 0) continue;
        const StageSpec& spec = model.stages[stage];
        lists[stage] = spec.inner_widths;
        for (int block = 0; block < spec.depth; ++block) {
            if (!rules_[stage].is_free(block)) continue;
            const int input = block > 0 ? spec.width : stage_input_width(model, static_cast<int>(stage));
            lists[stage][block] = apart_from_input(stage, wanted[stage], input);
        }
    }
    return lists;
}

}  // namespace hacscale::detail
