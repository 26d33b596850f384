#include "kernels/cuda/cudnn/knob_settings.hpp"

#include <gtest/gtest.h>

#include <set>

namespace hacscale::cuda {
namespace {

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
