// Cores of the CPU for what this process measures, which no other process of this program measures on.
#pragma once

#include "cli/session.hpp"

namespace hacscale::cli {

// To be called before any backend is loaded, because OpenMP pins threads when its library is loaded; what
// was taken is kept until the process ends, and later calls change nothing. `threads` as
// BackendRegistry::load(). Of the cores that are free, those come first that other work leaves idle. Waits
// until there are enough, and says so; says which core other work is on where it had to be taken. Throws
// InputError for more threads than there are processors. Nothing is taken where $HACSCALE_CORE_LOCKS is
// empty.
void take_cores(int threads, Session& session);

}  // namespace hacscale::cli
