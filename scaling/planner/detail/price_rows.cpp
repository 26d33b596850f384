#include "scaling/planner/detail/price_rows.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace hacscale::planner {

// ---- Derivations ----

AllowedValues::Values AllowedValues::at(const std::vector<std::size_t>& separator) {
    if (node_.derivations.empty()) return {};
    const std::size_t last = node_.eliminates ? node_.clique.size() - 1 : node_.clique.size();
    const std::size_t values = node_.eliminated_values();
    some_.clear();
    // Where the eliminated variable is the derived one, at most one value is allowed, and known.
    for (const NodeDerivation& derivation : node_.derivations) {
        if (derivation.axes[2] != last) continue;
        const std::size_t second = node_.sizes[derivation.axes[1]];
        const int value =
            problem_.derivations[static_cast<std::size_t>(derivation.table)]
                                [separator[derivation.axes[0]] * second + separator[derivation.axes[1]]];
        if (value >= 0 && admit(static_cast<std::size_t>(value), separator)) {
            some_.push_back(static_cast<std::uint16_t>(value));
        }
        return {false, some_};
    }
    for (std::size_t value = 0; value < values; ++value) {
        if (admit(value, separator)) some_.push_back(static_cast<std::uint16_t>(value));
    }
    return {false, some_};
}

bool AllowedValues::admit(std::size_t value, const std::vector<std::size_t>& separator) const {
    const auto at = [&](std::size_t axis) { return axis < separator.size() ? separator[axis] : value; };
    return std::all_of(
        node_.derivations.begin(), node_.derivations.end(), [&](const NodeDerivation& derivation) {
            const std::vector<int>& table = problem_.derivations[static_cast<std::size_t>(derivation.table)];
            const std::size_t place =
                at(derivation.axes[0]) * node_.sizes[derivation.axes[1]] + at(derivation.axes[1]);
            return table[place] == static_cast<int>(at(derivation.axes[2]));
        });
}

// ---- The passes ----

PriceBounds::PriceBounds(const GraphProblem& problem, const Elimination& tree)
    : problem_(problem),
      tree_(tree),
      up_(static_cast<std::size_t>(tree.up_classes)),
      down_(static_cast<std::size_t>(tree.down_classes)) {
    amounts_.reserve(problem.tables.size());
    for (const FactorTable& table : problem.tables) {
        std::vector<Amounts>& amounts = amounts_.emplace_back();
        amounts.reserve(table.size());
        for (const BlockOption& entry : table) {
            amounts.push_back(entry.feasible() ? amounts_of(entry.cost, entry.gain, entry.usage)
                                               : Amounts{minus_infinity, 0.0F, 0.0F, 0.0F});
        }
        bytes_ += amounts.size() * sizeof(Amounts);
    }
    lay_out_inputs();
}

// A pass goes through the values of an eliminated variable again and again: far apart in a table, they would come from memory
// each time.
void PriceBounds::lay_out_inputs() {
    std::map<std::pair<int, std::size_t>, int> known;  // of a table and the stride of what comes last
    for (const EliminationNode& node : tree_.nodes) {
        std::vector<NodeInput>& inputs = inputs_.emplace_back(node.factors);
        for (NodeInput& input : inputs) {
            const std::size_t stride = node.last_stride(input);
            const std::size_t values = node.eliminated_values();
            if (stride <= 1 || values == 1) continue;
            const std::vector<Amounts>& from = amounts_[static_cast<std::size_t>(input.id)];
            // The axes inside of the eliminated one come outside of it: [outer][values][stride] to [outer][stride][values].
            const auto [at, is_new] =
                known.try_emplace({input.id, stride}, static_cast<int>(amounts_.size()));
            if (is_new) {
                std::vector<Amounts> to(from.size());
                for (std::size_t i = 0; i < from.size(); ++i) {
                    const std::size_t outer = i / (values * stride);
                    const std::size_t value = i / stride % values;
                    to[(outer * stride + i % stride) * values + value] = from[i];
                }
                bytes_ += to.size() * sizeof(Amounts);
                amounts_.push_back(std::move(to));
            }
            for (std::size_t axis = 0; axis < input.strides.size(); ++axis) {
                std::size_t& own = input.strides[axis];
                own = axis + 1 == input.strides.size() ? 1 : own < stride ? own * values : own;
            }
            input.id = at->second;
        }
    }
}

std::vector<TableCursor> PriceBounds::tables_of(const EliminationNode& node) const {
    std::vector<TableCursor> tables;
    for (const NodeInput& input : inputs(node)) {
        tables.push_back({amounts(input.id).data(), node.last_stride(input)});
    }
    return tables;
}

namespace {

// Goes through the separators of a node, with all its inputs at hand.
class NodeWalk {
public:
    // `inputs` and the strides must outlive this.
    NodeWalk(const GraphProblem& problem, const EliminationNode& node, const std::vector<NodeInput>& inputs,
             std::vector<TableCursor> tables, std::vector<RowCursor> rows,
             std::vector<const std::vector<std::size_t>*> row_strides)
        : node_(node),
          tables_(std::move(tables)),
          rows_(std::move(rows)),
          tables_now_(tables_),
          rows_now_(rows_),
          allowed_(problem, node),
          odometer_(node.sizes, node.axes(), all_strides(inputs, std::move(row_strides))) {}

    // Calls visit(separator place, place of each row input in its table, first value, count, joined) for each run of
    // allowed values.
    template <typename Visit>
    void run(const Visit& visit) {
        const std::size_t separators = node_.separator_size();
        for (std::size_t s = 0; s < separators; ++s, odometer_.advance()) {
            const AllowedValues::Values values = allowed_.at(odometer_.values());
            if (values.all) {
                aim(0);
                visit(s, *this, std::size_t{0}, node_.eliminated_values(), joined());
                continue;
            }
            for (const std::uint16_t value : values.some) {
                aim(value);
                visit(s, *this, std::size_t{value}, std::size_t{1}, joined());
            }
        }
    }
    std::size_t row_place(std::size_t row) const { return odometer_.place(tables_.size() + row); }

private:
    static std::vector<const std::vector<std::size_t>*> all_strides(
        const std::vector<NodeInput>& inputs, std::vector<const std::vector<std::size_t>*> row_strides) {
        std::vector<const std::vector<std::size_t>*> strides;
        for (const NodeInput& input : inputs) strides.push_back(&input.strides);
        strides.insert(strides.end(), row_strides.begin(), row_strides.end());
        return strides;
    }
    void aim(std::size_t value) {
        for (std::size_t t = 0; t < tables_.size(); ++t) {
            tables_now_[t].at = tables_[t].at + odometer_.place(t) + value * tables_[t].stride;
        }
        for (std::size_t r = 0; r < rows_.size(); ++r) {
            rows_now_[r].at = rows_[r].at + row_place(r) + value * rows_[r].stride;
        }
    }
    Joined joined() const { return {tables_now_, rows_now_}; }

    const EliminationNode& node_;
    std::vector<TableCursor> tables_;
    std::vector<RowCursor> rows_;
    std::vector<TableCursor> tables_now_;
    std::vector<RowCursor> rows_now_;
    AllowedValues allowed_;
    Odometer odometer_;
};

}  // namespace

void PriceBounds::set_prices(const Prices& prices) {
    prices_ = prices;
    offset_ =
        worth_of(amounts_of(problem_.cost_offset, problem_.gain_offset, problem_.usage_offset), prices_);
    for (std::vector<PriceRow>& rows : down_) rows.clear();
    std::vector<bool> done(up_.size(), false);
    for (const EliminationNode& node : tree_.nodes) {
        const auto index = static_cast<std::size_t>(node.up_class);
        if (done[index]) continue;
        done[index] = true;
        fill_up(node);
    }
    best_ = up(tree_.nodes.back())[0];
    for (std::size_t k = 0; k < price_count; ++k) best_.at[k] += offset_.at[k];
    set_margin();
}

void PriceBounds::fill_up(const EliminationNode& node) {
    std::vector<PriceRow>& to = up_[static_cast<std::size_t>(node.up_class)];
    PriceRow nothing;
    nothing.at.fill(minus_infinity);
    bytes_ -= to.size() * sizeof(PriceRow);
    to.assign(node.separator_size(), nothing);
    bytes_ += to.size() * sizeof(PriceRow);
    std::vector<RowCursor> rows;
    std::vector<const std::vector<std::size_t>*> strides;
    for (const NodeInput& message : node.messages) {
        rows.push_back({up(tree_.nodes[static_cast<std::size_t>(message.id)]), node.last_stride(message)});
        strides.push_back(&message.strides);
    }
    NodeWalk walk(problem_, node, inputs(node), tables_of(node), std::move(rows), std::move(strides));
    walk.run([&](std::size_t s, const NodeWalk&, std::size_t, std::size_t count, const Joined& joined) {
        raise_to_best(to[s], joined, count, prices_);
    });
}

void PriceBounds::pass_down() {
    PriceRow nothing;
    nothing.at.fill(minus_infinity);
    for (std::size_t n = tree_.nodes.size(); n-- > 0;) {
        const EliminationNode& node = tree_.nodes[n];
        std::vector<PriceRow>& rows = down_[static_cast<std::size_t>(node.down_class)];
        if (!rows.empty()) continue;
        if (node.parent < 0) {
            rows.assign(1, offset_);
            continue;
        }
        rows.assign(node.separator_size(), nothing);
        bytes_ += rows.size() * sizeof(PriceRow);
        fill_down(node);
    }
}

void PriceBounds::fill_down(const EliminationNode& node) {
    const EliminationNode& parent = tree_.nodes[static_cast<std::size_t>(node.parent)];
    PriceRow* const to = down_[static_cast<std::size_t>(node.down_class)].data();
    const NodeInput& own = parent.messages[node.slot];
    const PriceRow* const above = down(parent);
    std::vector<RowCursor> rows;
    std::vector<const std::vector<std::size_t>*> strides;
    for (std::size_t i = 0; i < parent.messages.size(); ++i) {
        if (i == node.slot) continue;
        const NodeInput& message = parent.messages[i];
        rows.push_back({up(tree_.nodes[static_cast<std::size_t>(message.id)]), parent.last_stride(message)});
        strides.push_back(&message.strides);
    }
    const std::size_t siblings = rows.size();
    strides.push_back(&own.strides);
    NodeWalk walk(problem_, parent, inputs(parent), tables_of(parent), std::move(rows), std::move(strides));
    const std::size_t stride = parent.last_stride(own);
    walk.run([&](std::size_t s, const NodeWalk& at, std::size_t first, std::size_t count,
                 const Joined& joined) {
        raise_each(to + at.row_place(siblings) + first * stride, stride, above[s], joined, count, prices_);
    });
}

Assignment PriceBounds::best_choice(std::size_t price) const {
    Assignment choice(problem_.values.size(), 0);
    for (std::size_t n = tree_.nodes.size(); n-- > 0;) {
        const EliminationNode& node = tree_.nodes[n];
        if (!node.eliminates) continue;
        std::vector<std::size_t> separator;
        for (std::size_t axis = 0; axis < node.axes(); ++axis) {
            separator.push_back(choice[static_cast<std::size_t>(node.clique[axis])]);
        }
        const auto place_of = [&](const NodeInput& input) {
            std::size_t place = 0;
            for (std::size_t axis = 0; axis < separator.size(); ++axis) {
                place += input.strides[axis] * separator[axis];
            }
            return place;
        };
        AllowedValues allowed(problem_, node);
        const AllowedValues::Values values = allowed.at(separator);
        float best = minus_infinity;
        const auto take = [&](std::size_t value) {
            std::vector<TableCursor> tables;
            for (const NodeInput& input : inputs(node)) {
                tables.push_back(
                    {amounts(input.id).data() + place_of(input) + value * input.strides.back(), 0});
            }
            std::vector<RowCursor> rows;
            for (const NodeInput& message : node.messages) {
                rows.push_back({up(tree_.nodes[static_cast<std::size_t>(message.id)]) + place_of(message) +
                                    value * message.strides.back(),
                                0});
            }
            PriceRow worth;
            worth.at.fill(minus_infinity);
            raise_to_best(worth, {tables, rows}, 1, prices_);
            if (!(worth.at[price] > best)) return;
            best = worth.at[price];
            choice[static_cast<std::size_t>(node.clique.back())] = static_cast<std::uint16_t>(value);
        };
        if (values.all) {
            for (std::size_t value = 0; value < node.eliminated_values(); ++value) take(value);
        } else {
            for (const std::uint16_t value : values.some) take(value);
        }
    }
    return choice;
}

// Every sum adds up at most one number a factor, each rounded to a float, multiplied by a price and added once: less than
// 2^-22 of the largest absolute values that any of them can have for each step.
void PriceBounds::set_margin() {
    std::array<double, price_count> largest{};
    const auto take = [&](double gain, double cost, double params, double macs) {
        for (std::size_t k = 0; k < price_count; ++k) {
            largest[k] +=
                gain + prices_.cost.at[k] * cost + prices_.params.at[k] * params + prices_.macs.at[k] * macs;
        }
    };
    std::vector<Amounts> of_table;
    for (std::size_t t = 0; t < problem_.tables.size(); ++t) {
        const std::vector<Amounts>& table = amounts_[t];
        Amounts& max = of_table.emplace_back();
        for (const Amounts& entry : table) {
            if (entry.gain == minus_infinity) continue;
            max.gain = std::max(max.gain, std::abs(entry.gain));
            max.cost = std::max(max.cost, entry.cost);
            max.params = std::max(max.params, entry.params);
            max.macs = std::max(max.macs, entry.macs);
        }
    }
    for (const Factor& factor : problem_.factors) {
        const Amounts& max = of_table[static_cast<std::size_t>(factor.table)];
        take(max.gain, max.cost, max.params, max.macs);
    }
    take(std::abs(static_cast<double>(problem_.gain_offset)), static_cast<double>(problem_.cost_offset),
         static_cast<double>(problem_.usage_offset.params), static_cast<double>(problem_.usage_offset.macs));
    const double steps = 8.0 + static_cast<double>(problem_.factors.size() + 2 * tree_.nodes.size());
    for (std::size_t k = 0; k < price_count; ++k) {
        margin_.at[k] = static_cast<float>(largest[k] * steps * 0x1p-23);
    }
}

}  // namespace hacscale::planner
