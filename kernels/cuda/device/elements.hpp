// Element types, 16-byte accesses, and the activations, for host and device. All arithmetic is in float.
#pragma once

#include <cuda_bf16.h>
#include <cuda_fp16.h>

#include <cmath>
#include <cstdint>
#include <cstring>

#include "kernels/cuda/device/host_device.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::cuda {

constexpr int vector_bytes = 16;
template <typename T>
inline constexpr int vector_width = vector_bytes / static_cast<int>(sizeof(T));

HACSCALE_HD float to_float(float x) {
    return x;
}
HACSCALE_HD float to_float(__half x) {
    return __half2float(x);
}
HACSCALE_HD float to_float(__nv_bfloat16 x) {
    return __bfloat162float(x);
}
template <typename T>
HACSCALE_HD T from_float(float x);
template <>
HACSCALE_HD float from_float<float>(float x) {
    return x;
}
template <>
HACSCALE_HD __half from_float<__half>(float x) {
    return __float2half_rn(x);
}
template <>
HACSCALE_HD __nv_bfloat16 from_float<__nv_bfloat16>(float x) {
    return __float2bfloat16_rn(x);
}

// V neighbouring elements, read and written in one access, as words of elements of another type, too. Its alignment
// is checked by the host's sanitizer.
template <typename T, int V>
struct alignas(V * sizeof(T)) [[gnu::may_alias]] Packet {
    T values[V];
};

template <typename T, int V>
HACSCALE_HD Packet<T, V> load_packet(const T* from) {
    return *reinterpret_cast<const Packet<T, V>*>(from);
}
// On the device one predicated load over four zero words. Left to the compiler, a packet of 16-bit zeros that is
// overwritten under a condition becomes two merges an element; volatile keeps the load behind what the kernel
// waits for.
template <typename T, int V>
HACSCALE_HD Packet<T, V> load_or_zero(const T* from, bool inside) {
    Packet<T, V> packet{};
#ifdef __CUDA_ARCH__
    if constexpr (sizeof(packet) == vector_bytes) {
        uint4 words;
        asm volatile(
            "{\n"
            ".reg .pred inside;\n"
            "setp.ne.s32 inside, %5, 0;\n"
            "mov.u32 %0, 0;\n"
            "mov.u32 %1, 0;\n"
            "mov.u32 %2, 0;\n"
            "mov.u32 %3, 0;\n"
            "@inside ld.global.v4.u32 {%0, %1, %2, %3}, [%4];\n"
            "}"
            : "=r"(words.x), "=r"(words.y), "=r"(words.z), "=r"(words.w)
            : "l"(from), "r"(static_cast<int>(inside)));
        std::memcpy(&packet, &words, sizeof(packet));
        return packet;
    }
#endif
    if (inside) packet = load_packet<T, V>(from);
    return packet;
}
template <typename T, int V>
HACSCALE_HD void unpack(const Packet<T, V>& packet, float (&to)[V]) {
    HACSCALE_UNROLL
    for (int i = 0; i < V; ++i) to[i] = to_float(packet.values[i]);
}
// A bfloat16 is the upper half of a float. Taken from whole words, two of them cost two instructions, and the
// packet stays in half as many registers.
template <int V>
requires(V % 2 == 0) HACSCALE_HD void unpack(const Packet<__nv_bfloat16, V>& packet, float (&to)[V]) {
    std::uint32_t words[V / 2];
    std::memcpy(words, packet.values, sizeof(words));
    HACSCALE_UNROLL
    for (int i = 0; i < V; ++i) {
        const std::uint32_t bits = i % 2 == 0 ? words[i / 2] << 16 : words[i / 2] & 0xffff0000U;
        std::memcpy(&to[i], &bits, sizeof(bits));
    }
}
template <typename T, int V>
HACSCALE_HD void load(const T* from, float (&to)[V]) {
    unpack(load_packet<T, V>(from), to);
}
template <typename T, int V>
HACSCALE_HD void store(const float (&from)[V], T* to) {
    Packet<T, V> packet;
    HACSCALE_UNROLL
    for (int i = 0; i < V; ++i) packet.values[i] = from_float<T>(from[i]);
    *reinterpret_cast<Packet<T, V>*>(to) = packet;
}
// V floats from where they are aligned to 16 bytes, or to V floats when those are fewer.
template <int V>
HACSCALE_HD void load_floats(const float* from, float (&to)[V]) {
    constexpr int step = V < 4 ? V : 4;
    HACSCALE_UNROLL
    for (int i = 0; i < V; i += step) {
        const auto packet = load_packet<float, step>(from + i);
        HACSCALE_UNROLL
        for (int j = 0; j < step; ++j) to[i + j] = packet.values[j];
    }
}
template <int V>
HACSCALE_HD void store_floats(const float (&from)[V], float* to) {
    constexpr int step = V < 4 ? V : 4;
    HACSCALE_UNROLL
    for (int i = 0; i < V; i += step) {
        Packet<float, step> packet;
        HACSCALE_UNROLL
        for (int j = 0; j < step; ++j) packet.values[j] = from[i + j];
        *reinterpret_cast<Packet<float, step>*>(to + i) = packet;
    }
}

// The device's fast exponential and quotient are good to a few units in the last place of a float.
HACSCALE_HD float sigmoid(float x) {
#ifdef __CUDA_ARCH__
    return __fdividef(1.0F, 1.0F + __expf(-x));
#else
    return 1.0F / (1.0F + std::exp(-x));
#endif
}
// One instruction on the device, with a relative error of at most 2^-11 (PTX ISA, tanh.approx.f32).
HACSCALE_HD float coarse_tanh(float x) {
#ifdef __CUDA_ARCH__
    float result;
    asm("tanh.approx.f32 %0, %1;" : "=f"(result) : "f"(x));
    return result;
#else
    return std::tanh(x);
#endif
}
// Unlike fmaxf and fminf these keep a not-a-number, which would be hidden as a zero.
HACSCALE_HD float at_least(float x, float least) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    float result;
    asm("max.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(x), "f"(least));
    return result;
#else
    return x < least ? least : x;
#endif
}
HACSCALE_HD float at_most(float x, float most) {
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ >= 800
    float result;
    asm("min.NaN.f32 %0, %1, %2;" : "=f"(result) : "f"(x), "f"(most));
    return result;
#else
    return x > most ? most : x;
#endif
}
HACSCALE_HD float clip6(float x) {
    return at_most(at_least(x, 0.0F), 6.0F);
}

// Precision of the activations that are no pieces of straight lines. `coarse` makes three instructions of SiLU's
// eight; its error is at most |x| 2^-12, and that of the sigmoid 2^-12, which is half of what f16 and a sixteenth
// of what bf16 may lose of |x| itself in rounding.
enum class Precision { full, coarse };
template <typename T>
inline constexpr Precision precision_for = sizeof(T) == 2 ? Precision::coarse : Precision::full;

template <Precision Wanted>
HACSCALE_HD float silu(float x) {
    if constexpr (Wanted == Precision::full) {
        return x * sigmoid(x);
    } else {
        const float half = 0.5F * x;
        return half + half * coarse_tanh(half);
    }
}
template <Precision Wanted>
HACSCALE_HD float sigmoid_of(float x) {
    if constexpr (Wanted == Precision::full) {
        return sigmoid(x);
    } else {
        return 0.5F + 0.5F * coarse_tanh(0.5F * x);
    }
}

// Calls apply(function) with the activation as a function of one value. One switch for all values: the kernels'
// branches are the same for all threads.
template <Precision Wanted, typename Apply>
HACSCALE_HD void with_activation(Activation activation, Apply&& apply) {
    switch (activation) {
        case Activation::none:
            break;
        case Activation::relu:
            apply([](float x) { return at_least(x, 0.0F); });
            break;
        case Activation::relu6:
            apply([](float x) { return clip6(x); });
            break;
        case Activation::silu:
            apply([](float x) { return silu<Wanted>(x); });
            break;
        case Activation::hard_swish:
            apply([](float x) { return x * clip6(x + 3.0F) * (1.0F / 6.0F); });
            break;
        case Activation::sigmoid:
            apply([](float x) { return sigmoid_of<Wanted>(x); });
            break;
        case Activation::hard_sigmoid:
            apply([](float x) { return clip6(x + 3.0F) * (1.0F / 6.0F); });
            break;
        default:  // the others are activations.hpp's
            break;
    }
}

template <Precision Wanted = Precision::full, int N>
HACSCALE_HD void activate(Activation activation, float (&values)[N]) {
    with_activation<Wanted>(activation, [&values](auto function) {
        HACSCALE_UNROLL
        for (int i = 0; i < N; ++i) values[i] = function(values[i]);
    });
}

}  // namespace hacscale::cuda
