// Dense convs as matrix products, run on the CPU, against the double-precision reference; and how they are cut.
#include "kernels/cuda/device/gemm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "kernels/cuda/device/handwritten.hpp"
#include "models/ops/reference.hpp"
#include "tests/kernels/cuda/candidate_check.hpp"

namespace hacscale::cuda {
namespace {

LayerContext context_of(const std::string& key, DataType type, int batch = 1, int multiprocessors = 132) {
    LayerContext context{LayerSpec::from_key(key), batch, type, {}};
    context.device.multiprocessors = multiprocessors;
    context.device.compute_capability = 90;
    return context;
}

class Gemm : public ::testing::TestWithParam<DataType> {};

TEST_P(Gemm, EqualsTheReference) {
    std::uint64_t seed = 70;
    std::set<std::string> names;
    for (const char* key : {
             "conv_i64x7x7_o48_k1_s1_p0_g1_bias_relu",
             "conv_i24x14x14_o96_k1_s1_p0_g1_bias_relu6",  // a tap is less than a chunk
             "conv_i40x5x3_o8_k1_s1_p0_g1_bias_silu",      // chunks, rows and columns all have rests
             "conv_i96x7x9_o24_k1_s1_p0_g1_bias_add",
             "conv_i200x3x3_o72_k1_s1_p0_g1_bias_add_hard_swish",
             "conv_i32x9x9_o64_k1_s2_p0_g1_bias",  // a downsampling shortcut
             "conv_i32x5x4_o16_k1_s1_p0_g1_relu",
             "conv_i8x1x1_o8_k1_s1_p0_g1_bias_sigmoid",
             "conv_i64x7x7_o40_k3_s1_p1_g1_bias_add_relu",
             "conv_i40x9x8_o32_k3_s2_p1_g1_bias_silu",
             "conv_i16x6x7_o24_k5_s1_p2_g1_bias_hard_sigmoid",
         }) {
        for (const int batch : {1, 3}) {
            const LayerContext context = context_of(key, GetParam(), batch, seed % 2 == 0 ? 132 : 4);
            for (const auto& name : testing::check_candidates(context, seed)) {
                names.insert(name.substr(0, name.find(" warps")));
            }
            ++seed;
        }
    }
    EXPECT_EQ(names.size(), 3 * std::size(gemm_tiles)) << "windows of 1, 3 and 5, each with every tile";
}

INSTANTIATE_TEST_SUITE_P(Types, Gemm, ::testing::Values(DataType::f16, DataType::bf16),
                         [](const auto& tested) { return std::string(name_of(tested.param)); });

TEST(GemmLayers, LeaveToOthersWhatMatrixUnitsOrAccessesDoNotFit) {
    const std::string key = "conv_i64x7x7_o48_k1_s1_p0_g1_bias_relu";
    EXPECT_FALSE(handwritten_candidates(context_of(key, DataType::f16)).empty());
    for (const DataType type : {DataType::f32, DataType::tf32}) {
        EXPECT_TRUE(handwritten_candidates(context_of(key, type)).empty());
    }
    for (const char* other :
         {"conv_i60x7x7_o48_k1_s1_p0_g1_bias_relu", "conv_i64x7x7_o44_k1_s1_p0_g1_bias_relu",
          "conv_i64x7x7_o48_k1_s1_p0_g2_bias_relu"}) {
        EXPECT_TRUE(handwritten_candidates(context_of(other, DataType::f16)).empty()) << other;
    }
    LayerContext turing = context_of(key, DataType::f16);
    turing.device.compute_capability = 75;
    EXPECT_TRUE(handwritten_candidates(turing).empty());
    EXPECT_TRUE(
        handwritten_candidates(context_of("conv_i64x112x112_o256_k1_s1_p0_g1_bias", DataType::f16)).empty())
        << "there is enough work for a library's tiles";
}

TEST(GemmTiling, EveryOutputBelongsToOneBlock) {
    for (const GemmShape shape : {GemmShape{49, 1280, 10}, GemmShape{196, 96, 18}, GemmShape{1, 8, 1}}) {
        for (const GemmTiling& tiling : tile_gemm(shape, 132)) {
            std::vector<int> owners(static_cast<std::size_t>(shape.rows) * shape.columns, 0);
            for (int block = 0; block < tiling.blocks(); ++block) {
                const auto place = tiling.place(block);
                for (int row = place.first_row;
                     row < std::min(shape.rows, place.first_row + tiling.tile.rows); ++row) {
                    for (int column = place.first_column;
                         column < std::min(shape.columns, place.first_column + tiling.tile.columns);
                         ++column) {
                        ++owners[static_cast<std::size_t>(row) * shape.columns + column];
                    }
                }
            }
            EXPECT_EQ(std::count(owners.begin(), owners.end(), 1), std::ssize(owners));
            EXPECT_GE(tiling.warps, 1);
            EXPECT_LE(tiling.warps, gemm_max_warps(tiling.tile));
        }
    }
}

TEST(GemmTiling, FewPositionsAreCutIntoBlocksForAllMultiprocessors) {
    // The last convs of ResNet-50 and of MobileNetV2.
    for (const GemmShape shape : {GemmShape{49, 512, 64}, GemmShape{49, 320, 30}}) {
        const GemmTiling first = tile_gemm(shape, 132).front();
        EXPECT_GE(first.blocks(), 80) << shape.columns;
        EXPECT_GE(first.warps, 8);
    }
}

}  // namespace
}  // namespace hacscale::cuda
