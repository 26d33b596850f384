#include "kernels/backend/network_runner.hpp"

#include "base/clock.hpp"
#include "base/error.hpp"

namespace hacscale {

double NetworkRunner::clock_us() const {
    return now_us();
}

void NetworkRunner::time_prefixes(std::span<double>) {
    throw InputError("this device's backend cannot run the first layers of a network by themselves");
}

ProfiledNodes NetworkRunner::profile(int) {
    throw InputError("this device's backend has no profiler of its own");
}

double NetworkRunner::time_runs(int runs) {
    const double begin = clock_us();
    for (int i = 0; i < runs; ++i) run();
    return clock_us() - begin;
}

void NetworkRunner::start_runs(int /*runs*/) {}

double NetworkRunner::finish_runs(int runs) {
    return time_runs(runs);
}

void set_inputs(NetworkRunner& runner, const std::vector<std::vector<float>>& inputs) {
    for (std::size_t i = 0; i < inputs.size(); ++i) runner.set_input(i, inputs[i]);
}

}  // namespace hacscale
