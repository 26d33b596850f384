// The dynamic program over one chain: labels are carried from block to block and from stage to stage, tested
// against the thresholds, and compared with one another (labels.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "scaling/planner/detail/completion.hpp"
#include "scaling/planner/detail/cost_grid.hpp"
#include "scaling/planner/detail/labels.hpp"
#include "scaling/planner/detail/thresholds.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::planner {

// In the slot of a block that a choice does not have.
constexpr std::uint16_t absent_way = 65535;

// What the searches of all chains share.
struct Search {
    CostGrid grid;
    std::int64_t max_cost = 0;
    Caps caps;  // those that some choice would break
    std::vector<std::int64_t> prices;
    std::vector<double> incumbents;
    double epsilon = 0.0;
    std::size_t max_bytes = 0;
    std::vector<int> way_slots;  // as in ParetoFront
};

// Complete choices with their indices, as ParetoFront keeps them; each label's origin.label is its row.
struct CompleteChoices {
    Labels values;
    std::vector<std::uint16_t> rows;
};

class ChainSearch {
public:
    ChainSearch(const Chain& chain, const Search& search, FrontStatistics& statistics);
    // Appends the chain's own front to `found`.
    void run(std::uint16_t chain_index, CompleteChoices& found);

private:
    // How the labels of one stage and width came about.
    struct Trail {
        std::vector<std::vector<Origin>> built;  // after 1, 2, ... blocks
        std::vector<Origin> left;
    };
    // A way with its place among all ways of its block.
    struct UsefulWay {
        BlockWay way;
        std::uint16_t index = 0;
    };

    void make_thresholds();
    void set_trim();
    // Of the least that a label with this cost may stand for: trimming may have put a dearer one in its
    // place.
    std::size_t bucket_of(std::int64_t cost) const {
        return search_.grid.below(cost > slack_ ? cost - slack_ : 0);
    }
    bool useful(std::int64_t cost, std::int64_t gain, std::int64_t params) const;
    bool keeps_caps(const Needs& needs, const Needs& least_after) const;
    std::vector<Labels> extend(std::size_t s, const std::vector<Labels>& before);
    Labels enter(std::size_t s, int width, const std::vector<Labels>& before);
    Labels further(std::size_t s, int width, int blocks, const Labels& before);
    void leave(std::size_t s, int width, std::size_t depth, const Labels& built, Labels& left);
    // Adds to `to` what becomes of these labels with one part more, of those that can still matter.
    void take(const Labels& from, const BlockWay& part, Origin origin, Labels& to, const Needs& least_after);
    std::vector<UsefulWay> useful_ways(const std::vector<BlockWay>& ways) const;
    void aim_at(std::size_t s, int width, int blocks);
    void collect(const std::vector<Labels>& labels, std::uint16_t chain_index, CompleteChoices& found);
    void write_row(Origin at, std::size_t width, std::uint16_t* row) const;
    Needs floor_before(const Needs& most_after) const;
    void watch_memory(std::size_t more);

    const Chain& chain_;
    const Search& search_;
    FrontStatistics& statistics_;
    Completion completion_;
    std::vector<Thresholds> thresholds_;      // one a price
    std::vector<const double*> rows_;         // of the stage, width and blocks at hand, one a price
    std::vector<std::vector<Trail>> trails_;  // by stage, width
    std::int64_t trim_ = 1;   // costs closer than this count as equal when labels are compared
    std::int64_t slack_ = 0;  // how much trimming may have added to a label's cost so far
    std::size_t bytes_ = 0;
};

}  // namespace hacscale::planner
