// The program itself, with streams, limits and folders that are not as they should be.
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>
#include <fstream>
#include <iterator>

#include "tests/cli/program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class Streams : public ProgramTest {
protected:
    // The exit status of a line of the shell in which $H is the program; what it says on standard error is in err_.
    int shell(const std::string& line) {
        const std::string command =
            "cd '" + path("") + "' && H='" HACSCALE_PROGRAM "'; { " + line + "\n} 2> err";
        const int status = std::system(command.c_str());
        std::ifstream stream(path("err"));
        err_.assign(std::istreambuf_iterator<char>(stream), {});
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

    std::string err_;
};

TEST_F(Streams, AFullDiskUnderTheAnswerIsAFailureInASentence) {
    for (const char* command : {"--version", "models", "models show resnet8-cifar --json"}) {
        EXPECT_EQ(shell("$H " + std::string(command) + " > /dev/full"), 1) << command;
        EXPECT_EQ(err_, "error: standard output could not be written: No space left on device\n") << command;
    }
}

TEST_F(Streams, AReaderThatHasSeenEnoughIsNone) {
    EXPECT_EQ(shell("$H models | head -1 > /dev/null"), 0);
    EXPECT_EQ(err_, "");
}

TEST_F(Streams, ClosedStreamsAreNoFilesOfOurs) {
    EXPECT_EQ(shell("$H models >&- 2>&- <&-"), 0);
    EXPECT_EQ(shell("$H models show none >&- 2>&-"), 2);
    EXPECT_EQ(shell("$H models 2>&- | head -1 | grep -q model"), 0);
}

TEST_F(Streams, AWorkingFolderThatIsGoneIsNamed) {
    std::filesystem::create_directory(path("gone"));
    EXPECT_EQ(shell("cd gone && rmdir ../gone && $H report ."), 2) << err_;
    EXPECT_THAT(err_, HasSubstr("error: "));
    EXPECT_THAT(err_, ::testing::Not(HasSubstr("fault of hacscale")));
}

TEST_F(Streams, TheLimitOfAFilesSizeIsAFailureInASentence) {
    EXPECT_EQ(shell("ulimit -f 1; $H models export resnet8-cifar --out net.onnx > /dev/null"), 1);
    EXPECT_THAT(err_, HasSubstr("net.onnx"));
}

}  // namespace
}  // namespace hacscale::cli
