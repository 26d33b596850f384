#include "scaling/planner/detail/chain_search.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "base/error.hpp"

namespace hacscale::planner {
namespace {

constexpr std::size_t label_bytes = 3 * sizeof(std::int64_t) + sizeof(Origin);

struct ParamsRange {
    std::int64_t least = unreachable;
    std::int64_t most = 0;
};

ParamsRange body_params(const ChainStage& stage, int width) {
    ParamsRange range;
    for (int depth = 0; depth < stage.depths; ++depth) {
        const std::size_t body = stage.body(width, depth);
        if (stage.body_cost[body] == infeasible_cost) continue;
        range.least = std::min(range.least, stage.body_params[body]);
        range.most = std::max(range.most, stage.body_params[body]);
    }
    return range;
}

}  // namespace

ChainSearch::ChainSearch(const Chain& chain, const Search& search, FrontStatistics& statistics)
    : chain_(chain), search_(search), statistics_(statistics), completion_(complete(chain)) {}

void ChainSearch::run(std::uint16_t chain_index, CompleteChoices& found) {
    if (completion_.least_cost > search_.max_cost) return;
    if (search_.epsilon > 0) {
        // Each stage's trimming adds less than this, all stages' together no more than epsilon x the least
        // cost.
        const double allowed = search_.epsilon * static_cast<double>(completion_.least_cost) /
                               static_cast<double>(chain_.stages.size());
        trim_ = std::max<std::int64_t>(1, static_cast<std::int64_t>(allowed));
    }
    make_thresholds();
    std::vector<Labels> labels(1);
    labels[0].costs = {chain_.cost_offset};
    labels[0].gains = {chain_.gain_offset};
    labels[0].params = {chain_.params_offset};
    for (std::size_t s = 0; s < chain_.stages.size(); ++s) labels = extend(s, labels);
    collect(labels, chain_index, found);
}

void ChainSearch::make_thresholds() {
    thresholds_.reserve(search_.prices.size());
    for (const std::int64_t price : search_.prices) {
        // A choice within the cap that gains what the incumbent does has at least this value at this price.
        std::vector<double> required = search_.incumbents;
        if (price > 0) {
            for (double& value : required) value -= static_cast<double>(price * search_.max_params);
        }
        thresholds_.emplace_back(chain_, search_.grid, required, price);
        bytes_ += thresholds_.back().bytes();
        watch_memory(0);
    }
    rows_.resize(thresholds_.size());
}

// Whether a partial choice can still matter, judged by the rows of the stage and width it has reached.
// Trimming may have put a dearer label in the place of one that belongs to the front, so it is judged by the
// least that one can have cost.
bool ChainSearch::useful(std::int64_t cost, std::int64_t gain, std::int64_t params) const {
    const std::size_t bucket = search_.grid.below(std::max<std::int64_t>(0, cost - slack_));
    for (std::size_t i = 0; i < rows_.size(); ++i) {
        if (static_cast<double>(gain - thresholds_[i].price() * params) < rows_[i][bucket]) return false;
    }
    return true;
}

std::vector<Labels> ChainSearch::extend(std::size_t s, const std::vector<Labels>& before) {
    const ChainStage& stage = chain_.stages[s];
    std::vector<Labels> after;
    after.reserve(static_cast<std::size_t>(stage.widths));
    origins_.emplace_back();
    for (int width = 0; width < stage.widths; ++width) {
        const Labels entered = enter(s, width, before);
        after.push_back(leave(s, width, entered));
        Labels& labels = after.back();
        statistics_.labels += static_cast<std::int64_t>(labels.size());
        bytes_ += labels.size() * label_bytes;
        watch_memory(entered.size() * label_bytes);
        origins_[s].push_back(std::move(labels.origins));
    }
    for (const Labels& labels : before) bytes_ -= s > 0 ? labels.size() * (label_bytes - sizeof(Origin)) : 0;
    slack_ += trim_ - 1;
    return after;
}

Labels ChainSearch::enter(std::size_t s, int width, const std::vector<Labels>& before) {
    const ChainStage& stage = chain_.stages[s];
    const std::int64_t least_after = completion_.least_params[s][static_cast<std::size_t>(width)];
    const ParamsRange body = body_params(stage, width);
    if (body.least == unreachable || least_after == unreachable) return {};
    const std::int64_t most_params = search_.max_params - body.least - least_after;
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = thresholds_[i].entered(s, width);
    for (int previous = 0; previous < stage.previous_widths; ++previous) {
        const std::size_t entry = stage.entry(previous, width);
        if (stage.entry_cost[entry] == infeasible_cost) continue;
        const Labels& labels = before[static_cast<std::size_t>(previous)];
        for (std::size_t k = 0; k < labels.size(); ++k) {
            const std::int64_t cost = labels.costs[k] + stage.entry_cost[entry];
            if (cost > search_.max_cost) break;
            ++statistics_.candidates;
            const std::int64_t params = labels.params[k] + stage.entry_params[entry];
            if (params > most_params || !useful(cost, labels.gains[k], params)) continue;
            const Origin origin{static_cast<std::uint32_t>(k), static_cast<std::uint16_t>(previous), 0};
            candidates_.push_back({cost, labels.gains[k], params, origin});
        }
        watch_memory(0);
    }
    const std::int64_t floor = params_floor(s, width);
    return keep_best(candidates_, 1, floor == no_cap ? no_cap : floor - body.most);
}

Labels ChainSearch::leave(std::size_t s, int width, const Labels& entered) {
    if (entered.size() == 0) return {};
    const ChainStage& stage = chain_.stages[s];
    const std::int64_t most_params =
        search_.max_params - completion_.least_params[s][static_cast<std::size_t>(width)];
    for (std::size_t i = 0; i < rows_.size(); ++i) rows_[i] = thresholds_[i].left(s, width);
    for (int depth = 0; depth < stage.depths; ++depth) {
        const std::size_t body = stage.body(width, depth);
        if (stage.body_cost[body] == infeasible_cost) continue;
        for (std::size_t k = 0; k < entered.size(); ++k) {
            const std::int64_t cost = entered.costs[k] + stage.body_cost[body];
            if (cost > search_.max_cost) break;
            ++statistics_.candidates;
            const std::int64_t gain = entered.gains[k] + stage.gain[body];
            const std::int64_t params = entered.params[k] + stage.body_params[body];
            if (params > most_params || !useful(cost, gain, params)) continue;
            Origin origin = entered.origins[k];
            origin.depth = static_cast<std::uint16_t>(depth);
            candidates_.push_back({cost, gain, params, origin});
        }
        watch_memory(0);
    }
    return keep_best(candidates_, trim_, params_floor(s, width));
}

// Reads the choices on the chain's front back through the origins.
void ChainSearch::collect(const std::vector<Labels>& labels, std::uint16_t chain_index,
                          CompleteChoices& found) {
    for (std::size_t width = 0; width < labels.size(); ++width) {
        for (std::size_t k = 0; k < labels[width].size(); ++k) {
            const Origin at{static_cast<std::uint32_t>(k), static_cast<std::uint16_t>(width), 0};
            candidates_.push_back(
                {labels[width].costs[k], labels[width].gains[k], labels[width].params[k], at});
        }
    }
    const Labels best = keep_best(candidates_, 1, no_cap);
    const std::size_t stages = chain_.stages.size();
    for (std::size_t k = 0; k < best.size(); ++k) {
        const auto row = static_cast<std::uint32_t>(found.values.size());
        found.values.push_back({best.costs[k], best.gains[k], best.params[k], {row, 0, 0}});
        const std::size_t first = found.rows.size();
        found.rows.resize(first + 1 + 2 * stages);
        found.rows[first] = chain_index;
        Origin at = best.origins[k];
        for (std::size_t s = stages; s-- > 0;) {
            const Origin& origin = origins_[s][at.width][at.label];
            found.rows[first + 1 + s] = at.width;
            found.rows[first + 1 + stages + s] = origin.depth;
            at = origin;
        }
    }
}

// Params up to here cannot lead over the cap, whatever follows.
std::int64_t ChainSearch::params_floor(std::size_t s, int width) const {
    if (search_.max_params == no_cap) return no_cap;
    return search_.max_params - completion_.most_params[s][static_cast<std::size_t>(width)];
}

void ChainSearch::watch_memory(std::size_t more) {
    const std::size_t bytes = bytes_ + more + candidates_.capacity() * sizeof(Candidate);
    statistics_.peak_bytes = std::max(statistics_.peak_bytes, bytes);
    if (bytes > search_.max_bytes || candidates_.size() > std::numeric_limits<std::uint32_t>::max()) {
        throw WorkError("planner: the front needs more than " + std::to_string(search_.max_bytes >> 20) +
                        " MiB; narrow the space, lift the cap on params, or allow an epsilon");
    }
}

}  // namespace hacscale::planner
