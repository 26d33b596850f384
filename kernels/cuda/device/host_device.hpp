// Kernels here are plain structs whose code runs on the device and on the host alike, so that tests can run
// every block and thread of them on a CPU.
//
// A kernel is a struct of parameters with
//   static constexpr int max_threads;         a block has at most this many
//   static constexpr int min_blocks;          that a multiprocessor should hold; limits the registers
//   static constexpr int phases;              between two phases all threads of a block wait for each other
//   struct Shared;                            what the block's threads share; may be empty
//   std::int64_t blocks() const;  int threads() const;
//   template <int Phase> HACSCALE_HD void run(Shared& shared, int block, int thread) const;
// Phases of whole warps, for matrix units: mma.hpp.
// A kernel that can do something before the kernel in front of it has ended (../stream.hpp) has, in
// place of run<0>,
//   HACSCALE_HD Early start_early(Shared& shared, int block, int thread) const;
//   HACSCALE_HD void run_first(Shared& shared, int block, int thread, Early& early) const;
// of which the first only reads weights and writes Shared, which other threads may read in phase 1.
// It keeps nothing in registers from one phase to the next; what a later phase needs is in Shared.
//
// A kernel whose shared memory depends on its parameters has `using Shared = BlockMemory` (block_memory.hpp),
// and may have its blocks work in clusters.
#pragma once

#include <cstdint>

#ifdef __CUDACC__
#define HACSCALE_HD __host__ __device__ __forceinline__
#else
#define HACSCALE_HD inline
#endif

// The host's compiler does not know these.
#ifdef __CUDA_ARCH__
#define HACSCALE_PRAGMA(text) _Pragma(#text)
#define HACSCALE_UNROLL _Pragma("unroll")
#define HACSCALE_UNROLL_BY(count) HACSCALE_PRAGMA(unroll(count))
#else
#define HACSCALE_UNROLL
#define HACSCALE_UNROLL_BY(count)
#endif

namespace hacscale::cuda {

struct NothingShared {};

template <typename Kernel>
concept StartsEarly = requires(const Kernel& kernel, typename Kernel::Shared& shared) {
    kernel.start_early(shared, 0, 0);
};

template <typename Int>
HACSCALE_HD constexpr Int ceil_div(Int a, Int b) {
    return (a + b - 1) / b;
}

// Division by a number that is known before the kernel starts, as one multiplication (Granlund and Montgomery
// 1994): exact for all 0 <= n < 2^31.
class Divisor {
public:
    constexpr Divisor() = default;
    constexpr explicit Divisor(int divisor) : divisor_(divisor) {
        while ((std::int64_t{1} << (shift_ - 31)) < divisor) ++shift_;
        multiplier_ = static_cast<std::uint32_t>(
            ((std::uint64_t{1} << shift_) + static_cast<std::uint64_t>(divisor) - 1) /
            static_cast<std::uint64_t>(divisor));
    }
    HACSCALE_HD constexpr int quotient(int n) const {
        return static_cast<int>((static_cast<std::uint64_t>(static_cast<std::uint32_t>(n)) * multiplier_) >>
                                shift_);
    }
    HACSCALE_HD constexpr int value() const { return divisor_; }
    // n becomes the quotient, the remainder is returned: takes one digit off a mixed-radix number.
    HACSCALE_HD constexpr int take(int& n) const {
        const int q = quotient(n);
        const int remainder = n - q * divisor_;
        n = q;
        return remainder;
    }

private:
    int divisor_ = 1;
    std::uint32_t multiplier_ = 1U << 31;
    int shift_ = 31;
};

constexpr std::int64_t max_blocks = 2147483647;  // of a grid's x dimension

}  // namespace hacscale::cuda
