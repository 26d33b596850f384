// Control characters from files do not reach the terminal.
#include "cli/printing/terminal_buffer.hpp"

#include <gtest/gtest.h>

#include <ostream>
#include <sstream>

#include "cli/program.hpp"

namespace hacscale::cli {
namespace {

TEST(TerminalBuffer, EscapesControlCharactersWhereverWritesAreCut) {
    std::ostringstream shown;
    TerminalBuffer buffer(*shown.rdbuf());
    std::ostream answers(&buffer);
    answers << "net\033[2J\tname" << '\n' << "\xC2";
    answers << "\x9B"
            << "5m\n"
            << "no end";
    answers.flush();
    EXPECT_EQ(shown.str(), "net\\x1b[2J\tname\n\\x9b5m\nno end");
}

TEST(TerminalBuffer, TellsThatTheTerminalIsGone) {
    struct Gone : std::streambuf {
    } gone;
    TerminalBuffer buffer(gone);
    std::ostream answers(&buffer);
    answers << "line\n";
    EXPECT_TRUE(answers.bad());
}

TEST(TerminalBuffer, MessagesAreEscapedTooButNotTheirOwnLineFeed) {
    std::ostringstream out;
    std::ostringstream err;
    const std::vector<const char*> words{"hacscale", "models", "show", "\033]0;title\007.yaml"};
    EXPECT_EQ(run(static_cast<int>(words.size()), words.data(), out, err), 2);
    EXPECT_NE(err.str().find("\\x1b]0;title\\x07.yaml"), std::string::npos) << err.str();
    EXPECT_EQ(err.str().find('\033'), std::string::npos);
    EXPECT_EQ(err.str().back(), '\n');
}

}  // namespace
}  // namespace hacscale::cli
