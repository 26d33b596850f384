// FNV-1a, 64 bits: short stable fingerprints of texts (model hashes, device fingerprints). Not for security.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hacscale {

constexpr std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 14695981039346656037ULL;
    for (const char c : text) {
        hash ^= static_cast<unsigned char>(c);
        hash *= 1099511628211ULL;
    }
    return hash;
}

// 16 lower-case hexadecimal digits of fnv1a.
inline std::string hex_hash(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    const std::uint64_t hash = fnv1a(text);
    std::string out(16, '0');
    for (int i = 0; i < 16; ++i) out[i] = digits[(hash >> (60 - 4 * i)) & 15];
    return out;
}

}  // namespace hacscale
