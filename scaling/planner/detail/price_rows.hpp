// Upper bounds on what the rest of a problem can add to a part of a choice, for several prices at once.
//
// At a price, a choice is worth gain - price x cost (and less what its usage costs, where a cap binds). Without a limit on
// cost, the best worth is a maximum over sums of tables, which elimination gives for all parts of choices at once: messages up
// the tree say what is below a node, messages down it what is above. No choice that costs at most B gains more than the worth
// at a price plus price x B (Lagrangian relaxation; Everett 1963), and the choices of best worth are on the front.
//
// Worths are floats, rounded any way; margin() is more than all rounding of a sum together.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "scaling/planner/detail/elimination.hpp"
#include "scaling/planner/detail/labels.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale::planner {

constexpr std::size_t price_count = 32;

// One number a price.
struct PriceRow {
    std::array<float, price_count> at{};
};

// Of one unit of cost, of one parameter, and of one MAC; in gain quanta.
struct Prices {
    PriceRow cost;
    PriceRow params;
    PriceRow macs;
    bool of_usage = false;  // params or MACs have a price somewhere
};

// What an entry or a part of a choice counts, in the precision of worths; gain is minus infinity where it is infeasible.
struct Amounts {
    float gain = 0.0F;
    float cost = 0.0F;
    float params = 0.0F;
    float macs = 0.0F;
};
Amounts amounts_of(std::int64_t cost, std::int64_t gain, const ResourceUsage& usage);

// Places of a node's inputs at the values of its separator, and the strides of its eliminated variable.
struct TableCursor {
    const Amounts* at = nullptr;
    std::size_t stride = 0;
};
struct RowCursor {
    const PriceRow* at = nullptr;
    std::size_t stride = 0;
};
struct Joined {
    std::span<const TableCursor> tables;
    std::span<const RowCursor> rows;  // at most 3
};

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

// ---- The loops, compiled for the widest vectors that the machine has ----

// to = max(to, tables + rows) over `count` values of the eliminated variable
void raise_to_best(PriceRow& to, const Joined& joined, std::size_t count, const Prices& prices);
// to[value x stride] = max(itself, above + tables + rows), value by value
void raise_each(PriceRow* to, std::size_t stride, const PriceRow& above, const Joined& joined,
                std::size_t count, const Prices& prices);
// What a part of a choice must be worth at some price (`any`), and, where usage has a price, at every price of `all`, to matter.
struct Needed {
    PriceRow any;
    PriceRow all;
};
// Appends the values at which above + tables + rows is what is needed.
void append_needed(std::vector<std::uint16_t>& values, const Joined& joined, const PriceRow& above,
                   std::size_t first, std::size_t count, const Needed& needed, const Prices& prices);
PriceRow worth_of(const Amounts& amounts, const Prices& prices);
// Less the worth.
Needed less(const Needed& needed, const PriceRow& worth);
// Appends the places of the labels that are worth what is needed.
void append_meeting(std::vector<std::uint32_t>& places, std::span<const Label> labels, const Needed& needed,
                    const Prices& prices);
// The worth of each label, and the best of all of them.
PriceRow worths_of(std::vector<PriceRow>& rows, std::span<const Label> labels, const Prices& prices);
// Appends the places of the rows that together with a label are worth what is needed. `best` is that of the rows.
void append_meeting(std::vector<std::uint32_t>& places, const Label& label, std::span<const PriceRow> rows,
                    const PriceRow& best, const Needed& needed, const Prices& prices);

}  // namespace hacscale::planner
