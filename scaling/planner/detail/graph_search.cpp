#include "scaling/planner/detail/graph_search.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

namespace hacscale::planner {
// ---- Archive ----

void Archive::add(std::vector<Point> points) {
    std::erase_if(points,
                  [&](const Point& point) { return point.cost > max_cost_ || !caps_.admit(point.usage); });
    const auto before = [](const Point& a, const Point& b) {
        if (a.cost != b.cost) return a.cost < b.cost;
        return a.gain != b.gain ? a.gain > b.gain : a.usage.params < b.usage.params;
    };
    std::stable_sort(points.begin(), points.end(), before);
    std::vector<Point> all;
    all.reserve(points_.size() + points.size());
    std::merge(std::make_move_iterator(points_.begin()), std::make_move_iterator(points_.end()),
               std::make_move_iterator(points.begin()), std::make_move_iterator(points.end()),
               std::back_inserter(all), before);
    points_.clear();
    for (Point& point : all) {
        if (points_.empty() || point.gain > points_.back().gain) points_.push_back(std::move(point));
    }
}

bool Archive::would_take(std::int64_t cost, std::int64_t gain) const {
    if (cost > max_cost_) return false;
    const auto above =
        std::upper_bound(points_.begin(), points_.end(), cost,
                         [](std::int64_t limit, const Point& point) { return limit < point.cost; });
    return above == points_.begin() || std::prev(above)->gain < gain;
}

void Archive::add(const GraphProblem& problem, Assignment choice) {
    const std::optional<ChainTotals> totals = totals_of(problem, choice);
    if (!totals) return;
    std::vector<Point> one;
    one.push_back({totals->cost, totals->gain, totals->usage, std::move(choice)});
    add(std::move(one));
}

// ---- The search ----

struct GraphSearch::Work {
    const EliminationNode& node;
    const GraphSearchSettings& settings;
    Labels found;  // of one separator; the origin's label is an index into trails
    std::vector<Trail> trails;
    CostGrid grid;
    ReachedGains reached;
    std::vector<std::span<const Label>> messages;  // at the separator and value at hand
    std::vector<PriceRow> rows;                    // of the labels of the second message
    std::vector<std::uint32_t> passing;
};

GraphSearch::GraphSearch(const GraphProblem& problem, const Elimination& tree, const PriceBounds& bounds,
                         FrontStatistics& statistics)
    : problem_(problem),
      tree_(tree),
      bounds_(bounds),
      statistics_(statistics),
      values_(static_cast<std::size_t>(tree.down_classes)),
      labels_(static_cast<std::size_t>(tree.down_classes)) {}

bool GraphSearch::run(const Needed& needed, const GraphSearchSettings& settings, Archive& archive) {
    candidates_ = 0;
    bytes_ = 0;
    peak_bytes_ = 0;
    for (NodeLabels& labels : labels_) labels = {};
    for (const EliminationNode& node : tree_.nodes) {
        if (!labels_[static_cast<std::size_t>(node.down_class)].begin.empty()) continue;
        find_values(node, needed);
        if (!make_labels(node, needed, settings)) return false;
    }
    const NodeLabels& root = labels_[static_cast<std::size_t>(tree_.nodes.back().down_class)];
    std::vector<Archive::Point> points;
    for (std::size_t i = 0; i < root.labels.size(); ++i) {
        const Label& label = root.labels[i];
        Archive::Point& point = points.emplace_back();
        point.cost = label.cost + problem_.cost_offset;
        point.gain = label.gain + problem_.gain_offset;
        point.usage = problem_.usage_offset;
        point.usage.add(label.usage);
        point.choice = choice_of(i);
    }
    archive.add(std::move(points));
    return true;
}

// Only values that mattered before can matter now.
void GraphSearch::find_values(const EliminationNode& node, const Needed& needed) {
    NodeValues& known = values_[static_cast<std::size_t>(node.down_class)];
    const PriceRow* const above = bounds_.down(node);
    std::vector<const std::vector<std::size_t>*> strides;
    std::vector<TableCursor> tables;
    std::vector<RowCursor> rows;
    const std::vector<NodeInput>& inputs = bounds_.inputs(node);
    for (const NodeInput& input : inputs) {
        strides.push_back(&input.strides);
        tables.push_back({nullptr, node.last_stride(input)});
    }
    for (const NodeInput& message : node.messages) {
        strides.push_back(&message.strides);
        rows.push_back({nullptr, node.last_stride(message)});
    }
    AllowedValues allowed(problem_, node);
    Odometer odometer(node.sizes, node.axes(), strides);
    NodeValues now;
    now.known = true;
    const std::size_t separators = node.separator_size();
    now.begin.reserve(separators + 1);
    now.begin.push_back(0);
    for (std::size_t s = 0; s < separators; ++s, odometer.advance()) {
        const auto look_at = [&](std::size_t first, std::size_t count) {
            std::size_t place = 0;
            for (std::size_t t = 0; t < tables.size(); ++t, ++place) {
                tables[t].at =
                    bounds_.amounts(inputs[t].id).data() + odometer.place(place) + first * tables[t].stride;
            }
            for (std::size_t r = 0; r < rows.size(); ++r, ++place) {
                rows[r].at = bounds_.up(tree_.nodes[static_cast<std::size_t>(node.messages[r].id)]) +
                             odometer.place(place) + first * rows[r].stride;
            }
            append_needed(now.values, {tables, rows}, above[s], first, count, needed, bounds_.prices());
        };
        if (known.known) {
            for (std::size_t i = known.begin[s]; i < known.begin[s + 1]; ++i) look_at(known.values[i], 1);
        } else {
            const AllowedValues::Values values = allowed.at(odometer.values());
            if (values.all) look_at(0, node.eliminated_values());
            for (const std::uint16_t value : values.some) look_at(value, 1);
        }
        now.begin.push_back(static_cast<std::uint32_t>(now.values.size()));
    }
    known = std::move(now);
}

bool GraphSearch::make_labels(const EliminationNode& node, const Needed& needed,
                              const GraphSearchSettings& settings) {
    const auto index = static_cast<std::size_t>(node.down_class);
    const NodeValues& values = values_[index];
    NodeLabels& made = labels_[index];
    Work work{node, settings, {}, {}, make_grid(settings.max_cost), {}, {}, {}, {}};
    work.messages.resize(node.messages.size());
    ResourceUsage floor = no_floor;
    if (settings.caps.params) floor.params = 0;
    if (settings.caps.macs) floor.macs = 0;
    std::vector<const std::vector<std::size_t>*> strides;
    for (const NodeInput& factor : node.factors) strides.push_back(&factor.strides);
    for (const NodeInput& message : node.messages) strides.push_back(&message.strides);
    Odometer odometer(node.sizes, node.axes(), strides);
    const std::size_t separators = node.separator_size();
    made.begin.reserve(separators + 1);
    made.begin.push_back(0);
    for (std::size_t s = 0; s < separators; ++s, odometer.advance()) {
        if (values.begin[s] != values.begin[s + 1]) {
            work.found.clear();
            work.trails.clear();
            if (!settings.caps.any()) work.reached.clear(work.grid.buckets);
            for (std::size_t i = values.begin[s]; i < values.begin[s + 1]; ++i) {
                const std::uint16_t value = values.values[i];
                Label base;
                std::size_t input = 0;
                for (const NodeInput& factor : node.factors) {
                    const BlockOption& entry =
                        problem_.tables[static_cast<std::size_t>(factor.id)]
                                       [odometer.place(input++) + value * node.last_stride(factor)];
                    base.cost += entry.cost;
                    base.gain += entry.gain;
                    base.usage.add(entry.usage);
                }
                for (std::size_t m = 0; m < node.messages.size(); ++m) {
                    const NodeInput& message = node.messages[m];
                    work.messages[m] = labels_at(tree_.nodes[static_cast<std::size_t>(message.id)],
                                                 odometer.place(input++) + value * node.last_stride(message));
                }
                const Needed slack =
                    less(less(needed, bounds_.down(node)[s]),
                         worth_of(amounts_of(base.cost, base.gain, base.usage), bounds_.prices()));
                if (node.messages.empty()) {
                    take(work, base, {{0, 0}, value});
                } else if (node.messages.size() == 1) {
                    take_single(work, base, slack, value);
                } else {
                    take_pairs(work, base, slack, value);
                }
                const std::size_t growing = work.found.size() * (sizeof(Label) + sizeof(Trail));
                peak_bytes_ = std::max(peak_bytes_, bytes_ + growing);
                if (bytes_ + growing > settings.max_bytes || candidates_ > settings.max_candidates)
                    return false;
            }
            keep_best(work.found, settings.trim, floor);
            for (const Label& label : work.found) made.trails.push_back(work.trails[label.origin.label]);
            made.labels.insert(made.labels.end(), work.found.begin(), work.found.end());
            bytes_ += work.found.size() * (sizeof(Label) + sizeof(Trail));
        }
        made.begin.push_back(static_cast<std::uint32_t>(made.labels.size()));
    }
    statistics_.labels += static_cast<std::int64_t>(made.labels.size());
    return true;
}

void GraphSearch::take(Work& work, const Label& label, const Trail& trail) {
    ++statistics_.candidates;
    ++candidates_;
    if (label.cost > work.settings.max_cost) return;
    if (!work.settings.caps.any()) {
        // What costs clearly less and gains no less is there already.
        const std::size_t bucket = work.grid.below(label.cost);
        if (label.gain <= work.reached.below(bucket)) return;
        work.reached.take(bucket, label.gain);
    }
    work.found.push_back(label);
    work.found.back().origin = {static_cast<std::uint32_t>(work.trails.size()), 0, 0};
    work.trails.push_back(trail);
}

void GraphSearch::take_single(Work& work, const Label& base, const Needed& slack, std::uint16_t value) {
    const std::span<const Label> labels = work.messages.front();
    work.passing.clear();
    append_meeting(work.passing, labels, slack, bounds_.prices());
    for (const std::uint32_t i : work.passing) {
        Label joined{base.cost + labels[i].cost, base.gain + labels[i].gain, base.usage, {}};
        joined.usage.add(labels[i].usage);
        take(work, joined, {{i, 0}, value});
    }
}

void GraphSearch::take_pairs(Work& work, const Label& base, const Needed& slack, std::uint16_t value) {
    const std::span<const Label> firsts = work.messages[0];
    const std::span<const Label> seconds = work.messages[1];
    if (firsts.empty() || seconds.empty()) return;
    const PriceRow best = worths_of(work.rows, seconds, bounds_.prices());
    for (std::size_t a = 0; a < firsts.size(); ++a) {
        const Label& first = firsts[a];
        work.passing.clear();
        append_meeting(work.passing, first, work.rows, best, slack, bounds_.prices());
        for (const std::uint32_t b : work.passing) {
            const Label& second = seconds[b];
            Label joined{
                base.cost + first.cost + second.cost, base.gain + first.gain + second.gain, base.usage, {}};
            joined.usage.add(first.usage);
            joined.usage.add(second.usage);
            take(work, joined, {{static_cast<std::uint32_t>(a), b}, value});
        }
    }
}

std::span<const Label> GraphSearch::labels_at(const EliminationNode& node, std::size_t separator) const {
    const NodeLabels& made = labels_[static_cast<std::size_t>(node.down_class)];
    return {made.labels.data() + made.begin[separator], made.begin[separator + 1] - made.begin[separator]};
}

Assignment GraphSearch::choice_of(std::size_t root_label) const {
    Assignment choice(problem_.values.size(), 0);
    // Of each node, the label that the choice has there, among those of its separator.
    std::vector<std::size_t> label(tree_.nodes.size(), 0);
    label.back() = root_label;
    for (std::size_t n = tree_.nodes.size(); n-- > 0;) {
        const EliminationNode& node = tree_.nodes[n];
        const NodeLabels& made = labels_[static_cast<std::size_t>(node.down_class)];
        std::size_t separator = 0;
        for (std::size_t axis = 0; axis < node.axes(); ++axis) {
            separator = separator * node.sizes[axis] + choice[static_cast<std::size_t>(node.clique[axis])];
        }
        const Trail& trail = made.trails[made.begin[separator] + label[n]];
        if (node.eliminates) choice[static_cast<std::size_t>(node.clique.back())] = trail.value;
        for (std::size_t m = 0; m < node.messages.size(); ++m) {
            label[static_cast<std::size_t>(node.messages[m].id)] = trail.labels[m];
        }
    }
    return choice;
}

}  // namespace hacscale::planner
