// A suite given again continues from what is finished: nothing that stands is measured again.
#include <gmock/gmock.h>

#include <csignal>
#include <map>
#include <thread>

#include "run_fixture.hpp"

namespace hacscale::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class ResumeTest : public RunTest {
protected:
    std::string small_suite(const std::string& more = "") const {
        return suite("models: [one.yaml]\nverify: [two.yaml]\nbudgets: [1, 1.5]\n" + more);
    }

    Answer run_it(const std::string& file) const {
        return call({"run", file, "--out", path("out"), "--json"});
    }

    // By the names of their files.
    std::map<std::string, std::string> comparisons() const {
        std::map<std::string, std::string> found;
        for (const auto& entry : std::filesystem::directory_iterator(path("out"))) {
            const std::string name = entry.path().filename().string();
            if (name.starts_with("compare-") && name.ends_with(".json")) {
                found[name] = content("out/" + name);
            }
        }
        return found;
    }

    std::vector<Row> rows() const { return Table::open(path("out/table.db"), OpenMode::read).query({}); }
};

TEST_F(ResumeTest, WhatIsFinishedIsKeptAndWhatIsMissingIsDone) {
    const std::string file = small_suite();
    const Answer first = run_it(file);
    ASSERT_EQ(first.status, 0) << first.err;
    const auto before = comparisons();
    const auto rows_before = rows();
    ASSERT_EQ(before.size(), 2U);
    std::filesystem::remove(path("out/compare-one-1.5.json"));

    const Answer again = run_it(file);
    ASSERT_EQ(again.status, 0) << again.err;
    EXPECT_THAT(again.err, HasSubstr("profiling was finished before"));
    EXPECT_THAT(again.err, HasSubstr("comparing one at 1 times its latency was finished before"));
    EXPECT_THAT(again.err, Not(HasSubstr("comparing one at 1.5 times its latency was finished before")));
    const auto after = comparisons();
    EXPECT_EQ(after.at("compare-one-1.json"), before.at("compare-one-1.json"));
    EXPECT_TRUE(after.contains("compare-one-1.5.json"));
    EXPECT_EQ(rows(), rows_before);
    ASSERT_EQ(again.json()["comparisons"].size(), 2U);
    EXPECT_EQ(again.json()["comparisons"][0], nlohmann::json::parse(before.at("compare-one-1.json")));
}

TEST_F(ResumeTest, AFinishedRunGivenAgainMeasuresNothing) {
    const std::string file = small_suite();
    const Answer first = run_it(file);
    ASSERT_EQ(first.status, 0) << first.err;
    const auto before = comparisons();
    const std::string verified = content("out/verify.json");

    const auto plan = call({"run", file, "--out", path("out"), "--dry-run", "--json"}).json();
    EXPECT_EQ(plan["devices"][0]["states"][0]["comparisons_known"], 2);
    EXPECT_EQ(plan["seconds_expected"], 0.0);
    const Answer again = run_it(file);
    EXPECT_EQ(again.status, first.status) << "what was noisy still is";
    EXPECT_EQ(again.json()["warnings"], first.json()["warnings"]);
    EXPECT_EQ(again.json()["comparisons"], first.json()["comparisons"]);
    EXPECT_EQ(comparisons(), before);
    EXPECT_EQ(content("out/verify.json"), verified);
    EXPECT_EQ(call({"report", path("out")}).status, 0);
}

TEST_F(ResumeTest, AnInterruptedRunKeepsTheComparisonsItFinished) {
    const std::string file = suite("models: [one.yaml]\nbudgets: [1, 1.2, 1.4, 1.6, 1.8, 2, 2.2, 2.4]\n");
    catch_interrupts();
    std::jthread interrupting([&](const std::stop_token& ended) {
        while (!exists("out/compare-one-1.json") && !ended.stop_requested()) {
            std::this_thread::yield();
        }
        std::raise(SIGTERM);
    });
    run_it(file);
    interrupting.request_stop();
    interrupting.join();
    clear_interrupt();
    const auto before = comparisons();
    ASSERT_GE(before.size(), 1U);

    const Answer again = run_it(file);
    ASSERT_EQ(again.status, 0) << again.err;
    const auto after = comparisons();
    EXPECT_EQ(after.size(), 8U);
    for (const auto& [name, record] : before) {
        EXPECT_EQ(after.at(name), record) << name;
    }
    EXPECT_EQ(again.json()["comparisons"].size(), 8U);
}

TEST_F(ResumeTest, AComparisonFromOtherRowsOrSettingsIsMadeAgain) {
    ASSERT_EQ(run_it(small_suite()).status, 0);
    {
        Table table = Table::open(path("out/table.db"), OpenMode::write);
        Row row = table.query({}).front();
        row.latency_us *= 1.01;
        table.put(row);
    }
    const auto of_other_rows = comparisons();
    ASSERT_EQ(run_it(small_suite()).status, 0);
    const auto of_these_rows = comparisons();
    ASSERT_EQ(run_it(small_suite("tolerance: 0.1\n")).status, 0);
    // More profiling may have changed the rows, or not.
    const auto before = comparisons();
    const std::string longer = write(
        "longer.yaml",
        content("suite.yaml").replace(content("suite.yaml").find("seconds: 0.02"), 13, "seconds: 0.03"));
    ASSERT_EQ(run_it(longer).status, 0);
    for (const auto& [name, record] : comparisons()) {
        EXPECT_NE(of_these_rows.at(name), of_other_rows.at(name)) << name;
        EXPECT_NE(record, before.at(name)) << name;
    }
}

TEST_F(ResumeTest, ADamagedRecordIsReplaced) {
    const std::string file = small_suite();
    ASSERT_EQ(run_it(file).status, 0);
    const auto before = comparisons();
    write("out/compare-one-1.json", before.at("compare-one-1.json").substr(0, 100));
    write("out/compare-one-1.5.json", "{}");
    ASSERT_EQ(run_it(file).status, 0);
    for (const auto& [name, record] : comparisons()) {
        EXPECT_TRUE(nlohmann::json::parse(record).contains("strategies")) << name;
    }
}

}  // namespace
}  // namespace hacscale::cli
