// The dynamic program over one chain: labels are carried from stage to stage, tested against the thresholds,
// and compared with one another (labels.hpp).
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "scaling/planner/detail/completion.hpp"
#include "scaling/planner/detail/cost_grid.hpp"
#include "scaling/planner/detail/labels.hpp"
#include "scaling/planner/detail/thresholds.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale::planner {

constexpr std::int64_t no_cap = std::numeric_limits<std::int64_t>::max();

// What the searches of all chains share.
struct Search {
    CostGrid grid;
    std::int64_t max_cost = 0;
    std::int64_t max_params = no_cap;
    std::vector<std::int64_t> prices;
    std::vector<double> incumbents;
    double epsilon = 0.0;
    std::size_t max_bytes = 0;
};

// Complete choices with their indices, as ParetoFront keeps them; each Candidate's origin.label is its row.
struct CompleteChoices {
    std::vector<Candidate> values;
    std::vector<std::uint16_t> rows;
};

class ChainSearch {
public:
    ChainSearch(const Chain& chain, const Search& search, FrontStatistics& statistics);
    // Appends the chain's own front to `found`.
    void run(std::uint16_t chain_index, CompleteChoices& found);

private:
    void make_thresholds();
    bool useful(std::int64_t cost, std::int64_t gain, std::int64_t params) const;
    std::vector<Labels> extend(std::size_t s, const std::vector<Labels>& before);
    Labels enter(std::size_t s, int width, const std::vector<Labels>& before);
    Labels leave(std::size_t s, int width, const Labels& entered);
    void collect(const std::vector<Labels>& labels, std::uint16_t chain_index, CompleteChoices& found);
    std::int64_t params_floor(std::size_t s, int width) const;
    void watch_memory(std::size_t more);

    const Chain& chain_;
    const Search& search_;
    FrontStatistics& statistics_;
    Completion completion_;
    std::vector<Thresholds> thresholds_;                     // one a price
    std::vector<const double*> rows_;                        // of the stage and width at hand, one a price
    std::vector<std::vector<std::vector<Origin>>> origins_;  // by stage, width
    std::vector<Candidate> candidates_;
    std::int64_t trim_ = 1;   // costs closer than this count as equal when labels are compared
    std::int64_t slack_ = 0;  // how much trimming may have added to a label's cost so far
    std::size_t bytes_ = 0;
};

}  // namespace hacscale::planner
