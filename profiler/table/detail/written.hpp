// Whether the rows that were written so far have arrived.
#pragma once

#include <ostream>

#include "base/error.hpp"

namespace hacscale::detail {

inline void require_written(const std::ostream& out) {
    if (out) return;
    throw WorkError("the rows cannot be written: the output was closed or its disk is full; write elsewhere");
}

}  // namespace hacscale::detail
