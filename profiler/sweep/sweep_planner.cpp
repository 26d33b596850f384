#include "profiler/sweep/sweep_planner.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <random>

#include "base/error.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"
#include "profiler/sweep/sweep_space.hpp"
#include "profiler/table/interpolation.hpp"

namespace hacscale {
namespace {

using detail::Interval;
using detail::IntervalSearch;

constexpr std::size_t host_networks_a_round = 8;
constexpr int max_network_rounds = 6;

// What is looked at, of each stage.
enum class Axis { width, inner };

// What host networks take: of each stage a width, and one inner width for all its blocks, 0 where they follow.
struct Point {
    std::vector<int> widths;
    std::vector<int> inner;
};

class Sweep {
public:
    Sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
          const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events)
        : base_(base), space_(space), run_(device, table, base.name, measure, settings, events) {
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
        inner_ = detail::InnerCandidates(base, space);
        run_.share_time(host_networks_expected());
    }

    SweepSummary run() {
        std::vector<int> resolutions = space_.resolutions;
        std::stable_partition(resolutions.begin(), resolutions.end(),
                              [&](int r) { return r == base_.resolution; });
        const auto count = [&](int resolution) {
            return resolution == base_.resolution ? run_.settings().coarse_widths : 3;
        };
        for (const int resolution : resolutions) coarse(resolution, count(resolution));
        if (!inner_.empty()) {
            for (const int resolution : resolutions) coarse_inner(resolution, count(resolution));
        }
        bool left = false;
        for (const Axis axis : {Axis::width, Axis::inner}) {
            for (const int resolution : resolutions) left = refine(resolution, axis) || left;
        }
        left = !draw_networks() || left;
        return run_.summary(!left);
    }

private:
    // Of a sweep that finds little to refine.
    std::size_t host_networks_expected() const {
        const auto coarse = [](int count) { return static_cast<std::size_t>(count) * (count + 1); };
        const std::size_t resolutions = space_.resolutions.size();
        const std::size_t all = coarse(run_.settings().coarse_widths) + (resolutions - 1) * coarse(3);
        return (space_.inner_options ? 2 * all : all) + 2 * host_networks_a_round;
    }

    ModelSpec host_network(const Point& point, const std::vector<int>& depths, int resolution) const {
        ScalingChoice choice{point.widths, depths, resolution};
        choice.inner_widths = inner_.lists(choice, point.inner);
        return scaled(base_, choice);
    }
    std::vector<int> base_depths() const { return choice_of(base_).depths; }
    Point base_point() const { return {choice_of(base_).widths, std::vector<int>(base_.stages.size(), 0)}; }

    // ---- The axes ----

    const std::vector<int>& candidates(Axis axis, std::size_t stage) const {
        return axis == Axis::width ? space_.widths[stage] : inner_.values(stage);
    }
    void place(Point& point, Axis axis, std::size_t stage, std::size_t index) const {
        (axis == Axis::width ? point.widths : point.inner)[stage] = candidates(axis, stage)[index];
    }
    // A count of coarse candidates of each stage; the number of the longest list.
    std::size_t pick(int resolution, Axis axis, int count) {
        std::size_t most = 0;
        auto& picked = measured_[{resolution, axis}];
        for (std::size_t stage = 0; stage < base_.stages.size(); ++stage) {
            const std::size_t base = axis == Axis::width ? base_index_[stage] : inner_.base_index(stage);
            picked.push_back(detail::spread(candidates(axis, stage).size(), count, base));
            most = std::max(most, picked.back().size());
        }
        return most;
    }
    // The k-th coarse candidate of a stage, the last where there are fewer; as it was where there is none.
    void place_coarse(Point& point, int resolution, Axis axis, std::size_t stage, std::size_t k) const {
        const std::vector<std::size_t>& picked = measured_.at({resolution, axis})[stage];
        if (!picked.empty()) place(point, axis, stage, picked[std::min(k, picked.size() - 1)]);
    }

    // Even stages at the one coarse width, odd ones at the other.
    Point coarse_point(int resolution, std::size_t even, std::size_t odd) const {
        Point point = base_point();
        for (std::size_t stage = 0; stage < base_.stages.size(); ++stage) {
            place_coarse(point, resolution, Axis::width, stage, stage % 2 == 0 ? even : odd);
        }
        return point;
    }

    void coarse(int resolution, int count) {
        const std::size_t most = pick(resolution, Axis::width, count);
        std::vector<ModelSpec> host_networks;
        for (std::size_t even = 0; even < most; ++even) {
            for (std::size_t odd = 0; odd < most; ++odd) {
                const Point point = coarse_point(resolution, even, odd);
                host_networks.push_back(host_network(point, base_depths(), resolution));
                if (even == odd) host_networks.push_back(host_network(point, space_.max_depths, resolution));
            }
        }
        measure(host_networks);
    }

    void coarse_inner(int resolution, int count) {
        const std::size_t widths = longest(resolution, Axis::width);
        const std::size_t most = std::max(widths, pick(resolution, Axis::inner, count));
        std::vector<int> depths = base_depths();
        // So that there is a block whose input is the stage's own width.
        for (std::size_t stage = 0; stage < depths.size(); ++stage) {
            if (!inner_.values(stage).empty()) {
                depths[stage] = std::max(depths[stage], std::min(2, space_.max_depths[stage]));
            }
        }
        std::vector<ModelSpec> host_networks;
        for (std::size_t even = 0; even < most; ++even) {
            for (std::size_t odd = 0; odd < most; ++odd) {
                Point point = coarse_point(resolution, even, odd);
                for (std::size_t stage = 0; stage < base_.stages.size(); ++stage) {
                    place_coarse(point, resolution, Axis::inner, stage, (even + odd) % most);
                }
                host_networks.push_back(host_network(point, depths, resolution));
            }
        }
        measure(host_networks);
    }

    // These inner widths of each stage at all coarse stage widths.
    void measure_across(int resolution, const std::vector<std::vector<std::size_t>>& inner) {
        std::size_t most = 0;
        for (const auto& indices : inner) most = std::max(most, indices.size());
        std::vector<ModelSpec> host_networks;
        for (std::size_t i = 0; i < most; ++i) {
            for (std::size_t k = 0; k < longest(resolution, Axis::width); ++k) {
                Point point = base_point();
                for (std::size_t stage = 0; stage < base_.stages.size(); ++stage) {
                    place_coarse(point, resolution, Axis::width, stage, k);
                    if (i < inner[stage].size()) place(point, Axis::inner, stage, inner[stage][i]);
                }
                host_networks.push_back(host_network(point, base_depths(), resolution));
            }
        }
        measure(host_networks);
    }

    std::size_t longest(int resolution, Axis axis) const {
        std::size_t most = 0;
        for (const auto& picked : measured_.at({resolution, axis})) most = std::max(most, picked.size());
        return most;
    }

    // Whether intervals were left for want of time.
    bool refine(int resolution, Axis axis) {
        std::vector<IntervalSearch> searches;
        for (const auto& picked : measured_[{resolution, axis}]) searches.emplace_back(picked);
        const auto open = [&] {
            return std::any_of(searches.begin(), searches.end(),
                               [](const IntervalSearch& s) { return !s.empty(); });
        };
        while (open() && !run_.out_of_time()) {
            std::vector<std::vector<std::pair<std::size_t, Interval>>>
                looked_at;  // of each host network: (stage, interval)
            std::vector<Point> points;
            std::vector<ModelSpec> host_networks;
            while (open() && host_networks.size() < host_networks_a_round) {
                Point& point = points.emplace_back(base_point());
                auto& intervals = looked_at.emplace_back();
                for (std::size_t stage = 0; stage < searches.size(); ++stage) {
                    if (searches[stage].empty()) continue;
                    const std::size_t middle =
                        intervals.emplace_back(stage, searches[stage].take()).second.middle();
                    if (axis == Axis::inner) point.widths[stage] = inner_.home(stage, middle);
                    place(point, axis, stage, middle);
                }
                host_networks.push_back(host_network(point, base_depths(), resolution));
            }
            const auto predicted = stage_latencies(host_networks);
            measure(host_networks);
            if (run_.out_of_time()) return true;
            const auto actual = stage_latencies(host_networks);
            std::vector<std::vector<std::size_t>> badly(searches.size());
            for (std::size_t i = 0; i < host_networks.size(); ++i) {
                for (const auto& [stage, interval] : looked_at[i]) {
                    const double truth = actual[i][stage].latency_us;
                    // A stage that an earlier sweep measured has its neighbours' word instead.
                    const double guess = predicted[i][stage].measured
                                             ? between(axis, interval, points[i], resolution, stage)
                                             : predicted[i][stage].latency_us;
                    const double error = truth > 0.0 ? std::abs(guess / truth - 1.0) : 0.0;
                    ++(axis == Axis::width ? run_.held_out_widths : run_.held_out_inner_widths);
                    if (error <= run_.settings().tolerance) continue;
                    searches[stage].split(interval);
                    badly[stage].push_back(interval.middle());
                }
            }
            if (axis == Axis::inner) measure_across(resolution, badly);
        }
        return open();
    }

    // Whether a round of random networks was predicted within the tolerance.
    bool draw_networks() {
        std::mt19937_64 generator(run_.measure().seed);
        const auto below = [&](std::size_t count) { return static_cast<std::size_t>(generator() % count); };
        const auto any = [&](const std::vector<int>& values) { return values[below(values.size())]; };
        for (int round = 0; round < max_network_rounds && !run_.out_of_time(); ++round) {
            std::vector<ModelSpec> host_networks;
            while (host_networks.size() < host_networks_a_round) {
                ScalingChoice choice = choice_of(base_);
                for (std::size_t stage = 0; stage < choice.widths.size(); ++stage) {
                    choice.widths[stage] = any(space_.widths[stage]);
                    const auto more =
                        static_cast<std::size_t>(space_.max_depths[stage] - choice.depths[stage]);
                    choice.depths[stage] += static_cast<int>(below(more + 1));
                }
                choice.resolution = any(space_.resolutions);
                // Every other network, so that those whose inner widths follow are drawn too.
                if (!inner_.empty() && host_networks.size() % 2 == 0) {
                    choice.inner_widths = draw_inner(choice, any);
                }
                host_networks.push_back(scaled(base_, choice));
            }
            if (run_.predicts(networks_of(host_networks))) return true;
        }
        return false;
    }

    // Inner widths for each block of `choice`, of which `any` takes one of a list.
    template <typename Any>
    std::vector<std::vector<int>> draw_inner(const ScalingChoice& choice, const Any& any) const {
        std::vector<std::vector<int>> drawn;
        const ModelSpec following = scaled(base_, choice);
        for (std::size_t stage = 0; stage < choice.widths.size(); ++stage) {
            drawn.push_back(following.stages[stage].inner_widths);
            for (std::size_t block = 0; block < drawn.back().size(); ++block) {
                const int value = any(space_.inner_options(stage, static_cast<int>(block),
                                                           stage == 0 ? 0 : choice.widths[stage - 1],
                                                           choice.widths[stage]));
                if (value > 0) drawn.back()[block] = value;
            }
        }
        return drawn;
    }

    // What the table says of a stage at an interval's middle by its two ends, microseconds.
    double between(Axis axis, const Interval& interval, const Point& middle, int resolution,
                   std::size_t stage) const {
        std::vector<ModelSpec> ends;
        for (const std::size_t end : {interval.low, interval.high}) {
            Point point = middle;
            place(point, axis, stage, end);
            ends.push_back(host_network(point, base_depths(), resolution));
        }
        const auto latencies = stage_latencies(ends);
        const std::vector<int>& values = candidates(axis, stage);
        const double low = values[interval.low];
        const double share = (values[interval.middle()] - low) / (values[interval.high] - low);
        return std::lerp(latencies[0][stage].latency_us, latencies[1][stage].latency_us, share);
    }

    struct StageLatency {
        double latency_us = 0.0;
        bool measured = true;  // all of it; else some is interpolated or missing
    };

    // What the table says now of each stage of each host network.
    std::vector<std::vector<StageLatency>> stage_latencies(
        const std::vector<ModelSpec>& host_networks) const {
        std::vector<std::vector<StageLatency>> latencies;
        const MeasureSettings& measured = run_.measure();
        for (const ModelSpec& model : host_networks) {
            const Graph network = lower(model);
            const TableLatencySource source(
                run_.table(), measured.batch, measured.type, CacheState::network,
                footprint_bucket(pass_footprint(network, measured.batch, measured.type)));
            auto& stages = latencies.emplace_back(model.stages.size());
            for (const Node& node : network.nodes) {
                if (node.stage < 0 || node.stage >= static_cast<int>(stages.size())) continue;
                const LatencyEstimate layer = source.estimate(node.layer);
                stages[node.stage].latency_us += layer.latency_us;
                if (layer.kind != EstimateKind::measured) stages[node.stage].measured = false;
            }
        }
        return latencies;
    }

    static std::vector<Network> networks_of(const std::vector<ModelSpec>& host_networks) {
        std::vector<Network> networks;
        for (const ModelSpec& model : host_networks) {
            networks.push_back({.name = model.name, .graph = lower(model)});
        }
        return networks;
    }
    void measure(const std::vector<ModelSpec>& host_networks) { run_.run(networks_of(host_networks)); }

    const ModelSpec& base_;
    const SweepSpace& space_;
    detail::SweepRun run_;
    std::vector<std::size_t> base_index_;
    detail::InnerCandidates inner_;
    std::map<std::pair<int, Axis>, std::vector<std::vector<std::size_t>>>
        measured_;  // by resolution and axis: of each stage, coarse indices
};

}  // namespace

SweepSummary sweep(const DeviceHandle& device, Table& table, const ModelSpec& base, const SweepSpace& space,
                   const MeasureSettings& measure, const SweepSettings& settings, const WorkEvents& events) {
    return Sweep(device, table, base, space, measure, settings, events).run();
}

}  // namespace hacscale
