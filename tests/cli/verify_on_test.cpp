// `compare --verify-on`: the networks in another runtime, which a stand-in command plays.
#include <gmock/gmock.h>

#include <fstream>
#include <iterator>

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

// Each script of docs/formats.md, with a stand-in for its program that prints what the real one does.
class DocumentedScripts : public VerifyOnTest {
protected:
    // The blocks that begin with #!/bin/sh, in order.
    static std::vector<std::string> scripts() {
        std::ifstream file(HACSCALE_SOURCE_DIR "/docs/formats.md");
        const std::string text{std::istreambuf_iterator<char>(file), {}};
        std::vector<std::string> found;
        const std::string fence = "```\n";
        for (std::size_t at = text.find(fence + "#!/bin/sh"); at != std::string::npos;
             at = text.find(fence + "#!/bin/sh", at)) {
            at += fence.size();
            found.push_back(text.substr(at, text.find("```", at) - at));
        }
        return found;
    }

    std::string write_program(const std::string& name, const std::string& text) const {
        write(name, text);
        std::filesystem::permissions(path(name), std::filesystem::perms::owner_all);
        return path(name);
    }

    // What the base takes by the script, microseconds.
    double base_us(const std::string& script) {
        const std::string file = write_program("script.sh", script);
        const Answer answer =
            compare({"--verify-on", "it=PATH=" + path("") + ":$PATH " + file, "--seconds", "3", "--json"});
        EXPECT_EQ(answer.status, 0) << answer.err;
        return answer.json()["base"]["elsewhere"][0]["latency_us"].get<double>();
    }
};

TEST_F(DocumentedScripts, ReadWhatTheirProgramsPrint) {
    const std::vector<std::string> documented = scripts();
    ASSERT_EQ(documented.size(), 2u);
    write_program("trtexec", R"(#!/bin/sh
[ -s "${1#--onnx=}" ] && [ "$2" = --shapes=input:1x3x224x224 ] || exit 1
echo "[11/29/2026-12:00:00] [I] Latency: min = 2.1 ms, max = 3 ms, mean = 2.2 ms, median = 2.15 ms, percentile(99%) = 3 ms"
echo "[11/29/2026-12:00:00] [I] GPU Compute Time: min = 1.2 ms, max = 2 ms, mean = 1.5 ms, median = 1.25 ms, percentile(99%) = 2 ms"
)");
    EXPECT_EQ(base_us(documented[0]), 1250.0);
    for (const char* line :
         {"Average time cost:0.875 ms", "Average inference time cost total: 0.875000 ms"}) {
        write_program("onnxruntime_perf_test",
                      std::string("#!/bin/sh\n") + "for last; do :; done\n[ -s \"$last\" ] || exit 1\n" +
                          "echo 'Session creation time cost: 0.5 s'\necho '" + line + "'\n");
        EXPECT_EQ(base_us(documented[1]), 875.0) << line;
    }
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
