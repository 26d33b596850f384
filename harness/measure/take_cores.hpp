// Cores of the CPU for what this process measures, which no other process of this program measures on.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "harness/events.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::harness {

struct CoreLoad {
    host::Core core;
    double busy = 0.0;  // 0..1, with work of other processes
};

// The warning where other work runs on some of the cores; nothing where they are idle.
std::optional<std::string> doubt_about(const std::vector<CoreLoad>& loads);

// To be called before any backend is loaded, because OpenMP pins threads when its library is loaded; what
// was taken is kept until the process ends, and later calls change nothing. `threads` as
// BackendRegistry::load(). Of the cores that are free, those come first that other work leaves idle. Waits
// until there are enough, and says so; a core that other work keeps busy is a doubt (doubt.hpp). Throws
// InputError for more threads than there are processors. Nothing is taken where $HACSCALE_CORE_LOCKS is
// empty.
void take_cores(int threads, Events& events);

}  // namespace hacscale::harness
