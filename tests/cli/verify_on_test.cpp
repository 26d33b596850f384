// `compare --verify-on`: the networks in another runtime, which a stand-in command plays.
#include <gmock/gmock.h>

#include "program_fixture.hpp"
#include "tests/harness/synthetic_table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

class VerifyOnTest : public ProgramTest {
protected:
    VerifyOnTest() { harness::write_synthetic_table(path("t.db")); }

    Answer compare(const std::vector<std::string>& more) {
        std::vector<std::string> words{"compare",     "resnet20-cifar", "--table",
                                       path("t.db"),  "--budget",       "1.3",
                                       "--no-verify", "--strategies",   "width-only,hacscale"};
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    }
};

TEST_F(VerifyOnTest, EveryChoiceIsTimedThere) {
    // A runtime whose microseconds are the bytes of the file.
    const Answer answer = compare({"--verify-on", "sizes=stat -c %s", "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    const auto json = answer.json();
    const auto base = json["base"]["elsewhere"][0];
    EXPECT_EQ(base["runtime"], "sizes");
    EXPECT_GT(base["latency_us"].get<double>(), 1e6) << "a megabyte of weights";
    EXPECT_EQ(base["latency_ratio"], 1.0);
    const auto row = json["strategies"][1];
    EXPECT_EQ(row["strategy"], "hacscale");
    const double params_ratio = row["params"].get<double>() / json["base"]["params"].get<double>();
    EXPECT_NEAR(row["elsewhere"][0]["latency_ratio"].get<double>(), params_ratio, 0.02);
    const Answer details =
        compare({"--verify-on", "sizes=stat -c %s", "--verify-on", "one=echo 1 #", "--details"});
    EXPECT_THAT(details.out, HasSubstr("x in sizes"));
    EXPECT_THAT(details.out, HasSubstr("in one latency +0.0 %"));
}

TEST_F(VerifyOnTest, StandsInTheReport) {
    std::filesystem::create_directory(path("out"));
    write("out/compare-resnet20-cifar-1.3.json", compare({"--verify-on", "sizes=stat -c %s", "--json"}).out);
    write(
        "out/provenance.json",
        R"({"program":"hacscale","version":"1","command":"hacscale run s.yaml","device":{"id":"cpu","name":"n","fingerprint":"f",
              "properties":{"cores":2}},"settings":{"batch":1}})");
    const Answer report = call({"report", path("out")});
    ASSERT_EQ(report.status, 0) << report.err;
    std::ifstream table(path("out/elsewhere.csv"));
    const std::string text{std::istreambuf_iterator<char>(table), {}};
    EXPECT_THAT(text, HasSubstr("hacscale,sizes,"));
}

TEST_F(VerifyOnTest, WhatFailsIsNamedAndNothingIsLost) {
    const Answer answer = compare({"--verify-on", "broken=echo no engine >&2; false"});
    EXPECT_EQ(answer.status, 4);
    EXPECT_THAT(answer.err, HasSubstr("broken did not time the base: it ended with status 1: no engine"));
    EXPECT_THAT(answer.out, HasSubstr("budget 1.3"));
    for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{
             {"--verify-on", "a b"}, {"--verify-on", "a=true", "--verify-on", "a=false"}}) {
        EXPECT_EQ(compare(bad).status, 2);
    }
}

}  // namespace
}  // namespace hacscale::cli
