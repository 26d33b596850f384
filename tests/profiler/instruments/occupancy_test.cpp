#include "profiler/instruments/occupancy/occupancy.hpp"

#include <gtest/gtest.h>

#include <array>
#include <random>

namespace hacscale {
namespace {

// Warps, blocks, registers and shared memory a multiprocessor, from the CUDA programming guide, "Technical
// specifications per compute capability". 65536 registers everywhere: 16384 in each of four partitions.
struct Architecture {
    int capability;
    int warps;
    int blocks;
    int shared_kib;           // a multiprocessor
    int shared_optin_kib;     // a block
    int reserved_shared_kib;  // a block; since compute capability 8.0
    int multiprocessors;      // of the GPU named in the guide's or the vendor's data sheet
};
constexpr Architecture t4{75, 32, 16, 64, 64, 0, 40};
constexpr Architecture a100{80, 64, 32, 164, 163, 1, 108};
constexpr Architecture a10{86, 48, 16, 100, 99, 1, 72};
constexpr Architecture rtx4090{89, 48, 24, 100, 99, 1, 128};
constexpr Architecture h200{90, 64, 32, 228, 227, 1, 132};
constexpr Architecture rtx5090{120, 48, 24, 100, 99, 1, 170};
constexpr std::array all{t4, a100, a10, rtx4090, h200, rtx5090};

OccupancyLimits limits_of(const Architecture& architecture) {
    OccupancyLimits limits;
    limits.compute_major = architecture.capability / 10;
    limits.compute_minor = architecture.capability % 10;
    limits.multiprocessors = architecture.multiprocessors;
    limits.threads_per_block = 1024;
    limits.threads_per_multiprocessor = architecture.warps * 32;
    limits.registers_per_block = 65536;
    limits.registers_per_multiprocessor = 65536;
    limits.shared_per_block = 48 << 10;
    limits.shared_per_block_optin = static_cast<std::size_t>(architecture.shared_optin_kib) << 10;
    limits.shared_per_multiprocessor = static_cast<std::size_t>(architecture.shared_kib) << 10;
    limits.reserved_shared_per_block = static_cast<std::size_t>(architecture.reserved_shared_kib) << 10;
    return limits;
}

KernelLaunch kernel_of(int threads, int registers, int shared_kib, std::int64_t blocks = 1 << 20) {
    KernelLaunch kernel;
    kernel.name = "kernel";
    kernel.grid = {blocks, 1, 1};
    kernel.block = {threads, 1, 1};
    kernel.registers_per_thread = registers;
    kernel.dynamic_shared_bytes = std::int64_t{shared_kib} << 10;
    kernel.duration_us = 1.0;
    return kernel;
}

struct Known {
    Architecture architecture;
    int threads;
    int registers;
    int shared_kib;
    int blocks;  // a multiprocessor; 0: does not fit
};

TEST(Occupancy, IsWhatThePublishedLimitsGive) {
    const Known table[] = {
        // 8 warps, 32 registers: 1024 a warp, so 16 warps a partition, 64 in all, 8 blocks. The warps' slots
        // decide: 32/8, 64/8, 48/8.
        {t4, 256, 32, 0, 4},
        {a100, 256, 32, 0, 8},
        {a10, 256, 32, 0, 6},
        {rtx4090, 256, 32, 0, 6},
        {h200, 256, 32, 0, 8},
        {rtx5090, 256, 32, 0, 6},
        // 4 warps, 40 registers: 1280 a warp, 12 warps a partition, 48 in all, 12 blocks by registers; slots
        // for
        // 8, 16, 12, 12, 16, 12.
        {t4, 128, 40, 0, 8},
        {a100, 128, 40, 0, 12},
        {a10, 128, 40, 0, 12},
        {rtx4090, 128, 40, 0, 12},
        {h200, 128, 40, 0, 12},
        {rtx5090, 128, 40, 0, 12},
        // 4 warps, 42 registers: 1344 a warp, rounded up to 1536, 10 warps a partition, 40 in all: 10 blocks.
        {t4, 128, 42, 0, 8},
        {a100, 128, 42, 0, 10},
        {h200, 128, 42, 0, 10},
        // One warp a block: the slots for blocks decide, 16, 32, 16, 24, 32, 24.
        {t4, 32, 16, 0, 16},
        {a100, 32, 16, 0, 32},
        {a10, 32, 16, 0, 16},
        {rtx4090, 32, 16, 0, 24},
        {h200, 32, 16, 0, 32},
        {rtx5090, 32, 16, 0, 24},
        // 48 KiB (49 with the reserved one): 64/48, 164/49, 100/49, 100/49, 228/49, 100/49 blocks by shared
        // memory; 4 warps of 64 registers: 2048 a warp, 8 a partition, 32 in all, 8 blocks.
        {t4, 128, 64, 48, 1},
        {a100, 128, 64, 48, 3},
        {a10, 128, 64, 48, 2},
        {rtx4090, 128, 64, 48, 2},
        {h200, 128, 64, 48, 4},
        {rtx5090, 128, 64, 48, 2},
        // A large tile, 64 KiB of opt-in memory (65 with the reserved one): 64/64, 164/65, 100/65, 228/65.
        {t4, 256, 64, 64, 1},
        {a100, 256, 64, 64, 2},
        {rtx4090, 256, 64, 64, 1},
        {h200, 256, 64, 64, 3},
        // 12 warps, 168 registers: 5376 a warp, 3 a partition, 12 in all: one block; 200 KiB fit one only.
        {h200, 384, 168, 200, 1},
        {a100, 384, 168, 200, 0},
        {rtx5090, 384, 168, 200, 0},
        // 1024 threads of 65 registers: 2080 a warp, rounded to 2304, 32 warps of them are 73728 registers.
        {h200, 1024, 65, 0, 0},
    };
    for (const Known& known : table) {
        const OccupancyResult result = occupancy_of(
            kernel_of(known.threads, known.registers, known.shared_kib), limits_of(known.architecture));
        SCOPED_TRACE(::testing::Message()
                     << "sm_" << known.architecture.capability << ", " << known.threads << " threads, "
                     << known.registers << " registers, " << known.shared_kib << " KiB");
        if (known.blocks == 0) {
            EXPECT_FALSE(result.occupancy);
            EXPECT_NE(result.reason.find("does not fit"), std::string::npos) << result.reason;
            continue;
        }
        ASSERT_TRUE(result.occupancy) << result.reason;
        EXPECT_EQ(result.occupancy->blocks_per_multiprocessor, known.blocks);
        const double warps = known.blocks * known.threads / 32.0;
        EXPECT_DOUBLE_EQ(result.occupancy->theoretical, warps / known.architecture.warps);
        EXPECT_DOUBLE_EQ(result.occupancy->grid_limited, result.occupancy->theoretical);
    }
}

TEST(Occupancy, OfASmallGridIsWhatItsBlocksFill) {
    // 66 blocks of 8 warps on 132 multiprocessors of 64 warps: half of them hold one block.
    const OccupancyResult result = occupancy_of(kernel_of(256, 32, 0, 66), limits_of(h200));
    ASSERT_TRUE(result.occupancy) << result.reason;
    EXPECT_DOUBLE_EQ(result.occupancy->theoretical, 1.0);
    EXPECT_DOUBLE_EQ(result.occupancy->grid_limited, 66.0 * 8.0 / (132.0 * 64.0));
}

// One block of 8 warps and 200 KiB a multiprocessor, in clusters of 2 x 4: groups of 16 or 18 multiprocessors hold two
// clusters each, so 16 clusters on 132 multiprocessors, and 4 stay empty.
TEST(Occupancy, OfClustersIsWhatTheDeviceHoldsOfThem) {
    KernelLaunch kernel = kernel_of(256, 128, 200, 4096);
    const double device_warps = 132.0 * 64.0;
    EXPECT_DOUBLE_EQ(occupancy_of(kernel, limits_of(h200)).occupancy->theoretical,
                     132.0 * 8.0 / device_warps);
    kernel.cluster = {2, 4, 1};
    kernel.max_active_clusters = 16;
    const Occupancy full = occupancy_of(kernel, limits_of(h200)).occupancy.value();
    EXPECT_DOUBLE_EQ(full.theoretical, 128.0 * 8.0 / device_warps);
    EXPECT_DOUBLE_EQ(full.grid_limited, full.theoretical);
    EXPECT_EQ(full.blocks_per_multiprocessor, 1);
    kernel.grid = {64, 1, 1};
    const Occupancy small = occupancy_of(kernel, limits_of(h200)).occupancy.value();
    EXPECT_DOUBLE_EQ(small.theoretical, full.theoretical);
    EXPECT_DOUBLE_EQ(small.grid_limited, 64.0 * 8.0 / device_warps);
    // Not known, or no clusters: as without.
    kernel.max_active_clusters = 0;
    EXPECT_DOUBLE_EQ(occupancy_of(kernel, limits_of(h200)).occupancy->theoretical,
                     132.0 * 8.0 / device_warps);
    kernel.cluster = {1, 1, 1};
    kernel.max_active_clusters = 16;
    EXPECT_DOUBLE_EQ(occupancy_of(kernel, limits_of(h200)).occupancy->theoretical,
                     132.0 * 8.0 / device_warps);
}

TEST(Occupancy, FallsWithRegistersAndSharedMemoryAndRisesWithTheGrid) {
    std::mt19937 random(4);
    const auto pick = [&random](int low, int high) {
        return std::uniform_int_distribution<int>(low, high)(random);
    };
    // What does not fit counts as nothing.
    const auto theoretical = [](const KernelLaunch& kernel, const OccupancyLimits& limits) {
        const OccupancyResult result = occupancy_of(kernel, limits);
        return result.occupancy ? result.occupancy->theoretical : 0.0;
    };
    for (int round = 0; round < 2000; ++round) {
        const OccupancyLimits limits = limits_of(all[static_cast<std::size_t>(pick(0, 5))]);
        KernelLaunch kernel = kernel_of(pick(1, 1024), pick(1, 255), pick(0, 227), pick(1, 4000));
        const OccupancyResult result = occupancy_of(kernel, limits);
        KernelLaunch more_registers = kernel;
        more_registers.registers_per_thread = pick(kernel.registers_per_thread, 255);
        KernelLaunch more_shared = kernel;
        more_shared.dynamic_shared_bytes += pick(0, 65536);
        EXPECT_LE(theoretical(more_registers, limits), theoretical(kernel, limits));
        EXPECT_LE(theoretical(more_shared, limits), theoretical(kernel, limits));
        if (!result.occupancy) continue;
        EXPECT_GT(result.occupancy->grid_limited, 0.0);
        EXPECT_LE(result.occupancy->grid_limited, result.occupancy->theoretical);
        EXPECT_LE(result.occupancy->theoretical, 1.0);
        KernelLaunch in_clusters = kernel;
        in_clusters.cluster = {pick(1, 8), pick(1, 2), 1};
        in_clusters.max_active_clusters = pick(1, 66);
        EXPECT_LE(theoretical(in_clusters, limits), result.occupancy->theoretical);
        kernel.grid[1] = pick(1, 5);
        const OccupancyResult larger_grid = occupancy_of(kernel, limits);
        ASSERT_TRUE(larger_grid.occupancy);
        EXPECT_GE(larger_grid.occupancy->grid_limited, result.occupancy->grid_limited);
    }
}

TEST(Occupancy, OfAnUnknownArchitectureIsNotGuessed) {
    OccupancyLimits limits = limits_of(h200);
    limits.compute_major = 31;
    const OccupancyResult result = occupancy_of(kernel_of(256, 32, 0), limits);
    EXPECT_FALSE(result.occupancy);
    EXPECT_NE(result.reason.find("31.0"), std::string::npos) << result.reason;
    EXPECT_NE(result.reason.find("newer"), std::string::npos) << result.reason;
}

TEST(Occupancy, OfALayerIsWeightedByItsKernelsTimes) {
    LayerReadings readings;
    readings.kernels = {kernel_of(256, 32, 0), kernel_of(128, 64, 48)};  // 8 blocks: 1.0; 4 blocks: 0.25
    readings.kernels[0].duration_us = 1.0;
    readings.kernels[1].duration_us = 3.0;
    fill_occupancies(readings, limits_of(h200));
    ASSERT_TRUE(readings.occupancy_theoretical);
    EXPECT_DOUBLE_EQ(*readings.occupancy_theoretical, (1.0 * 1.0 + 3.0 * 0.25) / 4.0);
    EXPECT_DOUBLE_EQ(*readings.occupancy_grid_limited, (1.0 * 1.0 + 3.0 * 0.25) / 4.0);
    EXPECT_TRUE(readings.reasons.empty());
}

TEST(Occupancy, OfALayerSaysWhyItIsMissing) {
    LayerReadings none;
    fill_occupancies(none, limits_of(h200));
    EXPECT_FALSE(none.occupancy_theoretical);
    EXPECT_EQ(none.reasons.count("occupancy_theoretical"), 1U);
    EXPECT_EQ(none.reasons.count("occupancy_grid_limited"), 1U);

    LayerReadings large;
    large.kernels = {kernel_of(256, 32, 0), kernel_of(384, 168, 200)};
    fill_occupancies(large, limits_of(a100));
    EXPECT_FALSE(large.occupancy_grid_limited);
    EXPECT_NE(large.reasons["occupancy_theoretical"].find("does not fit"), std::string::npos);
}

}  // namespace
}  // namespace hacscale
