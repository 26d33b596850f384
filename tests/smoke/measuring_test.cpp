// The only end-to-end tests on this machine's own CPU: that measuring works there at all. What comes out is
// left to tests on a made-up device (tests/README.md).
#include <gmock/gmock.h>
#include <sys/wait.h>

#include <cstdlib>

#include "kernels/backend/backend_registry.hpp"
#include "tests/cli/program_fixture.hpp"

namespace hacscale::cli {
namespace {

constexpr const char* tiny_network = R"(name: tiny
input: {channels: 3, resolution: 16}
classes: 10
stem:
  - conv: {width: 8}
stages:
  - {name: stage1, block: basic, width: 8, depth: 1}
head:
  - global_avg_pool
  - linear: {}
)";

class SmokeTest : public ProgramTest {
protected:
    void SetUp() override {
        if (BackendRegistry::load().backends().empty()) GTEST_SKIP() << "no backend can run here";
        model_ = write("tiny.yaml", tiny_network);
    }

    std::string model_;
};

TEST_F(SmokeTest, ProfilesVerifiesComparesAndTraces) {
    const std::string table = path("t.db");
    const auto measured = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), {"--table", table, "--json"});
        const Answer answer = call(arguments);
        EXPECT_TRUE(done_or_noisy(answer)) << arguments[0] << ": " << answer.err;
        return answer.json();
    };
    const auto profile = measured({"profile", model_, "--seconds", "0.02", "--minutes", "0.02"});
    EXPECT_GT(profile["measured"], 0);
    EXPECT_EQ(profile["failed"], 0) << "every layer's output is right";
    EXPECT_EQ(measured({"verify", model_, "--seconds", "0.02"})["models"].size(), 1U);
    const auto compare = measured(
        {"compare", model_, "--budget", "1.5", "--seconds", "0.02", "--strategies", "width-only,hacscale"});
    EXPECT_GT(compare["base"]["measured_us"], 0.0);
    EXPECT_GT(compare["base"]["utilization"], 0.0);
    EXPECT_GT(measured({"trace", model_, "--out", path("trace.json")})["layers"], 0);
    EXPECT_TRUE(done_or_noisy(call({"table", "check", table})));
}

TEST_F(SmokeTest, TimesNetworksWithoutATable) {
    const Answer answer = call({"verify", model_, "--seconds", "0.02", "--json"});
    EXPECT_TRUE(done_or_noisy(answer)) << answer.err;
    const auto network = answer.json()["networks"][0];
    EXPECT_EQ(network["model"], "tiny");
    EXPECT_GT(network["measured_us"], 0.0);
    EXPECT_GT(network["images_per_s"], 0.0);
}

TEST_F(SmokeTest, TheProgramRunsASuite) {
    const std::string suite = write("suite.yaml",
                                    "name: small\nmodels: [tiny.yaml]\ncaches: [network, warm]\n"
                                    "strategies: [hacscale]\nmax_width_ratio: 1\nmax_depth_ratio: 1\n"
                                    "seconds: 0.02\nminutes: 0.01\n");
    const std::string command =
        "'" HACSCALE_PROGRAM "' run '" + suite + "' --out '" + path("run") + "' > '" + path("out") + "' 2>&1";
    const int status = std::system(command.c_str());
    ASSERT_TRUE(WIFEXITED(status));
    EXPECT_THAT(WEXITSTATUS(status), ::testing::AnyOf(0, 4)) << std::ifstream(path("out")).rdbuf();
    EXPECT_TRUE(std::filesystem::exists(path("run/index.html")));
    // The same choice on a device, which a second process of the program measures.
    const std::string elsewhere = "'" HACSCALE_PROGRAM "' compare '" + model_ + "' --table '" +
                                  path("run/table.db") +
                                  "' --seconds 0.02 --strategies hacscale --verify-on cpu --json > '" +
                                  path("compared") + "' 2> '" + path("err") + "'";
    const int compared = std::system(elsewhere.c_str());
    ASSERT_TRUE(WIFEXITED(compared));
    EXPECT_THAT(WEXITSTATUS(compared), ::testing::AnyOf(0, 4)) << std::ifstream(path("err")).rdbuf();
    const auto record = nlohmann::json::parse(std::ifstream(path("compared")));
    const auto there = record["base"]["elsewhere"][0];
    EXPECT_EQ(there["runtime"], "cpu");
    EXPECT_GT(there["latency_us"], 0.0) << there["reason"];
}

}  // namespace
}  // namespace hacscale::cli
