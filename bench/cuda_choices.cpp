// What the choice of kernels for dense convs is worth on a GPU.
//   cuda_choices layers [MODEL...]    this project's kernels against cuDNN's plans, for each dense conv of the models,
//                                     with the L2 cache in each of --l2's states
//   cuda_choices networks [MODEL...]  whole networks whose kernels were chosen hot, against the same chosen cold
// Both take [--device cuda:N] [--dtype TYPE] [--batch N] [--out FILE]; FILE gets one line of JSON a result. Choices of
// networks are kept in the plan cache; with HACSCALE_PLAN_CACHE= they are made again.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "base/error.hpp"
#include "bench/measuring_program.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "kernels/cuda/candidate_timing.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "models/stages/lowering.hpp"
#include "models/zoo/find_network.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/measure_networks.hpp"
#include "profiler/timing/statistics.hpp"

using namespace hacscale;

namespace {

constexpr int rounds = 21;
constexpr int runs_a_round = 50;

struct Options {
    std::vector<std::string> models{"resnet18", "resnet50", "mobilenetv2-1.0"};
    std::string device = "cuda:0";
    std::string dtype = "f16";
    int batch = 1;
    std::vector<std::string> l2{"cold", "hot"};
    std::string out;
    bool layers = false;
};

cuda::L2State l2_state_from_name(const std::string& name) {
    for (const auto state : {cuda::L2State::cold, cuda::L2State::input_hot, cuda::L2State::hot}) {
        if (name_of(state) == name) return state;
    }
    throw InputError("no state of the cache is called '" + name + "', expected cold, input_hot or hot");
}

struct Best {
    double us = std::numeric_limits<double>::infinity();
    std::string by;
};

void time_layer(const cuda::LayerContext& context, const std::shared_ptr<const cuda::DeviceBuffer>& flush,
                std::ostream& out) {
    const cuda::LayerList candidates = cuda::layer_candidates(context);
    const cuda::Verdict verdict =
        cuda::fastest(candidates.size(), cuda::make_candidate_timer(context, candidates, flush));
    Best own;
    Best library;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
        const std::string name = candidates[i]->implementation();
        Best& best = name.starts_with("hacscale") ? own : library;
        if (verdict.median_us[i] < best.us) best = {verdict.median_us[i], name};
    }
    const std::string state(name_of(context.l2));
    fmt::print("{:<48}{:>10}{:>4}{:>10.2f}{:>10.2f}{:>7.2f}  {} | {}\n", context.layer.key(), state,
               candidates.size(), own.us, library.us, library.us / own.us, own.by, library.by);
    nlohmann::json line{{"layer", context.layer.key()},
                        {"batch", context.batch},
                        {"dtype", name_of(context.type)},
                        {"l2", state},
                        {"candidates", candidates.size()},
                        {"own", own.by},
                        {"library", library.by}};
    if (!own.by.empty()) line["own_us"] = own.us;
    if (!library.by.empty()) line["library_us"] = library.us;
    out << line.dump() << '\n';
}

void time_layers(const Options& options, std::ostream& out) {
    const cuda::DeviceTraits traits = cuda::cuda_device(options.device).traits;
    cuda::use_device(traits.index);
    const auto flush = cuda::make_flush_buffer(traits);
    std::set<LayerSpec> layers;
    for (const std::string& model : options.models) {
        for (const Node& node : lower(find_model(model)).nodes) {
            if (node.layer.kind == LayerKind::conv && node.layer.groups == 1) layers.insert(node.layer);
        }
    }
    fmt::print("{:<48}{:>10}{:>4}{:>10}{:>10}{:>7}\n", "layer", "L2", "n", "own us", "cuDNN us", "ratio");
    for (const LayerSpec& layer : layers) {
        for (const std::string& state : options.l2) {
            time_layer(
                {layer, options.batch, data_type_from_name(options.dtype), traits, l2_state_from_name(state)},
                flush, out);
        }
    }
}

void time_networks_of_choices(const Options& options, std::ostream& out) {
    const BackendRegistry registry = BackendRegistry::load();
    const DeviceHandle device = registry.find(options.device);
    fmt::print("{:<28}{:>12}{:>12}{:>9}{:>10}\n", "network", "hot us", "cold us", "ratio", "differ");
    for (const std::string& name : options.models) {
        const DataType type = data_type_from_name(options.dtype);
        const Graph network = for_device(find_network(name), device, options.batch, type).graph;
        const auto chosen_for = [&](std::int64_t footprint_bytes) {
            return bench::ready_runner(device, name, network, {options.batch, type, footprint_bytes});
        };
        const auto hot = chosen_for(1);
        const auto cold = chosen_for(std::numeric_limits<std::int64_t>::max());
        std::vector<double> hot_us;
        std::vector<double> cold_us;
        for (int round = 0; round < rounds; ++round) {
            hot_us.push_back(hot->time_runs(runs_a_round) / runs_a_round);
            cold_us.push_back(cold->time_runs(runs_a_round) / runs_a_round);
        }
        int differ = 0;  // layers that run as another kernel
        for (int node = 0; node < static_cast<int>(network.nodes.size()); ++node) {
            differ += hot->implementation(node) != cold->implementation(node) ? 1 : 0;
        }
        const double hot_median = quantile(hot_us, 0.5);
        const double cold_median = quantile(cold_us, 0.5);
        fmt::print("{:<28}{:>12.2f}{:>12.2f}{:>9.3f}{:>4} of {}\n", name, hot_median, cold_median,
                   cold_median / hot_median, differ, network.nodes.size());
        out << nlohmann::json{{"model", name},
                              {"batch", options.batch},
                              {"dtype", options.dtype},
                              {"chosen_hot_us", hot_median},
                              {"chosen_cold_us", cold_median},
                              {"layers", network.nodes.size()},
                              {"layers_that_differ", differ}}
                   .dump()
            << '\n';
    }
}

Options read_options(int argc, char** argv) {
    Options options;
    CLI::App parser("What the choice of kernels for dense convs is worth on a GPU");
    parser.require_subcommand(1);
    CLI::App* const layers = parser.add_subcommand("layers", "This project's kernels against cuDNN's plans");
    CLI::App* const networks =
        parser.add_subcommand("networks", "Kernels chosen hot against those chosen cold");
    for (CLI::App* command : {layers, networks}) {
        command->add_option("models", options.models, "Names of the zoo, or YAML files")
            ->capture_default_str();
        command->add_option("--device", options.device, "Device, as \"hacscale devices\" names it")
            ->capture_default_str();
        command->add_option("--dtype", options.dtype, "Data type")->capture_default_str();
        command->add_option("--batch", options.batch, "Images at once")->capture_default_str();
        command->add_option("--out", options.out, "File for one line of JSON a result");
    }
    layers->add_option("--l2", options.l2, "States of the L2 cache: cold, input_hot, hot")
        ->capture_default_str()
        ->delimiter(',');
    bench::parse_or_exit(parser, argc, argv);
    options.layers = layers->parsed();
    return options;
}

void measure(const Options& options) {
    std::ofstream file = bench::open_lines(options.out);
    if (options.layers) {
        time_layers(options, file);
    } else {
        time_networks_of_choices(options, file);
    }
}

}  // namespace

int main(int argc, char** argv) {
    return bench::exit_status_of("cuda_choices", [&] { measure(read_options(argc, argv)); });
}
