#include "training/importance.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "base/error.hpp"

namespace hacscale {
namespace {

TEST(Importance, MeanAndDeviationOverBatches) {
    const auto figures = over_batches(
        {"a", "b"},
        {{{1.0, {1.0, 4.0}, 3.0}, {5.0}}, {{2.0, {2.0, 5.0}, 3.0}, {5.0}}, {{6.0, {3.0, 9.0}, 6.0}, {5.0}}});
    ASSERT_EQ(figures.size(), 2U);
    EXPECT_EQ(figures[0].layer, "a");
    EXPECT_DOUBLE_EQ(figures[0].mean, 3.0);
    EXPECT_DOUBLE_EQ(figures[0].deviation, std::sqrt(7.0));
    EXPECT_DOUBLE_EQ(figures[1].deviation, 0.0);
    EXPECT_DOUBLE_EQ(over_batches({"a"}, {{{4.0}}})[0].deviation, 0.0);
}

TEST(Importance, MeasuresAreFoundByTheirNames) {
    for (const char* name : {"taylor", "fisher", "growth"}) {
        EXPECT_EQ(name_of(importance_measure_from_name(name)), name);
    }
    EXPECT_THROW(importance_measure_from_name("hunch"), InputError);
}

}  // namespace
}  // namespace hacscale
