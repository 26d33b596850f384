#include "base/text/lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <sstream>

namespace hacscale {

std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(
        std::count_if(text.begin(), text.end(), [](char byte) { return (byte & 0xC0) != 0x80; }));
}

std::vector<std::string> wrapped(const std::string& text, std::size_t indent, std::size_t columns) {
    // What the text itself begins with is kept.
    std::string line(std::min(text.find_first_not_of(' '), text.size()), ' ');
    std::vector<std::string> lines;
    std::istringstream words(text);
    bool empty = true;
    for (std::string word; words >> word;) {
        if (!empty && width_of(line) + 1 + width_of(word) > columns) {
            lines.push_back(line);
            line.assign(indent, ' ');
            empty = true;
        }
        line += (empty ? "" : " ") + word;
        empty = false;
    }
    lines.push_back(line);
    return lines;
}

std::string counted(std::size_t count, const std::string& noun) {
    return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string with_separators(std::int64_t number) {
    std::string text = std::to_string(number);
    const std::size_t first = number < 0 ? 1 : 0;
    for (std::size_t i = text.size(); i > first + 3;) {
        i -= 3;
        text.insert(i, 1, ',');
    }
    return text;
}

}  // namespace hacscale
