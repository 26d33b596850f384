#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

#include "base/error.hpp"
#include "report/networks.hpp"
#include "report/side_by_side/side_by_side.hpp"

namespace hacscale::report {

namespace {

constexpr std::size_t max_runs = 26;

// What a run says about itself, in order: versions and settings that may differ from another's.
std::vector<std::pair<std::string, std::string>> traits_of(const records::RunRecords& run) {
    std::vector<std::pair<std::string, std::string>> traits = named_settings(run.provenance);
    const auto properties = records::named_properties(run.provenance.device);
    traits.insert(traits.end(), properties.begin(), properties.end());
    traits.emplace_back(run.provenance.program, run.provenance.version);
    return traits;
}

std::string value_of(const records::RunRecords& run, const std::string& name) {
    for (const auto& [trait, value] : traits_of(run)) {
        if (trait == name) return value;
    }
    return {};
}

using RowState = std::tuple<std::string, std::int64_t, std::string, std::string, std::int64_t>;

RowState state_of(const records::MeasuredRow& row) {
    return {row.layer, row.batch, row.dtype, row.cache, row.footprint_bytes};
}

std::map<RowState, const records::MeasuredRow*> timed_rows(const records::RunRecords& run) {
    std::map<RowState, const records::MeasuredRow*> rows;
    if (!run.rows) return rows;
    for (const records::MeasuredRow& row : *run.rows) {
        if (row.latency_us && *row.latency_us > 0.0) rows.emplace(state_of(row), &row);
    }
    return rows;
}

// The interval of a layer's latency: that of the row it was read from.
class Intervals {
public:
    explicit Intervals(const records::RunRecords& run) {
        if (!run.rows) return;
        for (const records::MeasuredRow& row : *run.rows) {
            if (row.latency_us && row.ci95_us) rows_.emplace(row.layer, &row);
        }
    }

    std::optional<double> of(const records::LayerRow& layer) const {
        const auto [begin, end] = rows_.equal_range(layer.key);
        for (auto found = begin; found != end; ++found) {
            const bool same =
                std::abs(*found->second->latency_us - *layer.latency_us()) <= 1e-9 * *layer.latency_us();
            if (same) return found->second->ci95_us;
        }
        return std::nullopt;
    }

private:
    std::multimap<std::string, const records::MeasuredRow*> rows_;
};

const records::ComparisonRecord* comparison_of(const records::RunRecords& run, const std::string& model) {
    const auto found = std::find_if(run.comparisons.begin(), run.comparisons.end(),
                                    [&](const records::ComparisonRecord& one) { return one.model == model; });
    return found == run.comparisons.end() ? nullptr : &*found;
}

void sort_by_change(std::vector<LayerRatio>& ratios) {
    std::stable_sort(ratios.begin(), ratios.end(), [](const LayerRatio& x, const LayerRatio& y) {
        return std::abs(std::log(x.ratio)) > std::abs(std::log(y.ratio));
    });
}

void add_layers(const records::ComparisonRecord& a, const Intervals& intervals_a,
                const records::ComparisonRecord& b, const Intervals& intervals_b,
                std::vector<LayerRatio>& ratios) {
    std::map<std::string, const records::LayerRow*> in_b;
    for (const records::LayerRow& layer : b.layers) {
        if (layer.spec == "base" && layer.latency_us()) in_b.emplace(layer.name, &layer);
    }
    double total_us = 0.0;
    for (const records::LayerRow& layer : a.layers) {
        if (layer.spec == "base") total_us += layer.latency_us().value_or(0.0);
    }
    for (const records::LayerRow& layer : a.layers) {
        const auto found = in_b.find(layer.name);
        if (layer.spec != "base" || !layer.latency_us() || found == in_b.end()) continue;
        const records::LayerRow& other = *found->second;
        const std::optional<double> ci95_a = intervals_a.of(layer);
        const std::optional<double> ci95_b = intervals_b.of(other);
        LayerRatio ratio{latency_ratio(*layer.latency_us(), ci95_a.value_or(0.0), *other.latency_us(),
                                       ci95_b.value_or(0.0)),
                         a.model,
                         layer.name,
                         layer.key,
                         *layer.latency_us() / total_us,
                         ci95_a && ci95_b};
        ratios.push_back(std::move(ratio));
    }
}

}  // namespace

std::string letter_of(std::size_t run) {
    return std::string(1, static_cast<char>('A' + run));
}

std::vector<std::string> names_of(const Runs& runs) {
    std::vector<std::string> differing;
    for (const auto& [name, value] : traits_of(runs.front())) {
        const bool differs = std::any_of(runs.begin(), runs.end(),
                                         [&, name = name, value = value](const records::RunRecords& run) {
                                             return value_of(run, name) != value;
                                         });
        // What is long is no name; the table of runs has it.
        if (differs && value.size() <= 40) differing.push_back(name);
    }
    const bool one_device = std::all_of(runs.begin(), runs.end(), [&](const records::RunRecords& run) {
        return run.provenance.device.name == runs.front().provenance.device.name;
    });
    const std::size_t shown = std::min<std::size_t>(differing.size(), one_device ? 4 : 1);
    std::vector<std::string> names;
    for (const records::RunRecords& run : runs) {
        std::string name = run.provenance.device.name;
        for (std::size_t i = 0; i < shown; ++i) {
            const std::string value = value_of(run, differing[i]);
            if (!value.empty()) name += fmt::format(", {} {}", differing[i], value);
        }
        names.push_back(std::move(name));
    }
    return names;
}

std::vector<std::string> networks_of(const Runs& runs) {
    std::set<std::string> names;
    for (const records::RunRecords& run : runs) {
        for (const records::ComparisonRecord& comparison : run.comparisons) names.insert(comparison.model);
        if (!run.verification) continue;
        for (const records::VerifiedModel& network : run.verification->models) {
            if (network.role != "strategy") names.insert(network.record.model);
        }
    }
    return {names.begin(), names.end()};
}

std::optional<NetworkFigures> figures_of(const records::RunRecords& run, const std::string& model) {
    if (const records::ComparisonRecord* comparison = comparison_of(run, model)) {
        const records::StrategyRow& base = comparison->base;
        if (const auto latency_us = base.latency_us()) {
            return NetworkFigures{*latency_us, base.measured_us ? base.ci95_us : std::nullopt,
                                  base.measured_us.has_value(), base.utilization};
        }
    }
    if (!run.verification) return std::nullopt;
    const std::vector<records::VerifiedModel>& verified = run.verification->models;
    const auto found =
        std::find_if(verified.begin(), verified.end(), [&](const records::VerifiedModel& network) {
            return network.record.model == model && network.role != "strategy";
        });
    if (found == verified.end()) return std::nullopt;
    return NetworkFigures{found->record.measured_us, interval_of(*found), true, std::nullopt};
}

LatencyRatio ratio_of(const NetworkFigures& a, const NetworkFigures& b) {
    return latency_ratio(a.latency_us, a.ci95_us.value_or(0.0), b.latency_us, b.ci95_us.value_or(0.0));
}

std::vector<LayerRatio> layer_ratios(const records::RunRecords& a, const records::RunRecords& b) {
    std::vector<LayerRatio> ratios;
    const Intervals intervals_a(a);
    const Intervals intervals_b(b);
    const std::string* last = nullptr;
    for (const records::ComparisonRecord& comparison : a.comparisons) {
        if (last != nullptr && *last == comparison.model) continue;  // the base is one at every budget
        last = &comparison.model;
        const records::ComparisonRecord* other = comparison_of(b, comparison.model);
        if (other != nullptr) add_layers(comparison, intervals_a, *other, intervals_b, ratios);
    }
    sort_by_change(ratios);
    return ratios;
}

std::vector<LayerRatio> row_ratios(const records::RunRecords& a, const records::RunRecords& b) {
    std::vector<LayerRatio> ratios;
    const auto rows_b = timed_rows(b);
    for (const auto& [state, row] : timed_rows(a)) {
        const auto found = rows_b.find(state);
        if (found == rows_b.end()) continue;
        const records::MeasuredRow& other = *found->second;
        const LatencyRatio ratio = latency_ratio(*row->latency_us, row->ci95_us.value_or(0.0),
                                                 *other.latency_us, other.ci95_us.value_or(0.0));
        ratios.push_back({ratio, "", row->layer,
                          fmt::format("batch {}, {}, {}", row->batch, row->dtype, row->cache), 0.0,
                          row->ci95_us && other.ci95_us});
    }
    sort_by_change(ratios);
    return ratios;
}

void check_shared(const Runs& runs) {
    if (runs.size() < 2 || runs.size() > max_runs) {
        throw InputError(
            fmt::format("{} runs cannot be set side by side; name 2 to {} folders", runs.size(), max_runs));
    }
    const records::RunRecords& first = runs.front();
    for (std::size_t i = 1; i < runs.size(); ++i) {
        const Runs pair{first, runs[i]};
        const std::vector<std::string> networks = networks_of(pair);
        const bool network = std::any_of(networks.begin(), networks.end(), [&](const std::string& model) {
            return figures_of(first, model) && figures_of(runs[i], model);
        });
        if (network || !row_ratios(first, runs[i]).empty()) continue;
        throw InputError(fmt::format(
            "{} and {} share neither a network nor a row of their tables, so there is nothing to set side by "
            "side; name folders of one suite, run on several devices or with several versions",
            first.folder.string(), runs[i].folder.string()));
    }
}

}  // namespace hacscale::report
