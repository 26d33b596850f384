#include "profiler/sweep_planner.hpp"

#include <algorithm>
#include <cmath>
#include <deque>
#include <functional>
#include <map>
#include <random>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "models/scaled_model.hpp"
#include "profiler/latency_index.hpp"

namespace hacscale {
namespace {

constexpr std::size_t carriers_a_round = 8;
constexpr int most_network_rounds = 6;

// Indices of measured candidates with unmeasured ones between them.
struct Interval {
    std::size_t low, high;
    std::size_t middle() const { return (low + high) / 2; }
};

// The widths of one stage that remain to be looked at.
class StageSearch {
public:
    StageSearch(const std::vector<int>& widths, const std::vector<std::size_t>& measured) : widths_(widths) {
        for (std::size_t i = 1; i < measured.size(); ++i) add({measured[i - 1], measured[i]});
    }
    bool empty() const { return open_.empty(); }
    Interval take() {
        const Interval next = open_.front();
        open_.pop_front();
        return next;
    }
    void split(const Interval& interval) {
        add({interval.low, interval.middle()});
        add({interval.middle(), interval.high});
    }
    int width(std::size_t index) const { return widths_[index]; }

private:
    void add(const Interval& interval) {
        if (interval.high - interval.low >= 2) open_.push_back(interval);  // breadth first
    }
    const std::vector<int>& widths_;
    std::deque<Interval> open_;
};

// `count` indices spread over 0..size-1, both ends among them, and `always`.
std::vector<std::size_t> spread(std::size_t size, int count, std::size_t always) {
    std::vector<std::size_t> indices{always};
    const auto last = static_cast<double>(size - 1);
    for (int k = 0; k < count; ++k)
        indices.push_back(static_cast<std::size_t>(std::lround(k * last / (count - 1))));
    std::sort(indices.begin(), indices.end());
    indices.erase(std::unique(indices.begin(), indices.end()), indices.end());
    return indices;
}

// It takes longer than the rest of a carrier's measurement.
MeasureSettings without_energy(MeasureSettings settings) {
    settings.energy_seconds = 0.0;
    return settings;
}

class Sweep {
public:
    Sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
          const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events)
        : device_(device),
          table_(table),
          base_(base),
          space_(space),
          measure_(without_energy(measure)),
          settings_(settings),
          events_(events),
          deadline_us_(now_us() + settings.most_seconds * 1e6) {
        if (space.widths.size() != base.stages.size() || space.max_depths.size() != base.stages.size()) {
            throw InputError("the sweep's space has another number of stages than " + base.name);
        }
        for (std::size_t stage = 0; stage < base.stages.size(); ++stage) {
            const auto& widths = space.widths[stage];
            const auto place = std::find(widths.begin(), widths.end(), base.stages[stage].width);
            const auto not_ascending = std::adjacent_find(widths.begin(), widths.end(), std::greater_equal());
            if (place == widths.end() || not_ascending != widths.end()) {
                throw InputError("the sweep's widths of " + base.stages[stage].name +
                                 " do not ascend or leave out the base's width");
            }
            if (space.max_depths[stage] < base.stages[stage].depth) {
                throw InputError("the sweep's greatest depth of " + base.stages[stage].name +
                                 " is less than the base's");
            }
            base_index_.push_back(static_cast<std::size_t>(place - widths.begin()));
        }
        if (std::find(space.resolutions.begin(), space.resolutions.end(), base.resolution) ==
            space.resolutions.end()) {
            throw InputError("the sweep's resolutions leave out the base's, " +
                             std::to_string(base.resolution));
        }
        if (settings.coarse_widths < 2) {
            throw InputError("a sweep begins with 2 or more coarse widths a stage, not with " +
                             std::to_string(settings.coarse_widths));
        }
    }

    SweepSummary run() {
        std::vector<int> resolutions = space_.resolutions;
        std::stable_partition(resolutions.begin(), resolutions.end(),
                              [&](int r) { return r == base_.resolution; });
        for (const int resolution : resolutions) {
            coarse(resolution, resolution == base_.resolution ? settings_.coarse_widths : 3);
        }
        bool left = false;
        for (const int resolution : resolutions) left = refine(resolution) || left;
        left = !draw_networks() || left;
        summary_.complete = !left && !out_of_time();
        summary_.profile.interrupted = !events_.keep_going();
        return summary_;
    }

private:
    bool out_of_time() const { return now_us() > deadline_us_ || !events_.keep_going(); }

    ModelSpec carrier(const std::vector<int>& widths, const std::vector<int>& depths, int resolution) const {
        return scaled(base_, {widths, depths, resolution});
    }
    std::vector<int> base_depths() const { return choice_of(base_).depths; }

    void coarse(int resolution, int count) {
        std::vector<std::vector<std::size_t>> picked;
        std::size_t most = 0;
        for (std::size_t stage = 0; stage < space_.widths.size(); ++stage) {
            picked.push_back(spread(space_.widths[stage].size(), count, base_index_[stage]));
            most = std::max(most, picked.back().size());
        }
        const auto width = [&](std::size_t stage, std::size_t k) {
            return space_.widths[stage][picked[stage][std::min(k, picked[stage].size() - 1)]];
        };
        std::vector<ModelSpec> carriers;
        for (std::size_t even = 0; even < most; ++even) {
            for (std::size_t odd = 0; odd < most; ++odd) {
                std::vector<int> widths;
                for (std::size_t stage = 0; stage < picked.size(); ++stage) {
                    widths.push_back(width(stage, stage % 2 == 0 ? even : odd));
                }
                carriers.push_back(carrier(widths, base_depths(), resolution));
                if (even == odd) carriers.push_back(carrier(widths, space_.max_depths, resolution));
            }
        }
        measured_[resolution] = picked;
        measure(carriers);
    }

    // Whether intervals were left for want of time.
    bool refine(int resolution) {
        std::vector<StageSearch> searches;
        for (std::size_t stage = 0; stage < space_.widths.size(); ++stage) {
            searches.emplace_back(space_.widths[stage], measured_[resolution][stage]);
        }
        const auto open = [&] {
            return std::any_of(searches.begin(), searches.end(),
                               [](const StageSearch& s) { return !s.empty(); });
        };
        while (open() && !out_of_time()) {
            std::vector<std::vector<std::pair<std::size_t, Interval>>>
                looked_at;  // of each carrier: (stage, interval)
            std::vector<ModelSpec> carriers;
            while (open() && carriers.size() < carriers_a_round) {
                std::vector<int> widths = choice_of(base_).widths;
                auto& intervals = looked_at.emplace_back();
                for (std::size_t stage = 0; stage < searches.size(); ++stage) {
                    if (searches[stage].empty()) continue;
                    intervals.emplace_back(stage, searches[stage].take());
                    widths[stage] = searches[stage].width(intervals.back().second.middle());
                }
                carriers.push_back(carrier(widths, base_depths(), resolution));
            }
            const auto predicted = stage_latencies(carriers);
            measure(carriers);
            if (out_of_time()) return true;
            const auto actual = stage_latencies(carriers);
            for (std::size_t i = 0; i < carriers.size(); ++i) {
                for (const auto& [stage, interval] : looked_at[i]) {
                    const double truth = actual[i][stage].latency_us;
                    // A stage that an earlier sweep measured has its neighbours' word instead.
                    const double guess = predicted[i][stage].measured
                                             ? between(searches[stage], interval, carriers[i], stage)
                                             : predicted[i][stage].latency_us;
                    const double error = truth > 0.0 ? std::abs(guess / truth - 1.0) : 0.0;
                    ++summary_.held_out_widths;
                    if (error > settings_.tolerance) searches[stage].split(interval);
                }
            }
        }
        return open();
    }

    // Whether a round of random networks was predicted within the tolerance.
    bool draw_networks() {
        std::mt19937_64 generator(measure_.seed);
        const auto below = [&](std::size_t count) { return static_cast<std::size_t>(generator() % count); };
        const auto any = [&](const std::vector<int>& values) { return values[below(values.size())]; };
        for (int round = 0; round < most_network_rounds && !out_of_time(); ++round) {
            std::vector<ModelSpec> carriers;
            while (carriers.size() < carriers_a_round) {
                ScalingChoice choice = choice_of(base_);
                for (std::size_t stage = 0; stage < choice.widths.size(); ++stage) {
                    choice.widths[stage] = any(space_.widths[stage]);
                    const auto more =
                        static_cast<std::size_t>(space_.max_depths[stage] - choice.depths[stage]);
                    choice.depths[stage] += static_cast<int>(below(more + 1));
                }
                choice.resolution = any(space_.resolutions);
                carriers.push_back(scaled(base_, choice));
            }
            std::vector<double> predicted;
            for (const ModelSpec& model : carriers) {
                predicted.push_back(predict(table_, lower(model), measure_, CacheState::network).latency_us);
            }
            const std::vector<CarrierResult> results = measure(carriers, /*run_all=*/true);
            if (out_of_time()) return false;
            if (note_network_errors(predicted, results) <= settings_.tolerance) return true;
        }
        return false;
    }

    // Keeps the errors of one round, and returns the worst. `predicted` is in the carriers' order.
    double note_network_errors(const std::vector<double>& predicted,
                               const std::vector<CarrierResult>& results) {
        summary_.network_errors.clear();
        double worst = 0.0;
        for (const CarrierResult& result : results) {
            if (!result.measured) continue;  // it cannot run here
            const double error = predicted[result.carrier] / result.total.median - 1.0;
            summary_.network_errors.push_back(error);
            worst = std::max(worst, std::abs(error));
        }
        return worst;
    }

    // What the table says of a stage at an interval's middle width by its two ends, microseconds.
    double between(const StageSearch& search, const Interval& interval, const ModelSpec& middle,
                   std::size_t stage) const {
        std::vector<ModelSpec> ends;
        for (const std::size_t end : {interval.low, interval.high}) {
            ScalingChoice choice = choice_of(middle);
            choice.widths[stage] = search.width(end);
            ends.push_back(scaled(base_, choice));
        }
        const auto latencies = stage_latencies(ends);
        const double low = search.width(interval.low);
        const double share = (search.width(interval.middle()) - low) / (search.width(interval.high) - low);
        return std::lerp(latencies[0][stage].latency_us, latencies[1][stage].latency_us, share);
    }

    struct StageLatency {
        double latency_us = 0.0;
        bool measured = true;  // all of it; else some is interpolated or missing
    };

    // What the table says now of each stage of each carrier.
    std::vector<std::vector<StageLatency>> stage_latencies(const std::vector<ModelSpec>& carriers) const {
        std::vector<std::vector<StageLatency>> latencies;
        for (const ModelSpec& model : carriers) {
            const Network network = lower(model);
            const TableLatencySource source(
                table_, measure_.batch, measure_.type, CacheState::network,
                footprint_bucket(pass_footprint(network, measure_.batch, measure_.type)));
            auto& stages = latencies.emplace_back(model.stages.size());
            for (const NetworkNode& node : network.nodes) {
                if (node.stage < 0 || node.stage >= static_cast<int>(stages.size())) continue;
                const LatencyEstimate layer = source.estimate(node.layer);
                stages[node.stage].latency_us += layer.latency_us;
                if (layer.kind != EstimateKind::measured) stages[node.stage].measured = false;
            }
        }
        return latencies;
    }

    std::vector<CarrierResult> measure(const std::vector<ModelSpec>& carriers, bool run_all = false) {
        const WorkEvents events{[this] { return !out_of_time(); },
                                [this](double done, double total, const std::string&) {
                                    events_.progress(done, total, base_.name + " at scaled widths");
                                }};
        ProfileRequest request{carriers, measure_, {CacheState::network}, run_all};
        request.retry_failed = settings_.retry_failed;
        const ProfileSummary part = profile(device_, table_, request, events);
        summary_.carriers += static_cast<int>(part.carriers.size());
        summary_.profile.measured += part.measured;
        summary_.profile.reused += part.reused;
        summary_.profile.noisy += part.noisy;
        summary_.profile.failed += part.failed;
        summary_.profile.given_up += part.given_up;
        summary_.profile.dropped_records += part.dropped_records;
        return part.carriers;
    }

    const DeviceHandle& device_;
    Table& table_;
    const ModelSpec& base_;
    const SweepSpace& space_;
    MeasureSettings measure_;
    const SweepSettings& settings_;
    const WorkEvents& events_;
    double deadline_us_;
    std::vector<std::size_t> base_index_;
    std::map<int, std::vector<std::vector<std::size_t>>>
        measured_;  // by resolution: of each stage, coarse indices
    SweepSummary summary_;
};

}  // namespace

SweepSummary sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events) {
    return Sweep(device, table, base, space, measure, settings, events).run();
}

}  // namespace hacscale
