// The one place where time is read for measuring.
#pragma once

#include <chrono>

namespace hacscale {

// Microseconds since an arbitrary start, monotonic.
inline double now_us() {
    return std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

}  // namespace hacscale
