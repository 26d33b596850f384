// Einsum of constants, as relative positions are looked up, and what is wrong with an equation.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.hpp"
#include "tests/models/onnx/small_models.hpp"

namespace hacscale::onnx {
namespace {

using ::testing::HasSubstr;

// x + the product of two constants.
Model model_with(const std::string& equation, const Ints& first, const Ints& second, const Ints& input) {
    return model_of(
        input, {node("Einsum", {"a", "b"}, {"e"}, {{"equation", equation}}), node("Add", {"x", "e"}, {"y"})},
        {weights("a", first), weights("b", second)});
}

std::vector<float> folded(const Model& model) {
    const Graph graph = simplified(model);
    EXPECT_THAT(operators(graph), ::testing::ElementsAre("Add"));
    return graph.initializers.front().floats();
}

TEST(OnnxEinsum, OfConstantsIsTheirSumOfProducts) {
    const Tensor a = weights("a", {2, 3, 4});
    const Tensor b = weights("b", {5, 4, 2});
    const std::vector<float> left = a.floats();
    const std::vector<float> right = b.floats();
    // The first axis stays, the middle one is contracted with both of the second tensor's.
    const std::vector<float> got = folded(model_with("nij, kjn -> kni", {2, 3, 4}, {5, 4, 2}, {1, 5, 2, 3}));
    ASSERT_EQ(got.size(), 30U);
    for (std::size_t k = 0; k < 5; ++k) {
        for (std::size_t n = 0; n < 2; ++n) {
            for (std::size_t i = 0; i < 3; ++i) {
                double sum = 0.0;
                for (std::size_t j = 0; j < 4; ++j) {
                    sum += static_cast<double>(left[(n * 3 + i) * 4 + j]) * right[(k * 4 + j) * 2 + n];
                }
                EXPECT_NEAR(got[(k * 2 + n) * 3 + i], sum, 1e-6);
            }
        }
    }
}

TEST(OnnxEinsum, MaySumAndTakeDiagonals) {
    const std::vector<float> left = weights("a", {3, 3}).floats();
    const std::vector<float> right = weights("b", {2}).floats();
    const std::vector<float> got = folded(model_with("ii,k->k", {3, 3}, {2}, {1, 2}));
    const double trace = static_cast<double>(left[0]) + left[4] + left[8];
    ASSERT_EQ(got.size(), 2U);
    for (std::size_t k = 0; k < 2; ++k) EXPECT_NEAR(got[k], trace * right[k], 1e-6);
}

TEST(OnnxEinsum, OfAWrongEquationIsRefused) {
    const std::vector<std::pair<std::string, std::string>> cases{
        {"ij,jk", "one arrow"},        {"...ij,jk->ik", "letters"},    {"ij,jk,kl->il", "2 inputs"},
        {"ij,jkl->ik", "the axes of"}, {"ij,ik->jk", "several sizes"}, {"ij,jk->iz", "no input has"}};
    for (const auto& [equation, problem] : cases) {
        try {
            simplified(model_with(equation, {2, 3}, {3, 4}, {1, 2, 4}));
            FAIL() << equation << " was accepted";
        } catch (const InputError& error) {
            EXPECT_THAT(error.what(), HasSubstr(problem)) << equation;
        }
    }
}

}  // namespace
}  // namespace hacscale::onnx
