#include "kernels/network_runner.hpp"

#include "base/clock.hpp"

namespace hacscale {

double NetworkRunner::clock_us() const {
    return now_us();
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

}  // namespace hacscale
