#include "kernels/cuda/cudnn/type_support.hpp"

#include <fmt/format.h>

namespace hacscale::cuda {

std::string type_refusal(int compute_capability, DataType type) {
    constexpr int oldest = 75;     // that CUDA 13 makes code for
    constexpr int with_bf16 = 80;  // matrix units gained bf16 and TF32 together
    const auto text = [&](std::string_view what, int needed) {
        return fmt::format("{} needs compute capability {}.{} or newer, and this GPU has {}.{}", what,
                           needed / 10, needed % 10, compute_capability / 10, compute_capability % 10);
    };
    if (compute_capability < oldest) return text("the CUDA backend", oldest);
    if (type == DataType::bf16 && compute_capability < with_bf16) {
        return text("bf16", with_bf16) + "; use f16 or f32";
    }
    if (type == DataType::tf32 && compute_capability < with_bf16) {
        return text("tf32", with_bf16) + "; use f32 or f16";
    }
    return {};
}

}  // namespace hacscale::cuda
