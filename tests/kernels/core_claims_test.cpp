// Two measurements, and the cores between them. A lock is of an open file, so two objects in one process are
// as two processes.
#include "kernels/host/processors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/kernels/made_up_machine.hpp"

namespace hacscale::host {
namespace {

using hacscale::testing::MadeUpMachine;
using hacscale::testing::TempFolder;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<Core> three_cores{{0}, {1}, {2}};

TEST(CoreClaims, TheSecondMeasurementGetsAnotherCore) {
    const TempFolder folder;
    CoreClaims first(folder / "locks");
    CoreClaims second(folder / "locks");
    EXPECT_THAT(first.take(three_cores, 1), ElementsAre(Core{0}));
    EXPECT_THAT(second.take(three_cores, 2), ElementsAre(Core{1}, Core{2}));
    EXPECT_EQ(first.obstacle(), "");
}

TEST(CoreClaims, TooFewFreeCoresAreLeftToOthers) {
    const TempFolder folder;
    CoreClaims first(folder / "locks");
    CoreClaims second(folder / "locks");
    CoreClaims third(folder / "locks");
    first.take(three_cores, 2);
    EXPECT_THAT(second.take(three_cores, 2), IsEmpty());
    EXPECT_THAT(third.take(three_cores, 1), ElementsAre(Core{2}));
}

TEST(CoreClaims, ACoreIsFreeOnceItsMeasurementEnds) {
    const TempFolder folder;
    CoreClaims second(folder / "locks");
    {
        CoreClaims first(folder / "locks");
        first.take(three_cores, 3);
        EXPECT_THAT(second.take(three_cores, 1), IsEmpty());
    }
    EXPECT_THAT(second.take(three_cores, 1), ElementsAre(Core{0}));
}

TEST(CoreClaims, TwoHyperthreadsOfACoreAreOneCore) {
    const TempFolder folder;
    const MadeUpMachine machine;
    for (const int processor : {0, 1}) machine.siblings(processor, "0-1");
    CoreClaims first(folder / "locks");
    CoreClaims second(folder / "locks");
    EXPECT_THAT(first.take({{0}}, 1, machine.root()), ElementsAre(Core{0}));
    EXPECT_THAT(second.take({{1}}, 1, machine.root()), IsEmpty());
}

TEST(CoreClaims, WithoutAFolderItSaysSo) {
    const TempFolder folder;
    std::ofstream(folder / "file") << "no folder";
    CoreClaims claims(folder / "file" / "locks");
    EXPECT_THAT(claims.take(three_cores, 2), ElementsAre(Core{0}, Core{1}));
    EXPECT_THAT(claims.obstacle(), HasSubstr("Not a directory"));
}

// Where another user could have put it, to have a file of this user's made or opened.
TEST(CoreClaims, ALinkIsNotFollowed) {
    const TempFolder folder;
    std::filesystem::create_directory(folder / "locks");
    std::filesystem::create_symlink(folder / "target", folder / "locks" / "core-0");
    CoreClaims claims(folder / "locks");
    claims.take(three_cores, 1);
    EXPECT_THAT(claims.obstacle(), HasSubstr("core-0"));
    EXPECT_FALSE(std::filesystem::exists(folder / "target"));
}

}  // namespace
}  // namespace hacscale::host
