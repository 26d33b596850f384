// The hash of the kernels is of their code: the same in every checkout, another when the code is.
#include "kernels/cuda/cuda_device.hpp"

#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>

#include "tests/temp_folder.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::MatchesRegex;

class KernelGeneration : public ::testing::Test {
protected:
    void put(const std::string& file, const std::string& code) const {
        std::filesystem::create_directories((folder_ / file).parent_path());
        std::ofstream(folder_ / file) << code;
    }
    // What the build's script writes for these files.
    std::string generated(const std::string& files) const {
        const std::string output = folder_ / "generated.cpp";
        std::filesystem::remove(output);
        std::string list;
        for (std::size_t at = 0; at < files.size();) {
            const std::size_t end = std::min(files.find(' ', at), files.size());
            list += (list.empty() ? "" : ";") + (folder_ / files.substr(at, end - at)).string();
            at = end + 1;
        }
        const std::string command = std::string("'" HACSCALE_CMAKE "' -D 'OUTPUT=") + output +
                                    "' -D NAMESPACE=cuda -D 'FILES=" + list +
                                    "' -P '" HACSCALE_SOURCE_DIR "/cmake/KernelHash.cmake'";
        EXPECT_EQ(std::system(command.c_str()), 0);
        std::ifstream in(output);
        return {std::istreambuf_iterator<char>(in), {}};
    }

    hacscale::testing::TempFolder folder_;
};

TEST_F(KernelGeneration, IsAHash) {
    EXPECT_THAT(kernel_generation, MatchesRegex("[0-9a-f]{16}"));
}

TEST_F(KernelGeneration, IsTheSameInEveryCheckout) {
    put("one/a.cu", "int a;  // first\nint b[3];\n");
    put("one/b.hpp", "int c;\n");
    put("two/a.cu", "int a;\r\n    int b[3];\t// another sentence\r\n");
    put("two/b.hpp", "int c;\n\n");
    const std::string one = generated("one/a.cu one/b.hpp");
    EXPECT_NE(one.find("kernel_generation = \""), std::string::npos) << one;
    EXPECT_EQ(generated("two/a.cu two/b.hpp"), one);
    EXPECT_EQ(generated("two/b.hpp two/a.cu"), one);
}

TEST_F(KernelGeneration, IsAnotherWhenTheCodeIs) {
    put("one/a.cu", "int a;\n");
    put("one/b.hpp", "int c;\n");
    put("two/a.cu", "int a = 1;\n");
    const std::string one = generated("one/a.cu one/b.hpp");
    EXPECT_NE(generated("two/a.cu one/b.hpp"), one);
    EXPECT_NE(generated("one/a.cu"), one);
}

}  // namespace
}  // namespace hacscale::cuda
