#include "scaling/planner/detail/tangents.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <utility>
#include <vector>

namespace hacscale::planner {
namespace {

constexpr int bisections = 7;  // of prices on usage
// The first price rows are geometric over this many octaves below and above the mean exchange rate of gain and cost.
constexpr double octaves = 12.0;

struct Spans {
    double gain = 0.0;
    double cost = 1.0;
    double params = 1.0;
    double macs = 1.0;
};

Spans spans_of(const GraphProblem& problem) {
    Spans spans;
    std::vector<Spans> of_table;
    for (const FactorTable& table : problem.tables) {
        std::optional<std::pair<BlockOption, BlockOption>> range;
        for (const BlockOption& entry : table) {
            if (!entry.feasible()) continue;
            if (!range) range = {entry, entry};
            auto& [low, high] = *range;
            low.cost = std::min(low.cost, entry.cost);
            high.cost = std::max(high.cost, entry.cost);
            low.gain = std::min(low.gain, entry.gain);
            high.gain = std::max(high.gain, entry.gain);
            low.usage.params = std::min(low.usage.params, entry.usage.params);
            high.usage.params = std::max(high.usage.params, entry.usage.params);
            low.usage.macs = std::min(low.usage.macs, entry.usage.macs);
            high.usage.macs = std::max(high.usage.macs, entry.usage.macs);
        }
        Spans& own = of_table.emplace_back();
        own = {0.0, 0.0, 0.0, 0.0};
        if (!range) continue;
        const auto& [low, high] = *range;
        own.gain = static_cast<double>(high.gain - low.gain);
        own.cost = static_cast<double>(high.cost - low.cost);
        own.params = static_cast<double>(high.usage.params - low.usage.params);
        own.macs = static_cast<double>(high.usage.macs - low.usage.macs);
    }
    for (const Factor& factor : problem.factors) {
        const Spans& own = of_table[static_cast<std::size_t>(factor.table)];
        spans.gain += own.gain;
        spans.cost += own.cost;
        spans.params += own.params;
        spans.macs += own.macs;
    }
    return spans;
}

}  // namespace

GainRange gain_range(const GraphProblem& problem) {
    std::vector<std::pair<double, double>> of_table;
    for (const FactorTable& table : problem.tables) {
        std::optional<std::pair<double, double>> range;
        for (const BlockOption& entry : table) {
            if (!entry.feasible()) continue;
            const auto gain = static_cast<double>(entry.gain);
            if (!range) range = {gain, gain};
            range->first = std::min(range->first, gain);
            range->second = std::max(range->second, gain);
        }
        of_table.push_back(range.value_or(std::make_pair(0.0, 0.0)));
    }
    GainRange sum{static_cast<double>(problem.gain_offset), static_cast<double>(problem.gain_offset)};
    for (const Factor& factor : problem.factors) {
        sum.low += of_table[static_cast<std::size_t>(factor.table)].first;
        sum.high += of_table[static_cast<std::size_t>(factor.table)].second;
    }
    return sum;
}

// ---- Tangents ----

Tangents::Tangents(const GraphProblem& problem, std::int64_t max_cost, const Caps& caps, PriceBounds& bounds,
                   Archive& archive)
    : problem_(problem),
      max_cost_(static_cast<double>(max_cost)),
      caps_(caps),
      bounds_(bounds),
      archive_(archive),
      last_(caps.any() ? params_row : price_count) {
    const Spans spans = spans_of(problem);
    gain_span_ = spans.gain;
    mean_price_ = std::max(1e-6, spans.gain) / spans.cost;
}

Prices Tangents::prices_of(const Tangent* wanted, std::size_t count) const {
    // Cost is so dear that no gain makes up for one quantum.
    const auto dearest = static_cast<float>(gain_span_ + 1.0);
    Prices prices;
    prices.of_usage = caps_.any();
    prices.cost.at[dearest_row] = dearest;
    for (std::size_t i = 0; i < count; ++i) {
        prices.cost.at[first_row + i] = static_cast<float>(wanted[i].cost_price);
        prices.params.at[first_row + i] = static_cast<float>(wanted[i].params_price);
        prices.macs.at[first_row + i] = static_cast<float>(wanted[i].macs_price);
    }
    if (caps_.params) prices.params.at[params_row] = dearest;
    if (caps_.macs) prices.macs.at[macs_row] = dearest;
    return prices;
}

double Tangents::worth_at(const Tangent& prices, const Archive::Point& point) {
    return static_cast<double>(point.gain) - prices.cost_price * static_cast<double>(point.cost) -
           prices.params_price * static_cast<double>(point.usage.params) -
           prices.macs_price * static_cast<double>(point.usage.macs);
}

void Tangents::solve(const std::vector<Tangent>& wanted) {
    solved_.clear();
    std::vector<Archive::Point> points;
    std::optional<Archive::Point> last;
    for (std::size_t done = 0; done < wanted.size(); done += max_rows()) {
        const std::size_t count = std::min(max_rows(), wanted.size() - done);
        bounds_.set_prices(prices_of(wanted.data() + done, count));
        for (std::size_t row = 0; row < price_count; ++row) {
            const float best = bounds_.best().at[row];
            const bool asked = row >= first_row && row < first_row + count;
            const bool with_purpose = row == dearest_row || row >= last_;
            Tangent tangent;
            tangent.cost_price = bounds_.prices().cost.at[row];
            tangent.params_price = bounds_.prices().params.at[row];
            tangent.macs_price = bounds_.prices().macs.at[row];
            tangent.worth = static_cast<double>(best) + bounds_.margin().at[row] +
                            cap_worth(bounds_.prices(), row, caps_);
            if ((asked || with_purpose) && best > -std::numeric_limits<float>::infinity()) {
                // Neighbouring prices often have one best choice.
                if (!last || worth_at(tangent, *last) < best - bounds_.margin().at[row]) {
                    Assignment choice = bounds_.best_choice(row);
                    const std::optional<ChainTotals> totals = totals_of(problem_, choice);
                    last.reset();
                    if (totals) {
                        last = Archive::Point{totals->cost, totals->gain, totals->usage, std::move(choice)};
                        points.push_back(*last);
                    }
                }
                tangent.touches = last;
            }
            if (asked) solved_.push_back(tangent);
            if (asked || (row == dearest_row && tangents_.empty())) tangents_.push_back(std::move(tangent));
        }
    }
    archive_.add(std::move(points));
    std::stable_sort(tangents_.begin(), tangents_.end(), [](const Tangent& a, const Tangent& b) {
        return a.cost_price != b.cost_price ? a.cost_price > b.cost_price : a.worth < b.worth;
    });
    find_envelope();
}

// For each price of cost, the least price of usage at which the best choice keeps the caps.
std::vector<Tangent> Tangents::steered(std::vector<Tangent> wanted) {
    if (!caps_.any()) return wanted;
    // Prices of usage are in gain for using as much as the caps admit.
    std::vector<double> low(wanted.size(), 0.0);
    std::vector<double> high(wanted.size(), 16.0 * (gain_span_ + 1.0));
    std::vector<double> at(wanted.size(), 0.0);
    const auto set = [&](const std::vector<double>& prices) {
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            if (caps_.params) {
                wanted[i].params_price =
                    prices[i] / static_cast<double>(std::max<std::int64_t>(1, *caps_.params));
            }
            if (caps_.macs) {
                wanted[i].macs_price =
                    prices[i] / static_cast<double>(std::max<std::int64_t>(1, *caps_.macs));
            }
        }
    };
    for (int step = 0; step < bisections; ++step) {
        set(at);
        solve(wanted);
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            const std::optional<Archive::Point>& best = solved_[i].touches;
            (best && caps_.admit(best->usage) ? high[i] : low[i]) = at[i];
            // Rates of exchange are as likely in each octave.
            if (low[i] > 0.0) {
                at[i] = std::sqrt(low[i] * high[i]);
            } else {
                at[i] = high[i] / 64.0;
            }
        }
    }
    set(high);
    return wanted;
}

void Tangents::spread() {
    std::vector<Tangent> wanted(max_rows());
    const auto steps = static_cast<double>(wanted.size() - 1);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
        wanted[i].cost_price =
            mean_price_ * std::exp2(octaves - 2.0 * octaves * static_cast<double>(i) / steps);
    }
    solve(steered(std::move(wanted)));
    solve(steered(evenly()));
}

// Prices whose best choices' costs are, by interpolation between those found, as evenly spread as they can be.
std::vector<Tangent> Tangents::evenly() const {
    std::vector<std::pair<double, double>> known;  // ln cost, ln price; ascending in cost
    for (const Tangent& tangent : tangents_) {
        if (!tangent.touches || tangent.cost_price <= 0.0) continue;
        const double cost = std::log(std::max(1.0, static_cast<double>(tangent.touches->cost)));
        if (known.empty() || cost > known.back().first) known.emplace_back(cost, 0.0);
        known.back().second = std::log(tangent.cost_price);
    }
    std::vector<Tangent> wanted(max_rows());  // the last one without a price
    if (known.size() < 2) return wanted;
    const double first = known.front().first;
    const double end = std::min(std::log(std::max(2.0, max_cost_)), known.back().first);
    const auto count = static_cast<double>(wanted.size() - 1);
    for (std::size_t i = 0; i + 1 < wanted.size(); ++i) {
        const double target = first + (end - first) * (static_cast<double>(i) + 0.5) / count;
        std::size_t above = 1;
        while (above + 1 < known.size() && known[above].first < target) ++above;
        const auto& [x0, y0] = known[above - 1];
        const auto& [x1, y1] = known[above];
        wanted[i].cost_price = std::exp(y0 + std::clamp((target - x0) / (x1 - x0), 0.0, 1.0) * (y1 - y0));
    }
    return wanted;
}

bool Tangents::refine(const std::vector<Opening>& openings) {
    // Between which neighbours the bound of each opening bends.
    std::map<std::size_t, std::size_t> between;  // the dearer one; how many
    for (const Opening& opening : openings) {
        const Tangent& tangent = tangents_[opening.tangent];
        const bool dearer = tangent.touches && static_cast<double>(tangent.touches->cost) > opening.cost;
        if (dearer && opening.tangent > 0) ++between[opening.tangent - 1];
        if (!dearer && opening.tangent + 1 < tangents_.size()) ++between[opening.tangent];
    }
    std::vector<std::pair<std::size_t, Tangent>> wanted;
    for (const auto& [index, count] : between) {
        const Tangent& a = tangents_[index];
        const Tangent& b = tangents_[index + 1];
        Tangent middle;
        middle.cost_price = b.cost_price > 0.0 ? std::sqrt(a.cost_price * b.cost_price) : 0.5 * a.cost_price;
        if (!caps_.any() && a.touches && b.touches && a.touches->cost < b.touches->cost) {
            // At the price of exchanging one best choice for the other, both are the best, or a third one is.
            middle.cost_price = static_cast<double>(b.touches->gain - a.touches->gain) /
                                static_cast<double>(b.touches->cost - a.touches->cost);
        }
        middle.params_price = 0.5 * (a.params_price + b.params_price);
        middle.macs_price = 0.5 * (a.macs_price + b.macs_price);
        const double least_step = caps_.any() ? 1e-3 : 1e-5;
        if (middle.cost_price >= a.cost_price * (1.0 - least_step) ||
            middle.cost_price <= b.cost_price * (1.0 + least_step)) {
            continue;
        }
        wanted.emplace_back(count, middle);
    }
    if (wanted.empty()) return false;
    std::stable_sort(wanted.begin(), wanted.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::vector<Tangent> first;
    for (std::size_t i = 0; i < std::min(wanted.size(), max_rows()); ++i) first.push_back(wanted[i].second);
    solve(first);
    return true;
}

void Tangents::aim(const std::vector<std::size_t>& tangents) {
    std::vector<Tangent> wanted;
    for (const std::size_t tangent : tangents) wanted.push_back(tangents_[tangent]);
    bounds_.set_prices(prices_of(wanted.data(), wanted.size()));
}

// Lines in the order of ever smaller slopes: the lower envelope of all of them, from cost 0 on.
void Tangents::find_envelope() {
    envelope_.clear();
    from_cost_.clear();
    for (std::size_t i = 0; i < tangents_.size(); ++i) {
        const Tangent& line = tangents_[i];
        double from = 0.0;
        while (!envelope_.empty()) {
            const Tangent& last = tangents_[envelope_.back()];
            const double steeper = last.cost_price - line.cost_price;
            // The less steep one is below from where they meet.
            from = steeper > 0.0 ? (line.worth - last.worth) / steeper
                                 : (line.worth < last.worth ? 0.0 : std::numeric_limits<double>::infinity());
            if (from > from_cost_.back()) break;
            envelope_.pop_back();
            from_cost_.pop_back();
            from = 0.0;
        }
        if (from == std::numeric_limits<double>::infinity()) continue;
        envelope_.push_back(i);
        from_cost_.push_back(std::max(0.0, from));
    }
}

std::size_t Tangents::best_for(double cost) const {
    const auto above = std::upper_bound(from_cost_.begin(), from_cost_.end(), cost);
    return envelope_[above == from_cost_.begin() ? 0
                                                 : static_cast<std::size_t>(above - from_cost_.begin()) - 1];
}

double cap_worth(const Prices& prices, std::size_t price, const Caps& caps) {
    double worth = 0.0;
    if (caps.params)
        worth += static_cast<double>(prices.params.at[price]) * static_cast<double>(*caps.params);
    if (caps.macs) worth += static_cast<double>(prices.macs.at[price]) * static_cast<double>(*caps.macs);
    return worth;
}

}  // namespace hacscale::planner
