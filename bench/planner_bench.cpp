// The planner on MobileNetV2's space (more than 10^12 choices) with a made-up device and the default gain: the exact front, the
// front with a bound of 0.1 %, the front under a cap on params, fronts for budgets below 1, and the cost tables that come before.
// Counters: choices looked at (log10), points on the front, partial choices compared, and the planner's own
// peak memory.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "bench/made_up_source.hpp"
#include "bench/planned_network.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/costs.hpp"
#include "scaling/gain.hpp"
#include "scaling/planner/pareto_front.hpp"

namespace hacscale {
namespace {

struct Setting : bench::PlannedNetwork {
    ModelSpec base;
    ScalingSpace space;
    ChainProblem problem;
};

// `inner`: inner widths of every block too, on a grid of 8 between half and one and a half times what
// follows, and the base's resolution alone. The space is that of the budget.
Setting make_setting(const std::string& model, bool inner, double budget) {
    Setting setting;
    setting.base = find_model(model);
    SpaceSettings settings;
    const int step = resolution_step(setting.base);
    if (inner) {
        settings.min_inner_ratio = 0.5;
        settings.max_inner_ratio = 1.5;
    } else {
        settings.resolutions = {setting.base.resolution - 4 * step, setting.base.resolution + 4 * step};
    }
    setting.space = make_space(setting.base, for_budget(settings, budget));
    const bench::MadeUpSource source;
    setting.problem = stage_costs(setting.base, setting.space, source).problem;
    set_gains(setting.problem, setting.space, balanced_gain(setting.base));
    const Graph network = lower(setting.base);
    setting.base_ps = picoseconds(estimate(network, source).latency_us);
    setting.base_params = network.params();
    return setting;
}

const Setting& setting_of(const std::string& model, bool inner, double budget) {
    static std::map<std::tuple<std::string, bool, double>, Setting> settings;
    // Of budgets from 1 to 2 the space is one.
    const std::tuple key(model, inner, std::min(1.0, budget));
    const auto known = settings.find(key);
    if (known != settings.end()) return known->second;
    return settings.emplace(key, make_setting(model, inner, std::get<double>(key))).first->second;
}

void front(benchmark::State& state, const std::string& model, double budget, double epsilon,
           double params_ratio, bool inner = false) {
    const Setting& setting = setting_of(model, inner, budget);
    const FrontLimits limits = setting.limits(budget, epsilon, params_ratio);
    ParetoFront result;
    for (auto _ : state) {
        result = pareto_front(setting.problem, limits);
        benchmark::DoNotOptimize(result);
    }
    bench::count(state, result, setting.space.log10_size());
    state.counters["labels"] = static_cast<double>(result.statistics.labels);
}

void cost_tables(benchmark::State& state, const std::string& model, bool inner = false) {
    const Setting& setting = setting_of(model, inner, 1.0);
    const bench::MadeUpSource source;
    for (auto _ : state) benchmark::DoNotOptimize(stage_costs(setting.base, setting.space, source));
}

constexpr double no_cap = 0.0;
const auto ms = benchmark::kMillisecond;

BENCHMARK_CAPTURE(front, exact, "mobilenetv2-1.0", 2.0, 0.0, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, exact_near_base, "mobilenetv2-1.0", 1.065, 0.0, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, bound_0_1_percent, "mobilenetv2-1.0", 2.0, 0.001, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, exact_params_cap, "mobilenetv2-1.0", 2.0, 0.0, 1.0)->Unit(ms);
BENCHMARK_CAPTURE(front, bound_params_cap, "mobilenetv2-1.0", 2.0, 0.001, 1.0)->Unit(ms);
BENCHMARK_CAPTURE(front, exact_efficientnet, "efficientnet-b0", 2.0, 0.0, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, exact_resnet110, "resnet110-cifar", 2.0, 0.0, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, exact_to_0_7, "mobilenetv2-1.0", 0.7, 0.0, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, exact_to_0_3, "mobilenetv2-1.0", 0.3, 0.0, no_cap)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_mobilenetv2_to_0_7, "mobilenetv2-1.0", 0.7, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_resnet50_to_0_7, "resnet50", 0.7, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_resnet50_to_0_3, "resnet50", 0.3, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_mobilenetv2, "mobilenetv2-1.0", 1.065, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_resnet50, "resnet50", 1.065, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_mobilenetv2_twice, "mobilenetv2-1.0", 2.0, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(front, inner_resnet50_twice, "resnet50", 2.0, 0.001, no_cap, true)->Unit(ms);
BENCHMARK_CAPTURE(cost_tables, inner_mobilenetv2, "mobilenetv2-1.0", true)->Unit(ms);
BENCHMARK_CAPTURE(cost_tables, inner_resnet50, "resnet50", true)->Unit(ms);
BENCHMARK_CAPTURE(cost_tables, mobilenetv2, "mobilenetv2-1.0")->Unit(ms);
BENCHMARK_CAPTURE(cost_tables, efficientnet, "efficientnet-b0")->Unit(ms);

}  // namespace
}  // namespace hacscale

BENCHMARK_MAIN();
