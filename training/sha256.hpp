// SHA-256 (FIPS 180-4), for checking that files are what they are said to be. Written out here because it is
// one page, and the alternative is to carry a cryptography library for six files.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace hacscale::detail {

class Sha256 {
public:
    void update(std::span<const std::uint8_t> bytes);
    // 64 lower-case hexadecimal digits of all that was given. Nothing can be added afterwards.
    std::string finish();

private:
    void compress(const std::uint8_t* block);

    std::array<std::uint32_t, 8> state_{0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    std::array<std::uint8_t, 64> pending_{};
    std::uint64_t size_ = 0;  // bytes so far
};

std::string sha256(std::span<const std::uint8_t> bytes);

}  // namespace hacscale::detail
