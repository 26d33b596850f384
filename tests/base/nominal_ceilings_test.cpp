// Published figures of GPUs, from the properties that records have of them.
#include "base/nominal_ceilings.hpp"

#include <gtest/gtest.h>

#include <map>

namespace hacscale {
namespace {

using Properties = std::map<std::string, std::string, std::less<>>;

NominalCeilings ceilings_of(const Properties& properties, std::string_view dtype) {
    return nominal_ceilings(
        [&](std::string_view name) {
            const auto found = properties.find(name);
            return found == properties.end() ? std::string() : found->second;
        },
        dtype);
}

Properties gpu(const char* name, const char* capability, int multiprocessors, int clock_mhz, int memory_mhz,
               int bus_bits) {
    return {{"gpu", name},
            {"compute_capability", capability},
            {"multiprocessors", std::to_string(multiprocessors)},
            {"clock_mhz", std::to_string(clock_mhz)},
            {"memory_clock_mhz", std::to_string(memory_mhz)},
            {"memory_bus_bits", std::to_string(bus_bits)}};
}

// The figures of NVIDIA's data sheets, in TFLOP/s and TB/s.
TEST(NominalCeilings, AreThoseOfTheDataSheets) {
    const Properties a100 = gpu("NVIDIA A100-SXM4-80GB", "8.0", 108, 1410, 1593, 5120);
    EXPECT_NEAR(*ceilings_of(a100, "f32").flops_per_s, 19.5e12, 0.1e12);
    EXPECT_NEAR(*ceilings_of(a100, "tf32").flops_per_s, 156e12, 1e12);
    EXPECT_NEAR(*ceilings_of(a100, "bf16").flops_per_s, 312e12, 1e12);
    EXPECT_NEAR(*ceilings_of(a100, "f16").bytes_per_s, 2.039e12, 0.002e12);
    const Properties t4 = gpu("Tesla T4", "7.5", 40, 1590, 5001, 256);
    EXPECT_NEAR(*ceilings_of(t4, "f16").flops_per_s, 65e12, 0.5e12);
    EXPECT_NEAR(*ceilings_of(t4, "f16").bytes_per_s, 0.320e12, 0.001e12);
    const Properties h200 = gpu("NVIDIA H200", "9.0", 132, 1830, 3201, 6016);
    EXPECT_NEAR(*ceilings_of(h200, "f16").flops_per_s, 989e12, 1e12);
    EXPECT_NEAR(*ceilings_of(h200, "f16").bytes_per_s, 4.8e12, 0.02e12);
}

TEST(NominalCeilings, GeForceCardsSumInSinglePrecisionAtHalfTheRate) {
    const Properties rtx4090 = gpu("NVIDIA GeForce RTX 4090", "8.9", 128, 2520, 10501, 384);
    EXPECT_NEAR(*ceilings_of(rtx4090, "f16").flops_per_s, 165.2e12, 0.2e12);
    EXPECT_NEAR(*ceilings_of(rtx4090, "tf32").flops_per_s, 82.6e12, 0.2e12);
    EXPECT_NEAR(*ceilings_of(rtx4090, "f32").flops_per_s, 82.6e12, 0.2e12);
    EXPECT_NEAR(*ceilings_of(rtx4090, "f32").bytes_per_s, 1.008e12, 0.001e12);
    const Properties l40s = gpu("NVIDIA L40S", "8.9", 142, 2520, 9001, 384);
    EXPECT_NEAR(*ceilings_of(l40s, "f16").flops_per_s, 366e12, 5e12);
}

TEST(NominalCeilings, WhatIsNotKnownIsAbsent) {
    EXPECT_FALSE(ceilings_of({{"cores", "2"}}, "f32").flops_per_s);
    EXPECT_FALSE(ceilings_of({{"cores", "2"}}, "f32").bytes_per_s);
    const Properties t4 = gpu("Tesla T4", "7.5", 40, 1590, 5001, 256);
    EXPECT_FALSE(ceilings_of(t4, "bf16").flops_per_s) << "Turing has no bf16";
    EXPECT_FALSE(ceilings_of(t4, "tf32").flops_per_s);
    Properties later = gpu("NVIDIA Later", "99.0", 40, 1590, 5001, 256);
    EXPECT_FALSE(ceilings_of(later, "f16").flops_per_s);
    EXPECT_TRUE(ceilings_of(later, "f16").bytes_per_s) << "needs no table";
    later["memory_bus_bits"] = "0";
    EXPECT_FALSE(ceilings_of(later, "f16").bytes_per_s);
}

}  // namespace
}  // namespace hacscale
