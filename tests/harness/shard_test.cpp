#include "harness/suite/shard.hpp"

#include <gmock/gmock.h>

#include <map>

#include "fixture.hpp"
#include "harness/suite/run_manifest.hpp"
#include "harness/suite/state_run.hpp"

namespace hacscale::harness {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Suite suite_of(const std::string& more, const std::string& name = "s") {
    return parse_suite("name: " + name + "\nmodels: [resnet20-cifar, resnet18, mobilenetv2-1.0]\n" + more,
                       "s.yaml", ".");
}

std::string name_of_unit(const ProfileUnit& unit) {
    return unit.model.name + " " + name_of(unit.state) + (unit.swept ? " swept" : "");
}

TEST(Shard, IsReadStrictly) {
    EXPECT_EQ(parse_shard("2/8"), (Shard{2, 8}));
    EXPECT_EQ(parse_shard("1/1"), (Shard{1, 1}));
    for (const char* bad : {"", "2", "2/", "/2", "0/2", "3/2", "-1/2", "1/2/3", "1 / 2", "a/b", "1/100000",
                            "1/99999999999", "1.5/2", "2/8 "}) {
        EXPECT_THROW(parse_shard(bad), InputError) << bad;
    }
}

TEST(Shard, ThePartsOfASuiteAreAllOfItAndNoneTwice) {
    for (const char* more : {"", "batches: [1, 4]\ncaches: [network, warm]\n",
                             "verify: [resnet18, resnet34, vgg16-bn]\ndtypes: [f32, bf16]\n"}) {
        const Suite suite = suite_of(more);
        std::map<std::string, int> wanted;
        for (const ProfileUnit& unit : units_of(suite, std::nullopt)) {
            EXPECT_EQ(++wanted[name_of_unit(unit)], 1);
        }
        for (int count = 1; count <= 20; ++count) {
            std::map<std::string, int> found;
            for (int index = 1; index <= count; ++index) {
                const std::vector<ProfileUnit> part = units_of(suite, Shard{index, count});
                EXPECT_EQ(part.empty(), index > static_cast<int>(wanted.size()));
                for (const ProfileUnit& unit : part) {
                    ++found[name_of_unit(unit)];
                }
            }
            EXPECT_EQ(found, wanted) << count;
        }
    }
}

TEST(Shard, AreAboutEquallyLong) {
    const Suite suite = suite_of("batches: [1, 2, 4, 8]\n");
    double least = 1e9;
    double most = 0.0;
    for (int index = 1; index <= 4; ++index) {
        double seconds = 0.0;
        for (const ProfileUnit& unit : units_of(suite, Shard{index, 4})) {
            seconds += unit.seconds_at_most;
        }
        least = std::min(least, seconds);
        most = std::max(most, seconds);
    }
    EXPECT_DOUBLE_EQ(least, most);
}

TEST(Shard, TheHashIsOfWhatIsMeasured) {
    const std::string hash = suite_hash(suite_of(""));
    EXPECT_EQ(suite_hash(suite_of("minutes: 3\nseconds: 1\ntotal_minutes: 10\ntolerance: 0.1\n")), hash);
    EXPECT_EQ(suite_hash(suite_of("device: cpu\nbatches: [1]\n")), hash);
    for (const char* other :
         {"batch: 2\n", "dtype: f16\n", "cache: warm\n", "device: cuda:0\n", "budgets: [1.5]\n",
          "strategies: [hacscale]\n", "max_width_ratio: 3\n", "min_depth_ratio: 1\n", "resolution_steps: 1\n",
          "resolutions: [256]\n", "verify: [resnet34]\n", "grid: 16\n"}) {
        EXPECT_NE(suite_hash(suite_of(other)), hash) << other;
    }
    EXPECT_NE(suite_hash(suite_of("", "t")), hash);
}

using ShardFolder = FolderTest;

TEST_F(ShardFolder, AFolderBelongsToOneSuite) {
    const RunManifest mine{"s", "aaaa", {}, false};
    const std::filesystem::path folder = path("out");
    std::filesystem::create_directories(folder);
    check_manifest(folder, mine);  // free
    write("out/provenance.json", R"({"suite":"older"})");
    EXPECT_THROW(check_manifest(folder, mine), InputError);
    write("out/provenance.json", R"({"suite":"s"})");
    check_manifest(folder, mine);
    write_manifest(folder, mine);
    check_manifest(folder, mine);
    const auto unsupported_reason = [&](const RunManifest& other) -> std::string {
        try {
            check_manifest(folder, other);
        } catch (const InputError& error) {
            return error.what();
        }
        return "accepted";
    };
    EXPECT_THAT(unsupported_reason({"t", "bbbb", {}, false}),
                AllOf(HasSubstr("records of the suite s"), HasSubstr("--out")));
    EXPECT_THAT(unsupported_reason({"s", "bbbb", {}, false}), AllOf(HasSubstr("aaaa"), HasSubstr("bbbb")));
    EXPECT_THAT(unsupported_reason({"s", "aaaa", Shard{1, 2}, false}), HasSubstr("shard 1/2"));
}

}  // namespace
}  // namespace hacscale::harness
