// Importance as the program asks for it.
#include "training/importance.hpp"

#include <gtest/gtest.h>

#include "base/error.hpp"
#include "models/zoo/zoo.hpp"
#include "tests/training/torch/made_up_data.hpp"
#include "tests/training/torch/module_fixture.hpp"
#include "tests/training/training_support.hpp"

namespace hacscale {
namespace {

class ImportanceTest : public TrainerModuleTest {
protected:
    void SetUp() override {
        TrainerModuleTest::SetUp();
        if (IsSkipped()) return;
        testing_data::write_made_up_data(folder_ / "data", 20);
        request_.model = testing::small_model();
        request_.checkpoint = folder_ / "checkpoint.pt";
        request_.data = folder_ / "data";
        request_.batches = 7;  // more than the 90 training images fill
        request_.batch = 16;
        trainer().write_random_checkpoint(request_.model, 3, request_.checkpoint);
    }

    testing::TempFolder folder_;
    ImportanceRequest request_;
};

TEST_F(ImportanceTest, IsTheSameForAnyNumberOfWorkers) {
    for (const auto measure :
         {ImportanceMeasure::taylor, ImportanceMeasure::fisher, ImportanceMeasure::growth}) {
        request_.measure = measure;
        request_.workers = 1;
        const auto one = trainer().importance(request_, {});
        ASSERT_TRUE(one);
        ASSERT_FALSE(one->empty());
        for (const int workers : {2, 3, 0}) {
            request_.workers = workers;
            const auto many = trainer().importance(request_, {});
            ASSERT_EQ(many->size(), one->size());
            for (std::size_t i = 0; i < one->size(); ++i) {
                EXPECT_EQ((*many)[i].layer, (*one)[i].layer);
                EXPECT_EQ((*many)[i].mean, (*one)[i].mean) << (*one)[i].layer;
                EXPECT_EQ((*many)[i].deviation, (*one)[i].deviation);
                EXPECT_GT((*one)[i].deviation, 0.0);
            }
        }
    }
}

TEST_F(ImportanceTest, DependsOnTheSeed) {
    const auto first = trainer().importance(request_, {});
    request_.seed = 2;
    EXPECT_NE((*trainer().importance(request_, {}))[0].mean, (*first)[0].mean);
}

TEST_F(ImportanceTest, CountsBatchesAndStopsWhenAsked) {
    std::vector<int> done;
    ImportanceEvents events;
    events.progress = [&](int count, int) { done.push_back(count); };
    ASSERT_TRUE(trainer().importance(request_, events));
    EXPECT_EQ(done, (std::vector<int>{1, 2, 3, 4, 5, 6, 7}));
    events.keep_going = [&] { return done.size() < 9; };
    EXPECT_FALSE(trainer().importance(request_, events));
}

TEST_F(ImportanceTest, RefusesWhatDoesNotBelongTogether) {
    request_.model = find_model("resnet20-cifar");
    EXPECT_THROW(trainer().importance(request_, {}), InputError);  // another model's checkpoint
    request_.model = find_model("resnet50");
    EXPECT_THROW(trainer().importance(request_, {}), InputError);  // other images
    request_.model = testing::small_model();
    request_.batch = 1000;
    EXPECT_THROW(trainer().importance(request_, {}), InputError);
}

}  // namespace
}  // namespace hacscale
