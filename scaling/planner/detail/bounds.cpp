#include "scaling/planner/detail/bounds.hpp"

#include <algorithm>
#include <limits>

namespace hacscale::planner {
namespace {

constexpr double unreached = -std::numeric_limits<double>::infinity();

// The best value within each bucket's lower edge, the exact cost of the choice that has it (adding up costs
// that are rounded up leaves it well below the edge), and, where there are caps, its resource usage. Doubles hold
// integers below 2^53, so they are exact, and comparing them is faster than comparing 64-bit integers.
struct Reach {
    std::vector<double> value;
    std::vector<double> cost;
    std::vector<ResourceUsage> usage;  // empty without caps

    Reach(std::size_t buckets, bool with_usage)
        : value(buckets, unreached), cost(buckets, 0.0), usage(with_usage ? buckets : 0) {}

    bool could_improve(const Reach& from, std::size_t shift, double added_value) const {
        return shift < value.size() &&
               could_raise(value.data() + shift, from.value.data(), value.size() - shift, added_value);
    }

    // Takes over what `from` reaches, `shift` buckets later, with value, cost and usage added.
    void improve(const Reach& from, std::size_t shift, double added_value, double added_cost,
                 const ResourceUsage& added_usage) {
        if (shift >= value.size()) return;
        const std::size_t count = value.size() - shift;
        const double* from_value = from.value.data();
        double* to_value = value.data() + shift;
        if (usage.empty()) {
            raise(to_value, cost.data() + shift, from_value, from.cost.data(), count, added_value,
                  added_cost);
            return;
        }
        for (std::size_t b = 0; b < count; ++b) {
            const double candidate = from_value[b] + added_value;
            if (!(candidate > to_value[b])) continue;
            to_value[b] = candidate;
            cost[b + shift] = from.cost[b] + added_cost;
            usage[b + shift] = from.usage[b];
            usage[b + shift].add(added_usage);
        }
    }
};

class IncumbentSearch {
public:
    IncumbentSearch(const Chain& chain, const Candidates& options, const CostGrid& grid, std::int64_t price,
                    bool with_usage)
        : chain_(chain), options_(options), grid_(grid), price_(price), with_usage_(with_usage) {}

    // After the last stage, one a width.
    std::vector<Reach> run() const {
        Reach start(grid_.buckets, with_usage_);
        const double value = value_of(chain_.gain_offset, chain_.usage_offset.params);
        for (std::size_t b = grid_.above(chain_.cost_offset); b < grid_.buckets; ++b) {
            start.value[b] = value;
            start.cost[b] = static_cast<double>(chain_.cost_offset);
            if (with_usage_) start.usage[b] = chain_.usage_offset;
        }
        std::vector<Reach> reached{std::move(start)};
        for (std::size_t s = 0; s < chain_.stages.size(); ++s) reached = after_stage(s, reached);
        return reached;
    }

private:
    double value_of(std::int64_t gain, std::int64_t params) const {
        return static_cast<double>(gain - price_ * params);
    }

    void improve(Reach& to, const Reach& from, const OptionList& list) const {
        if (list.empty()) return;
        const Candidate& corner = list.corner();
        if (!to.could_improve(from, grid_.above(corner.cost), value_of(corner.gain, corner.params))) return;
        for (const Candidate& option : list.real()) {
            to.improve(from, grid_.above(option.cost), value_of(option.gain, option.params),
                       static_cast<double>(option.cost),
                       with_usage_ ? list.all()[option.index].usage : ResourceUsage{});
        }
    }

    std::vector<Reach> after_stage(std::size_t s, const std::vector<Reach>& before) const {
        const ChainStage& stage = chain_.stages[s];
        std::vector<Reach> after;
        after.reserve(static_cast<std::size_t>(stage.widths));
        for (int width = 0; width < stage.widths; ++width) {
            Reach here(grid_.buckets, with_usage_);
            for (const int previous : by_closeness(width, stage.widths, stage.previous_widths)) {
                improve(here, before[static_cast<std::size_t>(previous)],
                        options_.first(s, stage.first_at(previous, width)));
            }
            Reach left(grid_.buckets, with_usage_);
            std::size_t depth = 0;
            for (int position = 1; position <= stage.max_blocks(); ++position) {
                if (position > 1) {
                    Reach further(grid_.buckets, with_usage_);
                    improve(further, here, options_.further(s, stage.further_at(width, position - 1)));
                    here = std::move(further);
                }
                if (position != stage.depths[depth]) continue;
                left.improve(here, 0, static_cast<double>(stage.gain[stage.gain_at(width, depth)]), 0.0, {});
                ++depth;
            }
            after.push_back(std::move(left));
        }
        return after;
    }

    const Chain& chain_;
    const Candidates& options_;
    const CostGrid& grid_;
    std::int64_t price_;
    bool with_usage_;
};

struct Range {
    std::int64_t low = std::numeric_limits<std::int64_t>::max();
    std::int64_t high = std::numeric_limits<std::int64_t>::min();
    void take(std::int64_t value) {
        low = std::min(low, value);
        high = std::max(high, value);
    }
    double span() const { return low <= high ? static_cast<double>(high - low) : 0.0; }
    double top() const { return low <= high ? static_cast<double>(high) : 0.0; }
};

struct Ranges {
    Range gain;
    Range params;
    explicit Ranges(const std::vector<std::vector<BlockOption>>& lists) {
        for (const std::vector<BlockOption>& options : lists) {
            for (const BlockOption& option : options) {
                if (!option.feasible()) continue;
                gain.take(option.gain);
                params.take(option.usage.params);
            }
        }
    }
};

}  // namespace

std::vector<std::int64_t> params_prices(const ChainProblem& problem, const Caps& caps) {
    std::vector<std::int64_t> prices{0};
    if (!caps.any()) return prices;
    double gain_span = 0;
    double params_span = 0;
    double max_params = 1;
    for (const Chain& chain : problem.chains) {
        double gain = 0;
        double span = 0;
        double max = static_cast<double>(chain.usage_offset.params);
        for (const ChainStage& stage : chain.stages) {
            const Ranges first(stage.first);
            const Ranges further(stage.further);
            const double blocks = stage.max_blocks() - 1;
            Range own;
            for (const std::int64_t value : stage.gain) own.take(value);
            gain += own.span() + first.gain.span() + blocks * further.gain.span();
            span += first.params.span() + blocks * further.params.top();
            max += first.params.top() + blocks * further.params.top();
        }
        gain_span = std::max(gain_span, gain);
        params_span = std::max(params_span, span);
        max_params = std::max(max_params, max);
    }
    // Around the mean exchange rate of gain and params, in steps of two; no larger than keeps price x params
    // exact.
    const double exact_price = static_cast<double>(std::int64_t{1} << 50) / max_params;
    for (double factor = 1.0 / 16; factor <= 16; factor *= 2) {
        const double price = std::min(exact_price, factor * gain_span / std::max(1.0, params_span));
        if (static_cast<std::int64_t>(price) > prices.back()) {
            prices.push_back(static_cast<std::int64_t>(price));
        }
    }
    return prices;
}

std::vector<double> incumbent_gains(const ChainProblem& problem, const std::vector<Candidates>& options,
                                    const CostGrid& grid, const std::vector<std::int64_t>& prices,
                                    const Caps& caps) {
    std::vector<double> gains(grid.buckets, unreached);
    for (std::size_t c = 0; c < problem.chains.size(); ++c) {
        for (const std::int64_t price : prices) {
            for (const Reach& reach :
                 IncumbentSearch(problem.chains[c], options[c], grid, price, caps.any()).run()) {
                for (std::size_t b = 0; b < grid.buckets; ++b) {
                    if (reach.value[b] == unreached) continue;
                    if (caps.any() && !caps.admit(reach.usage[b])) continue;
                    const double paid = caps.any() ? static_cast<double>(price * reach.usage[b].params) : 0.0;
                    double& gain = gains[grid.above(static_cast<std::int64_t>(reach.cost[b]))];
                    gain = std::max(gain, reach.value[b] + paid);
                }
            }
        }
    }
    for (std::size_t b = 1; b < gains.size(); ++b) gains[b] = std::max(gains[b], gains[b - 1]);
    return gains;
}

// ---- Thresholds ----

Thresholds::Thresholds(const Chain& chain, const Candidates& options, const CostGrid& grid,
                       const std::vector<double>& required, std::int64_t price)
    : grid_(grid), buckets_(grid.buckets), price_(price) {
    std::size_t rows = 0;
    for (const ChainStage& stage : chain.stages) {
        stages_.push_back({rows, static_cast<std::size_t>(stage.max_blocks()) + 1});
        rows += static_cast<std::size_t>(stage.widths) * stages_.back().a_width;
    }
    rows_.assign(rows * buckets_, std::numeric_limits<double>::infinity());
    for (std::size_t s = chain.stages.size(); s-- > 0;) {
        leave(chain, options, s, required);
        for (int width = 0; width < chain.stages[s].widths; ++width)
            build(chain.stages[s], options, s, width);
    }
}

// A few widths at a time, so that a row of the next stage is fetched once for all of them.
void Thresholds::leave(const Chain& chain, const Candidates& options, std::size_t s,
                       const std::vector<double>& required) {
    constexpr int widths_at_once = 8;
    const ChainStage& stage = chain.stages[s];
    for (int begin = 0; begin < stage.widths; begin += widths_at_once) {
        const int end = std::min(stage.widths, begin + widths_at_once);
        if (s + 1 == chain.stages.size()) {
            for (int width = begin; width < end; ++width) {
                std::copy(required.begin(), required.end(), at(s, width, 0));
            }
            continue;
        }
        const ChainStage& next = chain.stages[s + 1];
        for (const int next_width : by_closeness((begin + end) / 2, stage.widths, next.widths)) {
            for (int width = begin; width < end; ++width) {
                relax(at(s, width, 0), at(s + 1, next_width, 1),
                      options.first(s + 1, next.first_at(width, next_width)));
            }
        }
    }
}

void Thresholds::build(const ChainStage& stage, const Candidates& options, std::size_t s, int width) {
    std::size_t depth = stage.depths.size();
    for (int blocks = stage.max_blocks(); blocks >= 1; --blocks) {
        double* built = at(s, width, blocks);
        if (blocks < stage.max_blocks()) {
            relax(built, at(s, width, blocks + 1), options.further(s, stage.further_at(width, blocks)));
        }
        if (depth == 0 || stage.depths[depth - 1] != blocks) continue;
        --depth;
        const auto gain = static_cast<double>(stage.gain[stage.gain_at(width, depth)]);
        lower(built, at(s, width, 0), buckets_, gain);
    }
}

void Thresholds::relax(double* to, const double* from, const OptionList& list) const {
    if (list.empty()) return;
    const Candidate& corner = list.corner();
    const std::size_t min_shift = grid_.below(corner.cost);
    const auto max_value = static_cast<double>(corner.gain - price_ * corner.params);
    if (!could_lower(to, from + min_shift, buckets_ - min_shift, max_value)) return;
    for (const Candidate& option : list.optimistic()) {
        const std::size_t shift = grid_.below(option.cost);
        const auto value = static_cast<double>(option.gain - price_ * option.params);
        lower(to, from + shift, buckets_ - shift, value);
    }
}

}  // namespace hacscale::planner
