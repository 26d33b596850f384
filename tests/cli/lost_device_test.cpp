// The real program, on a device that is lost on the way: it continues in a fresh process, and says what it
// could not measure.
#include <gmock/gmock.h>
#include <spdlog/logger.h>
#include <sys/wait.h>

#include <cstdlib>

#include "cli/restart.hpp"
#include "profiler/table/table.hpp"
#include "program_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class LostDeviceTest : public ProgramTest {
protected:
    std::string model(const std::string& name, int width) const {
        return write(name + ".yaml", "name: " + name +
                                         "\n"
                                         "input: {resolution: 8}\nclasses: 10\n"
                                         "stem:\n  - conv: {width: 8, kernel: 1}\n"
                                         "stages:\n  - {block: conv, width: " +
                                         std::to_string(width) +
                                         ", depth: 1, kernel: 1}\n"
                                         "head:\n  - global_avg_pool\n  - linear: {}\n");
    }
    // Runs the installed program as a child, on the device of the test's module.
    Answer run_program(const std::string& arguments, const std::string& fatal_channels) const {
        const std::string command = "HACSCALE_BACKENDS='" HACSCALE_TEST_LOSSY_MODULE
                                    "' HACSCALE_TEST_FATAL_CHANNELS=" +
                                    fatal_channels + " '" HACSCALE_PROGRAM "' " + arguments + " > '" +
                                    path("out") + "' 2> '" + path("err") + "'";
        const int status = std::system(command.c_str());
        return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, text("out"), text("err")};
    }
    std::string profile_command() const {
        return "profile " + model("first", 16) + " " + model("fatal", 24) + " " + model("third", 32) +
               " --own-layers --device fake --seconds 0.05 --json --table " + path("t.db");
    }
    std::vector<Row> rows() const { return Table::open(path("t.db"), OpenMode::read).query({}); }

private:
    std::string text(const std::string& name) const {
        std::ifstream stream(path(name), std::ios::binary);
        return {std::istreambuf_iterator<char>(stream), {}};
    }
};

TEST_F(LostDeviceTest, ProfileGoesOnInAFreshProcess) {
    const Answer answer = run_program(profile_command(), "24");
    EXPECT_EQ(answer.status, 4) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("going on in a fresh process (1 of at most 8)"));
    EXPECT_THAT(answer.err, Not(HasSubstr("(2 of")));
    // The conv to 24 channels, the pool and the linear layer behind it.
    EXPECT_EQ(answer.json()["given_up"], 3);
    int failed = 0;
    int widest = 0;
    for (const Row& row : rows()) {
        if (has_latency(row.status)) {
            widest = std::max(widest, row.key.layer.out_channels);
            EXPECT_NE(row.key.layer.in_channels, 24);
            continue;
        }
        ++failed;
        EXPECT_EQ(row.status, RowStatus::failed);
        EXPECT_TRUE(row.key.layer.in_channels == 24 || row.key.layer.out_channels == 24);
        EXPECT_THAT(row.reason, HasSubstr("fatal could not be measured: an illegal memory access"));
        EXPECT_EQ(row.host_network, "fatal");
    }
    EXPECT_EQ(failed, 3);
    EXPECT_EQ(widest, 32) << "the network behind the fatal one was measured";

    // The next command tries the failed rows again.
    const Answer again = run_program(profile_command(), "0");
    EXPECT_THAT(again.status, ::testing::AnyOf(0, 4)) << again.err;
    EXPECT_EQ(again.json()["given_up"], 0);
    EXPECT_EQ(again.json()["failed"], 0);
    EXPECT_EQ(again.json()["measured"], 4);
    for (const Row& row : rows()) EXPECT_TRUE(has_latency(row.status)) << row.reason;
}

TEST_F(LostDeviceTest, ADeviceThatIsAlwaysLostEndsIt) {
    const Answer answer = run_program(profile_command(), "all");
    EXPECT_EQ(answer.status, 1);
    EXPECT_EQ(answer.out, "");
    EXPECT_THAT(answer.err, HasSubstr("(8 of at most 8)"));
    EXPECT_THAT(answer.err, HasSubstr("lost 9 times in a row"));
    EXPECT_THAT(answer.err, HasSubstr("an illegal memory access"));
}

TEST_F(LostDeviceTest, OtherCommandsSayToRunThemAgain) {
    ASSERT_THAT(run_program(profile_command(), "0").status, ::testing::AnyOf(0, 4));
    const Answer answer = run_program(
        "verify " + path("first.yaml") + " --table " + path("t.db") + " --device fake --seconds 0.05 --json",
        "16");
    EXPECT_EQ(answer.status, 1);
    EXPECT_THAT(answer.err, HasSubstr("run the command again"));
    EXPECT_EQ(answer.out, "");
}

TEST_F(LostDeviceTest, ASuiteGoesOnInAFreshProcess) {
    model("first", 16);
    model("fatal", 24);
    const std::string suite = write("suite.yaml",
                                    "name: lossy\nmodels: [first.yaml]\ndevice: fake\nverify: [fatal.yaml]\n"
                                    "max_width_ratio: 1\nmax_depth_ratio: 1\nseconds: 0.05\nminutes: 0.1\n"
                                    "strategies: [hacscale]\n");
    const Answer answer = run_program("run " + suite + " --json --out " + path("run"), "24");
    EXPECT_EQ(answer.status, 4) << answer.err;
    EXPECT_THAT(answer.err, HasSubstr("going on in a fresh process (1 of at most 8)"));
    EXPECT_FALSE(answer.json()["complete"].get<bool>());
    EXPECT_TRUE(std::filesystem::exists(path("run") + "/report.html"));
}

TEST_F(LostDeviceTest, WithoutLeaveToStartAgainItPasses) {
    std::ostringstream out;
    std::ostringstream err;
    spdlog::logger log("test");
    Session session{out, err, log, false, false, "", nullptr};
    const auto lose = [](bool retry_failed) -> ExitStatus {
        EXPECT_TRUE(retry_failed);
        throw DeviceLost("gone");
    };
    EXPECT_THROW(surviving_lost_devices(session, lose), DeviceLost);
    EXPECT_EQ(surviving_lost_devices(session, [](bool) { return ExitStatus::incomplete; }),
              ExitStatus::incomplete);
}

}  // namespace
}  // namespace hacscale::cli
