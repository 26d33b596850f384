#include "base/text/wording.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace hacscale::detail {
namespace {

TEST(PlainNumber, HasNoExponentAndNoFalseZeros) {
    EXPECT_EQ(plain_number(130.4, 2), "130");
    EXPECT_EQ(plain_number(1031.26), "1031");
    EXPECT_EQ(plain_number(12345678.0), "12345678");
    EXPECT_EQ(plain_number(2.5), "2.5");
    EXPECT_EQ(plain_number(10.0), "10");
    EXPECT_EQ(plain_number(100.0), "100");
    EXPECT_EQ(plain_number(0.1), "0.1");
    EXPECT_EQ(plain_number(0.0000123456), "0.0000123");
    EXPECT_EQ(plain_number(-3.14159), "-3.14");
    EXPECT_EQ(plain_number(0.0), "0");
}

TEST(PlainNumber, SaysWhatIsNoNumber) {
    EXPECT_EQ(plain_number(std::nan("")), "nan");
    EXPECT_EQ(plain_number(INFINITY), "inf");
}

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
