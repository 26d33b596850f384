#include "training/sha256.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace hacscale::detail {
namespace {

// FIPS 180-4, section 4.2.2: the first 32 bits of the fractions of the cube roots of the first 64 primes.
constexpr std::array<std::uint32_t, 64> round_constants{
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

constexpr std::uint64_t length_field = 8;  // bytes at the end of the last block

}  // namespace

// Section 6.2.2.
void Sha256::compress(const std::uint8_t* block) {
    std::array<std::uint32_t, 64> schedule;
    for (std::size_t i = 0; i < 16; ++i) {
        const std::uint8_t* word = block + 4 * i;
        schedule[i] = std::uint32_t{word[0]} << 24 | std::uint32_t{word[1]} << 16 |
                      std::uint32_t{word[2]} << 8 | std::uint32_t{word[3]};
    }
    for (std::size_t i = 16; i < 64; ++i) {
        const std::uint32_t a = schedule[i - 15];
        const std::uint32_t b = schedule[i - 2];
        schedule[i] = schedule[i - 16] + (std::rotr(a, 7) ^ std::rotr(a, 18) ^ (a >> 3)) + schedule[i - 7] +
                      (std::rotr(b, 17) ^ std::rotr(b, 19) ^ (b >> 10));
    }
    auto [a, b, c, d, e, f, g, h] = state_;
    for (std::size_t i = 0; i < 64; ++i) {
        const std::uint32_t first = h + (std::rotr(e, 6) ^ std::rotr(e, 11) ^ std::rotr(e, 25)) +
                                    ((e & f) ^ (~e & g)) + round_constants[i] + schedule[i];
        const std::uint32_t second =
            (std::rotr(a, 2) ^ std::rotr(a, 13) ^ std::rotr(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
        h = g;
        g = f;
        f = e;
        e = d + first;
        d = c;
        c = b;
        b = a;
        a = first + second;
    }
    const std::array<std::uint32_t, 8> sum{a, b, c, d, e, f, g, h};
    for (std::size_t i = 0; i < sum.size(); ++i) state_[i] += sum[i];
}

void Sha256::update(std::span<const std::uint8_t> bytes) {
    while (!bytes.empty()) {
        const std::size_t filled = size_ % pending_.size();
        if (filled == 0 && bytes.size() >= pending_.size()) {
            compress(bytes.data());
            size_ += pending_.size();
            bytes = bytes.subspan(pending_.size());
            continue;
        }
        const std::size_t taken = std::min(bytes.size(), pending_.size() - filled);
        std::memcpy(pending_.data() + filled, bytes.data(), taken);
        size_ += taken;
        bytes = bytes.subspan(taken);
        if (filled + taken == pending_.size()) compress(pending_.data());
    }
}

// Section 5.1.1: a one bit, zeros, and the length in bits.
std::string Sha256::finish() {
    const std::uint64_t bits = size_ * 8;
    constexpr std::array<std::uint8_t, 1> one{0x80};
    constexpr std::array<std::uint8_t, 1> zero{0};
    update(one);
    while (size_ % pending_.size() != pending_.size() - length_field) update(zero);
    std::array<std::uint8_t, length_field> length{};
    for (std::size_t i = 0; i < length.size(); ++i) {
        length[i] = static_cast<std::uint8_t>(bits >> (8 * (length.size() - 1 - i)));
    }
    update(length);
    std::string text;
    for (const std::uint32_t word : state_) text += fmt::format("{:08x}", word);
    return text;
}

std::string sha256(std::span<const std::uint8_t> bytes) {
    Sha256 sum;
    sum.update(bytes);
    return sum.finish();
}

}  // namespace hacscale::detail
