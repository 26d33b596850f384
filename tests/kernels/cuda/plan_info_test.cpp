#include "kernels/cuda/cudnn/plan_info.hpp"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace hacscale::cuda
