// The host's emulation of matrix units, against products of plain matrices: the layouts of PTX's manual, which
// kernels rely on.
#include "kernels/cuda/device/mma.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <vector>

#include "tests/kernels/cuda/host_executor.hpp"

namespace hacscale::cuda {
namespace {

const Warp one_warp(0, 0);

template <typename T>
class Mma : public ::testing::Test {};
using Types = ::testing::Types<__half, __nv_bfloat16>;
TYPED_TEST_SUITE(Mma, Types);

// Small whole numbers, which both types keep exactly.
float left_value(int row, int k) {
    return static_cast<float>((row * 5 + k * 3) % 13 - 6);
}
float right_value(int k, int column) {
    return static_cast<float>((k * 7 + column * 2) % 11 - 5);
}

TYPED_TEST(Mma, MultipliesWhatLdmatrixLoads) {
    using T = TypeParam;
    alignas(16) T left[16][16];
    alignas(16) T right[16][16];  // [n][k]: two matrices of eight columns
    for (int i = 0; i < 16; ++i) {
        for (int k = 0; k < 16; ++k) {
            left[i][k] = from_float<T>(left_value(i, k));
            right[i][k] = from_float<T>(right_value(k, i));
        }
    }
    Lanes<const void*> rows;
    Lanes<Words<4>> a;
    one_warp.each_lane([&](int lane) { rows[lane] = &left[lane % 16][8 * (lane / 16)]; });
    load_matrices(one_warp, rows, a);
    Lanes<Words<4>> b;
    one_warp.each_lane(
        [&](int lane) { rows[lane] = &right[lane % 8 + 8 * (lane / 16)][8 * (lane / 8 % 2)]; });
    load_matrices(one_warp, rows, b);

    std::array<Lanes<Sums>, 2> sums;
    one_warp.each_lane([&](int lane) {
        for (auto& tile : sums) tile[lane] = Sums{{1.0F, 2.0F, 3.0F, 4.0F}};
    });
    multiply_add<T, 0>(one_warp, a, b, sums[0]);
    multiply_add<T, 2>(one_warp, a, b, sums[1]);
    for (int lane = 0; lane < warp_lanes; ++lane) {
        for (int i = 0; i < 8; ++i) {
            const int row = lane / 4 + 8 * (i % 4 / 2);
            const int column = 2 * (lane % 4) + i % 2 + 8 * (i / 4);
            float expected = static_cast<float>(i % 4 + 1);
            for (int k = 0; k < 16; ++k) expected += left_value(row, k) * right_value(k, column);
            EXPECT_EQ(sums[i / 4][lane].values[i % 4], expected) << row << ", " << column;
        }
    }
}

TYPED_TEST(Mma, LoadsTransposed) {
    using T = TypeParam;
    alignas(16) T stored[16][8];  // [k][n]
    alignas(16) T right[8][16];
    for (int k = 0; k < 16; ++k) {
        for (int n = 0; n < 8; ++n) stored[k][n] = right[n][k] = from_float<T>(right_value(k, n));
    }
    Lanes<const void*> rows;
    Lanes<Words<2>> transposed;
    one_warp.each_lane([&](int lane) { rows[lane] = stored[lane % 16]; });
    load_matrices<true>(one_warp, rows, transposed);
    Lanes<Words<2>> plain;
    one_warp.each_lane([&](int lane) { rows[lane] = &right[lane % 8][8 * (lane / 8 % 2)]; });
    load_matrices(one_warp, rows, plain);
    for (int lane = 0; lane < warp_lanes; ++lane) {
        EXPECT_EQ(transposed[lane].values[0], plain[lane].values[0]);
        EXPECT_EQ(transposed[lane].values[1], plain[lane].values[1]);
    }
}

TEST(AsyncCopies, AreThereWhenTheirGroupWasWaitedFor) {
    alignas(16) const std::array<std::uint32_t, 8> from{1, 2, 3, 4, 5, 6, 7, 8};
    alignas(16) std::array<std::uint32_t, 12> to;
    to.fill(99);
    AsyncCopies copies;
    copies.copy(&to[0], &from[0]);
    copies.commit();
    copies.copy(&to[4], &from[4]);
    copies.copy(&to[8], nullptr, false);
    copies.commit();
    EXPECT_EQ(to[0], 99U);
    copies.wait<1>();
    EXPECT_EQ(to[0], 1U);
    EXPECT_EQ(to[4], 99U);
    copies.wait<0>();
    EXPECT_EQ(to, (std::array<std::uint32_t, 12>{1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 0}));
}

// A kernel of one block of two warps whose lanes reverse 32 numbers each through shared memory.
struct ReverseKernel {
    static constexpr int max_threads = 64;
    static constexpr int phases = 2;
    struct Shared {
        int numbers[64];
    };
    const int* from;
    int* to;

    static std::int64_t blocks() { return 2; }
    static int threads() { return max_threads; }
    static constexpr unsigned warp_phases = 0b10;
    template <int Phase>
    void run(Shared& shared, int block, int thread) const {
        shared.numbers[thread] = from[block * 64 + thread];
    }
    template <int Phase>
    void run_warp(const Shared& shared, int block, const Warp& warp) const {
        Lanes<int> mine;
        warp.each_lane([&](int lane) { mine[lane] = shared.numbers[warp.index() * 32 + 31 - lane]; });
        warp.each_lane([&](int lane) { to[block * 64 + warp.index() * 32 + lane] = mine[lane]; });
    }
};

TEST(HostExecutor, RunsPhasesOfWholeWarps) {
    std::vector<int> from(128);
    std::vector<int> to(128, -1);
    for (int i = 0; i < 128; ++i) from[i] = i;
    testing::run_on_host(ReverseKernel{from.data(), to.data()});
    for (int i = 0; i < 128; ++i) EXPECT_EQ(to[i], i / 32 * 32 + 31 - i % 32);
}

}  // namespace
}  // namespace hacscale::cuda
