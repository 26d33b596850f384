#include "training/plan.hpp"

#include <gmock/gmock.h>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::small_model_yaml;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using ::testing::HasSubstr;

constexpr const char* plan_yaml =
    "name: p\nmodels: [resnet20-cifar, small.yaml]\nseeds: [3, 1]\nrecipe: short\n"
    "data: cifar\nrecord: out/r.db\ncheckpoints: /tmp/checkpoints\n";

class PlanTest : public ::testing::Test {
protected:
    PlanTest() { write_bytes(temp_ / "small.yaml", small_model_yaml); }
    TrainingPlan parse(const std::string& yaml) { return parse_plan(yaml, "plan.yaml", temp_.path()); }
    std::string unsupported_reason(const std::string& yaml) {
        return error_of<InputError>([&] { parse(yaml); });
    }
    TempFolder temp_;
};

TEST_F(PlanTest, IsReadWithPathsRelativeToItsFolder) {
    write_bytes(temp_ / "plan.yaml", std::string(plan_yaml) + "device: cuda:1\nthreads: 4\n");
    const TrainingPlan plan = load_plan(temp_ / "plan.yaml");
    ASSERT_EQ(plan.models.size(), 2U);
    EXPECT_EQ(plan.models[1].name, "small");
    EXPECT_EQ(plan.recipe.name, "short");
    EXPECT_EQ(plan.data, temp_ / "cifar");
    EXPECT_EQ(plan.record, temp_ / "out/r.db");
    EXPECT_EQ(plan.checkpoints, "/tmp/checkpoints");
    EXPECT_EQ(plan.device, "cuda:1");
    EXPECT_EQ(plan.threads, 4);
}

TEST_F(PlanTest, MayLeaveTheDataToTheMachine) {
    std::string yaml = plan_yaml;
    yaml.replace(yaml.find("data: cifar\n"), 12, "");
    EXPECT_TRUE(parse(yaml).data.empty());
}

TEST_F(PlanTest, EveryModelComesWithTheFirstSeedBeforeAnyWithTheNext) {
    const TrainingPlan plan = parse(plan_yaml);
    std::vector<std::pair<std::string, std::uint64_t>> order;
    for (const PlannedRun& run : runs_of(plan)) order.emplace_back(run.model->name, run.seed);
    EXPECT_EQ(order, (std::vector<std::pair<std::string, std::uint64_t>>{
                         {"resnet20-cifar", 3}, {"small", 3}, {"resnet20-cifar", 1}, {"small", 1}}));
}

TEST_F(PlanTest, IsReadAsItWasWritten) {
    const PlanText text{
        "p-1.5", {"resnet20-cifar", "small.yaml"}, {3, 0, 2147483647}, "short", "../r \"1\".db", "c"};
    const TrainingPlan plan = parse(to_yaml(text));
    EXPECT_EQ(plan.name, text.name);
    ASSERT_EQ(plan.models.size(), 2U);
    EXPECT_EQ(plan.models[1].name, "small");
    EXPECT_EQ(plan.seeds, text.seeds);
    EXPECT_EQ(plan.recipe.name, "short");
    EXPECT_EQ(plan.record, (temp_ / text.record).lexically_normal());
    EXPECT_EQ(plan.checkpoints, temp_ / "c");
    EXPECT_TRUE(plan.data.empty());
}

TEST_F(PlanTest, SeedsAreCheckedBeforeTheyAreWritten) {
    EXPECT_NO_THROW(check_seeds({3, 0, 2147483647}));
    EXPECT_THROW(check_seeds({}), InputError);
    EXPECT_THROW(check_seeds({2147483648}), InputError);
    EXPECT_THAT(error_of<InputError>([] { check_seeds({1, 2, 1}); }), HasSubstr("1 stands there twice"));
}

TEST_F(PlanTest, RefusesWithFileAndLine) {
    const std::string text = plan_yaml;
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string changed = text;
        changed.replace(changed.find(from), from.size(), to);
        return unsupported_reason(changed);
    };
    EXPECT_THAT(unsupported_reason(text + "epochs: 3\n"),
                HasSubstr("plan.yaml:8: a training plan has no key 'epochs'"));
    EXPECT_THAT(with("resnet20-cifar", "resnet20-cifr"), HasSubstr("plan.yaml:2: models: "));
    EXPECT_THAT(with("resnet20-cifar", "small.yaml"),
                HasSubstr("plan.yaml:2: models: small is the same network"));
    EXPECT_THAT(with("[3, 1]", "[3, 3]"), HasSubstr("plan.yaml:3: seeds: 3 stands here twice"));
    EXPECT_THAT(with("[3, 1]", "[]"), HasSubstr("plan.yaml:3: seeds: expected a list"));
    EXPECT_THAT(with("[3, 1]", "[-1]"), HasSubstr("plan.yaml:3: seeds: expected a whole number"));
    EXPECT_THAT(with("recipe: short", "recipe: shorter"),
                HasSubstr("plan.yaml:4: recipe: there is no recipe"));
    EXPECT_THAT(with("recipe: short", "recipe: r.yaml"), HasSubstr("plan.yaml:4: recipe: "));
    EXPECT_THAT(with("record: out/r.db\n", ""), HasSubstr("needs the key 'record'"));
    EXPECT_THAT(error_of<InputError>([] { load_plan("nowhere.yaml"); }),
                HasSubstr("nowhere.yaml: expected a training plan"));
}

}  // namespace
}  // namespace hacscale
