#include "kernels/host/thread_choice.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <mutex>
#include <thread>

#include "base/error.hpp"

namespace hacscale::host {
namespace {

std::string count_of(int count, const std::string& what) {
    return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// "2 cores", with hyperthreads "2 cores with 4 hyperthreads".
std::string cores_in_words(const std::vector<Core>& cores) {
    const int processors = logical_processors(cores);
    const int count = static_cast<int>(cores.size());
    return count_of(count, "core") +
           (processors > count ? " with " + std::to_string(processors) + " hyperthreads" : "");
}

std::string quota_in_words(const CpuQuota& quota) {
    char cores[32];
    std::snprintf(cores, sizeof(cores), "%.2f", quota.cores);
    return "the CPU quota of " + std::string(cores) + " cores (" + quota.file + ")";
}

// The first of "4" or "4,2": one number a level of nested parallelism. Nothing where OpenMP would refuse it.
std::optional<int> outer_threads(const std::string& text) {
    int threads = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), threads);
    const bool ends = read.ptr == text.data() + text.size() || *read.ptr == ',';
    if (read.ec != std::errc() || !ends || threads < 1) return std::nullopt;
    return threads;
}

int threads_by_themselves(const CpuResources& resources) {
    const int cores = static_cast<int>(resources.cores.size());
    if (!resources.quota) return cores;
    // A quota of 1.9999 by rounding of its period is meant to be 2.
    return std::clamp(static_cast<int>(std::floor(resources.quota->cores + 1e-3)), 1, cores);
}

// OpenMP pins the thread that loads it to one core, and threads that it starts inherit that: they go back to what the
// process was allowed when it began (taskset, its control group), and no further.
void go_where_there_is_room(const std::vector<int>& processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int processor : processors) CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

}  // namespace

const CpuResources& this_machine() {
    static const CpuResources resources = [] {
        CpuResources found{cores_of(allowed_processors(), "/"), cpu_quota("/"), std::nullopt};
        if (const char* threads = std::getenv("OMP_NUM_THREADS")) found.omp_num_threads = threads;
        return found;
    }();
    return resources;
}

ThreadChoice choose_threads(const CpuResources& resources, int wanted) {
    const int most = logical_processors(resources.cores);
    ThreadChoice choice{wanted, {}, false};
    if (wanted > most) {
        throw InputError(count_of(wanted, "thread") + " would share the " + cores_in_words(resources.cores) +
                         " that this process may use; ask for 1 to " + std::to_string(most) +
                         " threads, or 0 for one on each core");
    }
    if (wanted == 0) {
        choice.threads = threads_by_themselves(resources);
        const auto set = resources.omp_num_threads ? outer_threads(*resources.omp_num_threads) : std::nullopt;
        if (set && *set > most) {
            choice.warnings.push_back("OMP_NUM_THREADS=" + *resources.omp_num_threads + " is more than the " +
                                      cores_in_words(resources.cores) + " that this process may use: " +
                                      count_of(choice.threads, "thread") + " will do the work");
        } else if (set && *set != choice.threads) {
            choice.warnings.push_back("OMP_NUM_THREADS=" + *resources.omp_num_threads +
                                      " decides: " + count_of(*set, "thread") + " instead of " +
                                      std::to_string(choice.threads) + "; --threads is stronger than it");
            choice.threads = *set;
        }
    }
    if (resources.quota && resources.quota->cores < choice.threads - 1e-3) {
        choice.above_quota = true;
        choice.warnings.push_back(count_of(choice.threads, "thread") +
                                  " will be stopped again and again: " + quota_in_words(*resources.quota) +
                                  " is less, and latencies will be too long or jump");
    } else if (resources.quota && wanted == 0 && choice.threads < static_cast<int>(resources.cores.size())) {
        choice.warnings.push_back(count_of(choice.threads, "thread") + " for " +
                                  cores_in_words(resources.cores) + ", because of " +
                                  quota_in_words(*resources.quota));
    }
    return choice;
}

std::string openmp_places(const std::vector<Core>& cores, int threads) {
    std::string places;
    const auto add = [&](const std::string& place) {
        places += places.empty() ? "{" : ",{";
        places += place;
        places += "}";
    };
    const bool whole_cores = threads <= static_cast<int>(cores.size());
    for (std::size_t i = 0; i < cores.size() && (!whole_cores || static_cast<int>(i) < threads); ++i) {
        std::string siblings;
        for (const int processor : cores[i]) {
            if (!whole_cores) add(std::to_string(processor));
            if (!siblings.empty()) siblings += ",";
            siblings += std::to_string(processor);
        }
        if (whole_cores) add(siblings);
    }
    return places;
}

void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads) {
    std::vector<int> processors = kept_processors();
    if (processors.empty()) processors = allowed_processors();
    threads = std::min({threads, count, processors.size()});
    if (threads <= 1) {
        for (std::size_t i = 0; i < count; ++i) work(i);
        return;
    }
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr first;
    const auto take_turns = [&] {
        go_where_there_is_room(processors);
        for (std::size_t i = next++; i < count; i = next++) {
            try {
                work(i);
            } catch (...) {
                const std::lock_guard lock(mutex);
                if (!first) first = std::current_exception();
                next = count;
            }
        }
    };
    {
        std::vector<std::jthread> pool;
        for (std::size_t i = 0; i < threads; ++i) pool.emplace_back(take_turns);
    }
    if (first) std::rethrow_exception(first);
}

}  // namespace hacscale::host
