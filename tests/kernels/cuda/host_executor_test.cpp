// That the executor, by which kernels are tested on the CPU, sees what is wrong with a kernel of clusters.
#include "tests/kernels/cuda/host_executor.hpp"

#include <gtest/gtest.h>

#include <cmath>

namespace hacscale::cuda {
namespace {

// Each block writes its number; then each block adds up what all of its cluster wrote.
template <bool Waits>
struct SumOfNumbers {
    static constexpr int max_threads = 32;
    static constexpr int min_blocks = 1;
    static constexpr int phases = 2;
    static constexpr bool clustered = true;
    static constexpr int last_shared_phase = 1;
    using Shared = BlockMemory;

    float* sums;
    int count;

    static int cluster_blocks() { return 4; }
    std::int64_t blocks() const { return count; }
    static int threads() { return 32; }
    static std::size_t shared_bytes() { return sizeof(float); }
    static bool cluster_waits(int phase) { return Waits && phase == 0; }

    template <int Phase>
    void run(const BlockMemory& shared, int block, int thread) const {
        if (thread != 0) return;
        if constexpr (Phase == 0) {
            *shared.at<float>(0) = static_cast<float>(block);
        } else {
            sums[block] = 0.0F;
            for (int i = 0; i < cluster_blocks(); ++i) sums[block] += *shared.of_block<float>(i, 0);
        }
    }
};

TEST(HostExecutor, LetsTheBlocksOfAClusterReadEachOther) {
    std::vector<float> sums(8);
    testing::run_on_host(SumOfNumbers<true>{sums.data(), 8});
    for (int block = 0; block < 8; ++block) EXPECT_EQ(sums[block], block < 4 ? 6.0F : 22.0F) << block;
}

TEST(HostExecutor, ShowsThatAClusterDoesNotWait) {
    std::vector<float> sums(8);
    testing::run_on_host(SumOfNumbers<false>{sums.data(), 8});
    EXPECT_TRUE(std::isnan(sums[0]));  // the first cluster goes from its first block to its last
    EXPECT_EQ(sums[3], 6.0F);
    EXPECT_TRUE(std::isnan(sums[7]));  // the second the other way round
    EXPECT_EQ(sums[4], 22.0F);
}

}  // namespace
}  // namespace hacscale::cuda
