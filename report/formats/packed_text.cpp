#include "report/formats/packed_text.hpp"

#include <zlib.h>

#include <algorithm>
#include <new>
#include <vector>

#include "base/error.hpp"

namespace hacscale::report {

namespace {

constexpr int gzip_window_bits = 15 + 16;  // the largest window; 16 asks for gzip's header
constexpr int most_memory = 9;

std::vector<unsigned char> gzip(std::string_view text) {
    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, gzip_window_bits, most_memory,
                     Z_DEFAULT_STRATEGY) != Z_OK) {
        throw std::bad_alloc();
    }
    std::vector<unsigned char> packed(deflateBound(&stream, text.size()));
    // zlib takes its input as a pointer to what may be changed; it is only read.
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = packed.data();
    stream.avail_out = static_cast<uInt>(packed.size());
    const int status = deflate(&stream, Z_FINISH);
    packed.resize(stream.total_out);
    deflateEnd(&stream);
    if (status != Z_STREAM_END) throw WorkError("packing a chart's data failed in zlib");
    return packed;
}

std::string base64(const std::vector<unsigned char>& bytes) {
    static constexpr std::string_view digits =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string text;
    text.reserve((bytes.size() + 2) / 3 * 4);
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        const std::size_t count = std::min<std::size_t>(3, bytes.size() - i);
        unsigned group = 0;
        for (std::size_t k = 0; k < 3; ++k) group = group << 8U | (k < count ? bytes[i + k] : 0U);
        for (std::size_t k = 0; k < 4; ++k) text += k <= count ? digits[group >> (18U - 6U * k) & 63U] : '=';
    }
    return text;
}

}  // namespace

std::string packed_text(std::string_view text) {
    return base64(gzip(text));
}

}  // namespace hacscale::report
