#include "scaling/planner/detail/price_sums.hpp"

#if defined(__GNUC__)
#define HACSCALE_INLINE inline __attribute__((always_inline))
#else
#define HACSCALE_INLINE inline
#endif
// Sanitizers and resolvers that run before them do not go together.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__clang__)
#define HACSCALE_PRICE_CLONES __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define HACSCALE_PRICE_CLONES
#endif

namespace hacscale::planner {
namespace {

template <bool OfUsage>
HACSCALE_INLINE PriceRow priced(const Amounts& amounts, const Prices& prices) {
    PriceRow row;
    for (std::size_t k = 0; k < price_count; ++k) row.at[k] = amounts.gain - prices.cost.at[k] * amounts.cost;
    if constexpr (OfUsage) {
        for (std::size_t k = 0; k < price_count; ++k) {
            row.at[k] -= prices.params.at[k] * amounts.params + prices.macs.at[k] * amounts.macs;
        }
    }
    return row;
}

HACSCALE_INLINE PriceRow priced(const Amounts& amounts, const Prices& prices) {
    return prices.of_usage ? priced<true>(amounts, prices) : priced<false>(amounts, prices);
}

HACSCALE_INLINE void add(PriceRow& row, const PriceRow& other) {
    for (std::size_t k = 0; k < price_count; ++k) row.at[k] += other.at[k];
}

HACSCALE_INLINE void raise(PriceRow& row, const PriceRow& other) {
    for (std::size_t k = 0; k < price_count; ++k) {
        row.at[k] = row.at[k] < other.at[k] ? other.at[k] : row.at[k];
    }
}

HACSCALE_INLINE Amounts sum_at(std::span<const TableCursor> tables, std::size_t value) {
    Amounts sum;
    for (const TableCursor& table : tables) {
        const Amounts& entry = table.at[value * table.stride];
        sum.gain += entry.gain;
        sum.cost += entry.cost;
        sum.params += entry.params;
        sum.macs += entry.macs;
    }
    return sum;
}

HACSCALE_INLINE bool reaches_some(const PriceRow& worth, const PriceRow& least) {
    int some = 0;
    for (std::size_t k = 0; k < price_count; ++k) some |= worth.at[k] >= least.at[k] ? 1 : 0;
    return some != 0;
}

// Without prices of usage nothing is needed at all prices.
template <bool OfUsage>
HACSCALE_INLINE bool meets_needed(const PriceRow& worth, const Needed& needed) {
    int missing = 0;
    if constexpr (OfUsage) {
        for (std::size_t k = 0; k < price_count; ++k) missing |= worth.at[k] < needed.all.at[k] ? 1 : 0;
    }
    return missing == 0 && reaches_some(worth, needed.any);
}

HACSCALE_INLINE Amounts amounts_of_label(const Label& label) {
    return {static_cast<float>(label.gain), static_cast<float>(label.cost),
            static_cast<float>(label.usage.params), static_cast<float>(label.usage.macs)};
}

HACSCALE_INLINE Needed needed_less(const Needed& needed, const PriceRow& worth) {
    Needed left;
    for (std::size_t k = 0; k < price_count; ++k) {
        left.any.at[k] = needed.any.at[k] - worth.at[k];
        left.all.at[k] = needed.all.at[k] - worth.at[k];
    }
    return left;
}

// ---- Loops over the values of an eliminated variable ----

// What is joined, with the number of its rows and whether usage has a price known to the compiler: sums stay in registers then.
template <std::size_t Rows, bool OfUsage>
struct Sums {
    const Joined& joined;
    const Prices& prices;

    HACSCALE_INLINE PriceRow row(std::size_t value, const Amounts& sum) const {
        PriceRow row = priced<OfUsage>(sum, prices);
        for (std::size_t i = 0; i < Rows; ++i) add(row, joined.rows[i].at[value * joined.rows[i].stride]);
        return row;
    }
    HACSCALE_INLINE static bool meets(const PriceRow& worth, const Needed& needed) {
        return meets_needed<OfUsage>(worth, needed);
    }
    HACSCALE_INLINE PriceRow row(std::size_t value) const { return row(value, sum_at(joined.tables, value)); }
    // Calls loop.take(sums, value, row) for each value that is feasible by the tables.
    template <typename Loop>
    HACSCALE_INLINE void each_feasible(std::size_t count, const Loop& loop) const {
        for (std::size_t value = 0; value < count; ++value) {
            const Amounts sum = sum_at(joined.tables, value);
            if (sum.gain == minus_infinity) continue;
            loop.take(*this, value, row(value, sum));
        }
    }
};

template <bool OfUsage, typename Loop>
HACSCALE_INLINE void run_by_rows(const Joined& joined, std::size_t count, const Prices& prices,
                                 const Loop& loop) {
    switch (joined.rows.size()) {
        case 0:
            return loop.run(Sums<0, OfUsage>{joined, prices}, count);
        case 1:
            return loop.run(Sums<1, OfUsage>{joined, prices}, count);
        case 2:
            return loop.run(Sums<2, OfUsage>{joined, prices}, count);
        default:
            return loop.run(Sums<3, OfUsage>{joined, prices}, count);
    }
}

template <typename Loop>
HACSCALE_INLINE void run(const Joined& joined, std::size_t count, const Prices& prices, const Loop& loop) {
    if (prices.of_usage) return run_by_rows<true>(joined, count, prices, loop);
    run_by_rows<false>(joined, count, prices, loop);
}

// Four values at a time, so that they do not wait for each other; an infeasible one is worth minus infinity.
struct RaiseToBest {
    PriceRow& to;

    template <typename OfSums>
    HACSCALE_INLINE void run(const OfSums& sums, std::size_t count) const {
        PriceRow best = to;
        std::size_t value = 0;
        for (; value + 4 <= count; value += 4) {
            PriceRow first = sums.row(value);
            raise(first, sums.row(value + 1));
            PriceRow second = sums.row(value + 2);
            raise(second, sums.row(value + 3));
            raise(first, second);
            raise(best, first);
        }
        for (; value < count; ++value) raise(best, sums.row(value));
        to = best;
    }
};

struct RaiseEach {
    PriceRow* to;
    std::size_t stride;
    const PriceRow& above;

    template <typename OfSums>
    HACSCALE_INLINE void run(const OfSums& sums, std::size_t count) const {
        sums.each_feasible(count, *this);
    }
    template <typename OfSums>
    HACSCALE_INLINE void take(const OfSums&, std::size_t value, PriceRow row) const {
        add(row, above);
        raise(to[value * stride], row);
    }
};

// `needed` is less what is above.
struct AppendNeeded {
    std::vector<std::uint16_t>& values;
    std::size_t first;
    const Needed& needed;

    template <typename OfSums>
    HACSCALE_INLINE void run(const OfSums& sums, std::size_t count) const {
        sums.each_feasible(count, *this);
    }
    template <typename OfSums>
    HACSCALE_INLINE void take(const OfSums&, std::size_t value, const PriceRow& row) const {
        if (OfSums::meets(row, needed)) values.push_back(static_cast<std::uint16_t>(first + value));
    }
};

// ---- Loops over labels ----

template <bool OfUsage>
HACSCALE_INLINE void append_labels(std::vector<std::uint32_t>& places, std::span<const Label> labels,
                                   const Needed& needed, const Prices& prices) {
    for (std::size_t i = 0; i < labels.size(); ++i) {
        const PriceRow worth = priced<OfUsage>(amounts_of_label(labels[i]), prices);
        if (meets_needed<OfUsage>(worth, needed)) places.push_back(static_cast<std::uint32_t>(i));
    }
}

template <bool OfUsage>
HACSCALE_INLINE void append_rows(std::vector<std::uint32_t>& places, std::span<const PriceRow> rows,
                                 const PriceRow& best, const Needed& needed) {
    if (!meets_needed<OfUsage>(best, needed)) return;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        if (meets_needed<OfUsage>(rows[i], needed)) places.push_back(static_cast<std::uint32_t>(i));
    }
}

}  // namespace

HACSCALE_PRICE_CLONES
void raise_to_best(PriceRow& to, const Joined& joined, std::size_t count, const Prices& prices) {
    run(joined, count, prices, RaiseToBest{to});
}

HACSCALE_PRICE_CLONES
void raise_each(PriceRow* to, std::size_t stride, const PriceRow& above, const Joined& joined,
                std::size_t count, const Prices& prices) {
    run(joined, count, prices, RaiseEach{to, stride, above});
}

HACSCALE_PRICE_CLONES
void append_needed(std::vector<std::uint16_t>& values, const Joined& joined, const PriceRow& above,
                   std::size_t first, std::size_t count, const Needed& needed, const Prices& prices) {
    const Needed left = needed_less(needed, above);
    run(joined, count, prices, AppendNeeded{values, first, left});
}

HACSCALE_PRICE_CLONES
PriceRow worth_of(const Amounts& amounts, const Prices& prices) {
    return priced(amounts, prices);
}

HACSCALE_PRICE_CLONES
Needed less(const Needed& needed, const PriceRow& worth) {
    return needed_less(needed, worth);
}

HACSCALE_PRICE_CLONES
void append_meeting(std::vector<std::uint32_t>& places, std::span<const Label> labels, const Needed& needed,
                    const Prices& prices) {
    if (prices.of_usage) return append_labels<true>(places, labels, needed, prices);
    append_labels<false>(places, labels, needed, prices);
}

HACSCALE_PRICE_CLONES
PriceRow worths_of(std::vector<PriceRow>& rows, std::span<const Label> labels, const Prices& prices) {
    PriceRow best;
    best.at.fill(minus_infinity);
    rows.resize(labels.size());
    for (std::size_t i = 0; i < labels.size(); ++i) {
        rows[i] = priced(amounts_of_label(labels[i]), prices);
        raise(best, rows[i]);
    }
    return best;
}

HACSCALE_PRICE_CLONES
void append_meeting(std::vector<std::uint32_t>& places, const Label& label, std::span<const PriceRow> rows,
                    const PriceRow& best, const Needed& needed, const Prices& prices) {
    const Needed left = needed_less(needed, priced(amounts_of_label(label), prices));
    if (prices.of_usage) return append_rows<true>(places, rows, best, left);
    append_rows<false>(places, rows, best, left);
}

Amounts amounts_of(std::int64_t cost, std::int64_t gain, const ResourceUsage& usage) {
    return {static_cast<float>(gain), static_cast<float>(cost), static_cast<float>(usage.params),
            static_cast<float>(usage.macs)};
}

}  // namespace hacscale::planner
