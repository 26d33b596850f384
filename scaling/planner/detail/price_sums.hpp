// Worths at several prices, and the loops that add them up: what the planner of graphs spends its time in. price_rows.hpp says what a
// worth is.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

#include "scaling/planner/detail/labels.hpp"
#include "scaling/planner/graph_problem.hpp"

namespace hacscale::planner {

// The worth of what is infeasible.
constexpr float minus_infinity = -std::numeric_limits<float>::infinity();

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
