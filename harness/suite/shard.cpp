#include "harness/suite/shard.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>
#include <set>
#include <utility>

#include "base/error.hpp"
#include "harness/compare/compare.hpp"
#include "models/graph/network.hpp"
#include "models/stages/scaled_model.hpp"
#include "scaling/strategies/strategy.hpp"

namespace hacscale::harness {

namespace {

constexpr int max_shards = 10000;

// What may take long, and how much there is to compute: the second only orders what the first leaves equal.
using Work = std::pair<double, double>;

Work operator+(const Work& a, const Work& b) {
    return {a.first + b.first, a.second + b.second};
}

Work work_of(const ProfileUnit& unit) {
    return {unit.seconds_at_most, static_cast<double>(unit.model.network->graph.macs()) * unit.state.batch};
}

double own_seconds(const Suite& suite, const MeasuredState& state, const Graph& network) {
    if (state.cache == CacheState::network) {
        return suite.seconds;
    }
    std::set<LayerSpec> layers;  // each is timed on its own
    for (const Node& node : network.nodes) {
        layers.insert(node.layer);
    }
    return suite.seconds * static_cast<double>(layers.size());
}

}  // namespace

Shard parse_shard(std::string_view text) {
    Shard shard{0, 0};
    const char* end = text.data() + text.size();
    const auto [slash, index_error] = std::from_chars(text.data(), end, shard.index);
    if (index_error == std::errc{} && slash != end && *slash == '/') {
        const auto [stop, count_error] = std::from_chars(slash + 1, end, shard.count);
        if (count_error == std::errc{} && stop == end && shard.index >= 1 && shard.index <= shard.count &&
            shard.count <= max_shards) {
            return shard;
        }
    }
    throw InputError(
        fmt::format("--shard: \"{}\" is no part of a whole; expected I/N, for example 2/8, with I "
                    "from 1 to N and N at most {}",
                    text, max_shards));
}

std::string name_of(const Shard& shard) {
    return fmt::format("{}/{}", shard.index, shard.count);
}

std::string folder_name(const Shard& shard) {
    return fmt::format("shard-{}-of-{}", shard.index, shard.count);
}

std::vector<ProfileUnit> profile_units(const Suite& suite) {
    std::vector<ProfileUnit> units;
    for (const MeasuredState& state : states_of(suite)) {
        // Other widths are measured inside networks, so in that state only.
        const bool sweeps = state.cache == CacheState::network;
        for (const SuiteModel& model : suite.models) {
            const double own = own_seconds(suite, state, model.network->graph);
            units.push_back({state, model, sweeps, own + (sweeps ? 60.0 * suite.minutes : 0.0)});
        }
        for (const SuiteModel& model : suite.verify) {
            if (std::find(suite.models.begin(), suite.models.end(), model) == suite.models.end()) {
                units.push_back({state, model, false, own_seconds(suite, state, model.network->graph)});
            }
        }
    }
    return units;
}

std::vector<ProfileUnit> units_of(const Suite& suite, const std::optional<Shard>& shard) {
    std::vector<ProfileUnit> units = profile_units(suite);
    if (!shard) {
        return units;
    }
    std::vector<Work> work;
    for (const ProfileUnit& unit : units) {
        work.push_back(work_of(unit));
    }
    std::vector<std::size_t> order(units.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return work[a] > work[b]; });
    std::vector<Work> load(static_cast<std::size_t>(shard->count));
    std::vector<std::size_t> mine;
    for (const std::size_t place : order) {
        const auto least = std::min_element(load.begin(), load.end());
        *least = *least + work[place];
        if (least - load.begin() + 1 == shard->index) {
            mine.push_back(place);
        }
    }
    std::sort(mine.begin(), mine.end());
    std::vector<ProfileUnit> part;
    for (const std::size_t place : mine) {
        part.push_back(std::move(units[place]));
    }
    return part;
}

double comparison_seconds(const Suite& suite) {
    const std::size_t networks =
        1 + (suite.strategies.empty() ? hacscale::strategies().size() : suite.strategies.size());
    const int timings_of_each = ComparisonSettings{}.rounds + max_final_sessions;
    return suite.seconds * static_cast<double>(networks) * timings_of_each;
}

double usual_comparison_seconds(const Suite& suite) {
    constexpr double usual_share = 0.1;
    return usual_share * comparison_seconds(suite);
}

double verification_seconds(const Suite& suite) {
    return suite.seconds * static_cast<double>(suite.verify.size());
}

}  // namespace hacscale::harness
