// Files of a record folder, and what verifications say.
#include "records/record_file.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "records/verification.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::records {
namespace {

TEST(RecordFile, WritingReplacesAsAWhole) {
    const testing::TempFolder folder;
    write_record(folder / "r.json", "old");
    write_record(folder / "r.json", "new");
    EXPECT_EQ(read_if_there(folder / "r.json"), "new");
    EXPECT_FALSE(std::filesystem::exists(folder / "r.json.part"));
    EXPECT_EQ(read_if_there(folder / "none.json"), "");
}

TEST(RecordFile, WhatCannotBeWrittenIsNamed) {
    const testing::TempFolder folder;
    std::ofstream(folder / "file") << "";
    EXPECT_THROW(write_record(folder / "file/r.json", "text"), WorkError);
    EXPECT_THROW(make_record_folder(folder / "file/folder"), WorkError);
    EXPECT_THROW(make_record_folder(folder / "file"), WorkError);
}

TEST(RecordFile, NamesHoldModelAndBudget) {
    EXPECT_EQ(comparison_file_name("resnet18", 1.0), "compare-resnet18-1.json");
    EXPECT_EQ(comparison_file_name("some/where/mine.yaml", 1.065), "compare-mine-1.065.json");
    EXPECT_EQ(comparison_file_name("mobilenetv2-0.35", 1.5), "compare-mobilenetv2-0.35-1.5.json");
}

TEST(RecordFile, TimestampsAreUtc) {
    EXPECT_THAT(timestamp(), ::testing::MatchesRegex("20..-..-..T..:..:..Z"));
}

TEST(Verification, SaysTheError) {
    const VerificationReport report{
        "cpu",
        {{{"resnet18", "abc", 1, DataType::f32, CacheState::network, 103.0, 100.0, 0.5, "now"}, "zoo"}},
        {{"vgg16-bn", "the device has no memory for it"}}};
    const auto json = nlohmann::json::parse(to_json(report));
    EXPECT_EQ(json["device"], "cpu");
    EXPECT_NEAR(json["models"][0]["error_pct"].get<double>(), 3.0, 1e-9);
    EXPECT_EQ(json["models"][0]["role"], "zoo");
    EXPECT_NEAR(json["models"][0]["images_per_s"].get<double>(), 1e4, 1e-6);
    EXPECT_TRUE(json["models"][0].contains("p95_us"));
    EXPECT_EQ(json["skipped"][0]["model"], "vgg16-bn");
}

}  // namespace
}  // namespace hacscale::records
