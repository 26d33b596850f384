// A stream of random numbers that begins at a place named by numbers, for example (seed, epoch, image): so
// that what is drawn for one image does not depend on what was drawn for others. SplitMix64 (Steele, Lea &
// Flood 2014).
#pragma once

#include <cstdint>
#include <initializer_list>

namespace hacscale {

class RandomStream {
public:
    explicit RandomStream(std::initializer_list<std::uint64_t> place) {
        for (const std::uint64_t number : place) state_ = mixed(state_ + number + step);
    }

    std::uint64_t bits() { return mixed(state_ += step); }

    // Uniform in 0..count-1; count is small against 2^32, so the bias of the product is below 2^-32 of a step.
    int below(int count) {
        return static_cast<int>(((bits() >> 32) * static_cast<std::uint64_t>(count)) >> 32);
    }

    // Uniform in 0..1, without 1; a multiple of 2^-53.
    double uniform() { return static_cast<double>(bits() >> 11) * 0x1p-53; }

private:
    static constexpr std::uint64_t step = 0x9E3779B97F4A7C15;

    static std::uint64_t mixed(std::uint64_t value) {
        value = (value ^ (value >> 30)) * 0xBF58476D1CE4E5B9;
        value = (value ^ (value >> 27)) * 0x94D049BB133111EB;
        return value ^ (value >> 31);
    }

    std::uint64_t state_ = 0;
};

}  // namespace hacscale
