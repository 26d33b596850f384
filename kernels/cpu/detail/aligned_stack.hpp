// Calls with the stack pointer at the same place of a cache line, whatever the process.
//
// A process's stack begins at a random address, a multiple of 16 bytes, and oneDNN's Winograd kernels keep
// vectors on it. Where these straddle cache lines, the kernels are slower: ResNet-20 on one core took 489 or
// 514 us with the address, and 4 % more or less plain than with a clock read a layer.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hacscale::cpu {

// Calls work() and returns what it returns. Not inlined: its own frame is what is moved.
template <typename Work>
[[gnu::noinline, gnu::no_sanitize_address]] auto with_aligned_stack(const Work& work) {
    constexpr std::uintptr_t cache_line = 64;
    constexpr std::size_t smallest = 16;  // what stack pointers are multiples of
    const auto bottom = reinterpret_cast<std::uintptr_t>(__builtin_alloca(smallest));
    void* moved = __builtin_alloca(bottom % cache_line);
    asm volatile("" : : "r"(moved) : "memory");  // it is used, as far as the compiler knows
    const auto result = work();
    asm volatile("" : : : "memory");  // so that work() is no jump that gives the frame up before
    return result;
}

}  // namespace hacscale::cpu
