#include "kernels/cuda/cudnn/cudnn_library.hpp"

#include <dlfcn.h>
#include <gmock/gmock.h>

#include <fstream>

#include "tests/kernels/cuda/cudnn_here.hpp"
#include "tests/temp_folder.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using ::testing::ThrowsMessage;

class OtherCudnn : public ::testing::Test {
protected:
    void put(const std::string& name) const { std::filesystem::copy_file(file_, folder_ / name); }
    void put_parts() const {
        for (const char* part : {"graph", "heuristic", "engines_precompiled", "engines_runtime_compiled"}) {
            put(std::string("libcudnn_") + part + ".so.9");
        }
    }
    Library open() const {
        put("libcudnn.so.9");
        Library library;
        library.path = folder_ / "libcudnn.so.9";
        library.handle = dlopen(library.path.c_str(), RTLD_NOW | RTLD_LOCAL);
        EXPECT_NE(library.handle, nullptr) << dlerror();
        return library;
    }

    const char* file_ = HACSCALE_TEST_CUDNN_OLD;
    hacscale::testing::TempFolder folder_;
};

TEST_F(OtherCudnn, OfAnotherMajorVersionIsRefusedByName) {
    put_parts();
    const Library library = open();
    EXPECT_THAT(
        [&] { inspect_cudnn(library); },
        ThrowsMessage<MissingError>(AllOf(HasSubstr("cuDNN 8.9.7"), HasSubstr(folder_.path().string()),
                                          HasSubstr("install cuDNN 9"))));
}

// It has the same soname as one for this program's CUDA.
TEST_F(OtherCudnn, ForAnotherCudaIsRefusedWithWhatToInstall) {
    file_ = HACSCALE_TEST_CUDNN_CUDA_12;
    put_parts();
    const Library library = open();
    EXPECT_THAT([&] { inspect_cudnn(library); },
                ThrowsMessage<MissingError>(
                    AllOf(HasSubstr("cuDNN 9.19.0 in " + folder_.path().string()),
                          HasSubstr("was built for CUDA 12.9"), HasSubstr("needs one for CUDA 13"),
                          HasSubstr("nvidia-cudnn-cu13"), HasSubstr("pip uninstall nvidia-cudnn-cu12"))));
}

TEST_F(OtherCudnn, ThatFitsIsTaken) {
    file_ = HACSCALE_TEST_CUDNN_FITTING;
    put_parts();
    const CudnnLibrary fitting = inspect_cudnn(open());
    EXPECT_EQ(fitting.version, "9.19.0");
    EXPECT_EQ(fitting.cuda_version, 13000);
}

TEST_F(OtherCudnn, ThatIsNotWholeNamesThePart) {
    std::ofstream(folder_ / "libcudnn_graph.so.9") << "half a download";
    const Library library = open();
    EXPECT_THAT([&] { inspect_cudnn(library); },
                ThrowsMessage<MissingError>(
                    AllOf(HasSubstr("libcudnn_graph.so.9 cannot be opened"), HasSubstr("not whole"))));
}

TEST(CudnnLibrary, ThatIsAbsentSaysWhy) {
    Library library;
    library.reason = "libcudnn.so.9 was not found; install it";
    EXPECT_THAT([&] { inspect_cudnn(library); },
                ThrowsMessage<MissingError>(HasSubstr("libcudnn.so.9 was not found; install it")));
}

TEST(CudnnLibrary, OfThisMachineHasItsVersion) {
    HACSCALE_NEEDS_CUDNN();
    EXPECT_NE(cudnn().handle, nullptr);
    EXPECT_THAT(cudnn().version, StartsWith("9."));
    EXPECT_GE(cudnn().version_number, 90000U);
}

}  // namespace
}  // namespace hacscale::cuda
