#include "base/text/near_miss.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hacscale::detail {
namespace {

TEST(EditDistance, CountsTheFewestEdits) {
    EXPECT_EQ(edit_distance("", ""), 0);
    EXPECT_EQ(edit_distance("", "abc"), 3);
    EXPECT_EQ(edit_distance("width", "width"), 0);
    EXPECT_EQ(edit_distance("widht", "width"), 1);
    EXPECT_EQ(edit_distance("kitten", "sitting"), 3);
    EXPECT_EQ(edit_distance("resnet-18", "resnet18"), 1);
}

TEST(EditDistance, IsSymmetric) {
    const std::vector<std::string> words = {"",       "a",     "ab",    "ba",    "stage",
                                            "stages", "depth", "width", "kernel"};
    for (const std::string& a : words) {
        for (const std::string& b : words) EXPECT_EQ(edit_distance(a, b), edit_distance(b, a));
    }
}

TEST(DidYouMean, ListsAtMostThreeNearestFirst) {
    const std::vector<std::string> names = {"resnet18", "resnet34", "resnet50", "resnet101", "vgg16"};
    EXPECT_EQ(did_you_mean("resnet35", {"resnet34"}), "; did you mean 'resnet34'?");
    EXPECT_EQ(near_misses("resnet19", names).front(), "resnet18");
    EXPECT_EQ(near_misses("resnet", names).size(), 3u);
    EXPECT_EQ(did_you_mean("transformer", names), "");
    EXPECT_EQ(did_you_mean("", names), "");
    EXPECT_EQ(did_you_mean(std::string(100'000, 'r'), names), "");
}

}  // namespace
}  // namespace hacscale::detail
