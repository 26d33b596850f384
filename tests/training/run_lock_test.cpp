#include "training/records.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::TempFolder;
using ::testing::HasSubstr;

TEST(RunLock, IsHeldByOneAtATime) {
    TempFolder temp;
    auto first = RunLock::try_lock(temp / "run");
    ASSERT_TRUE(first.has_value());
    EXPECT_FALSE(RunLock::try_lock(temp / "run").has_value());
    EXPECT_TRUE(RunLock::try_lock(temp / "other").has_value());
    EXPECT_THAT(RunLock::holder(temp / "run"), HasSubstr("process " + std::to_string(::getpid()) + " on "));
    first.reset();
    EXPECT_TRUE(RunLock::try_lock(temp / "run").has_value());
}

TEST(RunLock, EndsWithAProcessThatIsKilled) {
    TempFolder temp;
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
        const auto lock = RunLock::try_lock(temp / "run");
        const char said = lock ? '1' : '0';
        if (::write(ready[1], &said, 1) == 1) ::pause();
        ::_exit(1);
    }
    char said = '0';
    ASSERT_EQ(::read(ready[0], &said, 1), 1);
    EXPECT_EQ(said, '1');
    EXPECT_FALSE(RunLock::try_lock(temp / "run").has_value());
    ::kill(child, SIGKILL);
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    EXPECT_TRUE(RunLock::try_lock(temp / "run").has_value());
    ::close(ready[0]);
    ::close(ready[1]);
}

TEST(RunLock, SaysWhereItCannotWrite) {
    EXPECT_THAT(error_of<WorkError>([] { RunLock::try_lock("/proc/nowhere"); }), HasSubstr("/proc/nowhere"));
}

TEST(RunKey, FoldersDifferWhereRunsDo) {
    const ModelSpec model = hacscale::testing::small_model();
    Recipe recipe;
    recipe.name = "r";
    const RunKey key = run_key(model, recipe, 1, "data");
    EXPECT_THAT(folder_name(key), HasSubstr("small.r.seed1."));
    EXPECT_EQ(folder_name(key), folder_name(run_key(model, recipe, 1, "data")));
    EXPECT_NE(folder_name(key), folder_name(run_key(model, recipe, 2, "data")));
    EXPECT_NE(folder_name(key), folder_name(run_key(model, recipe, 1, "other")));
    recipe.epochs += 1;
    EXPECT_NE(folder_name(key), folder_name(run_key(model, recipe, 1, "data")));
}

}  // namespace
}  // namespace hacscale
