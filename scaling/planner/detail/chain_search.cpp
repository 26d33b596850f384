#include "scaling/planner/detail/chain_search.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace hacscale::planner {
namespace {

CornerTree tree_of(const Labels& labels) {
    return {labels.size(), [&](std::size_t i) { return Corner{labels[i].cost, labels[i].gain}; }};
}

CornerTree tree_of(const OptionList& options) {
    return {options.size(), [&](std::size_t i) {
                const Candidate option = options[i];
                return Corner{option.cost, option.gain};
            }};
}

}  // namespace

ChainSearch::ChainSearch(const Chain& chain, const Candidates& options, const Search& search,
                         FrontStatistics& statistics)
    : chain_(chain),
      options_(options),
      search_(search),
      statistics_(statistics),
      completion_(search.caps.any() ? complete(chain) : complete(chain, options)),
      bytes_(search.bytes) {}

void ChainSearch::run(std::uint16_t chain_index, CompleteChoices& found) {
    if (completion_.min_cost > search_.max_cost) return;
    set_trim();
    make_thresholds();
    std::vector<Labels> labels{{{chain_.cost_offset, chain_.gain_offset, chain_.usage_offset, {}}}};
    for (std::size_t s = 0; s < chain_.stages.size(); ++s) labels = extend(s, labels);
    collect(labels, chain_index, found);
}

// Every comparison of labels adds less than trim_ to a cost, all of them together no more than epsilon x
// the least cost.
void ChainSearch::set_trim() {
    if (search_.epsilon == 0.0) return;
    std::size_t comparisons = 0;
    for (std::size_t s = 0; s < chain_.stages.size(); ++s) {
        comparisons += 1 + static_cast<std::size_t>(search_.option_slots[s]);
    }
    const double allowed =
        search_.epsilon * static_cast<double>(completion_.min_cost) / static_cast<double>(comparisons);
    trim_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(allowed));
}

void ChainSearch::make_thresholds() {
    thresholds_.reserve(search_.prices.size());
    // Above a cap on params no value helps; where other resources are capped, params only steer.
    const std::int64_t max_params = search_.caps.params ? *search_.caps.params : completion_.total.max.params;
    for (const std::int64_t price : search_.prices) {
        // A choice within the cap that gains what the incumbent does has at least this value at this price.
        std::vector<double> required = search_.incumbents;
        if (price > 0) {
            for (double& value : required) value -= static_cast<double>(price * max_params);
        }
        thresholds_.emplace_back(chain_, options_, search_.grid, required, price);
        bytes_ += thresholds_.back().bytes();
        watch_memory(0);
    }
    rows_.resize(thresholds_.size());
}

void ChainSearch::aim_at(std::size_t s, int width, int blocks) {
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = thresholds_[i].built(s, width, blocks);
    reached_.clear(search_.grid.buckets);
}

// Whether a partial choice can still matter, judged by the rows aimed at.
bool ChainSearch::useful(std::int64_t cost, std::int64_t gain, std::int64_t params) const {
    const std::size_t bucket = bucket_of(cost);
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (static_cast<double>(gain - thresholds_[i].price() * params) < rows_[i][bucket]) return false;
    }
    return true;
}

bool ChainSearch::keeps_caps(const ResourceUsage& usage, const ResourceUsage& min_after) const {
    if (!search_.caps.any()) return true;
    ResourceUsage min = usage;
    min.add(min_after);
    return search_.caps.admit(min);
}

std::vector<Labels> ChainSearch::extend(std::size_t s, const std::vector<Labels>& before) {
    const ChainStage& stage = chain_.stages[s];
    const std::int64_t slack_before = slack_;
    std::vector<Labels> after(static_cast<std::size_t>(stage.widths));
    trails_.emplace_back(static_cast<std::size_t>(stage.widths));
    std::vector<CornerTree> trees;
    for (const Labels& labels : before) trees.push_back(tree_of(labels));
    for (int width = 0; width < stage.widths; ++width) {
        Labels& left = after[static_cast<std::size_t>(width)];
        Trail& trail = trails_[s][static_cast<std::size_t>(width)];
        if (!completion_.after[s][static_cast<std::size_t>(width)].reachable) continue;
        slack_ = slack_before;
        Labels built = enter(s, width, before, trees);
        std::size_t depth = 0;
        for (int blocks = 1; blocks <= stage.max_blocks() && !built.empty(); ++blocks) {
            if (blocks > 1) built = further(s, width, blocks, built);
            std::vector<Origin>& origins = trail.built.emplace_back();
            for (const Label& label : built) origins.push_back(label.origin);
            bytes_ += origins.size() * sizeof(Origin);
            if (blocks != stage.depths[depth]) continue;
            leave(s, width, depth, built, left);
            ++depth;
        }
        keep_best(left, trim_, floor_before(completion_.after[s][static_cast<std::size_t>(width)].max));
        for (const Label& label : left) trail.left.push_back(label.origin);
        statistics_.labels += static_cast<std::int64_t>(left.size());
        bytes_ += left.size() * (sizeof(Label) + sizeof(Origin));
        watch_memory(0);
    }
    for (const Labels& labels : before) bytes_ -= s > 0 ? labels.size() * sizeof(Label) : 0;
    slack_ = slack_before + (trim_ - 1) * (1 + search_.option_slots[s]);
    return after;
}

// Most pairs fail the first test, and most of these together with all pairs near them.
void ChainSearch::take(const Part& part, std::size_t label_node, std::size_t option_node, Labels& to) {
    const Corner& labels = part.label_tree.corner(label_node);
    const Corner& options = part.option_tree.corner(option_node);
    if (!part.label_tree.has_items(label_node) || !part.option_tree.has_items(option_node)) return;
    const std::int64_t cost = labels.cost + options.cost;
    // Rows ascend: what is too little for the least cost is too little for all.
    if (cost > search_.max_cost || !matters(cost, labels.gain + options.gain)) return;
    const bool last_label = part.label_tree.is_leaf(label_node);
    const bool last_option = part.option_tree.is_leaf(option_node);
    if (last_label && last_option) {
        for (std::size_t w = part.option_tree.first_item(option_node);
             w < part.option_tree.end_item(option_node); ++w) {
            take_each(part, label_node, part.options[w], to);
        }
        watch_memory(to.size() * sizeof(Label));
    } else if (last_option || (!last_label && label_node <= option_node)) {
        take(part, 2 * label_node, option_node, to);
        take(part, 2 * label_node + 1, option_node, to);
    } else {
        take(part, label_node, 2 * option_node, to);
        take(part, label_node, 2 * option_node + 1, to);
    }
}

void ChainSearch::take_each(const Part& part, std::size_t label_leaf, const Candidate& option, Labels& to) {
    for (std::size_t k = part.label_tree.first_item(label_leaf); k < part.label_tree.end_item(label_leaf);
         ++k) {
        ++statistics_.candidates;
        const Label& from = part.labels[k];
        const std::int64_t cost = from.cost + option.cost;
        const std::int64_t gain = from.gain + option.gain;
        if (cost > search_.max_cost) return;
        if (!matters(cost, gain)) continue;
        Label label{
            cost, gain, from.usage, {static_cast<std::uint32_t>(k), part.width_or_depth, option.index}};
        label.usage.add(part.options.all()[option.index].usage);
        if (!keeps_caps(label.usage, part.min_after) || !useful(cost, gain, label.usage.params)) continue;
        to.push_back(label);
        reach(cost, gain);
    }
}

// By the row of the first price, which is 0.
bool ChainSearch::matters(std::int64_t cost, std::int64_t gain) const {
    return static_cast<double>(gain) >= rows_.front()[bucket_of(cost)] &&
           gain > reached_.below(search_.grid.below(cost));
}

// With caps, a label with more gain may use more of a resource, and makes no other one needless.
void ChainSearch::reach(std::int64_t cost, std::int64_t gain) {
    if (search_.caps.any()) return;
    reached_.take(search_.grid.below(cost), gain);
}

// What was taken in before something better came.
void ChainSearch::drop_overtaken(Labels& labels) const {
    std::erase_if(labels, [&](const Label& label) {
        return label.gain <= reached_.below(search_.grid.below(label.cost));
    });
}

Labels ChainSearch::enter(std::size_t s, int width, const std::vector<Labels>& before,
                          const std::vector<CornerTree>& trees) {
    const ChainStage& stage = chain_.stages[s];
    const auto w = static_cast<std::size_t>(width);
    const ResourceUsage& min_after = completion_.after[s][w].min;
    aim_at(s, width, 1);
    Labels entered;
    for (const int previous : by_closeness(width, stage.widths, stage.previous_widths)) {
        const auto p = static_cast<std::size_t>(previous);
        if (before[p].empty()) continue;
        const std::size_t list = stage.first_at(previous, width);
        const OptionList options = options_.first(s, list);
        // A tree over options takes longer than finding that none of them matters.
        const Corner& labels = trees[p].corner(CornerTree::root);
        if (options.empty()) continue;
        const std::int64_t min_cost = labels.cost + options.corner().cost;
        if (min_cost > search_.max_cost || !matters(min_cost, labels.gain + options.corner().gain)) continue;
        take(
            {before[p], trees[p], options, tree_of(options), static_cast<std::uint16_t>(previous), min_after},
            CornerTree::root, CornerTree::root, entered);
    }
    ResourceUsage max_after = completion_.after[s][w].max;
    max_after.add(completion_.body_max[s][w]);
    drop_overtaken(entered);
    const std::int64_t trim = search_.option_slots[s] > 0 ? trim_ : 1;
    keep_best(entered, trim, floor_before(max_after));
    slack_ += trim - 1;
    return entered;
}

// The labels with one block more: with `blocks` of them.
Labels ChainSearch::further(std::size_t s, int width, int blocks, const Labels& before) {
    const ChainStage& stage = chain_.stages[s];
    const auto w = static_cast<std::size_t>(width);
    const ResourceUsage& min_after = completion_.after[s][w].min;
    aim_at(s, width, blocks);
    const std::size_t list = stage.further_at(width, blocks - 1);
    const OptionList options = options_.further(s, list);
    Labels after;
    if (!before.empty() && !options.empty()) {
        take({before, tree_of(before), options, tree_of(options), 0, min_after}, CornerTree::root,
             CornerTree::root, after);
    }
    // One option adds the same to all: what was worth keeping, and sorted, still is.
    if (options.size() > 1) {
        ResourceUsage max_after = completion_.after[s][w].max;
        max_after.add(completion_.body_max[s][w]);
        drop_overtaken(after);
        keep_best(after, trim_, floor_before(max_after));
    }
    if (search_.option_slots[s] > 0) slack_ += trim_ - 1;
    return after;
}

void ChainSearch::leave(std::size_t s, int width, std::size_t depth, const Labels& built, Labels& left) {
    const ChainStage& stage = chain_.stages[s];
    aim_at(s, width, 0);
    const std::vector<BlockOption> nothing{{0, stage.gain[stage.gain_at(width, depth)], {}}};
    constexpr std::array<std::uint16_t, 1> only{0};
    const Candidate corner{0, nothing.front().gain, 0, 0};
    const OptionList leaving(nothing, only, corner);
    if (built.empty()) return;
    take({built, tree_of(built), leaving, tree_of(leaving), static_cast<std::uint16_t>(depth),
          completion_.after[s][static_cast<std::size_t>(width)].min},
         CornerTree::root, CornerTree::root, left);
}

// Reads the choices on the chain's front back through the trails.
void ChainSearch::collect(const std::vector<Labels>& labels, std::uint16_t chain_index,
                          CompleteChoices& found) {
    Labels all;
    for (std::size_t width = 0; width < labels.size(); ++width) {
        for (std::size_t k = 0; k < labels[width].size(); ++k) {
            all.push_back(labels[width][k]);
            all.back().origin = {static_cast<std::uint32_t>(k), static_cast<std::uint16_t>(width), 0};
        }
    }
    keep_best(all, 1, no_floor);
    std::size_t row_size = 1 + 2 * chain_.stages.size();
    for (const int slots : search_.option_slots) row_size += static_cast<std::size_t>(slots);
    for (const Label& label : all) {
        const auto row = static_cast<std::uint32_t>(found.values.size());
        found.values.push_back(label);
        found.values.back().origin = {row, 0, 0};
        found.rows.resize(found.rows.size() + row_size, absent_option);
        std::uint16_t* const first = found.rows.data() + found.rows.size() - row_size;
        *first = chain_index;
        write_row(label.origin, label.origin.width_or_depth, first + row_size);
    }
}

// From the last stage to the first; `end` is one past the row.
void ChainSearch::write_row(Origin at, std::size_t width, std::uint16_t* end) const {
    std::uint32_t label = at.label;
    for (std::size_t s = chain_.stages.size(); s-- > 0;) {
        const Trail& trail = trails_[s][width];
        const Origin& left = trail.left[label];
        const auto blocks = static_cast<std::size_t>(chain_.stages[s].depths[left.width_or_depth]);
        const auto slots = static_cast<std::size_t>(search_.option_slots[s]);
        end -= 2 + slots;
        end[0] = static_cast<std::uint16_t>(width);
        end[1] = left.width_or_depth;
        label = left.label;
        for (std::size_t block = blocks; block-- > 0;) {
            const Origin& origin = trail.built[block][label];
            if (slots > 0) end[2 + block] = origin.option;
            label = origin.label;
            if (block == 0) width = origin.width_or_depth;
        }
    }
}

// What a partial choice may use of each resource without ever breaking a cap, whatever comes after it.
ResourceUsage ChainSearch::floor_before(const ResourceUsage& max_after) const {
    ResourceUsage floor = no_floor;
    if (search_.caps.params) floor.params = *search_.caps.params - max_after.params;
    if (search_.caps.macs) floor.macs = *search_.caps.macs - max_after.macs;
    if (search_.caps.memory_bytes) {
        const std::int64_t memory = *search_.caps.memory_bytes;
        floor.weight_bytes = memory - max_after.weight_bytes - completion_.total.max.peak_bytes;
        floor.peak_bytes = memory - completion_.total.max.weight_bytes;
    }
    return floor;
}

void ChainSearch::watch_memory(std::size_t more) {
    const std::size_t bytes = bytes_ + more;
    statistics_.peak_bytes = std::max(statistics_.peak_bytes, bytes);
    if (bytes > search_.max_bytes || more / sizeof(Label) > std::numeric_limits<std::uint32_t>::max()) {
        throw WorkError("planner: the front needs more than " + std::to_string(search_.max_bytes >> 20) +
                        " MiB; narrow the space, lift the caps, or allow an epsilon");
    }
}

}  // namespace hacscale::planner
