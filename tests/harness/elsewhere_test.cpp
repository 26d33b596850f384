#include "harness/compare/elsewhere.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <iterator>
#include <map>

#include "base/error.hpp"
#include "harness/compare/answer.hpp"
#include "models/graph/graph_values.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/harness/fixture.hpp"
#include "tests/harness/sample_comparison.hpp"

namespace hacscale::harness {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(OtherRuntime, IsANameAndACommandOrDevices) {
    EXPECT_THAT(parse_other_runtimes("onnxruntime=python3 time it.py --x=1,2"),
                ElementsAre(OtherRuntime{"onnxruntime", "python3 time it.py --x=1,2"}));
    EXPECT_THAT(parse_other_runtimes("onnxruntime@cpu,openvino@cpu"),
                ElementsAre(OtherRuntime{"onnxruntime@cpu", ""}, OtherRuntime{"openvino@cpu", ""}));
    EXPECT_THAT(parse_other_runtimes("cuda:0,onnxruntime@cuda:1"),
                ElementsAre(OtherRuntime{"cuda:0", ""}, OtherRuntime{"onnxruntime@cuda:1", ""}));
    EXPECT_TRUE(parse_other_runtimes("cpu").front().is_device());
    for (const char* text : {"", "=cat", "a=", "a b=cat", "a/b=cat", "cpu,,cpu", "c pu", ","}) {
        EXPECT_THAT([&] { parse_other_runtimes(text); },
                    ::testing::ThrowsMessage<InputError>(HasSubstr("names no runtime")))
            << text;
    }
}

TEST(OtherTiming, IsInTheLastLineOfAnAnswer) {
    EXPECT_EQ(timing_in("warming up\n812.5\n\n").latency_us, 812.5);
    EXPECT_EQ(timing_in(R"({"latency_us": 40, "passes": 7})").latency_us, 40.0);
    for (const char* answer :
         {"", "\n \n", "812.5 us", "{}", R"({"latency_us": "40"})", "0", "-3", "1e999", "[1]"}) {
        const OtherTiming timing = timing_in(answer);
        EXPECT_FALSE(timing.latency_us) << answer;
        EXPECT_NE(timing.reason, "") << answer;
    }
}

class ElsewhereTest : public FolderTest {
protected:
    OtherTiming by(const std::string& command) const {
        return time_by_command({"stand-in", command}, path("a net's file.onnx"), {4, 2, 0.5});
    }
};

TEST_F(ElsewhereTest, ACommandGetsTheFileAndTheSettings) {
    write("a net's file.onnx", "12345");
    EXPECT_EQ(by("stat -c %s").latency_us, 5.0);
    EXPECT_EQ(by("echo $((HACSCALE_BATCH * 100 + HACSCALE_THREADS)) #").latency_us, 402.0);
}

TEST_F(ElsewhereTest, ACommandThatFailsSaysWhy) {
    EXPECT_THAT(by("echo 3; echo loading >&2; echo 'no such engine' >&2; exit 7 #").reason,
                HasSubstr("status 7: no such engine"));
    EXPECT_THAT(by("no-such-program-anywhere").reason, HasSubstr("not found"));
    EXPECT_THAT(by("kill -9 $$ #").reason, HasSubstr("signal 9"));
}

// Stands in for this program: it answers as `verify --json` does, with the number of words that it got.
TEST_F(ElsewhereTest, ADeviceTimesAllNetworksInOneProcess) {
    const auto program = [this](const std::string& body) {
        write("program", "#!/bin/sh\n" + body + "\n");
        std::filesystem::permissions(path("program"), std::filesystem::perms::owner_all);
        return path("program");
    };
    const std::vector<std::filesystem::path> files{path("a net.onnx"), path("b.onnx")};
    const OtherTimingSettings settings{4, 2, 0.5, DataType::bf16};
    const auto times = [&](const std::string& body) {
        return time_on_device(program(body), "openvino@cpu", files, settings);
    };
    const auto both = times(R"(echo "$*" > ")" + path("words") + R"("
echo '{"networks": [{"measured_us": 12.5}, {"measured_us": null, "reason": "too wide"}]}'; exit 4)");
    ASSERT_EQ(both.size(), 2u);
    EXPECT_EQ(both[0].latency_us, 12.5);
    EXPECT_EQ(both[1].reason, "too wide");
    std::ifstream stream(path("words"));
    const std::string words{std::istreambuf_iterator<char>(stream), {}};
    EXPECT_EQ(words, "verify " + path("a net.onnx") + " " + path("b.onnx") +
                         " --device openvino@cpu --dtype bf16 --batch 4 --threads 2 --seconds 0.5 "
                         "--json --quiet\n");
    const auto none = times("echo 'error: no such thing' >&2; exit 3");
    EXPECT_THAT(none[1].reason, HasSubstr("no such thing"));
    EXPECT_THAT(times("echo text")[0].reason, HasSubstr("nothing"));
}

TEST_F(ElsewhereTest, ADeviceThatIsNotHereIsToldBeforeAnythingIsMeasured) {
    write("program", "#!/bin/sh\necho \"error: device '$2' is not here\" >&2\nexit 3\n");
    std::filesystem::permissions(path("program"), std::filesystem::perms::owner_all);
    EXPECT_THAT(
        [&] {
            require_devices(path("program"), {{"mine", "cat"}, {"openvino@cpu", ""}});
        },
        ::testing::ThrowsMessage<MissingError>(HasSubstr("--verify-on: device 'openvino@cpu' is not here")));
    require_devices(path("program"), {{"mine", "cat"}});
}

// Three different networks: the base, one that all but the last strategies chose, and the last one's.
class AddElsewhereTest : public FolderTest {
protected:
    AddElsewhereTest() {
        for (records::StrategyRow& row : record_.strategies) row.choice = record_.base.choice;
        record_.strategies.front().choice = ScalingChoice{{16, 48, 64}, {3, 3, 3}, 32};
        record_.strategies.back().choice = ScalingChoice{{16, 32, 96}, {3, 3, 3}, 32};
    }
    void add(const std::vector<OtherRuntime>& runtimes, const TimeOneElsewhere& time) {
        FakeEvents events;
        add(runtimes, in_turns(time, events), events);
    }
    void add(const std::vector<OtherRuntime>& runtimes, const TimeElsewhere& time, FakeEvents& events) {
        const auto network_of_row = [](const records::StrategyRow&) {
            Network network = network_of(find_model("resnet8-cifar"));
            network.weights = random_weights(network.graph, 0);
            return network;
        };
        add_elsewhere(record_, runtimes, network_of_row, time, events);
    }
    const records::OtherLatency& first_of(const records::StrategyRow& row) const {
        return row.elsewhere.front();
    }

    records::ComparisonRecord record_ = sample();
};

TEST_F(AddElsewhereTest, EachNetworkIsTimedInTurnsAndEqualOnesOnce) {
    std::vector<std::string> asked;
    // The machine becomes slower in the second round.
    const std::vector<double> drift{1.0, 3.0, 1.5};
    std::map<std::string, int> times;
    add({{"slow", "x"}}, [&](const OtherRuntime&, const std::filesystem::path& file) {
        EXPECT_TRUE(std::filesystem::exists(file));
        const std::string name = file.stem().string();
        asked.push_back(name);
        const double us = name == "base" ? 100.0 : name == record_.strategies.front().strategy ? 80.0 : 120.0;
        return OtherTiming{us * drift.at(static_cast<std::size_t>(times[name]++)), ""};
    });
    const std::string first = record_.strategies.front().strategy;
    const std::string last = record_.strategies.back().strategy;
    EXPECT_THAT(asked, ElementsAre("base", first, last, "base", first, last, "base", first, last));
    EXPECT_EQ(first_of(record_.base).latency_us, 150.0);
    EXPECT_EQ(first_of(record_.base).latency_ratio, 1.0);
    EXPECT_NEAR(*first_of(record_.strategies.front()).latency_ratio, 0.8, 1e-12);
    EXPECT_NEAR(*first_of(record_.strategies.back()).latency_ratio, 1.2, 1e-12);
    EXPECT_EQ(first_of(record_.strategies[1]).latency_ratio, 1.0) << "it kept the base";
    EXPECT_THAT(elsewhere_text(record_, record_.strategies.back()), HasSubstr("+20.0 %, over the budget"));
    EXPECT_THAT(elsewhere_text(record_, record_.strategies.front()), HasSubstr("in slow latency -20.0 %"));
    // Written and read.
    write("compare-a-1.json", to_json(record_));
    const records::ComparisonRecord again = records::read_comparison(path("compare-a-1.json"));
    EXPECT_EQ(to_json(again), to_json(record_));
    EXPECT_NEAR(*first_of(again.strategies.back()).latency_ratio, 1.2, 1e-12);
}

TEST_F(AddElsewhereTest, ARuntimeThatCannotRunTheBaseIsNotAskedAgain) {
    int asked = 0;
    add({{"broken", "x"}, {"works", "y"}}, [&](const OtherRuntime& runtime, const std::filesystem::path&) {
        if (runtime.name == "works") return OtherTiming{5.0, ""};
        ++asked;
        return OtherTiming{std::nullopt, "no engine"};
    });
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(record_.base.elsewhere[0].reason, "no engine");
    EXPECT_THAT(record_.strategies.back().elsewhere[0].reason,
                HasSubstr("the base was not timed: no engine"));
    EXPECT_EQ(record_.strategies.back().elsewhere[1].latency_ratio, 1.0);
    EXPECT_TRUE(has_gaps(record_));
}

TEST_F(AddElsewhereTest, ADevicesRoundIsOne) {
    FakeEvents events;
    int asked = 0;
    add(
        {{"openvino@cpu", ""}},
        [&](const OtherRuntime&, const std::vector<std::filesystem::path>& files) {
            ++asked;
            EXPECT_EQ(files.size(), 3u);
            return std::vector<OtherRound>{{{100.0, ""}, {90.0, ""}, {std::nullopt, "too wide"}}};
        },
        events);
    EXPECT_EQ(asked, 1);
    EXPECT_EQ(first_of(record_.strategies.front()).latency_ratio, 0.9);
    EXPECT_EQ(first_of(record_.strategies.back()).reason, "too wide");
}

TEST_F(AddElsewhereTest, ANetworkThatCannotRunHasNoLatencyAndTheOthersHave) {
    const std::string last = record_.strategies.back().strategy;
    add({{"picky", "x"}}, [&](const OtherRuntime&, const std::filesystem::path& file) {
        return file.stem() == last ? OtherTiming{std::nullopt, "too wide"} : OtherTiming{7.0, ""};
    });
    EXPECT_EQ(first_of(record_.strategies.back()).reason, "too wide");
    EXPECT_EQ(first_of(record_.strategies.front()).latency_us, 7.0);
}

}  // namespace
}  // namespace hacscale::harness
