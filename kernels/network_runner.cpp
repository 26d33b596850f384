#include "kernels/network_runner.hpp"

#include "base/clock.hpp"

namespace hacscale {

double NetworkRunner::time_runs(int runs) {
    const double begin = now_us();
    for (int i = 0; i < runs; ++i) run();
    return now_us() - begin;
}

}  // namespace hacscale
