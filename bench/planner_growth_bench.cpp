// The planner against brute force, which looks at every choice, and against a greedy search, which takes the
// step of most gain per cost until none fits: over spaces of CIFAR ResNet-20 whose widths are ever closer,
// and a made-up device. N is the number of widths of the last stage; there are about N^3 / 8 choices.
// Counters: the choices, and how far the answer's gain is below the most that the budget allows, in per cent
// of it.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <optional>

#include "bench/made_up_source.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/costs.hpp"
#include "scaling/gain.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale {
namespace {

constexpr double budget = 1.5;  // of the base's latency

struct Setting {
    ChainProblem problem;
    ChainChoice base;
    std::int64_t max_cost = 0;
    std::int64_t max_gain = 0;
    double choices = 1.0;

    int largest() const { return problem.chains.front().stages.back().widths; }
};

ParetoFront plan(const Setting& setting) {
    FrontLimits limits;
    limits.max_cost = setting.max_cost;
    return pareto_front(setting.problem, limits);
}

Setting make_setting(int grid) {
    Setting setting;
    const ModelSpec base = find_model("resnet20-cifar");
    SpaceSettings settings;
    settings.grid = grid;
    settings.min_depth_ratio = 1.0;
    settings.max_depth_ratio = 1.0;
    const ScalingSpace space = make_space(base, settings);
    setting.problem = stage_costs(base, space, bench::MadeUpSource()).problem;
    set_gains(setting.problem, space, balanced_gain(base));
    for (std::size_t s = 0; s < space.stages.size(); ++s) {
        const std::vector<int>& widths = space.stages[s].widths;
        const auto at = std::lower_bound(widths.begin(), widths.end(), base.stages[s].width);
        setting.base.widths.push_back(static_cast<int>(at - widths.begin()));
        setting.base.depths.push_back(0);
        setting.choices *= static_cast<double>(widths.size());
    }
    setting.max_cost = static_cast<std::int64_t>(
        budget * static_cast<double>(totals_of(setting.problem, setting.base)->cost));
    setting.max_gain = plan(setting).gains.back();
    return setting;
}

const Setting& setting_of(int grid) {
    static std::map<int, Setting> settings;
    const auto known = settings.find(grid);
    return known != settings.end() ? known->second : settings.emplace(grid, make_setting(grid)).first->second;
}

// The next choice of widths; false after the last one.
bool advance(const Chain& chain, std::vector<int>& widths) {
    for (std::size_t s = 0; s < widths.size(); ++s) {
        if (++widths[s] < chain.stages[s].widths) return true;
        widths[s] = 0;
    }
    return false;
}

std::int64_t brute_force(const Setting& setting) {
    std::int64_t best = 0;
    ChainChoice choice = setting.base;
    std::fill(choice.widths.begin(), choice.widths.end(), 0);
    do {
        const std::optional<ChainTotals> totals = totals_of(setting.problem, choice);
        if (totals && totals->cost <= setting.max_cost) best = std::max(best, totals->gain);
    } while (advance(setting.problem.chains.front(), choice.widths));
    return best;
}

std::int64_t greedy(const Setting& setting) {
    const Chain& chain = setting.problem.chains.front();
    ChainChoice choice = setting.base;
    ChainTotals here = *totals_of(setting.problem, choice);
    while (true) {
        std::optional<std::size_t> best_stage;
        ChainTotals best;
        double best_rate = 0.0;
        for (std::size_t s = 0; s < choice.widths.size(); ++s) {
            if (choice.widths[s] + 1 == chain.stages[s].widths) continue;
            ++choice.widths[s];
            const std::optional<ChainTotals> next = totals_of(setting.problem, choice);
            --choice.widths[s];
            if (!next || next->cost > setting.max_cost || next->gain <= here.gain) continue;
            // A step that costs nothing, or saves, counts as one that costs the least there is.
            const std::int64_t cost = std::max<std::int64_t>(1, next->cost - here.cost);
            const double rate = static_cast<double>(next->gain - here.gain) / static_cast<double>(cost);
            if (best_stage && rate <= best_rate) continue;
            best_stage = s;
            best = *next;
            best_rate = rate;
        }
        if (!best_stage) return here.gain;
        ++choice.widths[*best_stage];
        here = best;
    }
}

std::int64_t planner(const Setting& setting) {
    return plan(setting).gains.back();
}

void search(benchmark::State& state, std::int64_t (*max_gain)(const Setting&)) {
    const Setting& setting = setting_of(static_cast<int>(state.range(0)));
    std::int64_t gain = 0;
    for (auto _ : state) benchmark::DoNotOptimize(gain = max_gain(setting));
    state.SetComplexityN(setting.largest());
    state.counters["choices"] = setting.choices;
    state.counters["gap_percent"] =
        100.0 * static_cast<double>(setting.max_gain - gain) / static_cast<double>(setting.max_gain);
}

// Grids, from coarse to fine.
void grids(benchmark::internal::Benchmark* benchmark) {
    benchmark->Arg(8)->Arg(4)->Arg(2)->Arg(1)->Unit(benchmark::kMillisecond)->Complexity();
}

BENCHMARK_CAPTURE(search, brute_force, brute_force)->Apply(grids);
BENCHMARK_CAPTURE(search, greedy, greedy)->Apply(grids);
BENCHMARK_CAPTURE(search, planner, planner)->Apply(grids);

}  // namespace
}  // namespace hacscale

BENCHMARK_MAIN();
