// Runs one network of the zoo for as long as it is told, again and again: the side of a paired comparison
// that is ours. usage: time_network MODEL [DEVICE [BATCH [DTYPE]]]; then a line "SECONDS" on standard input
// is answered by a line "MEDIAN_US RUNS". On a GPU a sample is several runs in a row, as the peers' are
// there.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "bench/measuring_program.hpp"
#include "models/zoo/find_network.hpp"
#include "profiler/measure_networks.hpp"

using namespace hacscale;

namespace {

constexpr double gpu_sample_us = 2000.0;

struct Arguments {
    std::string model;
    std::string device = "cpu";
    int batch = 1;
    DataType type = DataType::f32;
};

Arguments read_arguments(int argc, char** argv) {
    if (argc < 2 || argc > 5) {
        throw InputError(std::string("usage: ") + argv[0] + " MODEL [DEVICE [BATCH [DTYPE]]]");
    }
    Arguments arguments{.model = argv[1]};
    if (argc > 2) arguments.device = argv[2];
    if (argc > 3) arguments.batch = std::atoi(argv[3]);
    if (argc > 4) arguments.type = data_type_from_name(argv[4]);
    return arguments;
}

}  // namespace

int main(int argc, char** argv) try {
    const Arguments arguments = read_arguments(argc, argv);
    const BackendRegistry registry = BackendRegistry::load();
    const DeviceHandle device = registry.find(arguments.device);
    const Graph network =
        for_device(find_network(arguments.model), device, arguments.batch, arguments.type).graph;
    const auto runner =
        bench::ready_runner(device, arguments.model, network, {arguments.batch, arguments.type, 0});
    for (int i = 0; i < 5; ++i) runner->run();
    std::printf("ready\n");
    std::fflush(stdout);
    for (double seconds = 0.0; std::cin >> seconds;) {
        std::vector<double> times;
        const double end = now_us() + seconds * 1e6;
        runner->run();
        int runs = 1;
        if (arguments.device != "cpu") {
            runs = std::max(1, static_cast<int>(10.0 * gpu_sample_us / runner->time_runs(10)));
        }
        while (now_us() < end || times.empty()) times.push_back(runner->time_runs(runs) / runs);
        std::printf("%.3f %zu\n", quantile(times, 0.5), times.size());
        std::fflush(stdout);
    }
    return 0;
} catch (const Error& error) {
    std::fprintf(stderr, "time_network: %s\n", error.what());
    return static_cast<int>(error.status());
}
