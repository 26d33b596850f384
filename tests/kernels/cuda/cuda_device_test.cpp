#include "kernels/cuda/cuda_device.hpp"

#include <cuda_runtime_api.h>
#include <gmock/gmock.h>
#include <stdlib.h>

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;

constexpr std::int64_t mebibyte = std::int64_t{1} << 20;

DeviceUsage used_by(std::vector<unsigned> pids, std::int64_t bytes = 0) {
    return {bytes, std::move(pids), ""};
}

TEST(DeviceUsage, OfAnIdleGpuIsNoWarning) {
    EXPECT_EQ(usage_warning(used_by({}), cudaComputeModeDefault), "");
    EXPECT_EQ(usage_warning(used_by({}, 200 * mebibyte), cudaComputeModeDefault), "");
    EXPECT_EQ(usage_warning(used_by({}), cudaComputeModeExclusiveProcess), "");
    EXPECT_EQ(usage_warning({}, cudaComputeModeDefault), "") << "a slice is not asked for its use";
}

TEST(DeviceUsage, ByOthersIsTold) {
    EXPECT_THAT(usage_warning(used_by({17}), cudaComputeModeDefault),
                HasSubstr("another process is on this GPU (pid 17): what they do is in the timings"));
    EXPECT_THAT(usage_warning(used_by({17, 18}), cudaComputeModeDefault), HasSubstr("(pids 17, 18)"));
    EXPECT_THAT(usage_warning(used_by({17}), cudaComputeModeExclusiveProcess),
                HasSubstr("it cannot be used now"));
    // Processes of another container are not shown.
    EXPECT_THAT(usage_warning(used_by({}, 3 * 1024 * mebibyte), cudaComputeModeDefault),
                HasSubstr("3.0 GiB of this GPU's memory are taken"));
    EXPECT_THAT(usage_warning(used_by({}), cudaComputeModeProhibited), HasSubstr("'nvidia-smi -c 0'"));
}

TEST(DeviceUsage, ThatIsNotKnownSaysWhy) {
    EXPECT_EQ(usage_warning({std::nullopt, std::nullopt, "no NVML"}, cudaComputeModeDefault),
              "whether other programs use this GPU is not known: no NVML");
}

TEST(DeviceUsage, IsAskedOfNvml) {
    ::setenv("HACSCALE_CUDA_LIBS", HACSCALE_TEST_FAKE_NVML, 1);
    const DeviceUsage idle = device_usage("00000000:3b:00.0");
    const DeviceUsage busy = device_usage("00000000:3c:00.0");
    const DeviceUsage unknown = device_usage("00000000:3d:00.0");
    ::unsetenv("HACSCALE_CUDA_LIBS");
    EXPECT_EQ(idle.reason, "");
    EXPECT_EQ(idle.used_bytes, 4096);
    ASSERT_TRUE(idle.pids);
    EXPECT_THAT(*idle.pids, ::testing::IsEmpty()) << "this process itself";
    EXPECT_EQ(busy.used_bytes, std::int64_t{1} << 34);
    ASSERT_TRUE(busy.pids);
    EXPECT_EQ(busy.pids->size(), 100U);
    EXPECT_EQ(busy.pids->back(), 1000099U);
    EXPECT_FALSE(unknown.pids);
    EXPECT_THAT(unknown.reason, HasSubstr("finding the GPU at 00000000:3d:00.0 in NVML failed: Not Found"));
}

TEST(CudaDevice, KnowsASliceByItsName) {
    EXPECT_EQ(mig_profile("NVIDIA A100-SXM4-40GB MIG 1g.5gb"), "1g.5gb");
    EXPECT_EQ(mig_profile("NVIDIA H100 80GB HBM3 MIG 1g.10gb+me"), "1g.10gb+me");
    EXPECT_EQ(mig_profile("NVIDIA H200"), "");
}

TEST(CudaDevice, ReadsTheDriversRelease) {
    EXPECT_EQ(driver_release("NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.65.06  Wed Jul 23\n"
                             "GCC version:  gcc version 12.2.0"),
              "580.65.06");
    EXPECT_EQ(driver_release("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  575.51.03  Release"),
              "575.51.03");
    EXPECT_EQ(driver_release(""), "");
}

using ::testing::AllOf;

TEST(TypeSupport, TuringHasNeitherBf16NorTf32) {
    EXPECT_THAT(unsupported_type(75, DataType::bf16),
                AllOf(HasSubstr("bf16"), HasSubstr("8.0"), HasSubstr("7.5")));
    EXPECT_THAT(unsupported_type(75, DataType::tf32), AllOf(HasSubstr("tf32"), HasSubstr("8.0")));
    EXPECT_EQ(unsupported_type(75, DataType::f16), "");
    EXPECT_EQ(unsupported_type(75, DataType::f32), "");
}

TEST(TypeSupport, NewerOnesHaveAll) {
    for (const int capability : {80, 86, 89, 90, 100, 120}) {
        for (const DataType type : data_types) EXPECT_EQ(unsupported_type(capability, type), "");
    }
}

TEST(TypeSupport, OlderOnesHaveNone) {
    for (const DataType type : data_types) EXPECT_THAT(unsupported_type(70, type), HasSubstr("7.0"));
}

}  // namespace
}  // namespace hacscale::cuda
