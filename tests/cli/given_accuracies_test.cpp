// `compare --accuracies` and `report --accuracies`: accuracies of the user's own training.
#include <gmock/gmock.h>

#include "program_fixture.hpp"
#include "tests/harness/synthetic_table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

using GivenAccuraciesTest = ProgramTest;

TEST_F(GivenAccuraciesTest, StandAsTheirs) {
    harness::write_synthetic_table(path("t.db"));
    const std::string file = write("mine.csv", "network,seed,accuracy\nresnet20-cifar-base,1,91.5\n");
    const std::vector<std::string> compare{
        "compare",      "resnet20-cifar",      "--table",      path("t.db"), "--budget", "1.3", "--no-verify",
        "--strategies", "width-only,hacscale", "--accuracies", file};
    const auto with = [&](const std::vector<std::string>& more) {
        std::vector<std::string> words = compare;
        words.insert(words.end(), more.begin(), more.end());
        return call(words);
    };
    const Answer answer = with({"--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["base"]["accuracy"], 91.5);
    EXPECT_EQ(answer.json()["accuracies"]["given_by"], file);
    EXPECT_THAT(with({"--details"}).out, HasSubstr("accuracies as given by " + file));
    EXPECT_EQ(with({"--record", path("a.db")}).status, 2) << "the one or the other";
    write("bad.csv", "network,accuracy\nresnet20,92\n");
    EXPECT_EQ(call({"compare", "resnet20-cifar", "--table", path("t.db"), "--no-verify", "--strategies",
                    "hacscale", "--accuracies", path("bad.csv")})
                  .status,
              2);

    std::filesystem::create_directory(path("out"));
    std::vector<std::string> plain(compare.begin(), compare.end() - 2);
    plain.emplace_back("--json");
    write("out/compare-resnet20-cifar-1.3.json", call(plain).out);
    write(
        "out/provenance.json",
        R"({"program":"hacscale","version":"1","command":"hacscale run s.yaml","device":{"id":"cpu","name":"n","fingerprint":"f",
              "properties":{"cores":2}},"settings":{"batch":1}})");
    const Answer report = call({"report", path("out"), "--accuracies", file});
    ASSERT_EQ(report.status, 0) << report.err;
    std::ifstream page(path("out/report.md"));
    const std::string text{std::istreambuf_iterator<char>(page), {}};
    EXPECT_THAT(text, HasSubstr("as given by " + file));
}

}  // namespace
}  // namespace hacscale::cli
