// The order in which a problem's variables are eliminated, as a tree: each node joins what its factors and its children
// (messages) say of the variables in its clique, and eliminates the last of these. What is left, its separator, is what the
// rest of the problem sees of the node and all that is below it. This is a tree decomposition in the form in which dynamic
// programs use it (bucket elimination; Dechter 1999).
//
// Where a clique would be too large, its factors and messages are divided over several nodes that eliminate the variable each
// on its own (mini-buckets; Dechter and Rish 2003): maxima over the tree are then upper bounds.
#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "scaling/planner/graph_problem.hpp"

namespace hacscale::planner {

// Variables and tables have numbers that are never negative.
constexpr std::size_t index(int number) {
    return static_cast<std::size_t>(number);
}

// Where a node finds an entry of a table, or of a child: at the sum of stride x value over the clique.
struct NodeInput {
    int id = 0;  // of a factor its table, of a message its node
    std::vector<std::size_t> strides;
};

// The clique's axes of a derived variable and of the two that determine it.
struct NodeDerivation {
    int table = 0;
    std::array<std::size_t, 3> axes{};  // first, second, derived
};

struct EliminationNode {
    std::vector<int> clique;  // variables; the eliminated one comes last
    std::vector<std::size_t> sizes;
    bool eliminates = true;  // otherwise it only joins two messages, and its separator is the clique
    std::vector<NodeInput> factors;
    std::vector<NodeInput> messages;  // at most 2
    std::vector<NodeDerivation> derivations;
    int parent = -1;       // -1: the root
    std::size_t slot = 0;  // among the parent's messages
    // Nodes with one class have the same tables below them: their messages are equal.
    int up_class = 0;
    // Nodes with one class have the same tables above and below them.
    int down_class = 0;

    // Of the eliminated variable.
    std::size_t last_stride(const NodeInput& input) const { return eliminates ? input.strides.back() : 0; }
    std::size_t axes() const { return clique.size() - (eliminates ? 1 : 0); }  // of the separator
    std::size_t separator_size() const;
    std::size_t eliminated_values() const { return eliminates ? sizes.back() : 1; }
    std::size_t clique_size() const { return separator_size() * eliminated_values(); }
};

struct Elimination {
    std::vector<EliminationNode>
        nodes;  // children before parents; the last one is the root, with no separator
    int up_classes = 0;
    int down_classes = 0;
    bool exact = true;  // no variable was eliminated in several nodes

    // Over one node of each class.
    std::size_t total_clique_size() const;
    std::size_t total_separator_size() const;
};

// Cliques have at most `max_clique` and separators at most `max_separator` entries, but a factor's own table counts as none.
// `problem` passes check().
Elimination eliminate(const GraphProblem& problem, std::size_t max_clique, std::size_t max_separator);

// Goes through all values of some axes in row-major order, and keeps places in tables at hand.
class Odometer {
public:
    // `strides`: one list a table, at least one stride an axis each.
    Odometer(const std::vector<std::size_t>& sizes, std::size_t axes,
             std::vector<const std::vector<std::size_t>*> strides)
        : sizes_(sizes), strides_(std::move(strides)), values_(axes, 0), places_(strides_.size(), 0) {}

    const std::vector<std::size_t>& values() const { return values_; }
    std::size_t place(std::size_t table) const { return places_[table]; }
    void advance() {
        for (std::size_t axis = values_.size(); axis-- > 0;) {
            if (++values_[axis] < sizes_[axis]) {
                for (std::size_t t = 0; t < strides_.size(); ++t) places_[t] += (*strides_[t])[axis];
                return;
            }
            for (std::size_t t = 0; t < strides_.size(); ++t) {
                places_[t] -= (*strides_[t])[axis] * (sizes_[axis] - 1);
            }
            values_[axis] = 0;
        }
    }

private:
    const std::vector<std::size_t>& sizes_;
    std::vector<const std::vector<std::size_t>*> strides_;
    std::vector<std::size_t> values_;
    std::vector<std::size_t> places_;
};

}  // namespace hacscale::planner
