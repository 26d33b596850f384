#include "kernels/cuda/cupti/activity_records.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <numeric>
#include <random>

#include "tests/kernels/cuda/cupti/record_buffer.hpp"

namespace hacscale::cupti {
namespace {

using tests::RecordBuffer;

// Only the library itself knows how long its records are.
class ActivityRecords : public ::testing::Test {
protected:
    void SetUp() override {
        if (!cupti().usable()) GTEST_SKIP() << cupti().reason;
    }
    static Attribution attribute(std::vector<RecordBuffer>& buffers, std::size_t ids) {
        std::vector<std::span<std::uint8_t>> spans;
        for (RecordBuffer& buffer : buffers) spans.push_back(buffer.span());
        return attribute_kernels(spans, ids, cupti().activity_get_next_record);
    }
};

TEST_F(ActivityRecords, GiveEachLayerItsKernelsInLaunchOrder) {
    std::vector<RecordBuffer> buffers(1);
    RecordBuffer& buffer = buffers[0];
    buffer.add_correlation(0, 101);
    buffer.add_call(101);
    buffer.add_kernel(101, "_Z4convPKfPf", 1000, 3500);
    buffer.add_correlation(1, 102);
    buffer.add_call(102);
    buffer.add_correlation(1, 103);
    buffer.add_call(103);
    buffer.add_kernel(102, "_Z4poolPKfPf", 4000, 5000);
    buffer.add_kernel(103, "_Z4gatePKfPf", 5000, 5250);
    const Attribution result = attribute(buffers, 2);
    ASSERT_EQ(result.kernels.size(), 2U);
    ASSERT_EQ(result.kernels[0].size(), 1U);
    ASSERT_EQ(result.kernels[1].size(), 2U);
    const KernelLaunch& conv = result.kernels[0][0];
    EXPECT_EQ(conv.name, "conv");
    EXPECT_EQ(conv.grid, (std::array<std::int64_t, 3>{56, 2, 3}));
    EXPECT_EQ(conv.block, (std::array<std::int64_t, 3>{128, 2, 1}));
    EXPECT_EQ(conv.registers_per_thread, 96);
    EXPECT_EQ(conv.static_shared_bytes, 1024);
    EXPECT_EQ(conv.dynamic_shared_bytes, 65536);
    EXPECT_EQ(conv.cluster, (std::array<std::int64_t, 3>{2, 1, 1}));
    EXPECT_EQ(conv.max_active_clusters, 60);
    EXPECT_DOUBLE_EQ(conv.duration_us, 2.5);
    EXPECT_EQ(result.kernels[1][0].name, "pool");
    EXPECT_EQ(result.kernels[1][1].name, "gate");
    EXPECT_EQ(result.unclaimed, 0);
    EXPECT_EQ(result.unreadable_buffers, 0);
}

TEST_F(ActivityRecords, TellWhenKernelsWereLaunched) {
    RecordBuffer first;
    RecordBuffer second;
    first.add_kernel(7, "second", 90'000, 95'500);
    first.add_kernel(9, "lost, as its call is", 99'000, 99'500);
    second.add_call(7, 20'000, 24'000);
    second.add_call(7, 21'000, 23'000, CUPTI_ACTIVITY_KIND_DRIVER);
    second.add_kernel(5, "first", 80'000, 81'000);
    second.add_call(5, 11'000, 13'000, CUPTI_ACTIVITY_KIND_DRIVER);
    second.add_call(5, 10'000, 14'000);
    const std::vector<std::span<std::uint8_t>> buffers{first.span(), second.span()};
    const std::vector<TimedLaunch> launches = timed_launches(buffers, cupti().activity_get_next_record);
    ASSERT_EQ(launches.size(), 2U);
    EXPECT_DOUBLE_EQ(launches[0].call_start_us, 10.0);
    EXPECT_DOUBLE_EQ(launches[0].call_end_us, 14.0);
    EXPECT_DOUBLE_EQ(launches[0].kernel_us, 1.0);
    EXPECT_DOUBLE_EQ(launches[1].call_start_us, 20.0);
    EXPECT_DOUBLE_EQ(launches[1].kernel_us, 5.5);
}

// Whatever the order of the records, also over several buffers, the attribution is the same.
TEST_F(ActivityRecords, ComeInAnyOrder) {
    std::mt19937 random(7);
    for (int round = 0; round < 50; ++round) {
        constexpr std::size_t layers = 20;
        std::vector<std::function<void(RecordBuffer&)>> records;
        std::vector<int> expected(layers);
        std::uint32_t correlation = 10;
        for (std::size_t layer = 0; layer < layers; ++layer) {
            expected[layer] = std::uniform_int_distribution<int>(0, 3)(random);
            for (int kernel = 0; kernel < expected[layer]; ++kernel) {
                const std::uint32_t id = ++correlation;
                records.push_back([=](RecordBuffer& buffer) { buffer.add_correlation(layer, id); });
                records.push_back([=](RecordBuffer& buffer) { buffer.add_call(id); });
                records.push_back([=](RecordBuffer& buffer) { buffer.add_memset(id); });
                records.push_back(
                    [=](RecordBuffer& buffer) { buffer.add_kernel(id, "kernel", id, id + 1000 * id); });
            }
        }
        std::shuffle(records.begin(), records.end(), random);
        std::vector<RecordBuffer> buffers(3);
        for (std::size_t i = 0; i < records.size(); ++i) records[i](buffers[i % 3]);
        const Attribution result = attribute(buffers, layers);
        EXPECT_EQ(result.unclaimed, 0);
        for (std::size_t layer = 0; layer < layers; ++layer) {
            ASSERT_EQ(result.kernels[layer].size(), static_cast<std::size_t>(expected[layer]));
            // Their durations grow with their correlation ids, so launch order is the order of durations.
            EXPECT_TRUE(std::is_sorted(result.kernels[layer].begin(), result.kernels[layer].end(),
                                       [](const KernelLaunch& left, const KernelLaunch& right) {
                                           return left.duration_us < right.duration_us;
                                       }));
        }
    }
}

TEST_F(ActivityRecords, CountKernelsThatNobodyClaims) {
    std::vector<RecordBuffer> buffers(1);
    buffers[0].add_kernel(5, "stranger", 1, 2);
    buffers[0].add_correlation(9, 6);  // an id beyond the layers
    buffers[0].add_kernel(6, "beyond", 1, 2);
    buffers[0].add_correlation(0, 7, CUPTI_EXTERNAL_CORRELATION_KIND_UNKNOWN);  // another library's
    buffers[0].add_kernel(7, "other", 1, 2);
    const Attribution result = attribute(buffers, 2);
    EXPECT_EQ(result.unclaimed, 3);
    EXPECT_TRUE(result.kernels[0].empty());
    EXPECT_TRUE(result.kernels[1].empty());
}

// A buffer that ends inside a record: the whole ones before it count.
TEST_F(ActivityRecords, CutOffAreLeftOut) {
    std::vector<RecordBuffer> buffers(1);
    buffers[0].add_correlation(0, 1);
    buffers[0].add_kernel(1, "whole", 1000, 2000);
    const std::size_t whole = buffers[0].size();
    buffers[0].add_correlation(0, 2);
    buffers[0].add_kernel(2, "cut", 1000, 2000);
    const std::size_t full = buffers[0].size();
    for (std::size_t size = whole; size < full; size += 4) {
        const std::vector<std::span<std::uint8_t>> spans{buffers[0].span().first(size)};
        const Attribution result = attribute_kernels(spans, 1, cupti().activity_get_next_record);
        ASSERT_EQ(result.kernels[0].size(), 1U) << size;
        EXPECT_EQ(result.kernels[0][0].name, "whole");
    }
}

TEST_F(ActivityRecords, OfAnUnknownKindEndTheirBufferAndAreCounted) {
    std::vector<RecordBuffer> buffers(2);
    buffers[0].add_correlation(0, 1);
    buffers[0].add_kernel(1, "before", 1000, 2000);
    buffers[0].add_unknown();
    buffers[0].add_kernel(1, "behind", 1000, 2000);
    buffers[1].add_correlation(0, 2);
    buffers[1].add_kernel(2, "next", 1000, 2000);
    const Attribution result = attribute(buffers, 1);
    EXPECT_EQ(result.unreadable_buffers, 1);
    ASSERT_EQ(result.kernels[0].size(), 2U);
    EXPECT_EQ(result.kernels[0][0].name, "before");
    EXPECT_EQ(result.kernels[0][1].name, "next");
}

TEST_F(ActivityRecords, WithoutTimesHaveNoDuration) {
    std::vector<RecordBuffer> buffers(1);
    buffers[0].add_correlation(0, 1);
    buffers[0].add_kernel(1, "untimed", 0, 0);
    const Attribution result = attribute(buffers, 1);
    ASSERT_EQ(result.kernels[0].size(), 1U);
    EXPECT_EQ(result.kernels[0][0].duration_us, 0.0);
}

TEST(MedianLaunches, TakeTheMedianOfRunsThatAgree) {
    const auto run = [](double first_us, double second_us) {
        KernelLaunch first;
        first.name = "first";
        first.duration_us = first_us;
        KernelLaunch second;
        second.name = "second";
        second.duration_us = second_us;
        return std::vector<KernelLaunch>{first, second};
    };
    const std::vector<std::vector<KernelLaunch>> runs{run(3, 30), {}, run(1, 10), run(2, 20)};
    const std::vector<KernelLaunch> median = median_launches(runs);
    ASSERT_EQ(median.size(), 2U);
    EXPECT_DOUBLE_EQ(median[0].duration_us, 2.0);
    EXPECT_DOUBLE_EQ(median[1].duration_us, 20.0);
    EXPECT_TRUE(median_launches({}).empty());
}

TEST(ReadableName, IsDemangledWithoutTypeAndParameters) {
    EXPECT_EQ(readable_name("_ZN7cutlass6KernelI4GemmEEvNT_6ParamsE"), "cutlass::Kernel<Gemm>");
    EXPECT_EQ(readable_name("_Z4convPKfPf"), "conv");
    EXPECT_EQ(readable_name("sm90_xmma_fprop_implicit_gemm"), "sm90_xmma_fprop_implicit_gemm");
    EXPECT_EQ(readable_name("_ZN12_GLOBAL__N_14poolEv"), "(anonymous namespace)::pool");
    EXPECT_EQ(readable_name(nullptr), "(no name)");
}

}  // namespace
}  // namespace hacscale::cupti
