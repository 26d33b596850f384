#include "cli/completion/completion.hpp"

#include <gmock/gmock.h>

#include <cstdlib>

#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

using CompletionTest = ProgramTest;

int shell(const std::string& command) {
    return std::system((command + " >/dev/null 2>&1").c_str());
}

TEST_F(CompletionTest, EveryShellKnowsEveryCommand) {
    const auto words = completion_words(make_program()->parser, {"resnet18"});
    for (const Shell& one : shells()) {
        const std::string script = one.script(words);
        for (const CompletionWords& command : words) {
            for (const std::string& below : command.commands) {
                EXPECT_THAT(script, HasSubstr(below)) << one.name;
            }
        }
        EXPECT_THAT(script, HasSubstr("resnet18")) << one.name;
    }
}

TEST_F(CompletionTest, ScriptsAreSoundWhereTheShellIsHere) {
    for (const Shell& one : shells()) {
        const std::string name(one.name);
        if (shell("command -v " + name) != 0) {
            continue;
        }
        const std::string file = write(name, call({"completion", name}).out);
        EXPECT_EQ(shell(name + " -n " + file), 0) << name;
    }
}

TEST_F(CompletionTest, BashCompletesCommandsAndOptions) {
    const std::string file = write("completion.bash", call({"completion", "bash"}).out);
    const std::string check =
        "bash -c 'source " + file +
        "; COMP_WORDS=(hacscale models sh); COMP_CWORD=2; _hacscale; [ \"${COMPREPLY[*]}\" = "
        "show ] && COMP_WORDS=(hacscale models show --lay); COMP_CWORD=3; _hacscale; "
        "[ \"${COMPREPLY[*]}\" = --layers ]'";
    EXPECT_EQ(shell(check), 0);
}

}  // namespace
}  // namespace hacscale::cli
