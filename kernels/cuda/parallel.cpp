#include "kernels/cuda/parallel.hpp"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace hacscale::cuda {
namespace {

std::size_t online_processors() {
    const long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count > 0 ? static_cast<std::size_t>(count) : 1;
}

// OpenMP pins the thread that loads it to one core, and threads that it starts inherit that. The kernel keeps
// this to the processors that the process's control group may use.
void go_where_there_is_room() {
    cpu_set_t all;
    CPU_ZERO(&all);
    const int count = std::min(static_cast<int>(online_processors()), CPU_SETSIZE);
    for (int processor = 0; processor < count; ++processor) CPU_SET(processor, &all);
    sched_setaffinity(0, sizeof(all), &all);
}

}  // namespace

void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads) {
    threads = std::min({threads, count, online_processors()});
    if (threads <= 1) {
        for (std::size_t i = 0; i < count; ++i) work(i);
        return;
    }
    std::atomic<std::size_t> next{0};
    std::mutex mutex;
    std::exception_ptr first;
    const auto take_turns = [&] {
        go_where_there_is_room();
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
