#include "scaling/planner/detail/elimination.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>
#include <utility>

namespace hacscale::planner {
namespace {

// Which variables are in a table together, while they are eliminated one after another.
class Neighbours {
public:
    explicit Neighbours(const GraphProblem& problem) : problem_(problem), joined_(problem.values.size()) {
        for (std::vector<bool>& row : joined_) row.resize(problem.values.size(), false);
        for (const Factor& factor : problem.factors) join(factor.variables);
        for (const DerivedVariable& derived : problem.derived) {
            join({derived.variable, derived.first, derived.second});
        }
    }

    std::vector<int> of(int variable) const {
        std::vector<int> found;
        const std::vector<bool>& row = joined_[static_cast<std::size_t>(variable)];
        for (std::size_t other = 0; other < row.size(); ++other) {
            if (row[other]) found.push_back(static_cast<int>(other));
        }
        return found;
    }
    // log2 of the entries of the clique that eliminating it now would make
    double weight(int variable) const {
        double sum = std::log2(values(variable));
        for (const int other : of(variable)) sum += std::log2(values(other));
        return sum;
    }
    int fill(int variable) const {
        const std::vector<int> around = of(variable);
        int missing = 0;
        for (std::size_t a = 0; a < around.size(); ++a) {
            for (std::size_t b = a + 1; b < around.size(); ++b) {
                missing +=
                    joined_[static_cast<std::size_t>(around[a])][static_cast<std::size_t>(around[b])] ? 0 : 1;
            }
        }
        return missing;
    }
    void eliminate(int variable) {
        const std::vector<int> around = of(variable);
        join(around);
        for (const int other : around)
            joined_[static_cast<std::size_t>(other)][static_cast<std::size_t>(variable)] = false;
        joined_[static_cast<std::size_t>(variable)].assign(problem_.values.size(), false);
    }

private:
    double values(int variable) const { return problem_.values[static_cast<std::size_t>(variable)]; }
    void join(const std::vector<int>& variables) {
        for (const int a : variables) {
            for (const int b : variables) {
                if (a != b) joined_[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)] = true;
            }
        }
    }

    const GraphProblem& problem_;
    std::vector<std::vector<bool>> joined_;
};

struct Order {
    std::vector<int> variables;
    double entries = 0.0;  // of all cliques
};

// Greedily, by fewest edges that are added or by the smallest clique; the other one decides among equals.
Order greedy_order(const GraphProblem& problem, bool by_fill) {
    Neighbours neighbours(problem);
    const std::size_t count = problem.values.size();
    std::vector<bool> done(count, false);
    // Only neighbours of what was eliminated change.
    std::vector<std::pair<double, double>> rank(count);
    const auto rate = [&](int variable) {
        const double fill = neighbours.fill(variable);
        const double weight = neighbours.weight(variable);
        rank[static_cast<std::size_t>(variable)] =
            by_fill ? std::make_pair(fill, weight) : std::make_pair(weight, fill);
    };
    for (std::size_t v = 0; v < count; ++v) rate(static_cast<int>(v));
    Order order;
    for (std::size_t step = 0; step < count; ++step) {
        std::optional<std::size_t> best;
        for (std::size_t v = 0; v < count; ++v) {
            if (!done[v] && (!best || rank[v] < rank[*best])) best = v;
        }
        const auto variable = static_cast<int>(*best);
        done[*best] = true;
        order.variables.push_back(variable);
        order.entries += std::exp2(neighbours.weight(variable));
        std::vector<int> affected = neighbours.of(variable);
        neighbours.eliminate(variable);
        std::vector<bool> near(count, false);
        for (const int other : affected) {
            near[static_cast<std::size_t>(other)] = true;
            for (const int further : neighbours.of(other)) near[static_cast<std::size_t>(further)] = true;
        }
        for (std::size_t v = 0; v < count; ++v) {
            if (near[v] && !done[v]) rate(static_cast<int>(v));
        }
    }
    return order;
}

std::vector<int> order_of(const GraphProblem& problem) {
    Order by_fill = greedy_order(problem, true);
    Order by_weight = greedy_order(problem, false);
    return by_weight.entries < by_fill.entries ? by_weight.variables : by_fill.variables;
}

// What is still to be joined: a factor, a derivation, or the message of a node.
struct Function {
    enum class Kind { factor, derivation, message };
    Kind kind = Kind::factor;
    int id = 0;                  // factor, derived variable, node
    std::vector<int> variables;  // of a message, in the order of its node's separator
};

class TreeBuilder {
public:
    TreeBuilder(const GraphProblem& problem, std::size_t max_clique, std::size_t max_separator)
        : problem_(problem),
          max_clique_(static_cast<double>(max_clique)),
          max_separator_(static_cast<double>(max_separator)) {}

    Elimination build() {
        const std::vector<int> order = order_of(problem_);
        rank_.resize(order.size());
        for (std::size_t i = 0; i < order.size(); ++i) {
            rank_[static_cast<std::size_t>(order[i])] = static_cast<int>(i);
        }
        for (std::size_t f = 0; f < problem_.factors.size(); ++f) {
            open_.push_back({Function::Kind::factor, static_cast<int>(f), problem_.factors[f].variables});
        }
        for (std::size_t d = 0; d < problem_.derived.size(); ++d) {
            const DerivedVariable& derived = problem_.derived[d];
            open_.push_back({Function::Kind::derivation,
                             static_cast<int>(d),
                             {derived.first, derived.second, derived.variable}});
        }
        for (const int variable : order) eliminate(variable);
        reduce(open_, {});
        if (open_.size() == 2) {
            add_node({}, std::nullopt, open_);
        } else if (open_.empty()) {
            add_node({}, std::nullopt, {});
        }
        classify();
        return std::move(result_);
    }

private:
    double size_of(const std::vector<int>& variables) const {
        double size = 1.0;
        for (const int v : variables) size *= problem_.values[static_cast<std::size_t>(v)];
        return size;
    }

    std::vector<int> merged(std::vector<int> a, const std::vector<int>& b) const {
        for (const int variable : b) {
            if (std::find(a.begin(), a.end(), variable) == a.end()) a.push_back(variable);
        }
        std::sort(a.begin(), a.end(), [&](int x, int y) {
            return rank_[static_cast<std::size_t>(x)] > rank_[static_cast<std::size_t>(y)];
        });
        return a;
    }

    void eliminate(int variable) {
        std::vector<Function> bucket;
        std::vector<Function> others;
        for (Function& function : open_) {
            const bool has = std::find(function.variables.begin(), function.variables.end(), variable) !=
                             function.variables.end();
            (has ? bucket : others).push_back(std::move(function));
        }
        open_ = std::move(others);
        std::vector<std::vector<Function>> parts = divide(std::move(bucket));
        if (parts.empty()) parts.emplace_back();  // nothing depends on it
        result_.exact = result_.exact && parts.size() == 1;
        for (std::vector<Function>& part : parts) {
            std::vector<int> clique{variable};
            for (const Function& function : part) clique = merged(std::move(clique), function.variables);
            reduce(part, clique);
            clique.erase(std::find(clique.begin(), clique.end(), variable));
            open_.push_back(add_node(std::move(clique), variable, part));
        }
    }

    // Three messages or more may be joined over the whole clique before the variable is eliminated.
    bool is_small(const std::vector<int>& clique, const std::vector<Function>& part) const {
        const double size = size_of(clique);
        const double values = problem_.values[static_cast<std::size_t>(clique.back())];
        return size <= max_clique_ && (part.size() < 2 ? size / values : size) <= max_separator_;
    }

    // Into parts whose cliques are small enough; one where all of them together are.
    std::vector<std::vector<Function>> divide(std::vector<Function> bucket) const {
        std::stable_sort(bucket.begin(), bucket.end(), [&](const Function& a, const Function& b) {
            return size_of(a.variables) > size_of(b.variables);
        });
        std::vector<std::vector<Function>> parts;
        std::vector<std::vector<int>> cliques;
        for (Function& function : bucket) {
            std::size_t at = 0;
            for (; at < parts.size(); ++at) {
                const std::vector<int> joined = merged(cliques[at], function.variables);
                if (joined.size() == cliques[at].size() || is_small(joined, parts[at])) break;
            }
            if (at == parts.size()) {
                parts.emplace_back();
                cliques.emplace_back();
            }
            cliques[at] = merged(std::move(cliques[at]), function.variables);
            parts[at].push_back(std::move(function));
        }
        return parts;
    }

    // Joins messages until at most two are left, and those over the same variables before they meet a larger clique.
    void reduce(std::vector<Function>& functions, const std::vector<int>& clique) {
        while (true) {
            std::vector<std::size_t> messages;
            for (std::size_t i = 0; i < functions.size(); ++i) {
                if (functions[i].kind == Function::Kind::message) messages.push_back(i);
            }
            std::optional<std::pair<std::size_t, std::size_t>> pair;
            double least = std::numeric_limits<double>::infinity();
            for (std::size_t i = 0; i < messages.size(); ++i) {
                for (std::size_t j = i + 1; j < messages.size(); ++j) {
                    const std::vector<int>& a = functions[messages[i]].variables;
                    const std::vector<int>& b = functions[messages[j]].variables;
                    const bool same = a == b && a.size() < clique.size();
                    if (messages.size() <= 2 && !same) continue;
                    const double size = a == b ? 0.0 : size_of(merged(a, b));
                    if (size >= least) continue;
                    least = size;
                    pair = {messages[i], messages[j]};
                }
            }
            if (!pair) return;
            std::vector<Function> two{functions[pair->first], functions[pair->second]};
            functions.erase(functions.begin() + static_cast<std::ptrdiff_t>(pair->second));
            functions.erase(functions.begin() + static_cast<std::ptrdiff_t>(pair->first));
            std::vector<int> joined = merged(two.front().variables, two.back().variables);
            functions.push_back(add_node(std::move(joined), std::nullopt, two));
        }
    }

    std::size_t axis_of(const EliminationNode& node, int variable) const {
        return static_cast<std::size_t>(std::find(node.clique.begin(), node.clique.end(), variable) -
                                        node.clique.begin());
    }

    NodeInput input_of(const EliminationNode& node, int id, const std::vector<int>& variables) const {
        NodeInput input{id, std::vector<std::size_t>(node.clique.size(), 0)};
        std::size_t stride = 1;
        for (std::size_t i = variables.size(); i-- > 0;) {
            input.strides[axis_of(node, variables[i])] = stride;
            stride *= static_cast<std::size_t>(problem_.values[static_cast<std::size_t>(variables[i])]);
        }
        return input;
    }

    Function add_node(std::vector<int> separator, std::optional<int> eliminated,
                      const std::vector<Function>& functions) {
        const auto index = static_cast<int>(result_.nodes.size());
        EliminationNode node;
        node.clique = separator;
        node.eliminates = eliminated.has_value();
        if (eliminated) node.clique.push_back(*eliminated);
        for (const int variable : node.clique) {
            node.sizes.push_back(
                static_cast<std::size_t>(problem_.values[static_cast<std::size_t>(variable)]));
        }
        for (const Function& function : functions) {
            switch (function.kind) {
                case Function::Kind::factor: {
                    const Factor& factor = problem_.factors[static_cast<std::size_t>(function.id)];
                    node.factors.push_back(input_of(node, factor.table, factor.variables));
                    break;
                }
                case Function::Kind::derivation: {
                    const DerivedVariable& derived = problem_.derived[static_cast<std::size_t>(function.id)];
                    node.derivations.push_back({derived.table,
                                                {axis_of(node, derived.first), axis_of(node, derived.second),
                                                 axis_of(node, derived.variable)}});
                    break;
                }
                case Function::Kind::message: {
                    EliminationNode& child = result_.nodes[static_cast<std::size_t>(function.id)];
                    child.parent = index;
                    child.slot = node.messages.size();
                    node.messages.push_back(input_of(node, function.id, function.variables));
                    break;
                }
            }
        }
        result_.nodes.push_back(std::move(node));
        return {Function::Kind::message, index, std::move(separator)};
    }

    using Key = std::vector<std::size_t>;

    static void append(Key& key, const std::vector<std::size_t>& values) {
        key.push_back(values.size());
        key.insert(key.end(), values.begin(), values.end());
    }

    void classify() {
        std::map<Key, int> classes;
        const auto number = [](std::map<Key, int>& numbers, Key key) {
            return numbers.try_emplace(std::move(key), static_cast<int>(numbers.size())).first->second;
        };
        for (EliminationNode& node : result_.nodes) {
            Key key{node.eliminates ? std::size_t{1} : std::size_t{0}};
            append(key, node.sizes);
            std::vector<Key> inputs;
            for (const NodeInput& factor : node.factors) {
                inputs.push_back({0, static_cast<std::size_t>(factor.id)});
                append(inputs.back(), factor.strides);
            }
            for (const NodeDerivation& derivation : node.derivations) {
                inputs.push_back({1, static_cast<std::size_t>(derivation.table)});
                inputs.back().insert(inputs.back().end(), derivation.axes.begin(), derivation.axes.end());
            }
            std::sort(inputs.begin(), inputs.end());
            // Messages keep their order: a label's origins name them by it.
            for (const NodeInput& message : node.messages) {
                const auto child = static_cast<std::size_t>(message.id);
                inputs.push_back({2, static_cast<std::size_t>(result_.nodes[child].up_class)});
                append(inputs.back(), message.strides);
            }
            for (const Key& input : inputs) append(key, input);
            node.up_class = number(classes, std::move(key));
        }
        result_.up_classes = static_cast<int>(classes.size());
        std::map<Key, int> down_classes;
        for (std::size_t n = result_.nodes.size(); n-- > 0;) {
            EliminationNode& node = result_.nodes[n];
            Key key{static_cast<std::size_t>(node.up_class)};
            if (node.parent >= 0) {
                const EliminationNode& parent = result_.nodes[static_cast<std::size_t>(node.parent)];
                key.push_back(static_cast<std::size_t>(parent.down_class));
                append(key, parent.messages[node.slot].strides);
                // Of two equal messages it does not matter which one it is.
                for (std::size_t i = 0; i < parent.messages.size(); ++i) {
                    if (i == node.slot) continue;
                    const auto sibling = static_cast<std::size_t>(parent.messages[i].id);
                    key.push_back(static_cast<std::size_t>(result_.nodes[sibling].up_class));
                    append(key, parent.messages[i].strides);
                }
            }
            node.down_class = number(down_classes, std::move(key));
        }
        result_.down_classes = static_cast<int>(down_classes.size());
    }

    const GraphProblem& problem_;
    double max_clique_;
    double max_separator_;
    std::vector<int> rank_;  // of each variable, when it is eliminated
    std::vector<Function> open_;
    Elimination result_;
};

}  // namespace

std::size_t EliminationNode::separator_size() const {
    return std::accumulate(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(axes()), std::size_t{1},
                           std::multiplies<>());
}

std::size_t Elimination::total_clique_size() const {
    std::vector<std::size_t> sizes(static_cast<std::size_t>(up_classes), 0);
    for (const EliminationNode& node : nodes) {
        sizes[static_cast<std::size_t>(node.up_class)] = node.clique_size();
    }
    return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

std::size_t Elimination::total_separator_size() const {
    std::vector<std::size_t> sizes(static_cast<std::size_t>(down_classes), 0);
    for (const EliminationNode& node : nodes) {
        sizes[static_cast<std::size_t>(node.down_class)] = node.separator_size();
    }
    return std::accumulate(sizes.begin(), sizes.end(), std::size_t{0});
}

Elimination eliminate(const GraphProblem& problem, std::size_t max_clique, std::size_t max_separator) {
    return TreeBuilder(problem, max_clique, max_separator).build();
}

}  // namespace hacscale::planner
