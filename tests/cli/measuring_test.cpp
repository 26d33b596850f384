// The commands that measure, end to end on a made-up device.
#include <gmock/gmock.h>

#include <csignal>
#include <set>

#include "cli/session.hpp"
#include "made_up_device.hpp"
#include "models/zoo/zoo.hpp"
#include "training/records.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;

constexpr const char* tiny_network = R"(name: tiny
input: {channels: 3, resolution: 16}
classes: 10
stem:
  - conv: {width: 8}
stages:
  - {name: stage1, block: basic, width: 8, depth: 1}
  - {name: stage2, block: basic, width: 16, depth: 1, stride: 2}
head:
  - global_avg_pool
  - linear: {}
)";

class MeasuringTest : public MadeUpDeviceTest {
protected:
    void TearDown() override { clear_interrupt(); }

    std::string model_ = write("tiny.yaml", tiny_network);
};

TEST_F(MeasuringTest, ProfilesVerifiesAndCompares) {
    const std::string table = path("t.db");
    const std::vector<std::string> profile{"profile", model_,      "--table", table,   "--seconds",
                                           "0.02",    "--minutes", "0.05",    "--json"};
    const Answer first = call(profile);
    ASSERT_EQ(first.status, 0) << first.err;
    EXPECT_GT(first.json()["measured"], 0);
    EXPECT_EQ(first.json()["failed"], 0);
    EXPECT_EQ(first.json()["models"][0]["model"], "tiny");

    const Answer verify = call({"verify", model_, "--table", table, "--seconds", "0.02", "--json"});
    ASSERT_EQ(verify.status, 0) << verify.err;
    ASSERT_EQ(verify.json()["models"].size(), 1U);
    for (const char* key : {"model", "batch", "dtype", "predicted_us", "measured_us", "error_pct",
                            "images_per_s", "p95_us", "p99_us", "passes", "percentiles_reason"}) {
        EXPECT_TRUE(verify.json()["models"][0].contains(key)) << key;
    }
    EXPECT_THAT(call({"table", "show", table}).out, HasSubstr("tiny"));

    const Answer compare = call({"compare", model_, "--table", table, "--budget", "1.5", "--seconds", "0.02",
                                 "--strategies", "width-only,hacscale", "--json"});
    ASSERT_EQ(compare.status, 0) << compare.err;
    EXPECT_GT(compare.json()["base"]["measured_us"], 0);
    EXPECT_EQ(compare.json()["strategies"].size(), 2U);

    const Answer own = call({"profile", model_, "--table", table, "--own-layers", "--cache", "warm,cold",
                             "--seconds", "0.02", "--json"});
    ASSERT_EQ(own.status, 0) << own.err;
    EXPECT_GT(call({"table", "query", table, "--cache", "cold", "--json"}).json().size(), 0U);
}

TEST_F(MeasuringTest, ProfilesInnerWidthsAndChoosesThem) {
    const std::string table = path("t.db");
    const std::vector<std::string> inner{"--min-inner-ratio", "0.5", "--max-inner-ratio", "2",
                                         "--inner-widths",    "2",   "--seconds",         "0.02"};
    const auto with = [&](std::vector<std::string> arguments) {
        arguments.insert(arguments.end(), inner.begin(), inner.end());
        return call(arguments);
    };
    const Answer profile = with({"profile", model_, "--table", table, "--minutes", "0.2", "--json"});
    ASSERT_EQ(profile.status, 0) << profile.err;
    EXPECT_TRUE(profile.json()["models"][0].contains("held_out_inner_widths"));
    // What follows stage 1's width of 8 is 8; 16 are measured only where inner widths are their own.
    const Answer rows = call({"table", "query", table, "--json"});
    EXPECT_THAT(rows.out, HasSubstr("conv_i8x16x16_o16_k3_s1"));

    const Answer scale = with({"scale", model_, "--table", table, "--budget", "2", "--json"});
    ASSERT_EQ(scale.status, 0) << scale.err;
    const auto row = scale.json()["strategies"][0];
    ASSERT_TRUE(row.contains("inner_widths"));
    if (!row["inner_widths"].is_null()) {
        EXPECT_EQ(row["inner_widths"].size(), 2U);
    }
}

TEST_F(MeasuringTest, RunsASuiteAndReports) {
    const std::string suite =
        write("suite.yaml",
              "name: small\nmodels: [tiny.yaml]\nbudgets: [1.5]\nstrategies: [width-only, hacscale]\n"
              "max_inner_ratio: 2\ninner_widths: 2\n"
              "verify: [tiny.yaml]\nseconds: 0.02\nminutes: 0.03\n");
    const Answer answer = call({"run", suite, "--out", path("out"), "--json"});
    ASSERT_EQ(answer.status, 0) << answer.err;
    EXPECT_EQ(answer.json()["comparisons"].size(), 1U);
    for (const char* file : {"out/provenance.json", "out/table.db", "out/table.json", "out/verify.json",
                             "out/compare-tiny-1.5.json", "out/report.html", "out/report.md"}) {
        EXPECT_TRUE(std::filesystem::exists(path(file))) << file;
    }
    std::set<std::string> networks;
    const auto verified = nlohmann::json::parse(std::ifstream(path("out/verify.json")));
    for (const auto& one : verified["models"]) {
        if (one["role"] != "zoo") {
            EXPECT_TRUE(networks.insert(one["model_hash"]).second) << one["model"] << " was measured once";
        }
    }
    EXPECT_FALSE(networks.empty());
    // The same command continues from the table: nothing is measured twice. Accuracies are shown once there are
    // some.
    std::ofstream(suite, std::ios::app) << "record: accuracy.db\n";
    const ModelSpec base = find_model(model_);
    AccuracyRecord trained;
    trained.key = run_key(base, find_recipe("short"), 1, "some data");
    trained.result.epochs = 1;
    trained.result.test_accuracy = 0.8765;
    trained.device = "abacus";
    AccuracyRecords::open(path("accuracy.db")).append(trained);
    const Answer again = call({"run", suite, "--out", path("out"), "--json"});
    EXPECT_EQ(again.status, 0) << again.err;
    EXPECT_NEAR(again.json()["comparisons"][0]["base"]["accuracy"].get<double>(), 87.65, 1e-9);
    std::stringstream report;
    report << std::ifstream(path("out/report.md")).rdbuf();
    EXPECT_THAT(report.str(), HasSubstr("87.65 %"));
    write("accuracy.db", "no database, but a text that is long enough to be told from one");
    EXPECT_EQ(call({"run", suite, "--out", path("out"), "--json"}).status, 2);
}

TEST_F(MeasuringTest, AnInterruptKeepsWhatThereIsAndSaysHowToGoOn) {
    catch_interrupts();
    std::raise(SIGTERM);
    const Answer answer = call({"profile", model_, "--table", path("t.db"), "--json"});
    EXPECT_EQ(answer.status, 143);
    EXPECT_EQ(answer.json()["interrupted"], true);
    EXPECT_THAT(answer.err, HasSubstr("goes on from there"));
    clear_interrupt();
    EXPECT_EQ(call({"table", "check", path("t.db")}).status, 0);
}

TEST_F(MeasuringTest, BadRequestsAreRefusedBeforeMeasuring) {
    const std::string table = path("t.db");
    EXPECT_EQ(call({"profile", "--table", table}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--cache", "hot"}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--cache", "warm"}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--dtype", "f64"}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--min-inner-ratio", "1.5"}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--max-inner-ratio", "0.5"}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--inner-widths", "-1"}).status, 2);
    EXPECT_EQ(call({"profile", model_, "--table", table, "--device", "cuda:99"}).status, 3);
    EXPECT_EQ(call({"verify", model_, "--table", table}).status, 2);
    const Answer crowded = call({"profile", model_, "--table", table, "--threads", "4096"});
    EXPECT_EQ(crowded.status, 2);
    EXPECT_THAT(crowded.err, HasSubstr("4096 threads would share the "));
    EXPECT_EQ(call({"run", path("none.yaml")}).status, 2);
    EXPECT_FALSE(std::filesystem::exists(table));
}

}  // namespace
}  // namespace hacscale::cli
