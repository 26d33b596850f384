#include "base/text/utf8.hpp"

namespace hacscale {
namespace {

// How many bytes follow the first one, and what the second one may be.
struct Sequence {
    std::size_t more = 0;
    unsigned least = 0x80;
    unsigned most = 0xBF;
    bool valid = true;
};

Sequence sequence_of(unsigned char first) {
    if (first < 0x80) return {};
    if (first < 0xC2) return {.valid = false};
    if (first < 0xE0) return {.more = 1};
    if (first == 0xE0) return {.more = 2, .least = 0xA0};
    if (first == 0xED) return {.more = 2, .most = 0x9F};
    if (first < 0xF0) return {.more = 2};
    if (first == 0xF0) return {.more = 3, .least = 0x90};
    if (first < 0xF4) return {.more = 3};
    if (first == 0xF4) return {.more = 3, .most = 0x8F};
    return {.valid = false};
}

}  // namespace

std::size_t character_at_front(std::string_view text) {
    if (text.empty()) return 0;
    const Sequence sequence = sequence_of(static_cast<unsigned char>(text.front()));
    if (!sequence.valid || sequence.more >= text.size()) return 0;
    for (std::size_t k = 1; k <= sequence.more; ++k) {
        const auto byte = static_cast<unsigned char>(text[k]);
        const unsigned least = k == 1 ? sequence.least : 0x80;
        const unsigned most = k == 1 ? sequence.most : 0xBF;
        if (byte < least || byte > most) return 0;
    }
    return sequence.more + 1;
}

bool is_utf8(std::string_view text) {
    while (!text.empty()) {
        const std::size_t bytes = character_at_front(text);
        if (bytes == 0) return false;
        text.remove_prefix(bytes);
    }
    return true;
}

bool has_zero_byte(std::string_view text) {
    return text.find('\0') != std::string_view::npos;
}

std::string as_utf8(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const std::size_t bytes = character_at_front(text);
        result += bytes == 0 ? std::string_view("\xEF\xBF\xBD") : text.substr(0, bytes);
        text.remove_prefix(bytes == 0 ? 1 : bytes);
    }
    return result;
}

std::string printable(std::string_view text) {
    constexpr std::string_view digits = "0123456789abcdef";
    constexpr unsigned char first_of_c1 = 0xC2;  // of the two bytes of U+0080 to U+009F
    std::string result;
    const auto escape = [&](unsigned char byte) {
        result += "\\x";
        result += digits[byte >> 4U];
        result += digits[byte & 0xFU];
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        const auto next = static_cast<unsigned char>(i + 1 < text.size() ? text[i + 1] : 0);
        if ((byte < 0x20 && byte != '\n' && byte != '\t') || byte == 0x7F) {
            escape(byte);
        } else if (byte == first_of_c1 && next >= 0x80 && next < 0xA0) {
            escape(next);
            ++i;
        } else {
            result += text[i];
        }
    }
    return result;
}

}  // namespace hacscale
