// Checkpoints of others: what is read of them, and that nothing of them runs.
#include "training/torch/checkpoint.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <torch/script.h>

#include <fstream>

#include "base/error.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::training {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal_of(const std::filesystem::path& file) {
    try {
        load_checkpoint(file);
    } catch (const InputError& refused) {
        return refused.what();
    }
    return "";
}

TEST(CheckpointFile, IsReadAsItWasSaved) {
    const hacscale::testing::TempFolder folder;
    Checkpoint written;
    written.identity = {"model", "recipe", "7", "data", ""};
    written.progress.epochs_done = 3;
    written.network = {torch::arange(6).reshape({2, 3}).to(torch::kFloat)};
    save(written, folder / "checkpoint.pt");
    const Checkpoint read = load_checkpoint(folder / "checkpoint.pt");
    EXPECT_EQ(read.identity, written.identity);
    EXPECT_EQ(read.progress.epochs_done, 3);
    ASSERT_EQ(read.network.size(), 1U);
    EXPECT_TRUE(torch::equal(read.network.front(), written.network.front()));
}

TEST(CheckpointFile, WithCodeIsNotLoaded) {
    const hacscale::testing::TempFolder folder;
    torch::jit::Module module("Hostile");
    module.define("def forward(self, x):\n    return x + 1\n");
    module.save((folder / "hostile.pt").string());
    EXPECT_THAT(refusal_of(folder / "hostile.pt"), HasSubstr("holds code (code/"));
}

TEST(CheckpointFile, OfAnotherKindIsToldWithoutTheLibrarysWords) {
    const hacscale::testing::TempFolder folder;
    std::ofstream(folder / "text.pt") << "no archive";
    EXPECT_THAT(refusal_of(folder / "text.pt"),
                AllOf(HasSubstr("is no checkpoint of this program"), Not(HasSubstr("PytorchStream")),
                      Not(HasSubstr("miniz"))));
    EXPECT_THAT(refusal_of(folder / "none.pt"), HasSubstr("there is no checkpoint"));
}

}  // namespace
}  // namespace hacscale::training
