// The stack pointer's place in a cache line, from wherever a kernel is called.
#include "kernels/cpu/detail/onednn.hpp"

#include <gtest/gtest.h>

#include <set>
#include <stdexcept>

namespace hacscale::cpu {
namespace {

[[gnu::noinline]] std::uintptr_t place_in_line() {
    return reinterpret_cast<std::uintptr_t>(__builtin_frame_address(0)) % 64;
}

// Calls with the stack this many bytes further down.
[[gnu::noinline, gnu::no_sanitize_address]] std::uintptr_t place_from(std::size_t bytes) {
    void* lower = __builtin_alloca(bytes);
    asm volatile("" : : "r"(lower) : "memory");
    return with_aligned_stack([] { return place_in_line(); });
}

TEST(AlignedStack, IsAtOnePlaceOfALineWhereverTheCallComesFrom) {
    std::set<std::uintptr_t> places;
    for (std::size_t bytes = 0; bytes <= 256; bytes += 16) places.insert(place_from(bytes));
    EXPECT_EQ(places.size(), 1U);
}

TEST(AlignedStack, HandsOnWhatIsReturnedAndThrown) {
    EXPECT_EQ(with_aligned_stack([] { return 7; }), 7);
    EXPECT_THROW(with_aligned_stack([]() -> int { throw std::runtime_error("lost"); }), std::runtime_error);
}

}  // namespace
}  // namespace hacscale::cpu
