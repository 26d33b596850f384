// How many threads CPU work uses, on which processors, and work that is spread over them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "kernels/host/processors.hpp"

namespace hacscale::host {

// How much processor time the process's control group may use: the limit of a container
// (`docker run --cpus 1.5`) or of a service. Threads beyond it are stopped for a part of each period.
struct CpuQuota {
    double cores = 0.0;  // processor seconds a second
    std::string file;    // that sets it
    bool operator==(const CpuQuota&) const = default;
};

// The least of the process's own group and those around it, of both versions of control groups; nothing where
// none is limited. `root` as in processors.hpp.
std::optional<CpuQuota> cpu_quota(const std::filesystem::path& root);

// What there is for CPU work.
struct CpuResources {
    std::vector<Core> cores;  // that the process may use; at least one
    std::optional<CpuQuota> quota;
    std::optional<std::string> omp_num_threads;  // of the environment the program was started in
};

// Of this machine, read when first asked: before OpenMP pins the thread that loads it.
const CpuResources& this_machine();

struct ThreadChoice {
    int threads = 1;
    std::vector<std::string> warnings;
    bool above_quota = false;  // the warnings say so: the system stops the threads, and times are wrong
};

// `wanted` as --threads says. 0: OMP_NUM_THREADS where it is set and there are as many processors, else one
// thread for each physical core that the process may use, and no more than the quota has whole cores. More
// than there are logical processors: InputError. Warns where OMP_NUM_THREADS decides, or threads exceed the
// quota.
ThreadChoice choose_threads(const CpuResources& resources, int wanted);

// For OMP_PLACES: the first `threads` cores, "{0,4},{1,5}"; where there are more threads than cores, each
// logical processor.
std::string openmp_places(const std::vector<Core>& cores, int threads);

// Calls work(0) to work(count - 1), each once, in any order, on as many threads as there are processors that the
// process was allowed when it began, and returns when all are done: for planning, above all, which takes cuDNN up to
// seconds a layer. On the calling thread alone when there is one thing, or one processor. The first exception is
// thrown when the others are done; no new work begins after it.
constexpr std::size_t max_parallel_threads = 16;
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads = max_parallel_threads);

}  // namespace hacscale::host
