#include <algorithm>
#include <cmath>

#include "kernels/cpu/detail/per_cpu.hpp"
#include "kernels/cpu/tensor.hpp"

namespace hacscale::cpu {
namespace {

template <typename Integer>
HACSCALE_INLINE void round_all(const float* from, float factor, float low, float high, Integer* to,
                               std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
        const float steps = std::min(std::max(from[i] * factor, low), high);
        to[i] = static_cast<Integer>(static_cast<std::int32_t>(std::nearbyint(steps)));
    }
}

HACSCALE_PER_CPU
void to_unsigned(const float* from, float factor, std::uint8_t* to, std::size_t count) {
    round_all(from, factor, 0.0F, max_unsigned, to, count);
}

HACSCALE_PER_CPU
void to_signed(const float* from, float factor, std::int8_t* to, std::size_t count) {
    round_all(from, factor, -max_signed, max_signed, to, count);
}

HACSCALE_PER_CPU
void from_unsigned(const std::uint8_t* from, float factor, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]) * factor;
}

HACSCALE_PER_CPU
void from_signed(const std::int8_t* from, float factor, float* to, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) to[i] = static_cast<float>(from[i]) * factor;
}

void convert_part(const std::byte* from, const Stored& from_form, std::byte* to, const Stored& to_form,
                  std::size_t count) {
    const auto* numbers = reinterpret_cast<const float*>(from);
    auto* results = reinterpret_cast<float*>(to);
    if (to_form.element == Element::u8) {
        to_unsigned(numbers, 1.0F / to_form.scale, reinterpret_cast<std::uint8_t*>(to), count);
    } else if (to_form.element == Element::s8) {
        to_signed(numbers, 1.0F / to_form.scale, reinterpret_cast<std::int8_t*>(to), count);
    } else if (from_form.element == Element::u8) {
        from_unsigned(reinterpret_cast<const std::uint8_t*>(from), from_form.scale, results, count);
    } else {
        from_signed(reinterpret_cast<const std::int8_t*>(from), from_form.scale, results, count);
    }
}

}  // namespace

void convert(const std::byte* from, const Stored& from_form, std::byte* to, const Stored& to_form,
             std::size_t count) {
    constexpr std::size_t part = 4096;
    const std::size_t parts = (count + part - 1) / part;
#pragma omp parallel for schedule(static)
    for (std::size_t i = 0; i < parts; ++i) {
        const std::size_t first = i * part;
        convert_part(from + first * from_form.element_bytes(), from_form,
                     to + first * to_form.element_bytes(), to_form, std::min(part, count - first));
    }
}

}  // namespace hacscale::cpu
