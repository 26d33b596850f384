// The planner of networks of any shape, with every channel group free and a made-up device: the front for budgets of up to twice
// the base's latency, and the cost tables that come before. Widths are the multiples of 8 between half (or the least ratio given)
// and twice the base's. Growth: a chain of ever more equal blocks, each with its own inner width.
// Counters: groups, choices (log10), points on the front, partial choices compared, the tables' memory and the planner's own, and
// the gap in gain that the front states, at the budget and the largest at any cost.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "bench/made_up_source.hpp"
#include "bench/planned_network.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "scaling/context.hpp"
#include "scaling/graph_costs.hpp"
#include "scaling/graph_gain.hpp"
#include "scaling/graph_space.hpp"
#include "scaling/planner/graph_front.hpp"

namespace hacscale {
namespace {

// ---- Networks that are in no zoo ----

TensorId layer(Graph& graph, const std::string& name, LayerKind kind, TensorIds inputs, int channels,
               const Window& window) {
    Node node;
    node.name = name;
    node.layer.kind = kind;
    const Tensor& read = graph.tensors[static_cast<std::size_t>(inputs.front())];
    node.layer.in_channels = read.channels;
    node.layer.in_height = read.height;
    node.layer.in_width = read.width;
    node.layer.out_channels = channels > 0 ? channels : read.channels;
    node.layer.window = window;
    node.inputs = inputs;
    node.learned_params = cost_of(node.layer, 1, DataType::f32).params;
    return graph.add_node(node);
}

TensorId conv(Graph& graph, const std::string& name, TensorId input, int channels, int kernel) {
    return layer(graph, name, LayerKind::conv, {input}, channels, Window::square(kernel, 1, kernel / 2));
}

TensorId concat(Graph& graph, const std::string& name, TensorId a, TensorId b) {
    Node node;
    node.name = name;
    node.layer.kind = LayerKind::concat;
    const Tensor& read = graph.tensors[static_cast<std::size_t>(a)];
    node.layer.inputs = 2;
    node.layer.in_channels = read.channels + graph.tensors[static_cast<std::size_t>(b)].channels;
    node.layer.out_channels = node.layer.in_channels;
    node.layer.in_height = read.height;
    node.layer.in_width = read.width;
    node.inputs = {a, b};
    return graph.add_node(node);
}

// Ronneberger et al. 2015, with padded convs: 64 to 1024 channels, two convs a level on each side.
Graph unet() {
    Graph graph;
    TensorId here = graph.add_input(3, 256, 256);
    graph.inputs = {here};
    std::vector<TensorId> skips;
    int channels = 64;
    for (int level = 0; level < 5; ++level, channels *= 2) {
        const std::string name = "down" + std::to_string(level);
        if (level > 0)
            here = layer(graph, name + ".pool", LayerKind::max_pool, {here}, 0, Window::square(2, 2));
        here = conv(graph, name + ".conv1", here, channels, 3);
        here = conv(graph, name + ".conv2", here, channels, 3);
        skips.push_back(here);
    }
    channels = 512;
    for (int level = 3; level >= 0; --level, channels /= 2) {
        const std::string name = "up" + std::to_string(level);
        here = layer(graph, name + ".up", LayerKind::transposed_conv, {here}, channels, Window::square(2, 2));
        here = concat(graph, name + ".concat", skips[static_cast<std::size_t>(level)], here);
        here = conv(graph, name + ".conv1", here, channels, 3);
        here = conv(graph, name + ".conv2", here, channels, 3);
    }
    graph.outputs = {conv(graph, "head", here, 2, 1)};
    return graph;
}

// Blocks that all read and write the same 128 channels, one inner width each.
Graph equal_blocks(int blocks) {
    Graph graph;
    graph.inputs = {graph.add_input(3, 28, 28)};
    TensorId here = conv(graph, "stem", 0, 128, 3);
    for (int block = 0; block < blocks; ++block) {
        const std::string name = "block" + std::to_string(block);
        here = conv(graph, name + ".conv1", here, 64 + 8 * (block % 3), 3);
        here = conv(graph, name + ".conv2", here, 128, 3);
    }
    graph.outputs = {conv(graph, "head", here, 10, 1)};
    return graph;
}

Graph zoo(const std::string& name) {
    return lower(find_model(name));
}

// ---- Plans ----

struct Setting : bench::PlannedNetwork {
    Graph base;
    GraphSpace space;
    GraphCosts costs;
};

GraphSpaceSettings all_groups(double least_ratio, bool depths) {
    GraphSpaceSettings settings;
    settings.min_width_ratio = least_ratio;
    if (!depths) settings.min_depth_ratio = settings.max_depth_ratio = 1.0;
    return settings;
}

Setting make_setting(Graph base, double least_ratio, bool depths, GainOrigin gain) {
    Setting setting;
    setting.base = std::move(base);
    const bench::MadeUpSource source;
    setting.space = make_graph_space(setting.base, all_groups(least_ratio, depths));
    setting.costs = graph_costs(setting.base, setting.space, source);
    add_gains(
        setting.costs, setting.space,
        graph_gain(setting.base, setting.space, capacity_coefficients(setting.base, setting.space), gain));
    setting.base_ps = picoseconds(estimate(setting.base, source).latency_us);
    setting.base_params = setting.base.params();
    return setting;
}

using MakeGraph = std::function<Graph()>;

const Setting& setting_of(const std::string& name, const MakeGraph& make, double least_ratio, bool depths,
                          GainOrigin gain) {
    static std::map<std::tuple<std::string, double, bool, GainOrigin>, Setting> settings;
    const std::tuple key(name, least_ratio, depths, gain);
    const auto known = settings.find(key);
    if (known != settings.end()) return known->second;
    return settings.emplace(key, make_setting(make(), least_ratio, depths, gain)).first->second;
}

void plan(benchmark::State& state, const Setting& setting, double budget, double params_ratio) {
    const FrontLimits limits = setting.limits(budget, open_inner_epsilon, params_ratio);
    GraphFront result;
    for (auto _ : state) {
        result = graph_front(setting.costs.problem, limits);
        benchmark::DoNotOptimize(result);
    }
    bench::count(state, result, setting.space.log10_size());
    state.counters["groups"] = static_cast<double>(setting.space.groups.size());
    // The most that the best plan for the budget may lack, in gain.
    state.counters["gap"] =
        result.exact ? 0.0
                     : (*result.max_gain(limits.max_cost) - static_cast<double>(result.gains.back())) /
                           gain_quanta_per_unit;
    state.counters["largest_gap"] = result.gap() / gain_quanta_per_unit;
    state.counters["tables_MiB"] = static_cast<double>(setting.costs.problem.table_bytes()) / (1 << 20);
}

void front(benchmark::State& state, const std::string& name, const MakeGraph& make, double least_ratio,
           bool depths, double budget, double params_ratio = 0.0, GainOrigin gain = GainOrigin::balanced) {
    plan(state, setting_of(name, make, least_ratio, depths, gain), budget, params_ratio);
}

void tables(benchmark::State& state, const MakeGraph& make, double least_ratio) {
    const Graph base = make();
    const GraphSpace space = make_graph_space(base, all_groups(least_ratio, false));
    const bench::MadeUpSource source;
    for (auto _ : state) benchmark::DoNotOptimize(graph_costs(base, space, source));
}

void growth(benchmark::State& state) {
    const auto blocks = static_cast<int>(state.range(0));
    plan(state,
         setting_of(
             "blocks" + std::to_string(blocks), [&] { return equal_blocks(blocks); }, 0.5, false,
             GainOrigin::balanced),
         2.0, 0.0);
    state.SetComplexityN(blocks);
}

const auto ms = benchmark::kMillisecond;
const MakeGraph resnet50 = [] { return zoo("resnet50"); };
const MakeGraph mobilenetv2 = [] { return zoo("mobilenetv2-1.0"); };
constexpr bool with_depths = true;
constexpr bool widths_alone = false;
constexpr double no_cap = 0.0;

BENCHMARK_CAPTURE(front, resnet50, "resnet50", resnet50, 0.5, widths_alone, 2.0)->Unit(ms);
BENCHMARK_CAPTURE(front, resnet50_by_capacity, "resnet50", resnet50, 0.5, widths_alone, 2.0, no_cap,
                  GainOrigin::capacity)
    ->Unit(ms);
BENCHMARK_CAPTURE(front, resnet50_from_a_quarter, "resnet50", resnet50, 0.25, widths_alone, 2.0)->Unit(ms);
BENCHMARK_CAPTURE(front, resnet50_shrunk, "resnet50", resnet50, 0.25, widths_alone, 1.0)->Unit(ms);
BENCHMARK_CAPTURE(front, resnet50_to_0_3, "resnet50", resnet50, 0.25, widths_alone, 0.3)->Unit(ms);
BENCHMARK_CAPTURE(front, mobilenetv2, "mobilenetv2", mobilenetv2, 0.5, widths_alone, 2.0)->Unit(ms);
BENCHMARK_CAPTURE(front, mobilenetv2_depths, "mobilenetv2", mobilenetv2, 0.5, with_depths, 2.0)->Unit(ms);
BENCHMARK_CAPTURE(front, unet, "unet", unet, 0.5, widths_alone, 2.0)->Unit(ms);
BENCHMARK_CAPTURE(tables, resnet50, resnet50, 0.5)->Unit(ms);
BENCHMARK_CAPTURE(tables, mobilenetv2, mobilenetv2, 0.5)->Unit(ms);
BENCHMARK_CAPTURE(tables, unet, unet, 0.5)->Unit(ms);
BENCHMARK(growth)->RangeMultiplier(2)->Range(4, 64)->Unit(ms)->Complexity();
BENCHMARK_CAPTURE(front, mobilenetv2_params_cap, "mobilenetv2", mobilenetv2, 0.5, widths_alone, 2.0, 1.0)
    ->Unit(ms);
BENCHMARK_CAPTURE(front, resnet50_params_cap, "resnet50", resnet50, 0.5, widths_alone, 2.0, 1.0)->Unit(ms);

}  // namespace
}  // namespace hacscale

BENCHMARK_MAIN();
