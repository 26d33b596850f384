// The dynamic program over an elimination tree: for each value of a node's separator the choices below it that can still
// matter, judged by the bounds on what is above (price_rows.hpp), compared with one another (labels.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "scaling/planner/detail/elimination.hpp"
#include "scaling/planner/detail/labels.hpp"
#include "scaling/planner/detail/price_rows.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale::planner {

// Complete choices, none of which makes another needless; ascending in cost and gain.
class Archive {
public:
    struct Point {
        std::int64_t cost = 0;
        std::int64_t gain = 0;
        ResourceUsage usage;
        Assignment choice;
    };
    // Of those that cost at most this and keep the caps.
    Archive(std::int64_t max_cost, Caps caps) : max_cost_(max_cost), caps_(caps) {}

    void add(std::vector<Point> points);
    void add(const GraphProblem& problem, Assignment choice);
    const std::vector<Point>& points() const { return points_; }
    // Whether no point has that much gain for that cost.
    bool would_take(std::int64_t cost, std::int64_t gain) const;

private:
    std::int64_t max_cost_;
    Caps caps_;
    std::vector<Point> points_;
};

struct GraphSearchSettings {
    std::int64_t max_cost = 0;
    Caps caps;                  // those that some choice would break
    std::int64_t trim = 1;      // costs closer than this count as equal when labels are compared
    std::size_t max_bytes = 0;  // of labels
    std::int64_t max_candidates = std::numeric_limits<std::int64_t>::max();  // labels that are compared
};

class GraphSearch {
public:
    // `bounds` has passed down. All must outlive this.
    GraphSearch(const GraphProblem& problem, const Elimination& tree, const PriceBounds& bounds,
                FrontStatistics& statistics);

    // Adds to `archive` all choices that are worth what is needed, but for those that others make needless. False when that
    // takes more memory or candidates than it may: then nothing is added. What is needed must not become less from call to call.
    bool run(const Needed& needed, const GraphSearchSettings& settings, Archive& archive);

    std::size_t peak_bytes() const { return peak_bytes_; }  // of the last run

private:
    // Where a label came from: the value of the eliminated variable, and a label of each message.
    struct Trail {
        std::uint32_t labels[2] = {0, 0};
        std::uint16_t value = 0;
    };
    // By separator, from begin[s] to begin[s + 1].
    struct NodeLabels {
        std::vector<std::uint32_t> begin;
        Labels labels;
        std::vector<Trail> trails;
    };
    // The values of the eliminated variable that can matter, by separator.
    struct NodeValues {
        bool known = false;
        std::vector<std::uint32_t> begin;
        std::vector<std::uint16_t> values;
    };
    // What the functions that make up one node's labels have at hand.
    struct Work;

    void find_values(const EliminationNode& node, const Needed& needed);
    bool make_labels(const EliminationNode& node, const Needed& needed, const GraphSearchSettings& settings);
    void take(Work& work, const Label& label, const Trail& trail);
    void take_single(Work& work, const Label& base, const Needed& slack, std::uint16_t value);
    void take_pairs(Work& work, const Label& base, const Needed& slack, std::uint16_t value);
    Assignment choice_of(std::size_t root_label) const;
    std::span<const Label> labels_at(const EliminationNode& node, std::size_t separator) const;

    const GraphProblem& problem_;
    const Elimination& tree_;
    const PriceBounds& bounds_;
    FrontStatistics& statistics_;
    std::vector<NodeValues> values_;  // by down class
    std::vector<NodeLabels> labels_;  // by down class
    std::int64_t candidates_ = 0;     // of the run
    std::size_t bytes_ = 0;
    std::size_t peak_bytes_ = 0;
};

}  // namespace hacscale::planner
