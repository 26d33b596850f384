#include "cli/printing/terminal_buffer.hpp"

#include "base/text/utf8.hpp"

namespace hacscale::cli {

TerminalBuffer::~TerminalBuffer() {
    pass_on();
}

TerminalBuffer::int_type TerminalBuffer::overflow(int_type character) {
    if (traits_type::eq_int_type(character, traits_type::eof())) return traits_type::not_eof(character);
    line_ += traits_type::to_char_type(character);
    const bool written = line_.back() != '\n' || pass_on();
    return written ? character : traits_type::eof();
}

int TerminalBuffer::sync() {
    return pass_on() && terminal_.pubsync() == 0 ? 0 : -1;
}

bool TerminalBuffer::pass_on() {
    const std::string text = printable(line_);
    line_.clear();
    const auto length = static_cast<std::streamsize>(text.size());
    return terminal_.sputn(text.data(), length) == length;
}

}  // namespace hacscale::cli
