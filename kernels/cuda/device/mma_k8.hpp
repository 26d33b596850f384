// What depthwise convs need of a warp beside mma.hpp: products half as deep, and a word from the neighbour.
#pragma once

#include <utility>

#include "kernels/cuda/device/mma.hpp"

namespace hacscale::cuda {

// As mma.hpp's, of 16 x 8 and 8 x 8 (mma.m16n8k8), whose words are the first of each pair of m16n8k16's.
template <typename T, int First, int N>
HACSCALE_HD void multiply_add_to(const Warp& warp, const Lanes<Words<2>>& left, const Lanes<Words<N>>& right,
                                 const Lanes<Sums>& sums, Lanes<Sums>& to) {
    static_assert(First < N && sizeof(T) == 2);
#ifdef __CUDA_ARCH__
#if __CUDA_ARCH__ >= 800
    const std::uint32_t(&a)[2] = left[0].values;
    const std::uint32_t b = right[0].values[First];
    const float(&c)[4] = sums[0].values;
    float d[4];
    if constexpr (std::is_same_v<T, __half>) {
        asm volatile(
            "mma.sync.aligned.m16n8k8.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %8, %9, "
            "%10};"
            : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(b), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
    } else {
        asm volatile(
            "mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5}, {%6}, {%7, %8, "
            "%9, %10};"
            : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(b), "f"(c[0]), "f"(c[1]), "f"(c[2]), "f"(c[3]));
    }
    to[0] = Sums{{d[0], d[1], d[2], d[3]}};
#else
    __trap();
#endif
#else
    const float* const values = emulated::values_of<T>();
    float a[16][8];
    float b[8][8];
    for (int lane = 0; lane < warp_lanes; ++lane) {
        for (int i = 0; i < 2; ++i) {
            const int k = 2 * (lane % 4) + i;
            for (int word = 0; word < 2; ++word) {
                a[lane / 4 + 8 * word][k] = values[left[lane].values[word] >> 16 * i & 0xffffU];
            }
            b[k][lane / 4] = values[right[lane].values[First] >> 16 * i & 0xffffU];
        }
    }
    if (&to != &sums) to = sums;
    warp.each_lane([&](int lane) {
        for (int i = 0; i < 4; ++i) {
            const int row = lane / 4 + 8 * (i / 2);
            const int column = 2 * (lane % 4) + i % 2;
            for (int k = 0; k < 8; ++k) to[lane].values[i] += a[row][k] * b[k][column];
        }
    });
#endif
}

// Each lane gives a word to the one beside it, 0 to 1 and 2 to 3, and takes that one's.
HACSCALE_HD void swap_with_neighbour([[maybe_unused]] const Warp& warp, Lanes<std::uint32_t>& words) {
#ifdef __CUDA_ARCH__
    words[0] = __shfl_xor_sync(0xffffffffU, words[0], 1);
#else
    for (int lane = 0; lane < warp_lanes; lane += 2) std::swap(words[lane], words[lane + 1]);
#endif
}

// A number that all lanes have alike, said so that the compiler knows: it computes what follows from it once for the
// warp, in registers of its own.
HACSCALE_HD int warp_uniform(int value) {
#ifdef __CUDA_ARCH__
    return __shfl_sync(0xffffffffU, value, 0);
#else
    return value;
#endif
}

}  // namespace hacscale::cuda
