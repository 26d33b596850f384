// The dynamic program over one chain: labels are carried from block to block and from stage to stage, tested
// against the thresholds, and compared with one another (labels.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scaling/planner/detail/bounds.hpp"
#include "scaling/planner/detail/candidates.hpp"
#include "scaling/planner/detail/completion.hpp"
#include "scaling/planner/detail/labels.hpp"

namespace hacscale::planner {

// In the slot of a block that a choice does not have.
constexpr std::uint16_t absent_option = 65535;

// What the searches of all chains share.
struct Search {
    CostGrid grid;
    std::int64_t max_cost = 0;
    Caps caps;  // those that some choice would break
    std::vector<std::int64_t> prices;
    std::vector<Candidates> options;  // one a chain
    std::vector<double> incumbents;
    double epsilon = 0.0;
    std::size_t max_bytes = 0;
    std::size_t bytes = 0;          // of `options`
    std::vector<int> option_slots;  // as in ParetoFront
};

// Complete choices with their indices, as ParetoFront keeps them; each label's origin.label is its row.
struct CompleteChoices {
    Labels values;
    std::vector<std::uint16_t> rows;
};

class ChainSearch {
public:
    ChainSearch(const Chain& chain, const Candidates& options, const Search& search,
                FrontStatistics& statistics);
    // Appends the chain's own front to `found`.
    void run(std::uint16_t chain_index, CompleteChoices& found);

private:
    // How the labels of one stage and width came about.
    struct Trail {
        std::vector<std::vector<Origin>> built;  // after 1, 2, ... blocks
        std::vector<Origin> left;
    };

    // Labels, and the options by which each of them may be continued.
    struct Part {
        const Labels& labels;
        const CornerTree& label_tree;
        const OptionList& options;
        const CornerTree& option_tree;
        std::uint16_t width_or_depth = 0;  // of the new labels' origin
        const ResourceUsage& min_after;
    };

    void make_thresholds();
    void set_trim();
    // Of the least that a label with this cost may stand for: trimming may have put a dearer one in its
    // place.
    std::size_t bucket_of(std::int64_t cost) const {
        return search_.grid.below(cost > slack_ ? cost - slack_ : 0);
    }
    bool useful(std::int64_t cost, std::int64_t gain, std::int64_t params) const;
    bool keeps_caps(const ResourceUsage& usage, const ResourceUsage& min_after) const;
    std::vector<Labels> extend(std::size_t s, const std::vector<Labels>& before);
    Labels enter(std::size_t s, int width, const std::vector<Labels>& before,
                 const std::vector<CornerTree>& trees);
    Labels further(std::size_t s, int width, int blocks, const Labels& before);
    void leave(std::size_t s, int width, std::size_t depth, const Labels& built, Labels& left);
    // Adds to `to` the labels that come of those below a node with the options below another one, where they can
    // still matter.
    void take(const Part& part, std::size_t label_node, std::size_t option_node, Labels& to);
    void take_each(const Part& part, std::size_t label_leaf, const Candidate& candidate, Labels& to);
    bool matters(std::int64_t cost, std::int64_t gain) const;
    void drop_overtaken(Labels& labels) const;
    void reach(std::int64_t cost, std::int64_t gain);
    void aim_at(std::size_t s, int width, int blocks);
    void collect(const std::vector<Labels>& labels, std::uint16_t chain_index, CompleteChoices& found);
    void write_row(Origin at, std::size_t width, std::uint16_t* row) const;
    ResourceUsage floor_before(const ResourceUsage& max_after) const;
    void watch_memory(std::size_t more);

    const Chain& chain_;
    const Candidates& options_;
    const Search& search_;
    FrontStatistics& statistics_;
    Completion completion_;
    std::vector<Thresholds> thresholds_;  // one a price
    std::vector<const double*> rows_;     // of the stage, width and blocks at hand, one a price
    // Where rows_ aim: for each bucket, the most gain of labels there are in lower ones.
    ReachedGains reached_;
    std::vector<std::vector<Trail>> trails_;  // by stage, width
    std::int64_t trim_ = 1;   // costs closer than this count as equal when labels are compared
    std::int64_t slack_ = 0;  // how much trimming may have added to a label's cost so far
    std::size_t bytes_;
};

}  // namespace hacscale::planner
