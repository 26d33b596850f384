// Reads what report/formats/packed_text.hpp wrote.
#pragma once

#include <zlib.h>

#include <stdexcept>
#include <string>

namespace hacscale::report {

inline std::string unpacked(const std::string& text) {
    static const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string packed;
    unsigned bits = 0;
    int known = 0;
    for (const char letter : text.substr(0, text.find('='))) {
        const std::size_t digit = digits.find(letter);
        if (digit == std::string::npos) throw std::runtime_error("no base64");
        bits = bits << 6U | static_cast<unsigned>(digit);
        known += 6;
        if (known >= 8) packed += static_cast<char>(bits >> static_cast<unsigned>(known -= 8) & 255U);
    }
    z_stream stream{};
    inflateInit2(&stream, 15 + 16);
    stream.next_in = reinterpret_cast<Bytef*>(packed.data());
    stream.avail_in = static_cast<uInt>(packed.size());
    std::string result;
    int status = Z_OK;
    while (status == Z_OK) {
        char piece[4096];
        stream.next_out = reinterpret_cast<Bytef*>(piece);
        stream.avail_out = sizeof piece;
        status = inflate(&stream, Z_NO_FLUSH);
        result.append(piece, sizeof piece - stream.avail_out);
    }
    inflateEnd(&stream);
    if (status != Z_STREAM_END) throw std::runtime_error("no gzip");
    return result;
}

}  // namespace hacscale::report
