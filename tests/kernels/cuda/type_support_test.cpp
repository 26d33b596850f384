#include "kernels/cuda/cudnn/type_support.hpp"

#include <gmock/gmock.h>

namespace hacscale::cuda {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

TEST(TypeSupport, TuringHasNeitherBf16NorTf32) {
    EXPECT_THAT(type_refusal(75, DataType::bf16),
                AllOf(HasSubstr("bf16"), HasSubstr("8.0"), HasSubstr("7.5")));
    EXPECT_THAT(type_refusal(75, DataType::tf32), AllOf(HasSubstr("tf32"), HasSubstr("8.0")));
    EXPECT_EQ(type_refusal(75, DataType::f16), "");
    EXPECT_EQ(type_refusal(75, DataType::f32), "");
}

TEST(TypeSupport, NewerOnesHaveAll) {
    for (const int capability : {80, 86, 89, 90, 100, 120}) {
        for (const DataType type : all_data_types) EXPECT_EQ(type_refusal(capability, type), "");
    }
}

TEST(TypeSupport, OlderOnesHaveNone) {
    for (const DataType type : all_data_types) EXPECT_THAT(type_refusal(70, type), HasSubstr("7.0"));
}

}  // namespace
}  // namespace hacscale::cuda
