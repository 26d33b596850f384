// How many threads CPU work uses, and on which processors.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "kernels/host/cpu_quota.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::host {

// What there is for CPU work.
struct Room {
    std::vector<Core> cores;  // that the process may use; at least one
    std::optional<CpuQuota> quota;
    std::optional<std::string> omp_num_threads;  // of the environment the program was started in
};

// Of this machine, read when first asked: before OpenMP pins the thread that loads it.
const Room& this_machine();

struct ThreadChoice {
    int threads = 1;
    std::vector<std::string> warnings;
    bool above_quota = false;  // the warnings say so: the system stops the threads, and times are wrong
};

// `wanted` as --threads says. 0: OMP_NUM_THREADS where it is set and there are as many processors, else one
// thread for each physical core that the process may use, and no more than the quota has whole cores. More
// than there are logical processors: InputError. Warns where OMP_NUM_THREADS decides, or threads exceed the
// quota.
ThreadChoice choose_threads(const Room& room, int wanted);

// For OMP_PLACES: the first `threads` cores, "{0,4},{1,5}"; where there are more threads than cores, each
// logical processor.
std::string openmp_places(const std::vector<Core>& cores, int threads);

}  // namespace hacscale::host
