#include "kernels/cuda/parallel.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include "kernels/host/processors.hpp"

namespace hacscale::cuda {
namespace {

// OpenMP pins the thread that loads it to one core, and threads that it starts inherit that: they go back to what the
// process was allowed when it began (taskset, its control group), and no further.
void go_where_there_is_room(const std::vector<int>& processors) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const int processor : processors) CPU_SET(processor, &set);
    sched_setaffinity(0, sizeof(set), &set);
}

}  // namespace

void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads) {
    std::vector<int> processors = host::kept_processors();
    if (processors.empty()) processors = host::allowed_processors();
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

}  // namespace hacscale::cuda
