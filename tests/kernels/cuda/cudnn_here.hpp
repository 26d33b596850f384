// For tests that ask the real cuDNN: they skip, with the reason, where it is not.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "base/error.hpp"
#include "kernels/cuda/cudnn/cudnn_library.hpp"

namespace hacscale::cuda {

inline std::string cudnn_absence() {
    try {
        cudnn();
        return {};
    } catch (const MissingError& error) {
        return error.what();
    }
}

}  // namespace hacscale::cuda

#define HACSCALE_NEEDS_CUDNN()                                                           \
    if (const std::string absence = ::hacscale::cuda::cudnn_absence(); !absence.empty()) \
    GTEST_SKIP() << absence
