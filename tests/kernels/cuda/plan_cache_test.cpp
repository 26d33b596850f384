#include "kernels/cuda/cudnn/plan_cache.hpp"

#include <gmock/gmock.h>

#include <fstream>
#include <thread>

#include "tests/temp_folder.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;

class PlanCacheTest : public ::testing::Test {
protected:
    PlanCache open() {
        return PlanCache(folder_ / "plans", [this](const std::string& text) { warnings_.push_back(text); });
    }
    void overwrite_all(const std::string& text) const {
        for (const auto& entry : std::filesystem::directory_iterator(folder_ / "plans")) {
            std::ofstream(entry.path(), std::ios::binary) << text;
        }
    }
    std::size_t files() const {
        const std::filesystem::directory_iterator all(folder_ / "plans");
        return static_cast<std::size_t>(std::distance(begin(all), end(all)));
    }

    hacscale::testing::TempFolder folder_;
    std::vector<std::string> warnings_;
    const CachedChoice choice_{"cudnn eng10_k2=5", R"({"plan": "text \"quoted\""})"};
};

TEST_F(PlanCacheTest, AnotherProcessFindsWhatOneRemembered) {
    open().remember("layer_b1_f16", choice_);
    EXPECT_EQ(open().find("layer_b1_f16"), choice_);
    EXPECT_EQ(open().find("layer_b2_f16"), std::nullopt);
    EXPECT_TRUE(warnings_.empty());
}

TEST_F(PlanCacheTest, TheLastChoiceCounts) {
    open().remember("key", choice_);
    const CachedChoice other{"hacscale depthwise 3x3", ""};
    open().remember("key", other);
    EXPECT_EQ(open().find("key"), other);
    EXPECT_EQ(files(), 1U);
}

TEST_F(PlanCacheTest, DamagedEntriesAreToldOnceAndMadeAnew) {
    PlanCache writer = open();
    writer.remember("one", choice_);
    writer.remember("two", choice_);
    for (const char* damage : {"", "{", "{}", "[1]", R"({"schema": 1, "key": "three"})"}) {
        overwrite_all(damage);
        warnings_.clear();
        PlanCache cache = open();
        EXPECT_EQ(cache.find("one"), std::nullopt) << damage;
        EXPECT_EQ(cache.find("two"), std::nullopt) << damage;
        ASSERT_EQ(warnings_.size(), 1U) << damage;
        EXPECT_THAT(warnings_.front(), HasSubstr("is damaged"));
        cache.remember("one", choice_);
        EXPECT_EQ(open().find("one"), choice_) << damage;
    }
}

TEST_F(PlanCacheTest, ARejectedEntryIsGone) {
    PlanCache cache = open();
    cache.remember("key", choice_);
    cache.reject("key", "cuDNN does not take this plan");
    EXPECT_EQ(cache.find("key"), std::nullopt);
    EXPECT_EQ(open().find("key"), std::nullopt);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_THAT(warnings_.front(), HasSubstr("cuDNN does not take this plan"));
}

TEST_F(PlanCacheTest, WritersAtOnceLeaveWholeEntriesOnly) {
    const auto write = [this](int self) {
        PlanCache cache(folder_ / "plans", [](const std::string&) {});
        for (int i = 0; i < 50; ++i) {
            cache.remember("key" + std::to_string(i % 5),
                           {"writer " + std::to_string(self), std::string(20000, 'x')});
        }
    };
    std::thread first(write, 1);
    std::thread second(write, 2);
    first.join();
    second.join();
    PlanCache cache = open();
    for (int i = 0; i < 5; ++i) EXPECT_TRUE(cache.find("key" + std::to_string(i)).has_value()) << i;
    EXPECT_TRUE(warnings_.empty());
    EXPECT_EQ(files(), 5U);
}

TEST_F(PlanCacheTest, WithoutAFolderItLastsAsLongAsTheProcess) {
    PlanCache cache({}, [](const std::string&) { FAIL(); });
    cache.remember("key", choice_);
    EXPECT_EQ(cache.find("key"), choice_);
}

TEST_F(PlanCacheTest, AFolderThatCannotBeWrittenIsOnlyACacheLost) {
    std::ofstream(folder_ / "plans") << "a file where the folder should be";
    PlanCache cache = open();
    cache.remember("key", choice_);
    EXPECT_EQ(cache.find("key"), choice_);
    EXPECT_EQ(open().find("key"), std::nullopt);
}

// Another user could have a plan of theirs executed, or a file of this one's overwritten.
TEST_F(PlanCacheTest, AFolderThatOthersMayWriteToIsNotRead) {
    open().remember("key", choice_);
    std::filesystem::permissions(folder_ / "plans", std::filesystem::perms::others_write,
                                 std::filesystem::perm_options::add);
    PlanCache cache = open();
    EXPECT_EQ(cache.find("key"), std::nullopt);
    EXPECT_EQ(cache.find("another"), std::nullopt);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_THAT(warnings_.front(), HasSubstr("others may write to it"));
    cache.remember("another", choice_);
    EXPECT_EQ(cache.find("another"), choice_) << "for this process";
    EXPECT_EQ(files(), 1U);
}

TEST_F(PlanCacheTest, AFileThatOthersMayWriteToIsNotRead) {
    open().remember("key", choice_);
    for (const auto& entry : std::filesystem::directory_iterator(folder_ / "plans")) {
        std::filesystem::permissions(entry.path(), std::filesystem::perms::group_write,
                                     std::filesystem::perm_options::add);
    }
    EXPECT_EQ(open().find("key"), std::nullopt);
    ASSERT_EQ(warnings_.size(), 1U);
    EXPECT_THAT(warnings_.front(), HasSubstr("others may write to it"));
}

TEST(PlanKey, HasWhatDecidesTheChoice) {
    LayerContext context;
    context.layer = LayerSpec::from_key("conv_i64x56x56_o64_k3_s1_p1_g1_bias_relu");
    context.batch = 8;
    context.type = DataType::tf32;
    EXPECT_EQ(plan_key(context), "conv_i64x56x56_o64_k3_s1_p1_g1_bias_relu_b8_tf32_cold");
    context.l2 = L2State::hot;
    EXPECT_EQ(plan_key(context), "conv_i64x56x56_o64_k3_s1_p1_g1_bias_relu_b8_tf32_hot");
}

}  // namespace
}  // namespace hacscale::cuda
