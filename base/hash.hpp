// FNV-1a, 64 bits: short stable fingerprints of texts (model hashes, device fingerprints). Not for security.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hacscale {

std::uint64_t fnv1a(std::string_view text);
std::string hex_hash(std::string_view text);  // 16 lower-case hexadecimal digits of fnv1a

}  // namespace hacscale
