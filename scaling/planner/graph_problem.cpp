#include "scaling/planner/graph_problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace hacscale {
namespace {

constexpr std::int64_t exact_sum_limit = std::int64_t{1} << 52;  // sums of doubles up to here are exact
constexpr int max_values = 65535;                                // indices are kept in 16 bits

[[noreturn]] void fail(const char* what, std::size_t index, const std::string& fault) {
    throw InputError(fmt::format("planner: {} {}: {}", what, index, fault));
}

// The most that the entries of one table can bring, of whatever is largest.
std::int64_t magnitude_of(const FactorTable& table, std::size_t index) {
    std::int64_t largest = 0;
    const auto take = [&](std::int64_t value) {
        const bool outside = value <= -exact_sum_limit || value >= exact_sum_limit;
        largest = std::max(largest, outside ? exact_sum_limit : value < 0 ? -value : value);
    };
    for (const BlockOption& entry : table) {
        const ResourceUsage& usage = entry.usage;
        if (entry.cost < 0 || usage.params < 0 || usage.macs < 0 || usage.weight_bytes < 0) {
            fail("table", index, "costs and usage must not be negative");
        }
        if (!entry.feasible()) continue;
        for (const std::int64_t value :
             {entry.cost, entry.gain, usage.params, usage.macs, usage.weight_bytes}) {
            take(value);
        }
    }
    return largest;
}

void check_variables(const GraphProblem& problem, const std::vector<int>& variables, const char* what,
                     std::size_t index) {
    for (std::size_t i = 0; i < variables.size(); ++i) {
        const int variable = variables[i];
        if (variable < 0 || variable >= static_cast<int>(problem.values.size())) {
            fail(what, index, fmt::format("there is no variable {}", variable));
        }
        if (std::find(variables.begin(), variables.begin() + static_cast<std::ptrdiff_t>(i), variable) !=
            variables.begin() + static_cast<std::ptrdiff_t>(i)) {
            fail(what, index, fmt::format("it has variable {} twice", variable));
        }
    }
}

std::size_t size_of(const GraphProblem& problem, const std::vector<int>& variables) {
    std::size_t size = 1;
    for (const int variable : variables) {
        size *= static_cast<std::size_t>(problem.values[static_cast<std::size_t>(variable)]);
        if (size > std::size_t{1} << 40) break;  // larger than any table there is
    }
    return size;
}

void check_factors(const GraphProblem& problem) {
    std::vector<std::int64_t> magnitudes;
    for (std::size_t t = 0; t < problem.tables.size(); ++t) {
        magnitudes.push_back(magnitude_of(problem.tables[t], t));
    }
    std::int64_t sum = 0;
    for (const std::int64_t offset : {problem.cost_offset, problem.gain_offset, problem.usage_offset.params,
                                      problem.usage_offset.macs, problem.usage_offset.weight_bytes}) {
        if (offset <= -exact_sum_limit || offset >= exact_sum_limit) fail("offset", 0, "it exceeds 2^52");
        sum = std::max(sum, offset < 0 ? -offset : offset);
    }
    for (std::size_t f = 0; f < problem.factors.size(); ++f) {
        const Factor& factor = problem.factors[f];
        if (factor.variables.empty()) fail("factor", f, "it has no variables; add it to the offsets");
        check_variables(problem, factor.variables, "factor", f);
        if (factor.table < 0 || factor.table >= static_cast<int>(problem.tables.size())) {
            fail("factor", f, fmt::format("there is no table {}", factor.table));
        }
        const auto table = static_cast<std::size_t>(factor.table);
        if (problem.tables[table].size() != size_of(problem, factor.variables)) {
            fail("factor", f,
                 fmt::format("its table has {} entries, its variables {} pairs of values",
                             problem.tables[table].size(), size_of(problem, factor.variables)));
        }
        sum = std::min(exact_sum_limit, sum + magnitudes[table]);
    }
    if (sum >= exact_sum_limit) {
        throw InputError("planner: sums over the factors could exceed 2^52; use a coarser unit");
    }
}

void check_derived(const GraphProblem& problem) {
    std::vector<int> rank(problem.values.size(),
                          0);  // of each variable, 1 + those of the two that determine it
    std::vector<bool> seen(problem.values.size(), false);
    for (std::size_t d = 0; d < problem.derived.size(); ++d) {
        const DerivedVariable& derived = problem.derived[d];
        check_variables(problem, {derived.variable, derived.first, derived.second}, "derived variable", d);
        const auto variable = static_cast<std::size_t>(derived.variable);
        if (seen[variable]) fail("derived variable", d, "something else determines it, too");
        seen[variable] = true;
        if (derived.table < 0 || derived.table >= static_cast<int>(problem.derivations.size())) {
            fail("derived variable", d, fmt::format("there is no table {}", derived.table));
        }
        const std::vector<int>& table = problem.derivations[static_cast<std::size_t>(derived.table)];
        if (table.size() != size_of(problem, {derived.first, derived.second})) {
            fail("derived variable", d, "its table does not have one value for each pair");
        }
        const int values = problem.values[variable];
        if (std::any_of(table.begin(), table.end(), [&](int v) { return v < -1 || v >= values; })) {
            fail("derived variable", d, "its table has values that it does not have");
        }
    }
    // Whatever determines a variable comes before it in some order.
    for (std::size_t round = 0; round <= problem.derived.size(); ++round) {
        bool changed = false;
        for (const DerivedVariable& derived : problem.derived) {
            const int needed = 1 + std::max(rank[static_cast<std::size_t>(derived.first)],
                                            rank[static_cast<std::size_t>(derived.second)]);
            int& own = rank[static_cast<std::size_t>(derived.variable)];
            changed = changed || own < needed;
            own = std::max(own, needed);
        }
        if (!changed) return;
    }
    throw InputError("planner: derived variables determine each other in a circle");
}

// A factor's table as it is over the same variables in another order.
struct OrderedFactor {
    int table = 0;
    std::vector<std::size_t> strides;  // in the table, of each variable
    auto operator<=>(const OrderedFactor&) const = default;
};

OrderedFactor in_order(const GraphProblem& problem, const Factor& factor, const std::vector<int>& variables) {
    OrderedFactor result{factor.table, std::vector<std::size_t>(variables.size(), 0)};
    std::size_t stride = 1;
    for (std::size_t i = factor.variables.size(); i-- > 0;) {
        const int variable = factor.variables[i];
        const auto axis = std::find(variables.begin(), variables.end(), variable) - variables.begin();
        result.strides[static_cast<std::size_t>(axis)] = stride;
        stride *= static_cast<std::size_t>(problem.values[static_cast<std::size_t>(variable)]);
    }
    return result;
}

FactorTable sum_of(const GraphProblem& problem, const std::vector<int>& variables,
                   const std::vector<OrderedFactor>& factors) {
    FactorTable sum(size_of(problem, variables), BlockOption{0, 0, {}});
    std::vector<std::size_t> values(variables.size(), 0);
    for (BlockOption& entry : sum) {
        for (const OrderedFactor& factor : factors) {
            std::size_t place = 0;
            for (std::size_t axis = 0; axis < values.size(); ++axis) {
                place += values[axis] * factor.strides[axis];
            }
            const BlockOption& one = problem.tables[static_cast<std::size_t>(factor.table)][place];
            if (!one.feasible()) {
                entry = BlockOption{};
                break;
            }
            entry.cost += one.cost;
            entry.gain += one.gain;
            entry.usage.add(one.usage);
        }
        for (std::size_t axis = values.size(); axis-- > 0;) {
            const int count = problem.values[static_cast<std::size_t>(variables[axis])];
            if (++values[axis] < static_cast<std::size_t>(count)) break;
            values[axis] = 0;
        }
    }
    return sum;
}

}  // namespace

void join_factors(GraphProblem& problem) {
    std::map<std::vector<int>, std::vector<std::size_t>> by_variables;
    for (std::size_t f = 0; f < problem.factors.size(); ++f) {
        std::vector<int> variables = problem.factors[f].variables;
        std::sort(variables.begin(), variables.end());
        by_variables[std::move(variables)].push_back(f);
    }
    std::map<std::vector<OrderedFactor>, int> sums;
    std::vector<FactorTable> tables;
    std::vector<Factor> factors;
    for (auto& [variables, same] : by_variables) {
        // Parts of a network that are alike have their variables in one order, whatever their numbers.
        std::sort(same.begin(), same.end(), [&](std::size_t a, std::size_t b) {
            const auto table = [&](std::size_t f) { return problem.factors[f].table; };
            return table(a) != table(b) ? table(a) < table(b) : a < b;
        });
        const std::vector<int>& order = problem.factors[same.front()].variables;
        std::vector<OrderedFactor> parts;
        for (const std::size_t f : same) parts.push_back(in_order(problem, problem.factors[f], order));
        const auto [known, is_new] = sums.try_emplace(parts, static_cast<int>(tables.size()));
        if (is_new) tables.push_back(sum_of(problem, order, parts));
        factors.push_back({order, known->second});
    }
    problem.tables = std::move(tables);
    problem.factors = std::move(factors);
}

std::size_t GraphProblem::table_bytes() const {
    std::size_t bytes = 0;
    for (const FactorTable& table : tables) bytes += table.size() * sizeof(BlockOption);
    for (const std::vector<int>& table : derivations) bytes += table.size() * sizeof(int);
    return bytes;
}

std::optional<ChainTotals> totals_of(const GraphProblem& problem, const Assignment& choice) {
    const auto at = [&](int variable) { return std::size_t{choice[static_cast<std::size_t>(variable)]}; };
    const auto values = [&](int variable) {
        return static_cast<std::size_t>(problem.values[static_cast<std::size_t>(variable)]);
    };
    for (const DerivedVariable& derived : problem.derived) {
        const std::vector<int>& table = problem.derivations[static_cast<std::size_t>(derived.table)];
        const int value = table[at(derived.first) * values(derived.second) + at(derived.second)];
        if (value != static_cast<int>(at(derived.variable))) return std::nullopt;
    }
    ChainTotals totals{problem.cost_offset, problem.gain_offset, problem.usage_offset};
    for (const Factor& factor : problem.factors) {
        std::size_t place = 0;
        for (const int variable : factor.variables) place = place * values(variable) + at(variable);
        const BlockOption& entry = problem.tables[static_cast<std::size_t>(factor.table)][place];
        if (!entry.feasible()) return std::nullopt;
        totals.cost += entry.cost;
        totals.gain += entry.gain;
        totals.usage.add(entry.usage);
    }
    return totals;
}

void check(const GraphProblem& problem) {
    for (std::size_t v = 0; v < problem.values.size(); ++v) {
        if (problem.values[v] < 1 || problem.values[v] > max_values) {
            fail("variable", v, "it must have 1 to 65535 values");
        }
    }
    check_factors(problem);
    check_derived(problem);
}

}  // namespace hacscale
