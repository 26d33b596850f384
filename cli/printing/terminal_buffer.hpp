// Answers on a terminal, without control characters that came from files: printable() (base/text/utf8.hpp) of whole lines.
#pragma once

#include <streambuf>
#include <string>

namespace hacscale::cli {

// Passes on to another buffer what is written into it, a line at a time.
class TerminalBuffer final : public std::streambuf {
public:
    explicit TerminalBuffer(std::streambuf& terminal) : terminal_(terminal) {}
    ~TerminalBuffer() override;
    TerminalBuffer(const TerminalBuffer&) = delete;
    TerminalBuffer& operator=(const TerminalBuffer&) = delete;

protected:
    int_type overflow(int_type character) override;
    int sync() override;

private:
    bool pass_on();

    std::streambuf& terminal_;
    std::string line_;
};

}  // namespace hacscale::cli
