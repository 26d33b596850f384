// PyTorch code of windows that its functions know in part.
#include "models/ops/operator_text.hpp"

#include <gtest/gtest.h>

#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

std::string expression(std::string_view key) {
    const LayerSpec layer = LayerSpec::from_key(key);
    return operator_of(layer.kind).torch_expression(layer, "x");
}

TEST(TorchText, PoolsPadThemselvesWhereTheyCan) {
    EXPECT_EQ(expression("max_pool_i8x9x9_k3_s2_p1"), "F.max_pool2d(x, 3, stride=2, padding=1)");
    EXPECT_EQ(expression("max_pool_i8x9x9_k2_s2_p0"), "F.max_pool2d(x, 2, stride=2)");
    EXPECT_EQ(expression("max_pool_i8x9x9_k3x2_s2x1_p1x0_d2x1"),
              "F.max_pool2d(x, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(2, 1))");
    EXPECT_EQ(expression("avg_pool_i8x9x9_k3_s1_p1"),
              "F.avg_pool2d(x, 3, stride=1, padding=1, count_include_pad=False)");
}

TEST(TorchText, OtherPaddingIsLaidAroundTheInput) {
    EXPECT_EQ(expression("max_pool_i8x9x9_k3_s2_p0x0x1x1"),
              "F.max_pool2d(F.pad(x, (0, 1, 0, 1), value=-torch.inf), 3, stride=2)");
    EXPECT_EQ(expression("max_pool_i8x9x9_k2x1_s1_p1x0"),
              "F.max_pool2d(x, (2, 1), stride=1, padding=(1, 0))");
    EXPECT_EQ(expression("avg_pool_i8x9x9_k2_s2_p0x1x1x0"),
              "(F.avg_pool2d(F.pad(x, (1, 0, 0, 1)), 2, stride=2) / "
              "F.avg_pool2d(F.pad(torch.ones_like(x), (1, 0, 0, 1)), 2, stride=2))");
    const Window wide{.kernel = {3, 3}, .pads = {2, 2, 2, 2}};
    EXPECT_EQ(torch_pool_padding("x", wide, "0").input, "F.pad(x, (2, 2, 2, 2), value=0)");
}

}  // namespace
}  // namespace hacscale
