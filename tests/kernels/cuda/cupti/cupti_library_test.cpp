#include "kernels/cuda/cupti/cupti_library.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tests/profiler/instruments/fake_libraries.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::cupti {
namespace {

TEST(CuptiLibrary, OpensOrSaysWhyNot) {
    const CuptiLibrary library = open_cupti();
    if (!library.usable()) GTEST_SKIP() << library.reason;
    EXPECT_NE(library.path.find("libcupti.so.13"), std::string::npos);
    EXPECT_NE(library.range_push, nullptr);
    EXPECT_NE(library.activity_pop_external_id, nullptr);
}

TEST(CuptiLibrary, OfAnotherMajorVersionIsNamed) {
    tests::Environment environment;
    environment.set("HACSCALE_CUDA_LIBS", tests::fake_library("old_cupti"));
    const CuptiLibrary library = open_cupti();
    EXPECT_FALSE(library.usable());
    EXPECT_NE(library.reason.find("120800"), std::string::npos) << library.reason;
    EXPECT_NE(library.reason.find(std::to_string(CUPTI_API_VERSION)), std::string::npos) << library.reason;
    EXPECT_NE(library.reason.find("install"), std::string::npos) << library.reason;
}

TEST(CuptiLibrary, ThatLacksFunctionsIsNamedWithThem) {
    tests::Environment environment;
    environment.set("HACSCALE_CUDA_LIBS", tests::fake_library("bare_cupti"));
    const CuptiLibrary library = open_cupti();
    EXPECT_FALSE(library.usable());
    EXPECT_NE(library.reason.find("cuptiRangeProfilerEnable"), std::string::npos) << library.reason;
    EXPECT_EQ(library.reason.find("cuptiGetVersion"), std::string::npos) << library.reason;
}

TEST(CuptiLibrary, ThatIsDamagedIsTold) {
    const testing::TempFolder folder;
    std::ofstream(folder / "libcupti.so.13") << "not a library";
    tests::Environment environment;
    environment.set("HACSCALE_CUDA_LIBS", folder.path().string());
    const CuptiLibrary library = open_cupti();
    // The loader's own paths may still have a sound one.
    if (!library.usable()) {
        EXPECT_NE(library.reason.find("libcupti.so.13"), std::string::npos);
    }
}

TEST(CuptiError, SaysWhatToDo) {
    const CuptiLibrary library = open_cupti();
    const std::pair<CUptiResult, const char*> table[] = {
        {CUPTI_ERROR_INSUFFICIENT_PRIVILEGES, "NVreg_RestrictProfilingToAdminUsers=0"},
        {CUPTI_ERROR_INSUFFICIENT_PRIVILEGES, "CAP_SYS_ADMIN"},
        {CUPTI_ERROR_MULTIPLE_SUBSCRIBERS_NOT_SUPPORTED, "another profiler"},
        {CUPTI_ERROR_HARDWARE_BUSY, "another profiler"},
        {CUPTI_ERROR_MIG_DEVICE_NOT_SUPPORTED, "MIG"},
        {CUPTI_ERROR_CONFIDENTIAL_COMPUTING_NOT_SUPPORTED, "confidential computing"},
        {CUPTI_ERROR_VIRTUALIZED_DEVICE_NOT_SUPPORTED, "virtual GPU"},
        {CUPTI_ERROR_INVALID_CHIP_NAME, "newer CUPTI"},
        {CUPTI_ERROR_UNKNOWN, "nvidia-smi"},
    };
    for (const auto& [code, text] : table) {
        const std::string explained = explain(library, code, "cuptiCall");
        EXPECT_NE(explained.find(text), std::string::npos) << explained;
        EXPECT_TRUE(explained.starts_with("cuptiCall: ")) << explained;
    }
    const std::string unknown = explain(CuptiLibrary{}, CUPTI_ERROR_QUEUE_EMPTY, "cuptiCall");
    EXPECT_TRUE(unknown.starts_with("cuptiCall: CUPTI's error 18 (")) << unknown;
    EXPECT_NE(unknown.find("tests/kernels/cuda/cupti/cupti_library_test.cpp:"), std::string::npos) << unknown;
    EXPECT_NO_THROW(check(library, CUPTI_SUCCESS, "cuptiCall"));
    EXPECT_THROW(check(library, CUPTI_ERROR_UNKNOWN, "cuptiCall"), CuptiFailure);
}

TEST(CuptiError, NamesWhatKeepsADeviceFromBeingProfiled) {
    CUpti_Profiler_DeviceSupported_Params support{};
    support.isSupported = CUPTI_PROFILER_CONFIGURATION_SUPPORTED;
    EXPECT_EQ(unsupported_reason(support), "");
    support.isSupported = CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED;
    EXPECT_NE(unsupported_reason(support), "");
    support.vGpu = CUPTI_PROFILER_CONFIGURATION_DISABLED;
    EXPECT_NE(unsupported_reason(support).find("virtual GPU"), std::string::npos);
    support.confidentialCompute = CUPTI_PROFILER_CONFIGURATION_UNSUPPORTED;
    EXPECT_NE(unsupported_reason(support).find("confidential computing"), std::string::npos);
}

}  // namespace
}  // namespace hacscale::cupti
