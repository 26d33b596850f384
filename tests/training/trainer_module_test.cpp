#include "training/trainer_module.hpp"

#include <gmock/gmock.h>
#include <stdlib.h>

#include "training_support.hpp"

namespace hacscale {
namespace {

using hacscale::testing::error_of;
using hacscale::testing::TempFolder;
using hacscale::testing::write_bytes;
using ::testing::AllOf;
using ::testing::HasSubstr;

// Looks only in this folder while it lives.
class Folder {
public:
    explicit Folder(const std::filesystem::path& folder) { ::setenv("HACSCALE_MODULES", folder.c_str(), 1); }
    ~Folder() { ::unsetenv("HACSCALE_MODULES"); }
};

LoadedTrainer load_from(const std::filesystem::path& folder) {
    const Folder here(folder);
    return load_trainer();
}

const std::filesystem::path modules = HACSCALE_TEST_TRAINERS;

TEST(TrainerModule, IsLoadedAndUsed) {
    const LoadedTrainer loaded = load_from(modules / "fake");
    ASSERT_EQ(loaded.attempts.size(), 1U);
    EXPECT_EQ(loaded.attempts[0].stage, "ready");
    EXPECT_EQ(loaded.required().libraries(), "abacus 1.0");
}

TEST(TrainerModule, EveryReasonIsKept) {
    TempFolder temp;
    write_bytes(temp / "libhacscale_trainer.so", "no library");
    const std::vector<std::tuple<std::filesystem::path, std::string, std::string>> cases{
        {temp / "nowhere", "find", "there is no such file"},
        {temp.path(), "open", "libhacscale_trainer.so"},
        {modules / "no_entry", "entry", "hacscale_trainer_module"},
        {modules / "wrong_abi", "abi", "4711"},
        {modules / "failing_create", "create", "no abacus"}};
    for (const auto& [folder, stage, reason] : cases) {
        const LoadedTrainer loaded = load_from(folder);
        ASSERT_EQ(loaded.attempts.size(), 1U);
        EXPECT_EQ(loaded.attempts[0].stage, stage);
        EXPECT_THAT(loaded.attempts[0].reason, HasSubstr(reason));
        EXPECT_THAT(error_of<MissingError>([&] { loaded.required(); }),
                    AllOf(HasSubstr("libtorch-dev"), HasSubstr(reason)));
    }
}

}  // namespace
}  // namespace hacscale
