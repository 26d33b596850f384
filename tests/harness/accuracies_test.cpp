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
        AccuracyRecord record;
        record.key = {"net", model_hash, "short", recipe_hash(find_recipe("short")), seed, "data", start};
        record.result = {16, 0.95, accuracy, accuracy, 3600.0, 200.5, 0.02};
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

TEST_F(KnownAccuraciesTest, OfOneNetworkFromSeveralWeightsAreRefused) {
    run("base", 1, 0.90, "l1-pruning");
    run("base", 1, 0.91, "hacscale");
    EXPECT_THAT([&] { filled(); },
                ::testing::ThrowsMessage<InputError>(HasSubstr("net was fine-tuned with seed 1 from two")));
}

}  // namespace
}  // namespace hacscale::harness
