// Matrix units: what the 32 threads of a warp do together, on the device, and emulated on the host, so that the
// CPU runs the same kernels.
//
// A kernel (host_device.hpp) that uses them says which of its phases belong to whole warps,
//   static constexpr unsigned warp_phases;  bit p is set for phase p
//   template <int Phase> HACSCALE_HD void run_warp(Shared& shared, int block, const Warp& warp) const;
// and has a number of threads that is a multiple of 32. Within such a phase
//   warp.each_lane([&](int lane) { ... })   is what each thread does by itself,
//   Lanes<T>                                is a variable that each thread has one of,
//   functions that take a Warp              are done by all 32 together.
// On the device a Lanes<T> is a register, and each_lane() calls its body once. The host goes through the lanes
// one by one. What one lane writes to shared memory, others may read after warp.sync().
//
// Matrices are multiplied as mma.m16n8k16: 16 x 16 (row-major) times 16 x 8 (column-major, that is [n][k] with k
// contiguous), two elements a word; sums in f32. It needs compute capability 8.0. "Thread t" of these layouts:
//   left       word 0: row t/4, columns 2(t%4), +1; word 1: row +8; words 2, 3: columns +8
//   right      word 0: k = 2(t%4), +1 of column t/4; word 1: k + 8
//   sums       0, 1: row t/4, columns 2(t%4), +1; 2, 3: row +8
#pragma once

#include <cstdint>
#include <cstring>
#include <type_traits>
#ifndef __CUDA_ARCH__
#include <deque>
#include <vector>
#endif

#include "kernels/cuda/device/elements.hpp"

namespace hacscale::cuda {

constexpr int warp_lanes = 32;
constexpr int oldest_with_mma = 80;  // compute capability

// One T a thread of a warp.
template <typename T>
class Lanes {
public:
#ifdef __CUDA_ARCH__
    HACSCALE_HD T& operator[](int) {
        return value_;
    }
    HACSCALE_HD const T& operator[](int) const {
        return value_;
    }

private:
    T value_;
#else
    T& operator[](int lane) {
        return values_[lane];
    }
    const T& operator[](int lane) const {
        return values_[lane];
    }

private:
    T values_[warp_lanes];
#endif
};

class Warp {
public:
    // `lane` is this thread's; the host, which has all lanes, may go through them backwards.
    HACSCALE_HD Warp(int index, int lane, bool backwards = false)
        : index_(index), lane_(lane), backwards_(backwards) {}

    HACSCALE_HD int index() const { return index_; }

    template <typename Body>
    HACSCALE_HD void each_lane(Body&& body) const {
#ifdef __CUDA_ARCH__
        body(lane_);
#else
        for (int i = 0; i < warp_lanes; ++i) body(backwards_ ? warp_lanes - 1 - i : i);
#endif
    }
    HACSCALE_HD void sync() const {
#ifdef __CUDA_ARCH__
        __syncwarp();
#endif
    }

private:
    int index_;
    [[maybe_unused]] int lane_;
    [[maybe_unused]] bool backwards_;
};

// Whether a phase of the kernel belongs to whole warps.
template <typename Kernel, int Phase>
inline constexpr bool by_warps = false;
template <typename Kernel, int Phase>
requires requires {
    Kernel::warp_phases;
}
inline constexpr bool by_warps<Kernel, Phase> = (Kernel::warp_phases >> Phase & 1U) != 0;

// 32-bit words of matrix elements that one thread has: a word for each 8 x 8 matrix.
template <int N>
struct Words {
    std::uint32_t values[N];
};
struct Sums {
    float values[4];
};

// Reads N (1, 2 or 4) 8 x 8 matrices of 16-bit elements from shared memory (ldmatrix). Their rows are 16 bytes,
// each wherever its address says, aligned to 16: row r of matrix m is at `rows` of lane 8 m + r. Thread t gets of
// each matrix the elements 2(t%4), +1 of row t/4; Transposed: of column t/4.
template <bool Transposed = false, int N>
HACSCALE_HD void load_matrices(const Warp& warp, const Lanes<const void*>& rows, Lanes<Words<N>>& to) {
    static_assert(N == 1 || N == 2 || N == 4);
#ifdef __CUDA_ARCH__
    const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(rows[0]));
    std::uint32_t(&w)[N] = to[0].values;
    if constexpr (N == 1 && !Transposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.shared.b16 {%0}, [%1];"
                     : "=r"(w[0])
                     : "r"(address)
                     : "memory");
    } else if constexpr (N == 1) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x1.trans.shared.b16 {%0}, [%1];"
                     : "=r"(w[0])
                     : "r"(address)
                     : "memory");
    } else if constexpr (N == 2 && !Transposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.shared.b16 {%0, %1}, [%2];"
                     : "=r"(w[0]), "=r"(w[1])
                     : "r"(address)
                     : "memory");
    } else if constexpr (N == 2) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x2.trans.shared.b16 {%0, %1}, [%2];"
                     : "=r"(w[0]), "=r"(w[1])
                     : "r"(address)
                     : "memory");
    } else if constexpr (!Transposed) {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                     : "r"(address)
                     : "memory");
    } else {
        asm volatile("ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16 {%0, %1, %2, %3}, [%4];"
                     : "=r"(w[0]), "=r"(w[1]), "=r"(w[2]), "=r"(w[3])
                     : "r"(address)
                     : "memory");
    }
#else
    for (int matrix = 0; matrix < N; ++matrix) {
        Packet<std::uint16_t, 8> read[8];
        for (int r = 0; r < 8; ++r) {
            read[r] = load_packet<std::uint16_t, 8>(static_cast<const std::uint16_t*>(rows[8 * matrix + r]));
        }
        warp.each_lane([&](int lane) {
            std::uint16_t two[2];
            for (int i = 0; i < 2; ++i) {
                const int element = 2 * (lane % 4) + i;
                two[i] = Transposed ? read[element].values[lane / 4] : read[lane / 4].values[element];
            }
            std::memcpy(&to[lane].values[matrix], two, sizeof(two));
        });
    }
#endif
}

#ifndef __CUDA_ARCH__
namespace emulated {
// All values of a type of 16 bits: looking them up takes a fraction of the host's conversion.
template <typename T>
const float* values_of() {
    static const std::vector<float> values = [] {
        std::vector<float> all(1 << 16);
        for (std::uint32_t bits = 0; bits < all.size(); ++bits) {
            const auto element = static_cast<std::uint16_t>(bits);
            T value;
            std::memcpy(static_cast<void*>(&value), &element, sizeof(value));
            all[bits] = to_float(value);
        }
        return all;
    }();
    return values.data();
}
}  // namespace emulated
#endif

// to = sums + left * right, T is __half or __nv_bfloat16; `to` may be `sums`. The right matrix's two words are First
// and First + 1 of the words that were loaded together.
template <typename T, int First, int N>
HACSCALE_HD void multiply_add_to(const Warp& warp, const Lanes<Words<4>>& left, const Lanes<Words<N>>& right,
                                 const Lanes<Sums>& sums, Lanes<Sums>& to) {
    static_assert(First + 2 <= N && sizeof(T) == 2);
#ifdef __CUDA_ARCH__
#if __CUDA_ARCH__ >= 800
    const std::uint32_t(&a)[4] = left[0].values;
    const std::uint32_t(&b)[N] = right[0].values;
    const float(&c)[4] = sums[0].values;
    float d[4];
    if constexpr (std::is_same_v<T, __half>) {
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, "
            "{%10, %11, %12, %13};"
            : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[First]), "r"(b[First + 1]), "f"(c[0]),
              "f"(c[1]), "f"(c[2]), "f"(c[3]));
    } else {
        asm volatile(
            "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, "
            "%9}, {%10, %11, %12, %13};"
            : "=f"(d[0]), "=f"(d[1]), "=f"(d[2]), "=f"(d[3])
            : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[First]), "r"(b[First + 1]), "f"(c[0]),
              "f"(c[1]), "f"(c[2]), "f"(c[3]));
    }
    to[0] = Sums{{d[0], d[1], d[2], d[3]}};
#else
    __trap();  // layers that need it are not offered on such a device
#endif
#else
    const float* const values = emulated::values_of<T>();
    float a[16][16];
    float b[16][8];
    float c[16][8];
    for (int lane = 0; lane < warp_lanes; ++lane) {
        const int row = lane / 4;
        const int two = 2 * (lane % 4);
        for (int i = 0; i < 2; ++i) {
            for (int word = 0; word < 4; ++word) {
                a[row + 8 * (word % 2)][two + i + 8 * (word / 2)] =
                    values[left[lane].values[word] >> 16 * i & 0xffffU];
            }
            for (int word = 0; word < 2; ++word) {
                b[two + i + 8 * word][row] = values[right[lane].values[First + word] >> 16 * i & 0xffffU];
                c[row + 8 * word][two + i] = sums[lane].values[2 * word + i];
            }
        }
    }
    for (int row = 0; row < 16; ++row) {
        for (int k = 0; k < 16; ++k) {
            for (int column = 0; column < 8; ++column) c[row][column] += a[row][k] * b[k][column];
        }
    }
    warp.each_lane([&](int lane) {
        for (int i = 0; i < 4; ++i) to[lane].values[i] = c[lane / 4 + 8 * (i / 2)][2 * (lane % 4) + i % 2];
    });
#endif
}

// sums += left * right.
template <typename T, int First = 0, int N>
HACSCALE_HD void multiply_add(const Warp& warp, const Lanes<Words<4>>& left, const Lanes<Words<N>>& right,
                              Lanes<Sums>& sums) {
    multiply_add_to<T, First>(warp, left, right, sums, sums);
}

// Copies from global to shared memory that run while the thread continues (cp.async), 16 bytes each. Copies are
// committed in groups. On the host a group is copied when it is waited for, so that a read before that finds
// poison; there one object serves all lanes of a warp.
class AsyncCopies {
public:
    // Zeros, and nothing is read, where not `inside`. Both addresses are aligned to 16 bytes.
    HACSCALE_HD void copy(void* to, const void* from, bool inside = true) {
#ifdef __CUDA_ARCH__
#if __CUDA_ARCH__ >= 800
        const auto address = static_cast<std::uint32_t>(__cvta_generic_to_shared(to));
        const int bytes = inside ? 16 : 0;
        asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;" ::"r"(address), "l"(from), "r"(bytes)
                     : "memory");
#else
        __trap();
#endif
#else
        pending_.push_back({to, inside ? from : nullptr, groups_});
#endif
    }
    HACSCALE_HD void commit() {
#ifdef __CUDA_ARCH__
#if __CUDA_ARCH__ >= 800
        asm volatile("cp.async.commit_group;" ::: "memory");
#endif
#else
        ++groups_;
#endif
    }
    // Until all but the last `Pending` committed groups are there. Other threads see them after warp.sync(), or in
    // the next phase.
    template <int Pending>
    HACSCALE_HD void wait() {
#ifdef __CUDA_ARCH__
#if __CUDA_ARCH__ >= 800
        asm volatile("cp.async.wait_group %0;" ::"n"(Pending) : "memory");
#endif
#else
        for (; !pending_.empty() && pending_.front().group < groups_ - Pending; pending_.pop_front()) {
            const Copy& next = pending_.front();
            Packet<std::uint32_t, 4> packet{};
            if (next.from != nullptr) {
                packet = load_packet<std::uint32_t, 4>(static_cast<const std::uint32_t*>(next.from));
            }
            *static_cast<Packet<std::uint32_t, 4>*>(next.to) = packet;
        }
#endif
    }

#ifndef __CUDA_ARCH__
private:
    struct Copy {
        void* to;
        const void* from;
        int group;
    };
    std::deque<Copy> pending_;
    int groups_ = 0;
#endif
};

}  // namespace hacscale::cuda
