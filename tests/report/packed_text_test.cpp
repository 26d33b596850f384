// What charts of one kind share is written once, packed, and nothing is lost by it.
#include "report/formats/packed_text.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/report/unpacked.hpp"

namespace hacscale::report {
namespace {

using Json = nlohmann::json;

std::string spec(double budget, const Json& points) {
    return Json{{"signals", {{{"name", "budget"}, {"value", budget}}, {{"name", "gap"}, {"value", 4}}}},
                {"data", {{{"name", "points"}, {"values", points}}}},
                {"marks", {{{"type", "symbol"}}}}}
        .dump();
}

TEST(ChartFrames, ChartsOfOneKindShareAFrame) {
    ChartFrames frames;
    const auto first = frames.pack(spec(1.0, {{{"x", 1}, {"y", 2}}}));
    const auto second = frames.pack(spec(1.5, {{{"x", 3}, {"y", 4}}, {{"x", 5}, {"y", 6}}}));
    EXPECT_FALSE(first.new_frame.empty());
    EXPECT_TRUE(second.new_frame.empty());
    EXPECT_EQ(first.frame, second.frame);
    const Json contents = Json::parse(second.contents);
    EXPECT_EQ(contents["signals"], (Json{{"budget", 1.5}})) << "what is as in the frame is left out";
    EXPECT_EQ(contents["data"]["points"]["fields"], (Json{"x", "y"}));
    EXPECT_EQ(contents["data"]["points"]["rows"], (Json{{3, 4}, {5, 6}}));
    EXPECT_EQ(Json::parse(first.new_frame)["signals"][0]["value"], 1.0);
}

TEST(ChartFrames, DataOfUnlikeFieldsStayAsTheyAre) {
    ChartFrames frames;
    const Json points{{{"x", 1}}, {{"x", 2}, {"z", 3}}};
    EXPECT_EQ(Json::parse(frames.pack(spec(1.0, points)).contents)["data"]["points"], points);
}

TEST(ChartFrames, AnotherKindHasAnotherFrame) {
    ChartFrames frames;
    const auto first = frames.pack(spec(1.0, Json::array()));
    Json other = Json::parse(spec(1.0, Json::array()));
    other["marks"][0]["type"] = "line";
    const auto second = frames.pack(other.dump());
    EXPECT_NE(first.frame, second.frame);
    EXPECT_FALSE(second.new_frame.empty());
}

TEST(PackedText, ComesBackAsItWas) {
    std::mt19937 random(3);
    for (std::size_t length = 0; length < 300; ++length) {
        std::string text;
        while (text.size() < length) text += static_cast<char>(random() % 256);
        EXPECT_EQ(unpacked(packed_text(text)), text);
    }
}

TEST(PackedText, CanStandInAPageAndIsSmall) {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "[\"</script><!-- layer " + std::to_string(i) + "\",1.5],";
    const std::string packed = packed_text(text);
    EXPECT_EQ(packed.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="),
              std::string::npos);
    EXPECT_EQ(packed.size() % 4, 0U);
    EXPECT_LT(packed.size(), text.size() / 5);
    EXPECT_EQ(packed, packed_text(text));
}

}  // namespace
}  // namespace hacscale::report
