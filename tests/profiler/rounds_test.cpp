// Turns in interleaved rounds.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "profiler/timing/rounds.hpp"

namespace hacscale {
namespace {

using ::testing::ElementsAre;

// Is done after so many visits, and notes in a shared log when it had its turn.
struct Turn {
    int name;
    int needed;
    std::vector<int>* log;
    int visits = 0;

    void visit(const TimingRules&) {
        ++visits;
        log->push_back(name);
    }
    bool done(const TimingRules&) const { return visits >= needed; }
    int result(const TimingRules&) const { return 100 * name + visits; }
};

const auto endless = [] { return true; };

TEST(Rounds, GiveEachSubjectItsTurnsAndResultsInOrder) {
    std::vector<int> log;
    std::vector<Turn> participants{{1, 3, &log}, {2, 1, &log}, {3, 2, &log}};
    EXPECT_THAT(time_in_rounds(participants, {}, 7, endless), ElementsAre(103, 201, 302));
    ASSERT_EQ(log.size(), 6u);
    EXPECT_THAT((std::vector<int>(log.begin(), log.begin() + 3)), ::testing::UnorderedElementsAre(1, 2, 3));
    EXPECT_THAT((std::vector<int>(log.begin() + 3, log.begin() + 5)), ::testing::UnorderedElementsAre(1, 3));
    EXPECT_EQ(log[5], 1);
}

TEST(Rounds, SayInWhoseTurnTheDeviceWasLost) {
    struct Fragile {
        bool fatal;
        void visit(const TimingRules&) const {
            if (fatal) throw DeviceLost("gone");
        }
        bool done(const TimingRules&) const { return false; }
        int result(const TimingRules&) const { return 0; }
    };
    std::vector<Fragile> participants{{false}, {false}, {true}, {false}};
    try {
        time_in_rounds(participants, {}, 3, endless);
        ADD_FAILURE() << "nothing was thrown";
    } catch (const DeviceLostInTurn& lost) {
        EXPECT_EQ(lost.index(), 2u);
        EXPECT_STREQ(lost.what(), "gone");
    }
}

std::vector<int> log_of(std::uint64_t seed) {
    std::vector<int> log;
    std::vector<Turn> participants;
    for (int name = 0; name < 8; ++name) participants.push_back({name, 4, &log});
    time_in_rounds(participants, {}, seed, endless);
    return log;
}

TEST(Rounds, AreShuffledAnewByTheSeed) {
    const std::vector<int> log = log_of(1);
    EXPECT_EQ(log, log_of(1));
    EXPECT_NE(log, log_of(2));
    EXPECT_NE(std::vector<int>(log.begin(), log.begin() + 8),
              std::vector<int>(log.begin() + 8, log.begin() + 16));
    for (int round = 0; round < 4; ++round) {
        std::vector<int> turns(log.begin() + 8 * round, log.begin() + 8 * round + 8);
        std::sort(turns.begin(), turns.end());
        EXPECT_THAT(turns, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
    }
}

TEST(Rounds, StopBetweenVisitsWhenTold) {
    for (const int allowed : {0, 1, 4}) {
        std::vector<int> log;
        std::vector<Turn> participants{{1, 9, &log}, {2, 9, &log}, {3, 9, &log}};
        int asked = 0;
        const auto results = time_in_rounds(participants, {}, 1, [&] { return asked++ < allowed; });
        EXPECT_EQ(static_cast<int>(log.size()), allowed);
        EXPECT_EQ(results.size(), 3u);
    }
}

TEST(Rounds, HaveNothingToDoWithoutSubjects) {
    std::vector<Turn> none;
    EXPECT_TRUE(time_in_rounds(none, {}, 1, endless).empty());
}

}  // namespace
}  // namespace hacscale
