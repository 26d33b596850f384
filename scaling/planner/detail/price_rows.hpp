// Upper bounds on what the rest of a problem can add to a part of a choice, for several prices at once.
//
// At a price, a choice is worth gain - price x cost (and less what its usage costs, where a cap binds). Without a limit on
// cost, the best worth is a maximum over sums of tables, which elimination gives for all parts of choices at once: messages up
// the tree say what is below a node, messages down it what is above. No choice that costs at most B gains more than the worth
// at a price plus price x B (Lagrangian relaxation; Everett 1963), and the choices of best worth are on the front.
//
// Worths are floats, rounded any way; margin() is more than all rounding of a sum together.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "scaling/planner/detail/elimination.hpp"
#include "scaling/planner/detail/price_sums.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale::planner {

// The values of a node's eliminated variable that its derivations allow with those of its separator.
class AllowedValues {
public:
    AllowedValues(const GraphProblem& problem, const EliminationNode& node)
        : problem_(problem), node_(node) {}
    // All of them where `all` is set; else those in the list.
    struct Values {
        bool all = true;
        std::span<const std::uint16_t> some;
    };
    Values at(const std::vector<std::size_t>& separator);

private:
    bool admit(std::size_t value, const std::vector<std::size_t>& separator) const;

    const GraphProblem& problem_;
    const EliminationNode& node_;
    std::vector<std::uint16_t> some_;
};

// The two passes over an elimination tree. The problem and the tree must outlive this.
class PriceBounds {
public:
    PriceBounds(const GraphProblem& problem, const Elimination& tree);

    // Messages up the tree at these prices; those down it become invalid.
    void set_prices(const Prices& prices);
    void pass_down();

    const Prices& prices() const { return prices_; }
    // The best worth of a choice at each price, offsets included.
    const PriceRow& best() const { return best_; }
    // A choice that has it where the tree is exact; a choice that may be infeasible elsewhere.
    Assignment best_choice(std::size_t price) const;
    // More than rounding can have taken off or added to any sum of worths.
    const PriceRow& margin() const { return margin_; }

    const PriceRow* up(const EliminationNode& node) const {
        return up_[static_cast<std::size_t>(node.up_class)].data();
    }
    const PriceRow* down(const EliminationNode& node) const {
        return down_[static_cast<std::size_t>(node.down_class)].data();
    }
    // A node's factors, with the values of its eliminated variable side by side: `id` is that of amounts().
    const std::vector<NodeInput>& inputs(const EliminationNode& node) const {
        return inputs_[static_cast<std::size_t>(&node - tree_.nodes.data())];
    }
    const std::vector<Amounts>& amounts(int id) const { return amounts_[static_cast<std::size_t>(id)]; }
    std::size_t bytes() const { return bytes_; }

private:
    void lay_out_inputs();
    void fill_up(const EliminationNode& node);
    void fill_down(const EliminationNode& node);
    void set_margin();
    std::vector<TableCursor> tables_of(const EliminationNode& node) const;

    const GraphProblem& problem_;
    const Elimination& tree_;
    std::vector<std::vector<Amounts>> amounts_;   // by table, and then those in another order
    std::vector<std::vector<NodeInput>> inputs_;  // by node
    Prices prices_;
    std::vector<std::vector<PriceRow>> up_;    // by up class, separator
    std::vector<std::vector<PriceRow>> down_;  // by down class, separator
    PriceRow offset_;
    PriceRow best_;
    PriceRow margin_;
    std::size_t bytes_ = 0;
};

}  // namespace hacscale::planner
