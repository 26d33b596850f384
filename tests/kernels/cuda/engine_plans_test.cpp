#include "kernels/cuda/cudnn/engine_plans.hpp"

#include <gtest/gtest.h>
#include <set>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

TEST(PlanInfo, ReadsEngineAndKnobsWhereverTheyLie) {
    const std::string engine =
        R"({"engineId": 10, "knobChoices": {"CUDNN_KNOB_TYPE_TILE_SIZE": 5, "CUDNN_KNOB_TYPE_STAGES": 3,
            "CUDNN_KNOB_TYPE_SPLIT_K_SLC": -1}})";
    for (const std::string& text : {engine, R"({"cudnnVersion": 91900, "engine": )" + engine + "}",
                                    R"({"plans": [{"name": "x"}, )" + engine + "]}"}) {
        const PlanInfo info = parse_plan(text);
        EXPECT_EQ(info.engine, 10);
        EXPECT_EQ(info.knobs, (std::map<std::string, std::int64_t>{{"tile_size", 5}, {"stages", 3}})) << text;
    }
}

TEST(PlanInfo, AnEngineMayHaveNoKnobs) {
    EXPECT_TRUE(parse_plan(R"({"engineId": 0})").knobs.empty());
}

TEST(PlanInfo, RefusesWhatIsNoPlan) {
    for (const char* text : {"", "{", "[]", R"({"engine": 3})", R"({"engineId": "ten"})"}) {
        EXPECT_THROW(parse_plan(text), WorkError) << text;
    }
}

TEST(KnobSettings, AreAllCombinationsOnce) {
    const auto settings = knob_settings({{2, 0, 4, 1}, {3, 10, 16, 3}}, 100, 1);
    EXPECT_EQ(settings.size(), 15U);
    EXPECT_EQ(std::set<KnobSetting>(settings.begin(), settings.end()).size(), 15U);
    for (const KnobSetting& setting : settings) EXPECT_EQ((setting.at(3) - 10) % 3, 0);
}

TEST(KnobSettings, AreASampleOfMany) {
    // Engine 60 of cuDNN 9.19 has 264 kernels and up to 128 slices.
    const std::vector<KnobRange> knobs{{split_k_knob, 1, 128, 1}, {12, 0, 263, 1}};
    const auto settings = knob_settings(knobs, 200, 5);
    EXPECT_EQ(settings.size(), 200U);
    EXPECT_EQ(std::set<KnobSetting>(settings.begin(), settings.end()).size(), 200U);
    std::set<std::int64_t> slices;
    for (const KnobSetting& setting : settings) slices.insert(setting.at(split_k_knob));
    EXPECT_EQ(slices, (std::set<std::int64_t>{1, 2, 4, 8, 16}));
    EXPECT_EQ(knob_settings(knobs, 200, 5), settings);
    EXPECT_NE(knob_settings(knobs, 200, 6), settings);
}

TEST(KnobSettings, AnEngineWithoutKnobsHasOne) {
    EXPECT_EQ(knob_settings({}, 100, 1), std::vector<KnobSetting>{{}});
}

}  // namespace
}  // namespace hacscale::cuda
