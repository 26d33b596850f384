// `table import` and `table export` for other tools, end to end.
#include <gmock/gmock.h>

#include <algorithm>

#include "models/stages/lowering.hpp"
#include "models/zoo/zoo.hpp"
#include "profiler/table/detail/pickle.hpp"
#include "program_fixture.hpp"
#include "tests/harness/synthetic_table.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class TableImportTest : public ProgramTest {
protected:
    // The rows of a made-up device, as a program elsewhere would write them.
    std::string rows_elsewhere() const {
        harness::write_synthetic_table(path("t.db"));
        return write("rows.csv", call({"table", "export", path("t.db")}).out);
    }
    Answer import(std::vector<std::string> more) const {
        more.insert(more.begin(), {"table", "import"});
        more.insert(more.end(), {"--table", path("imported.db")});
        return call(more);
    }
};

TEST_F(TableImportTest, AnImportedTableAnswersWhatNeedsNoDevice) {
    const std::string file = rows_elsewhere();
    const Answer imported = import({file, "--device-name", "Jetson Orin Nano", "--json"});
    ASSERT_EQ(imported.status, 0) << imported.err;
    EXPECT_EQ(imported.json()["device"]["name"], "Jetson Orin Nano");
    EXPECT_EQ(imported.json()["device"]["id"], "imported");
    EXPECT_GT(imported.json()["rows"], 100);
    EXPECT_EQ(imported.json()["replaced"], 0);

    const Answer shown = call({"table", "show", path("imported.db")});
    EXPECT_THAT(shown.out, HasSubstr("Jetson Orin Nano (imported"));
    const auto latencies = [&](const std::string& table) {
        std::vector<double> list;
        for (const auto& row : call({"table", "query", table, "--json"}).json())
            list.push_back(row["latency_us"]);
        return list;
    };
    EXPECT_EQ(latencies(path("imported.db")), latencies(path("t.db")));
    EXPECT_EQ(call({"table", "check", path("imported.db")}).status, 0);

    const std::vector<std::string> scale{"scale",       "resnet20-cifar", "--budget", "1.3",
                                         "--no-verify", "--json",         "--table"};
    const auto with = [](std::vector<std::string> words, const std::string& word) {
        words.push_back(word);
        return words;
    };
    const Answer here = call(with(scale, path("t.db")));
    const Answer there = call(with(scale, path("imported.db")));
    ASSERT_EQ(there.status, here.status) << there.err;
    EXPECT_EQ(there.json()["strategies"][0]["widths"], here.json()["strategies"][0]["widths"]);
    EXPECT_EQ(there.json()["strategies"][0]["predicted_us"], here.json()["strategies"][0]["predicted_us"]);
    const Answer advice = call({"advise", "resnet20-cifar", "--table", path("imported.db")});
    EXPECT_TRUE(done_or_noisy(advice)) << advice.err;
    EXPECT_THAT(advice.out, Not(HasSubstr("hacscale profile"))) << "nothing can be profiled there";
}

TEST_F(TableImportTest, RowsOfSeveralFilesGoTogetherAndOtherDevicesDoNot) {
    const std::string first = write("a.csv", "device,layer,latency_us\nPhone,prelu_i64x56x56,1\n");
    const std::string second =
        write("b.json", R"({"device":"Phone","rows":[{"layer":"prelu_i64x56x56","latency_us":2},
                            {"layer":"prelu_i32x56x56","latency_ms":0.5}]})");
    ASSERT_EQ(import({first}).status, 0);
    const Answer again = import({second});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_THAT(again.out, HasSubstr("2 rows of Phone, 1 of them replaced"));
    const Answer other = import({first, "--device-name", "Phone", "--software", "TFLite 2.16"});
    EXPECT_EQ(other.status, 2);
    EXPECT_THAT(other.err, HasSubstr("rows of both would not be comparable"));
    harness::write_synthetic_table(path("t.db"));
    EXPECT_EQ(call({"table", "import", first, "--table", path("t.db")}).status, 2)
        << "a measured table stays so";
}

TEST_F(TableImportTest, BadFilesAndOptionsAreRefusedInASentence) {
    const std::string file = write("a.csv", "device,layer,latency_us\nPhone,prelu_i64x56x56,-1\n");
    const auto refused = [&](const std::vector<std::string>& words, const std::string& part) {
        const Answer answer = import(words);
        EXPECT_EQ(answer.status, 2) << part;
        EXPECT_THAT(answer.err, HasSubstr(part));
        EXPECT_FALSE(std::filesystem::exists(path("imported.db"))) << part;
    };
    refused({file}, "a.csv:2: column 3 (latency_us): found '-1'");
    refused({write("a.txt", "")}, "give --format");
    refused({path("none.csv")}, "does not exist");
    refused({file, "--format", "yaml"}, "--format");
    refused({write("a.pkl", "\x80\x02}.")}, "--device-name");
    refused({write("a.pkl", "\x80\x02}."), "--device-name", "d"}, "has no rows");
    refused({write("b.pkl", "\x80\x02]."), "--device-name", "d"}, "EMPTY_LIST");
    refused({write("p.json", "[]"), "--format", "tensorrt", "--device-name", "d"}, "at least one layer");
    refused({write("p.json", "[]"), "--format", "tensorrt", "--network", "resnet18,resnet34"},
            "one --network");
    refused({file, "--times", file}, "give --format tensorrt");
    refused({file, "--dtype", "int8"}, "int8");
}

TEST_F(TableImportTest, AnEnginesLayersAreMatchedWithTheNetworks) {
    std::string profile = "[\n  { \"count\" : 10 }\n";
    double sum_ms = 0.0;
    for (const Node& node : lower(find_model("resnet20-cifar")).nodes) {
        profile += ", { \"name\" : \"" + node.name +
                   "\", \"timeMs\" : 1, \"averageMs\" : 0.01, \"percentage\" : 1 }\n";
        sum_ms += 0.01;
    }
    const std::vector<std::string> words{write("profile.json", profile + "]\n"),
                                         "--format",
                                         "tensorrt",
                                         "--network",
                                         "resnet20-cifar",
                                         "--times",
                                         write("times.json", "[{\"computeMs\": 0.2}]"),
                                         "--device-name",
                                         "Orin",
                                         "--dtype",
                                         "f16"};
    const Answer answer = import(words);
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_THAT(answer.out, HasSubstr("the engine takes 200.0 us: its layers' sum is "));
    std::vector<std::string> as_json = words;
    as_json.emplace_back("--json");
    const nlohmann::json json = import(as_json).json();
    EXPECT_NEAR(json["rows_us"], 1000.0 * sum_ms, 1e-6);
    EXPECT_NEAR(json["error_pct"], 100.0 * (sum_ms / 0.2 - 1.0), 1e-6);
    EXPECT_TRUE(json["not_found"].empty());
    const nlohmann::json shown = call({"table", "show", path("imported.db"), "--json"}).json();
    EXPECT_EQ(shown["verifications"][0]["model"], "resnet20-cifar");
    EXPECT_EQ(shown["verifications"][0]["dtype"], "f16");
    const Answer estimated = call({"scale", "resnet20-cifar", "--table", path("imported.db"), "--dtype",
                                   "f16", "--budget", "1.0", "--json"});
    EXPECT_NEAR(estimated.json()["base"]["predicted_us"], 1000.0 * sum_ms, 1e-6) << estimated.err;
}

TEST_F(TableImportTest, HalpsTableHasWhatPruningANetworkAsksFor) {
    harness::write_synthetic_table(path("t.db"));
    const std::vector<std::string> words{"table", "export",    path("t.db"),    "--format",
                                         "halp",  "--network", "resnet20-cifar"};
    const Answer answer = call(words);
    EXPECT_EQ(answer.status, 4) << "narrower than half of the base is not measured";
    EXPECT_THAT(answer.err, HasSubstr("keys are missing"));
    EXPECT_THAT(answer.err, HasSubstr("hacscale profile resnet20-cifar"));
    EXPECT_GT(detail::read_pickle(answer.out, "out").size(), 10U);
    const Answer rows = call({"table", "export", path("t.db"), "--format", "mdp"});
    ASSERT_EQ(rows.status, 0) << rows.err;
    EXPECT_THAT(rows.err, HasSubstr("HALP's table has convs only"));
    // And back.
    const Answer back =
        import({write("rows.pkl", rows.out), "--device-name", "d", "--network", "resnet20-cifar"});
    EXPECT_TRUE(done_or_noisy(back)) << back.err;
    EXPECT_EQ(call({"table", "export", path("t.db"), "--format", "halp", "--json"}).status, 2);
    EXPECT_EQ(call({"table", "export", path("t.db"), "--network", "resnet18"}).status, 2);
    EXPECT_EQ(
        call({"table", "export", path("t.db"), "--format", "halp", "--network", "resnet18", "--kind", "conv"})
            .status,
        2);
}

}  // namespace
}  // namespace hacscale::cli
