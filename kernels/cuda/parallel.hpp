// Work that is the same for many things, on as many threads as there are processors that the process was allowed when it
// began: planning, above all, which
// takes cuDNN up to seconds a layer.
#pragma once

#include <cstddef>
#include <functional>

namespace hacscale::cuda {

constexpr std::size_t most_threads = 16;

// Calls work(0) to work(count - 1), each once, in any order, and returns when all are done. On the calling
// thread alone when there is one thing, or one processor. The first exception is thrown when the others are done;
// no new work begins after it.
void for_each_in_parallel(std::size_t count, const std::function<void(std::size_t)>& work,
                          std::size_t threads = most_threads);

}  // namespace hacscale::cuda
