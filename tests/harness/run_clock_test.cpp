// A run's time and its shares, by a clock that the tests move.
#include "harness/suite/run_clock.hpp"

#include <gmock/gmock.h>

#include <cmath>

#include "harness/compare/candidate_search.hpp"

namespace hacscale::harness {
namespace {

using ::testing::HasSubstr;

class RunClockTest : public ::testing::Test {
protected:
    RunClock clock(const PlannedSteps& steps, double limit_s) {
        return {steps, limit_s, [this] { return now_s_; }};
    }
    // What it said last.
    std::string said() {
        const std::string& all = events_.said;
        const std::size_t end = all.rfind('\n', all.size() - 2);
        return end == std::string::npos ? all : all.substr(end + 1);
    }

    double now_s_ = 1000.0;
    FakeEvents events_;
};

PlannedSteps one_profile_and_two_comparisons() {
    PlannedSteps steps;
    steps.add(RunStep::profile, 60.0);
    steps.add(RunStep::compare, 20.0);
    steps.add(RunStep::compare, 20.0);
    return steps;
}

TEST_F(RunClockTest, WithoutALimitEveryStepHasAllTheTime) {
    RunClock run = clock(one_profile_and_two_comparisons(), 0.0);
    EXPECT_FALSE(run.is_limited());
    run.begin(events_, RunStep::profile, "profiling", 60.0);
    now_s_ += 1e6;
    EXPECT_TRUE(std::isinf(run.left_of_step_s()));
    EXPECT_FALSE(run.time_is_up());
    EXPECT_THAT(said(), HasSubstr("[1/3] profiling; about 2 min left in all\n"));
}

TEST_F(RunClockTest, ALimitIsSharedByWeightAndWhatIsSavedGoesToTheRest) {
    RunClock run = clock(one_profile_and_two_comparisons(), 50.0);
    run.begin(events_, RunStep::profile, "profiling", 60.0);
    EXPECT_NEAR(run.left_of_step_s(), 0.6 * 48.0, 1e-9) << "the last part of the limit is for the report";
    now_s_ += 10.0;
    EXPECT_NEAR(run.left_of_step_s(), 0.6 * 48.0 - 10.0, 1e-9);
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_NEAR(run.left_of_step_s(), 0.5 * 38.0, 1e-9);
    now_s_ += 5.0;
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_NEAR(run.left_of_step_s(), 33.0, 1e-9);
}

TEST_F(RunClockTest, AStepThatTookTooLongLeavesTheOthersWhatThereIs) {
    RunClock run = clock(one_profile_and_two_comparisons(), 50.0);
    run.begin(events_, RunStep::profile, "profiling", 60.0);
    now_s_ += 40.0;
    EXPECT_EQ(run.left_of_step_s(), 0.0);
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_NEAR(run.left_of_step_s(), 0.5 * 8.0, 1e-9);
    EXPECT_FALSE(run.time_is_up());
    now_s_ += 10.0;
    EXPECT_TRUE(run.time_is_up());
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_EQ(run.left_of_step_s(), 0.0);
}

TEST_F(RunClockTest, TheTimeLeftIsToldFromThePaceOfWhatWasDone) {
    RunClock run = clock(one_profile_and_two_comparisons(), 0.0);
    run.begin(events_, RunStep::profile, "profiling", 60.0);
    now_s_ += 30.0;
    EXPECT_NEAR(run.expected_s(), 70.0, 1e-9) << "a half of profiling, and the comparisons as planned";
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_NEAR(run.expected_s(), 40.0, 1e-9);
    now_s_ += 60.0;  // three times as long as planned
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_NEAR(run.expected_s(), 60.0, 1e-9);
    EXPECT_THAT(said(), HasSubstr("[3/3] comparing; about 60 s left in all\n"));
}

TEST_F(RunClockTest, NoMoreIsExpectedThanTheLimitLeaves) {
    RunClock run = clock(one_profile_and_two_comparisons(), 30.0);
    run.begin(events_, RunStep::profile, "profiling", 60.0);
    EXPECT_NEAR(run.expected_s(), 30.0, 1e-9);
    EXPECT_THAT(said(), HasSubstr("about 30 s left in all, at most 30 s"));
    now_s_ += 31.0;
    EXPECT_EQ(run.expected_s(), 0.0);
}

TEST_F(RunClockTest, AStepOfAnEarlierRunTellsNothingOfThePaceAndLeavesItsTime) {
    RunClock run = clock(one_profile_and_two_comparisons(), 100.0);
    run.skip(events_, RunStep::profile, "profiling was finished before", 60.0);
    EXPECT_THAT(said(), HasSubstr("[1/3] profiling was finished before\n"));
    EXPECT_NEAR(run.expected_s(), 40.0, 1e-9);
    run.begin(events_, RunStep::compare, "comparing", 20.0);
    EXPECT_NEAR(run.left_of_step_s(), 0.5 * 96.0, 1e-9);
}

TEST(SessionBudget, WithoutALimitEverySessionIsAllowed) {
    SessionBudget sessions;
    sessions.begin(100, 100);
    sessions.end();
    EXPECT_TRUE(sessions.allows(100, 100));
    EXPECT_TRUE(std::isinf(sessions.session_s()));
}

TEST(SessionBudget, ARoundLeavesTheFinalSessionItsTime) {
    double left_s = 30.0;
    SessionBudget sessions([&] { return left_s; });
    EXPECT_TRUE(sessions.allows(10, 5));
    sessions.begin(10, 5);
    EXPECT_NEAR(sessions.session_s(), 20.0, 1e-9);
    left_s = 20.0;  // one second a network
    sessions.end();
    EXPECT_TRUE(sessions.allows(10, 9));
    EXPECT_FALSE(sessions.allows(11, 10));
    sessions.begin(9, 0);
    EXPECT_NEAR(sessions.session_s(), 20.0, 1e-9) << "nothing has to follow it";
    left_s = 2.0;
    sessions.end();
    EXPECT_TRUE(sessions.allows(0, 0));
    EXPECT_FALSE(sessions.allows(1, 0)) << "the last session took two seconds a network";
    left_s = 0.0;
    EXPECT_FALSE(sessions.allows(0, 0));
}

TEST(DurationText, HasTheUnitThatSuits) {
    EXPECT_EQ(duration_text(60.4), "61 s");
    EXPECT_EQ(duration_text(600.0), "10 min");
    EXPECT_EQ(duration_text(36000.0), "10.0 h");
}

}  // namespace
}  // namespace hacscale::harness
