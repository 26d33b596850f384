#include "harness/compare/accuracies.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "tests/harness/fixture.hpp"
#include "tests/harness/sample_comparison.hpp"
#include "training/recipe.hpp"

namespace hacscale::harness {
namespace {

using ::testing::HasSubstr;

class KnownAccuraciesTest : public FolderTest {
protected:
    // A finished run of a network of the sample; no start: from random weights.
    void run(const std::string& model_hash, std::uint64_t seed, double accuracy,
             const std::string& start = "") const {
        append({"net", model_hash, "short", recipe_hash(find_recipe("short")), seed, "data", start},
               accuracy);
    }
    void append(const RunKey& key, double accuracy, std::vector<EpochFigures> curve = {}) const {
        AccuracyRecord record;
        record.key = key;
        record.result = {16, 0.95, accuracy, accuracy, 3600.0, 200.5, 0.02};
        if (!curve.empty()) record.result.epochs = static_cast<int>(curve.size());
        record.result.learning_curve = std::move(curve);
        record.device = "abacus";
        AccuracyRecords::open(path("accuracy.db")).append(record);
    }
    records::ComparisonRecord filled() const {
        records::ComparisonRecord comparison = sample();
        KnownAccuracies(path("accuracy.db"), "short", false).add_to(comparison);
        return comparison;
    }
};

TEST_F(KnownAccuraciesTest, AreOfTheNetworkWithTheRecipe) {
    run("base", 1, 0.90);
    run("base", 2, 0.92);
    run("another", 1, 0.99);
    const records::ComparisonRecord comparison = filled();
    EXPECT_NEAR(comparison.base.accuracy.value().mean, 91.0, 1e-9);
    EXPECT_EQ(comparison.base.accuracy->seeds, 2);
}

TEST_F(KnownAccuraciesTest, OfFineTunedNetworksStandWhereNoneWasTrainedFromRandomWeights) {
    run("base", 1, 0.90, "weights-1");
    run("base", 2, 0.92, "weights-2");
    EXPECT_NEAR(filled().base.accuracy.value().mean, 91.0, 1e-9) << "each seed has weights of its own";
    run("hacscale", 3, 0.80);
    const records::ComparisonRecord comparison = filled();
    EXPECT_FALSE(comparison.base.accuracy) << "fine-tuned and trained do not compare";
    for (const records::StrategyRow& row : comparison.strategies) {
        EXPECT_EQ(row.accuracy.has_value(), row.strategy == "hacscale") << row.strategy;
    }
}

TEST_F(KnownAccuraciesTest, HaveTheMeanOfTheirLearningCurves) {
    const std::string recipe = recipe_hash(find_recipe("short"));
    append({"net", "base", "short", recipe, 1, "data", ""}, 0.9, {{2.0, 0.3, 0.4}, {1.0, 0.7, 0.8}});
    append({"net", "base", "short", recipe, 2, "data", ""}, 0.9, {{2.0, 0.3, 0.6}, {1.0, 0.7, 0.9}});
    append({"net", "base", "short", recipe, 3, "data", ""}, 0.9);
    const records::ComparisonRecord comparison = filled();
    const std::vector<double>& curve = comparison.base.accuracy.value().learning_curve;
    ASSERT_EQ(curve.size(), 2U);
    EXPECT_NEAR(curve[0], 50.0, 1e-9);
    EXPECT_NEAR(curve[1], 85.0, 1e-9);
}

TEST_F(KnownAccuraciesTest, TheBaseWithAsManyFlopsStandsBesideANetwork) {
    const Recipe recipe = find_recipe("short");
    run("base", 1, 0.90);
    run("hacscale", 1, 0.93);
    // What `train --match-flops` calls it is not asked for.
    append({"net", "base", "any name", recipe_hash(stretched(recipe, 2 * recipe.epochs, "x")), 1, "data", ""},
           0.91);
    records::ComparisonRecord comparison = sample();
    comparison.base.macs = 1000;
    for (records::StrategyRow& row : comparison.strategies)
        row.macs = row.strategy == "hacscale" ? 2010 : 1000;
    KnownAccuracies(path("accuracy.db"), "short", false).add_to(comparison);
    EXPECT_FALSE(comparison.base.matched_base);
    for (const records::StrategyRow& row : comparison.strategies) {
        EXPECT_NEAR(row.matched_base.value().mean, row.strategy == "hacscale" ? 91.0 : 90.0, 1e-9)
            << row.strategy;
    }
    remove_accuracies(comparison);
    for (const records::StrategyRow& row : comparison.strategies) EXPECT_FALSE(row.matched_base);
    comparison.strategies.front().macs = 1'000'000'000;  // more epochs than a recipe may have
    KnownAccuracies(path("accuracy.db"), "short", false).add_to(comparison);
    EXPECT_FALSE(comparison.strategies.front().matched_base);
}

TEST_F(KnownAccuraciesTest, OfOneNetworkFromSeveralWeightsAreRefused) {
    run("base", 1, 0.90, "l1-pruning");
    run("base", 1, 0.91, "hacscale");
    EXPECT_THAT([&] { filled(); },
                ::testing::ThrowsMessage<InputError>(HasSubstr("net was fine-tuned with seed 1 from two")));
}

}  // namespace
}  // namespace hacscale::harness
