// Which prices bound a front well: first those at which the best choices spread evenly over its costs, then those between
// neighbours where something better than what is known may still be.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "scaling/planner/chain_problem.hpp"
#include "scaling/planner/detail/graph_search.hpp"
#include "scaling/planner/detail/price_rows.hpp"

namespace hacscale::planner {

// Rows with a purpose of their own; all others have prices on cost.
constexpr std::size_t dearest_row = 0;  // the price of cost is so high that the least cost has the best worth
constexpr std::size_t first_row = 1;
constexpr std::size_t params_row = price_count - 2;  // with a cap on params: the price on params is that high
constexpr std::size_t macs_row = price_count - 1;    // the same of MACs

// What all choices' gains are within.
struct GainRange {
    double low = 0.0;
    double high = 0.0;
    double span() const { return high - low; }
};
GainRange gain_range(const GraphProblem& problem);

// What one price says of a whole problem: a choice within the caps that costs at most B gains at most worth + cost_price x B.
struct Tangent {
    double cost_price = 0.0;
    double params_price = 0.0;
    double macs_price = 0.0;
    double worth = 0.0;
    // The best choice at the price, where that is known.
    std::optional<Archive::Point> touches;

    double at(double cost) const { return worth + cost_price * cost; }
};

// A cost up to which, and the least gain with which, a choice would be better than those that are known.
struct Opening {
    double cost = 0.0;
    double gain = 0.0;
    std::size_t tangent = 0;  // the one that bounds it best
};

// The bounds on a whole problem at all prices that were looked at, dearest first.
class Tangents {
public:
    // `caps`: those that bind. All must outlive this.
    Tangents(const GraphProblem& problem, std::int64_t max_cost, const Caps& caps, PriceBounds& bounds,
             Archive& archive);

    // Looks at prices whose best choices spread evenly over the costs. All best choices met on the way go to the archive.
    void spread();
    // Looks at the prices between those that bound these openings, at most max_rows() of them; false when there are none to look at.
    bool refine(const std::vector<Opening>& openings);
    // Those that spread() or refine() looked at last.
    const std::vector<Tangent>& latest() const { return solved_; }
    // Sets the prices of the bounds to those of some tangents (at most max_rows()); their rows are first_row and those after it.
    void aim(const std::vector<std::size_t>& tangents);

    const std::vector<Tangent>& all() const { return tangents_; }
    // The one that bounds choices of at most this cost best.
    std::size_t best_for(double cost) const;
    std::size_t max_rows() const { return last_ - first_row; }

private:
    void solve(const std::vector<Tangent>& wanted);
    std::vector<Tangent> steered(std::vector<Tangent> wanted);
    std::vector<Tangent> evenly() const;
    static double worth_at(const Tangent& prices, const Archive::Point& point);
    void find_envelope();
    Prices prices_of(const Tangent* wanted, std::size_t count) const;

    const GraphProblem& problem_;
    double max_cost_;
    Caps caps_;
    PriceBounds& bounds_;
    Archive& archive_;
    double gain_span_ = 0.0;
    double mean_price_ = 0.0;  // gain for cost
    std::size_t last_;         // one past the rows with prices on cost
    std::vector<Tangent> tangents_;
    // Those that bound some cost better than all others, and from which cost on.
    std::vector<std::size_t> envelope_;
    std::vector<double> from_cost_;
    std::vector<Tangent> solved_;  // by the last call of solve(), in its order
};

// What the caps give back at a price: added to worths, they bound choices within the caps.
double cap_worth(const Prices& prices, std::size_t price, const Caps& caps);

}  // namespace hacscale::planner
