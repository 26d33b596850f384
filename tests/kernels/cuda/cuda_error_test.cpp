#include "kernels/cuda/cuda_error.hpp"

#include <gmock/gmock.h>

#include "base/error.hpp"
#include "kernels/cuda/cuda_device.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

cudaError_t succeed(int) {
    return cudaSuccess;
}
cudaError_t refuse(int) {
    return cudaErrorInvalidValue;
}

TEST(CudaError, SuccessIsNoError) {
    EXPECT_NO_THROW(check(cudaSuccess, "anything"));
}

TEST(CudaError, SomeErrorsLoseTheDevice) {
    for (const cudaError_t error :
         {cudaErrorIllegalAddress, cudaErrorAssert, cudaErrorLaunchFailure, cudaErrorIllegalInstruction,
          cudaErrorMisalignedAddress, cudaErrorLaunchTimeout, cudaErrorECCUncorrectable}) {
        EXPECT_TRUE(is_sticky(error)) << cudaGetErrorName(error);
        EXPECT_THROW(check(error, "running the network"), DeviceLost);
    }
}

TEST(CudaError, NoDeviceIsALossWhereOneWasInUse) {
    const std::vector<cudaError_t> errors{cudaErrorUnknown, cudaErrorDevicesUnavailable,
                                          cudaErrorSystemNotReady, cudaErrorNoDevice};
    for (const cudaError_t error : errors) {
        EXPECT_FALSE(is_sticky(error)) << cudaGetErrorName(error);
        EXPECT_TRUE(is_loss_of_a_device_in_use(error)) << cudaGetErrorName(error);
        if (device_in_use(0)) continue;
        try {
            check(error, "selecting the device");
            FAIL();
        } catch (const DeviceLost&) {
            FAIL() << "there was no device to lose";
        } catch (const WorkError&) {
        }
    }
    EXPECT_FALSE(is_loss_of_a_device_in_use(cudaErrorInvalidValue));
    note_device_in_use(0);
    for (const cudaError_t error : errors) EXPECT_THROW(check(error, "running the network"), DeviceLost);
    EXPECT_FALSE(device_in_use(1));
}

TEST(CudaError, OthersDoNot) {
    for (const cudaError_t error :
         {cudaSuccess, cudaErrorInvalidValue, cudaErrorMemoryAllocation, cudaErrorInvalidConfiguration,
          cudaErrorLaunchOutOfResources, cudaErrorNoKernelImageForDevice, cudaErrorStreamCaptureUnsupported,
          cudaErrorNotReady}) {
        EXPECT_FALSE(is_sticky(error)) << cudaGetErrorName(error);
    }
    EXPECT_THROW(check(cudaErrorMemoryAllocation, "copying"), OutOfDeviceMemory);
    try {
        check(cudaErrorInvalidValue, "copying the input");
        FAIL();
    } catch (const DeviceLost&) {
        FAIL() << "an invalid argument does not lose the device";
    } catch (const WorkError& error) {
        EXPECT_THAT(error.what(), HasSubstr("copying the input failed"));
        EXPECT_THAT(error.what(), HasSubstr("cudaErrorInvalidValue"));
        EXPECT_THAT(error.what(), HasSubstr("(tests/kernels/cuda/cuda_error_test.cpp:"));
    }
}

TEST(CudaError, NamesTheFunctionThatWasCalled) {
    EXPECT_EQ(function_name<cudaStreamSynchronize>(), "cudaStreamSynchronize");
    EXPECT_NO_THROW(call<succeed>("copying the input", 1));
    try {
        call<refuse>("copying the input", 1);
        FAIL();
    } catch (const WorkError& error) {
        EXPECT_THAT(error.what(), HasSubstr("copying the input failed"));
        EXPECT_THAT(error.what(), HasSubstr("refuse, tests/kernels/cuda/cuda_error_test.cpp:"));
    }
}

TEST(CudaError, OfMemoryNamesNoPlace) {
    try {
        check(cudaErrorMemoryAllocation, "copying the input");
        FAIL();
    } catch (const OutOfDeviceMemory& error) {
        EXPECT_THAT(error.what(), Not(HasSubstr(".cpp:")));
    }
}

}  // namespace
}  // namespace hacscale::cuda
