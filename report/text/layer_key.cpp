#include "report/text/layer_key.hpp"

#include <algorithm>
#include <charconv>

namespace hacscale::report {

namespace {

// The number after "_" and a letter: 64 for 'o' in "..._o64_...".
std::optional<int> number_after(std::string_view key, char letter) {
    const char mark[] = {'_', letter};
    for (std::size_t at = key.find(std::string_view(mark, 2)); at != std::string_view::npos;
         at = key.find(std::string_view(mark, 2), at + 1)) {
        int number = 0;
        const char* digits = key.data() + at + 2;
        const auto [end, error] = std::from_chars(digits, key.data() + key.size(), number);
        if (error == std::errc() && end != digits) return number;
    }
    return std::nullopt;
}

}  // namespace

std::string layer_kind(std::string_view key) {
    std::size_t at = key.find("_i");
    while (at != std::string_view::npos && (at + 2 >= key.size() || key[at + 2] < '0' || key[at + 2] > '9')) {
        at = key.find("_i", at + 1);
    }
    std::string kind(key.substr(0, at));
    std::replace(kind.begin(), kind.end(), '_', ' ');
    const std::optional<int> groups = number_after(key, 'g');
    if (kind != "conv" || groups.value_or(1) == 1) return kind;
    return groups == number_after(key, 'i') ? "depthwise conv" : "grouped conv";
}

std::optional<int> layer_width(std::string_view key) {
    const std::optional<int> out = number_after(key, 'o');
    return out ? out : number_after(key, 'i');
}

}  // namespace hacscale::report
