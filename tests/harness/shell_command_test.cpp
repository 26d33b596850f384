// Commands in answers can be pasted into a shell as they are.
#include "harness/events.hpp"

#include <gmock/gmock.h>

#include <array>
#include <cstdio>
#include <sstream>

#include "base/text/lines.hpp"
#include "harness/measure/remedy.hpp"

namespace hacscale::harness {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

std::string joined_lines(const ShellCommand& command) {
    std::string text;
    for (const std::string& line : command.lines()) text += line + "\n";
    return text;
}

// What the shell makes of it: a word a line.
std::string pasted(const ShellCommand& command) {
    std::string text = joined_lines(command);
    text.replace(0, text.find("hacscale") + 8, "printf '%s\\n'");
    std::FILE* shell = ::popen(text.c_str(), "r");
    std::string words;
    std::array<char, 256> part{};
    while (std::fgets(part.data(), part.size(), shell) != nullptr) words += part.data();
    ::pclose(shell);
    return words;
}

const ShellCommand far_too_long{{"hacscale", "profile", "/home/a user/it's a network.yaml", "resnet20-cifar",
                                 "--table", std::string(90, 'd') + "/table.db", "--min-inner-ratio", "0.5",
                                 "--max-inner-ratio", "1.5", "--own-layers", "--gain",
                                 "$HOME; `ls` \"x\" *"}};

TEST(ShellCommand, TheShellReadsTheSameWords) {
    std::string words;
    for (std::size_t i = 1; i < far_too_long.words.size(); ++i) words += far_too_long.words[i] + "\n";
    EXPECT_EQ(pasted(far_too_long), words);
}

TEST(ShellCommand, LinesEndBetweenWordsWithABackslash) {
    const std::vector<std::string> lines = far_too_long.lines();
    ASSERT_GT(lines.size(), 2U);
    EXPECT_THAT(lines.front(), StartsWith("  hacscale profile "));
    for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
        EXPECT_THAT(lines[i], EndsWith(" \\"));
        EXPECT_THAT(lines[i], Not(HasSubstr("--table \\"))) << "an option without its value";
        if (lines[i].find("ddd") == std::string::npos) {
            EXPECT_LE(width_of(lines[i]), answer_columns);
        }
    }
    EXPECT_THAT(lines.back(), Not(EndsWith("\\")));
}

TEST(ShellCommand, WhatFitsIsOneLine) {
    const ShellCommand command{{"hacscale", "train", "--plan", "plan.yaml"}};
    EXPECT_EQ(joined_lines(command), "  hacscale train --plan plan.yaml\n");
    EXPECT_EQ(command.text(), "hacscale train --plan plan.yaml");
}

TEST(Remedy, KeepsTheStateAndThreadsOfTheTable) {
    const Remedy remedy{
        {"resnet18"}, "my table.db", {"cpu", "", "", R"({"threads": 2})"}, {8, DataType::bf16}};
    EXPECT_EQ(remedy.profile().text(),
              "hacscale profile resnet18 --table 'my table.db' --threads 2 --batch 8 --dtype bf16");
    EXPECT_THAT(remedy.profile_noisy().text(), HasSubstr(" --remeasure-noisy --seconds "));
    EXPECT_THAT(remedy.profile_noisy().text(), HasSubstr("--table 'my table.db'")) << "the user's own table";
}

}  // namespace
}  // namespace hacscale::harness
