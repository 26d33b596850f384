#include "scaling/planner/graph_front.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "base/error.hpp"
#include "scaling/planner/detail/elimination.hpp"
#include "scaling/planner/detail/graph_search.hpp"
#include "scaling/planner/detail/local_moves.hpp"
#include "scaling/planner/detail/price_rows.hpp"
#include "scaling/planner/detail/priced_fronts.hpp"
#include "scaling/planner/detail/tangents.hpp"
#include "scaling/planner/detail/window_search.hpp"

namespace hacscale {
namespace {

using planner::Archive;
using planner::Elimination;
using planner::Needed;
using planner::Opening;
using planner::PriceBounds;

// Of epsilon, what comparing labels may take; the rest is for leaving out what the bounds say is hardly better.
constexpr double trim_share = 0.2;
// The first search counts costs within a 512th of the largest as equal, each one after it within an eighth of that.
constexpr int first_trim_shift = 9;
constexpr int trim_shift_step = 3;
// Bounds are refined as long as that leaves at most this share of the openings.
constexpr double worthwhile_refinement = 0.95;
constexpr std::size_t max_searches = 3;  // each with as many tangents as there are rows

void check_limits(const FrontLimits& limits) {
    if (limits.max_cost < 0 || limits.max_cost > std::int64_t{1} << 52) {
        throw InputError("planner: the largest cost must be within [0, 2^52]");
    }
    for (const std::optional<std::int64_t>& cap : {limits.caps.params, limits.caps.macs}) {
        if (cap && *cap < 0) throw InputError("planner: a cap must not be negative");
    }
    if (limits.caps.memory_bytes) {
        throw InputError(
            "planner: a cap on memory is not possible for a graph of any shape; cap params or MACs instead");
    }
    if (!(limits.epsilon >= 0.0 && limits.epsilon < 1.0)) {
        throw InputError("planner: epsilon must be within [0, 1)");
    }
}

// A cap that no choice exceeds is none, and the search without one is faster.
Caps binding_caps(const GraphProblem& problem, const Caps& caps) {
    const ResourceUsage most = planner::most_usage(problem);
    Caps binding;
    if (caps.params && most.params > *caps.params) binding.params = caps.params;
    if (caps.macs && most.macs > *caps.macs) binding.macs = caps.macs;
    return binding;
}

// With tables as large as the effort and the memory admit.
Elimination tree_of(const GraphProblem& problem, const GraphEffort& effort, std::size_t max_bytes) {
    std::size_t max_clique = effort.max_clique;
    std::size_t max_separator = std::max<std::size_t>(1, max_bytes / 8 / sizeof(planner::PriceRow));
    while (true) {
        Elimination tree = planner::eliminate(problem, max_clique, max_separator);
        const std::size_t bytes = 2 * tree.total_separator_size() * sizeof(planner::PriceRow);
        if ((tree.total_clique_size() <= effort.max_entries && bytes <= max_bytes / 2) || max_clique < 64) {
            return tree;
        }
        max_clique /= 2;
        max_separator = std::max<std::size_t>(1, std::min(max_separator, max_clique));
    }
}

// Windows are small; one that is not is left as it is.
std::vector<Archive::Point> front_of_window(const GraphProblem& window, const FrontLimits& limits) {
    GraphEffort effort;
    effort.window_rounds = 0;
    const GraphFront front = graph_front(window, limits, effort);
    std::vector<Archive::Point> points;
    for (std::size_t i = 0; i < front.size(); ++i) {
        points.push_back({front.costs[i], front.gains[i], front.usage[i], front.choices[i]});
    }
    return points;
}

// ---- What the bounds leave to find ----

class FrontSearch {
public:
    FrontSearch(const GraphProblem& problem, const FrontLimits& limits, const GraphEffort& effort)
        : problem_(problem),
          limits_(limits),
          effort_(effort),
          caps_(binding_caps(problem, limits.caps)),
          max_cost_(std::min(limits.max_cost + slack_of(limits), most_cost(problem))),
          tree_(tree_of(problem, effort, limits.max_bytes)),
          bounds_(problem, tree_),
          archive_(max_cost_, caps_),
          tangents_(problem, max_cost_, caps_, bounds_, archive_),
          gains_(planner::gain_range(problem)) {}

    GraphFront run() {
        tangents_.spread();
        if (impossible()) return result(true);
        if (!tree_.exact) {
            planner::search_windows(problem_, limits_, effort_.window_rounds, bounds_, front_of_window,
                                    archive_);
            return result(false);
        }
        // Bounds and known choices are brought together until they meet, or no longer come closer.
        planner::add_neighbours(problem_, tangents_.all(), archive_);
        if (caps_.any()) search_priced();
        std::vector<Opening> openings = find_openings();
        for (int round = 0; round < effort_.refinements && !openings.empty(); ++round) {
            if (!tangents_.refine(openings)) break;
            planner::add_neighbours(problem_, tangents_.latest(), archive_);
            const std::size_t before = openings.size();
            openings = find_openings();
            if (static_cast<double>(openings.size()) > worthwhile_refinement * static_cast<double>(before))
                break;
        }
        return result(search(openings));
    }

private:
    static std::int64_t slack_of(const FrontLimits& limits) {
        if (limits.epsilon == 0.0) return 0;
        return static_cast<std::int64_t>(static_cast<double>(limits.max_cost) * limits.epsilon) + 1;
    }

    // No choice costs more.
    static std::int64_t most_cost(const GraphProblem& problem) {
        std::vector<std::int64_t> of_table;
        for (const FactorTable& table : problem.tables) {
            std::int64_t max = 0;
            for (const BlockOption& entry : table) max = entry.feasible() ? std::max(max, entry.cost) : max;
            of_table.push_back(max);
        }
        std::int64_t sum = problem.cost_offset;
        for (const Factor& factor : problem.factors) sum += of_table[static_cast<std::size_t>(factor.table)];
        return sum;
    }

    // Of costs: what an incumbent may cost more than what it stands for.
    double tolerance() const {
        return limits_.epsilon == 0.0 ? 0.0
                                      : (1.0 + limits_.epsilon) / (1.0 + trim_share * limits_.epsilon) - 1.0;
    }

    // No choice has a worth, or none costs little enough.
    bool impossible() const {
        const planner::Tangent& dearest = tangents_.all().front();
        return !(dearest.at(static_cast<double>(max_cost_)) >= gains_.low);
    }

    // Good choices under caps.
    void search_priced() {
        const auto solve = [&](const GraphProblem& priced, const FrontLimits& limits) {
            GraphFront front = graph_front(priced, limits, effort_);
            front_.statistics.candidates += front.statistics.candidates;
            front_.statistics.labels += front.statistics.labels;
            front_.statistics.peak_bytes =
                std::max(front_.statistics.peak_bytes, bounds_.bytes() + front.statistics.peak_bytes);
            return std::move(front.choices);
        };
        planner::search_priced(problem_, limits_, static_cast<std::size_t>(effort_.priced_fronts),
                               tangents_.all(), solve, archive_);
    }

    // Where something better than what is known may be.
    std::vector<Opening> find_openings() const {
        const std::vector<Archive::Point>& points = archive_.points();
        const bool inexact = limits_.epsilon > 0.0;
        std::vector<Opening> openings;
        // A choice that costs at most `cost` matters when it gains `gain`.
        const auto ask = [&](double cost, double gain) {
            const std::size_t best = tangents_.best_for(cost);
            if (tangents_.all()[best].at(cost) >= gain) openings.push_back({cost, gain, best});
        };
        const double shrink = 1.0 / (1.0 + tolerance());
        const auto end_before = [&](std::int64_t cost) {
            return inexact ? static_cast<double>(cost) * shrink : static_cast<double>(cost) - 1.0;
        };
        const auto max_cost = static_cast<double>(max_cost_);
        // Cheaper than all that is known.
        ask(points.empty() ? max_cost : end_before(points.front().cost), gains_.low);
        for (std::size_t i = 0; i < points.size(); ++i) {
            const double end = i + 1 < points.size() ? end_before(points[i + 1].cost) : max_cost;
            ask(end, static_cast<double>(points[i].gain) + (inexact ? 1.0 : 0.0));
        }
        return openings;
    }

    // Looks into all openings. Tangents are close to each other by now: of many, every second or third one does.
    bool search(const std::vector<Opening>& openings) {
        std::vector<std::size_t> used;
        for (const Opening& opening : openings) used.push_back(opening.tangent);
        std::sort(used.begin(), used.end());
        used.erase(std::unique(used.begin(), used.end()), used.end());
        const std::size_t most = max_searches * tangents_.max_rows();
        const std::size_t step = (used.size() + most - 1) / most;
        chosen_.clear();
        for (std::size_t i = 0; i < used.size(); i += step) chosen_.push_back(used[i]);
        for (std::size_t first = 0; first < chosen_.size(); first += tangents_.max_rows()) {
            if (!search(first, std::min(tangents_.max_rows(), chosen_.size() - first))) return false;
        }
        return true;
    }

    // With ever finer comparison of costs, until the bounds leave nothing to find or it compares them as exactly as it was asked
    // to.
    bool search(std::size_t first, std::size_t count) {
        tangents_.aim({chosen_.begin() + static_cast<std::ptrdiff_t>(first),
                       chosen_.begin() + static_cast<std::ptrdiff_t>(first + count)});
        bounds_.pass_down();
        planner::GraphSearch search(problem_, tree_, bounds_, front_.statistics);
        const std::int64_t finest = finest_trim();
        std::int64_t trim = std::max(finest, max_cost_ >> first_trim_shift);
        while (true) {
            const std::optional<Needed> needed = needed_for(first, count);
            if (!needed) return true;
            planner::GraphSearchSettings settings;
            settings.max_cost = max_cost_ - problem_.cost_offset;
            settings.caps = caps_;
            settings.trim = trim;
            const std::size_t used = bounds_.bytes();
            settings.max_bytes = limits_.max_bytes > used ? limits_.max_bytes - used : 0;
            if (settings.max_cost < 0) return true;
            if (caps_.any()) {
                settings.max_candidates = effort_.max_capped_candidates - compared_;
            }
            const std::int64_t before = front_.statistics.candidates;
            const bool complete = search.run(*needed, settings, archive_);
            compared_ += front_.statistics.candidates - before;
            front_.statistics.peak_bytes = std::max(front_.statistics.peak_bytes, used + search.peak_bytes());
            if (!complete) return false;
            if (trim == finest) return true;
            trim = std::max(finest, trim >> trim_shift_step);
        }
    }

    std::int64_t finest_trim() const {
        if (limits_.epsilon == 0.0) return 1;
        // The least cost, and so what epsilon allows, is at least this.
        const planner::Tangent& dearest = tangents_.all().front();
        const double least = std::max(0.0, (gains_.low - dearest.worth) / dearest.cost_price);
        const double each =
            trim_share * limits_.epsilon * least / static_cast<double>(tree_.nodes.size() + 1);
        return std::max<std::int64_t>(1, static_cast<std::int64_t>(each));
    }

    // What a choice must be worth to be better than those that are known, by these of the chosen tangents; nothing when none can
    // be.
    std::optional<Needed> needed_for(std::size_t first, std::size_t count) const {
        Needed needed;
        needed.any.at.fill(std::numeric_limits<float>::infinity());
        needed.all.at.fill(-std::numeric_limits<float>::infinity());
        bool open = false;
        for (const Opening& opening : find_openings()) {
            const std::size_t at = chosen_for(opening.cost);
            if (at < first || at >= first + count) continue;
            open = true;
            const std::size_t row = planner::first_row + at - first;
            const double worth = opening.gain -
                                 static_cast<double>(bounds_.prices().cost.at[row]) * opening.cost -
                                 planner::cap_worth(bounds_.prices(), row, caps_) - bounds_.margin().at[row];
            needed.any.at[row] = std::min(needed.any.at[row], rounded_down(worth));
        }
        if (!open) return std::nullopt;
        if (caps_.params) {
            constexpr std::size_t row = planner::params_row;
            needed.all.at[row] = rounded_down(gains_.low -
                                              static_cast<double>(bounds_.prices().params.at[row]) *
                                                  static_cast<double>(*caps_.params) -
                                              bounds_.margin().at[row]);
        }
        if (caps_.macs) {
            constexpr std::size_t row = planner::macs_row;
            needed.all.at[row] = rounded_down(gains_.low -
                                              static_cast<double>(bounds_.prices().macs.at[row]) *
                                                  static_cast<double>(*caps_.macs) -
                                              bounds_.margin().at[row]);
        }
        return needed;
    }

    // Which of the chosen tangents bounds a cost best: their order is that of ever larger costs.
    std::size_t chosen_for(double cost) const {
        const std::vector<planner::Tangent>& all = tangents_.all();
        std::size_t best = 0;
        while (best + 1 < chosen_.size() && all[chosen_[best + 1]].at(cost) <= all[chosen_[best]].at(cost))
            ++best;
        return best;
    }

    static float rounded_down(double value) {
        return std::nextafter(static_cast<float>(value), -std::numeric_limits<float>::infinity());
    }

    GraphFront result(bool exact) {
        front_.exact = exact;
        front_.max_cost = limits_.max_cost;
        for (const planner::Tangent& tangent : tangents_.all()) {
            front_.bounds.push_back({tangent.cost_price, tangent.worth});
        }
        for (const Archive::Point& point : archive_.points()) {
            front_.costs.push_back(point.cost);
            front_.gains.push_back(point.gain);
            front_.usage.push_back(point.usage);
            front_.choices.push_back(point.choice);
        }
        return std::move(front_);
    }

    const GraphProblem& problem_;
    FrontLimits limits_;
    GraphEffort effort_;
    Caps caps_;
    std::int64_t max_cost_;  // of points that are kept
    Elimination tree_;
    PriceBounds bounds_;
    Archive archive_;
    planner::Tangents tangents_;
    std::vector<std::size_t> chosen_;  // tangents that are searched, ascending
    planner::GainRange gains_;
    std::int64_t compared_ = 0;  // partial choices
    GraphFront front_;
};

}  // namespace

std::optional<double> GraphFront::max_gain(std::int64_t cost) const {
    const std::optional<std::size_t> best = best_within(cost);
    if (exact) return best ? std::optional<double>(static_cast<double>(gains[*best])) : std::nullopt;
    double least = std::numeric_limits<double>::infinity();
    for (const Bound& bound : bounds) {
        least = std::min(least, bound.worth + bound.price * static_cast<double>(cost));
    }
    return least;
}

double GraphFront::gap() const {
    double gap = 0.0;
    if (exact) return gap;
    if (costs.empty()) return std::numeric_limits<double>::infinity();
    // Between two points the bound rises, and the gain does not.
    for (std::size_t i = 0; i < costs.size(); ++i) {
        const std::int64_t end = i + 1 < costs.size() ? costs[i + 1] - 1 : std::max(costs[i], max_cost);
        gap = std::max(gap, *max_gain(end) - static_cast<double>(gains[i]));
    }
    return gap;
}

GraphFront graph_front(const GraphProblem& problem, const FrontLimits& limits, const GraphEffort& effort) {
    check(problem);
    check_limits(limits);
    return FrontSearch(problem, limits, effort).run();
}

std::optional<std::int64_t> min_cost(const GraphProblem& problem, const Caps& caps,
                                     const GraphEffort& effort) {
    // Where all gains are equal, the front is the cheapest choice.
    GraphProblem plain = problem;
    for (FactorTable& table : plain.tables) {
        for (BlockOption& entry : table) entry.gain = 0;
    }
    FrontLimits limits;
    limits.caps = caps;
    limits.max_cost = std::int64_t{1} << 52;
    const GraphFront front = graph_front(plain, limits, effort);
    if (front.size() == 0) return std::nullopt;
    return front.costs.front();
}

std::optional<std::int64_t> min_usage(const GraphProblem& problem, std::int64_t max_cost, Resource resource,
                                      const GraphEffort& effort) {
    if (resource == Resource::memory_bytes) return std::nullopt;
    const auto used = resource == Resource::params ? &ResourceUsage::params : &ResourceUsage::macs;
    // A choice gains the more the less it uses.
    GraphProblem thrifty = problem;
    thrifty.gain_offset = 0;
    for (FactorTable& table : thrifty.tables) {
        for (BlockOption& entry : table) entry.gain = -(entry.usage.*used);
    }
    FrontLimits limits;
    limits.max_cost = max_cost;
    const GraphFront front = graph_front(thrifty, limits, effort);
    if (front.size() == 0) return std::nullopt;
    return front.usage.back().*used;
}

}  // namespace hacscale
