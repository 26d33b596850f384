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
    std::string refusal(const std::string& yaml) {
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

TEST_F(PlanTest, RefusesWithFileAndLine) {
    const std::string text = plan_yaml;
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string changed = text;
        changed.replace(changed.find(from), from.size(), to);
        return refusal(changed);
    };
    EXPECT_THAT(refusal(text + "epochs: 3\n"), HasSubstr("plan.yaml:8: a training plan has no key 'epochs'"));
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
