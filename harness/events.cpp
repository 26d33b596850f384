#include "harness/events.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/text/lines.hpp"

namespace hacscale::harness {

namespace {

constexpr std::string_view needs_no_quotes = "_-./:=,+@%";

std::string shell_word(const std::string& word) {
    const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char byte) {
        return byte >= 0x80 || std::isalnum(byte) != 0 ||
               needs_no_quotes.find(static_cast<char>(byte)) != std::string_view::npos;
    });
    if (plain) {
        return word;
    }
    std::string text = "'";
    for (const char byte : word) {
        text += byte == '\'' ? std::string("'\\''") : std::string(1, byte);
    }
    return text + "'";
}

}  // namespace

std::string ShellCommand::text() const {
    std::vector<std::string> shown;
    for (const std::string& word : words) {
        shown.push_back(shell_word(word));
    }
    return fmt::format("{}", fmt::join(shown, " "));
}

std::vector<std::string> ShellCommand::lines() const {
    constexpr std::size_t room = answer_columns - 2;  // for " \\"
    std::vector<std::string> all;
    std::string line = " ";
    for (std::size_t i = 0; i < words.size(); ++i) {
        std::string part = shell_word(words[i]);
        if (words[i].starts_with("--") && i + 1 < words.size() && !words[i + 1].starts_with("--")) {
            part += " " + shell_word(words[++i]);
        }
        if (i > 0 && width_of(line) + 1 + width_of(part) > room) {
            all.push_back(line + " \\");
            line = "   ";
        }
        line += " " + part;
    }
    all.push_back(line);
    return all;
}

}  // namespace hacscale::harness
