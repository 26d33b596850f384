// The bf16 number as the CPU kernels store it: the upper half of an f32, rounded to nearest even.
#pragma once

#include <bit>
#include <cstdint>

namespace hacscale::cpu {

struct BFloat16 {
    std::uint16_t bits = 0;

    BFloat16() = default;
    explicit BFloat16(float value) {
        const auto word = std::bit_cast<std::uint32_t>(value);
        const bool not_a_number = (word & 0x7FFFFFFFU) > 0x7F800000U;
        const std::uint32_t rounded = word + 0x7FFFU + ((word >> 16) & 1U);
        bits = static_cast<std::uint16_t>((not_a_number ? word | 0x400000U : rounded) >> 16);
    }
    explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

}  // namespace hacscale::cpu
