// Runs one network of the zoo for as long as it is told, again and again: the side of a paired comparison
// that is ours. usage: time_network MODEL; then a line "SECONDS" on standard input is answered by a line
// "MEDIAN_US RUNS".
#include <cstdio>
#include <iostream>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "models/zoo.hpp"
#include "profiler/measure_networks.hpp"

using namespace hacscale;

int main(int argc, char** argv) try {
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s MODEL\n", argv[0]);
        return static_cast<int>(ExitStatus::bad_input);
    }
    const BackendRegistry registry = BackendRegistry::load();
    const DeviceHandle device = registry.find("cpu");
    const Network network = lower(for_device(find_model(argv[1]), device));
    const Compiled compiled = device.backend->compile("cpu", network, {1, DataType::f32, 0});
    if (!compiled.runner) throw WorkError(compiled.reason);
    compiled.runner->load(random_weights(network, 1));
    const auto pixels = static_cast<std::size_t>(network.resolution) * network.resolution;
    compiled.runner->set_input(random_values(network.in_channels * pixels, 2));
    for (int i = 0; i < 5; ++i) compiled.runner->run();
    std::printf("ready\n");
    std::fflush(stdout);
    for (double seconds = 0.0; std::cin >> seconds;) {
        std::vector<double> times;
        const double end = now_us() + seconds * 1e6;
        compiled.runner->run();
        while (now_us() < end || times.empty()) {
            const double begin = now_us();
            compiled.runner->run();
            times.push_back(now_us() - begin);
        }
        std::printf("%.3f %zu\n", quantile(times, 0.5), times.size());
        std::fflush(stdout);
    }
    return 0;
} catch (const Error& error) {
    std::fprintf(stderr, "time_network: %s\n", error.what());
    return static_cast<int>(error.status());
}
