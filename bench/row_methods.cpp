// How far apart are the two ways to time layers inside their network (profiler/timing/rounds.hpp)? Each network is
// compiled once and timed by both in the same rounds, so the kernels are the same and drift of the machine hits both.
// usage: row_methods [--device cuda:N] [--dtype TYPE] [--batch N] [--seconds S] [--out FILE] [MODEL...]
// FILE gets one line of JSON a layer. Prefixes are to be the method where they differ by more than 5 % of a row in the
// median.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "bench/measuring_program.hpp"
#include "kernels/backend/backend_registry.hpp"
#include "models/zoo/find_network.hpp"
#include "profiler/measure_networks.hpp"

using namespace hacscale;

namespace {

constexpr double max_different = 0.05;

struct Options {
    std::vector<std::string> models{"resnet20-cifar", "mobilenetv2-1.0", "efficientnet-b0"};
    std::string device = "cuda:0";
    std::string dtype = "f16";
    int batch = 1;
    double seconds = 2.0;
    std::string out;
};

Options read_options(int argc, char** argv) {
    Options options;
    CLI::App parser(
        "Times the layers of networks by the stopwatch and by prefixes, and says how far they differ");
    parser.add_option("models", options.models, "Names of the zoo, or YAML files")->capture_default_str();
    parser.add_option("--device", options.device, "Device, as \"hacscale devices\" names it")
        ->capture_default_str();
    parser.add_option("--dtype", options.dtype, "Data type")->capture_default_str();
    parser.add_option("--batch", options.batch, "Images at once")->capture_default_str();
    parser.add_option("--seconds", options.seconds, "Time a network for at most this long in each way")
        ->capture_default_str();
    parser.add_option("--out", options.out, "File for one line of JSON a layer");
    bench::parse_or_exit(parser, argc, argv);
    return options;
}

// Adds each layer's difference, relative to the prefixes' time, to `differences`.
void compare(const DeviceHandle& device, const std::string& name, const Options& options, std::ostream& out,
             std::vector<double>& differences) {
    const DataType type = data_type_from_name(options.dtype);
    const Graph network = for_device(find_network(name), device, options.batch, type).graph;
    const auto ready = bench::ready_runner(device, name, network, {options.batch, type, 0});
    NetworkRunner& runner = *ready;
    if (!runner.times_prefixes()) throw InputError(options.device + " cannot time prefixes of a network");
    TimingRules rules;
    rules.max_seconds = options.seconds;
    const std::size_t nodes = network.nodes.size();
    const auto timings =
        time_networks({{&runner, nodes, RowMethod::stopwatch}, {&runner, nodes, RowMethod::prefix}}, rules, 1,
                      [] { return true; });
    const NetworkTiming& stopwatch = timings[0];
    const NetworkTiming& prefix = timings[1];
    std::vector<double> of_network;
    for (std::size_t node = 0; node < nodes; ++node) {
        const double prefix_us = prefix.nodes[node].mean;
        of_network.push_back(stopwatch.nodes[node].mean / prefix_us - 1.0);
        differences.push_back(std::abs(of_network.back()));
        out << nlohmann::json{{"model", name},
                              {"layer", network.nodes[node].layer.key()},
                              {"node", node},
                              {"batch", options.batch},
                              {"dtype", options.dtype},
                              {"implementation", runner.implementation(static_cast<int>(node))},
                              {"stopwatch_us", stopwatch.nodes[node].mean},
                              {"prefix_us", prefix_us},
                              {"prefix_ci95_us", prefix.nodes[node].half_width},
                              {"overhead_us", stopwatch.clock.layer_us}}
                   .dump()
            << '\n';
    }
    std::vector<double> absolute;
    for (const double difference : of_network) absolute.push_back(std::abs(difference));
    fmt::print("{:<28}{:>7}{:>11.1f}{:>11.1f}{:>9.2f}{:>9}{:>9.1f}{:>9.1f}{:>10.1f}{:>10.1f}\n", name, nodes,
               stopwatch.total.median, prefix.total.median, stopwatch.clock.layer_us, stopwatch.clock.clamped,
               100.0 * quantile(absolute, 0.5), 100.0 * quantile(absolute, 0.9),
               100.0 * quantile(of_network, 0.0), 100.0 * quantile(of_network, 1.0));
}

void measure(const Options& options) {
    const BackendRegistry registry = BackendRegistry::load();
    const DeviceHandle device = registry.find(options.device);
    std::ofstream file = bench::open_lines(options.out);
    fmt::print("{:<28}{:>7}{:>11}{:>11}{:>9}{:>9}{:>9}{:>9}{:>10}{:>10}\n", "network", "layers", "total us",
               "prefix us", "clock us", "clamped", "median %", "p90 %", "least %", "most %");
    std::vector<double> differences;
    for (const std::string& model : options.models) compare(device, model, options, file, differences);
    const double median = quantile(differences, 0.5);
    fmt::print("the stopwatch's rows differ from the prefixes' by {:.1f} % in the median of {} layers: {}\n",
               100.0 * median, differences.size(),
               median > max_different ? "time rows by prefixes (--rows prefix)" : "the stopwatch will do");
}

}  // namespace

int main(int argc, char** argv) {
    return bench::exit_status_of("row_methods", [&] { measure(read_options(argc, argv)); });
}
