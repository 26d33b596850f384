// Plans' texts as cuDNN writes them, without cuDNN.
#include "kernels/cuda/cudnn/plan_check.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/error.hpp"

namespace hacscale::cuda {
namespace {

using ::testing::HasSubstr;
using ::testing::ThrowsMessage;

const PlanRequest conv_request{LayerSpec::from_key("conv_i64x28x28_o128_k3_s2_p1_g1_bias_hard_swish"), 2,
                               DataType::f16, ConvForm::fused};

std::string tensor_json(const std::string& name, const std::string& dims, const std::string& strides,
                        const std::string& type = "CUDNN_DATA_HALF") {
    return fmt::format(R"({{"name": "{}", "dataType": "{}", "dim": [{}], "stride": [{}], "vectCount": 1}})",
                       name, type, dims, strides);
}

const std::string input_json = tensor_json("1", "2,64,28,28", "50176,1,1792,64");
const std::string weights_json = tensor_json("2", "128,64,3,3", "576,1,192,64");
const std::string bias_json = tensor_json("3", "1,128,1,1", "128,1,1,1");
const std::string output_json = tensor_json("5", "2,128,14,14", "25088,1,1792,128");
// Of an intermediate result, and of a scalar: these have no memory of their own.
const std::string others_json =
    R"({"name": "9", "dataType": "CUDNN_DATA_FLOAT", "dim": [9], "stride": [1], "isVirtual": true},
       {"name": "6", "dataType": "CUDNN_DATA_FLOAT", "dim": [1,1,1,1], "stride": [1,1,1,1], "isByValue": true})";

std::string plan_of(const std::string& a, const std::string& b, const std::string& c, const std::string& d) {
    return R"({"operationGraph": {"tensors": [)" + a + "," + b + "," + c + "," + d + "," + others_json +
           "]}}";
}

TEST(PlanCheck, TakesThePlanOfTheseTensors) {
    EXPECT_NO_THROW(
        check_plan_tensors(conv_request, plan_of(input_json, weights_json, bias_json, output_json)));
    EXPECT_NO_THROW(
        check_plan_tensors(conv_request, plan_of(output_json, bias_json, weights_json, input_json)));
}

TEST(PlanCheck, RefusesOtherDimensionsStridesAndTypes) {
    const std::vector<std::pair<std::string, std::string>> outputs{
        {tensor_json("5", "2,128,28,28", "100352,1,3584,128"),
         "the dimensions 2x128x28x28, and the layer's has 2x128x14x14"},
        {tensor_json("5", "2,128,14,14", "25088,196,14,1"), "lies otherwise in memory"},
        {tensor_json("5", "2,128,14,14", "25088,1,1792,128", "CUDNN_DATA_FLOAT"), "holds CUDNN_DATA_FLOAT"},
        {tensor_json("7", "2,128,14,14", "25088,1,1792,128"), "a tensor 7 that the layer has not"},
        {bias_json, "a tensor 3 that the layer has not"},
        {R"({"name": "5"})", "cannot be read"},
    };
    for (const auto& [other, reason] : outputs) {
        EXPECT_THAT(
            [&] { check_plan_tensors(conv_request, plan_of(input_json, weights_json, bias_json, other)); },
            ThrowsMessage<WorkError>(HasSubstr(reason)));
    }
}

TEST(PlanCheck, RefusesTextWithoutTensors) {
    for (const char* text : {"", "{", "{}", "[]", R"({"tensors": 3})"}) {
        EXPECT_THAT([&] { check_plan_tensors(conv_request, text); },
                    ThrowsMessage<WorkError>(HasSubstr("names no tensors")))
            << text;
    }
    EXPECT_THAT([&] { check_plan_tensors(conv_request, R"({"tensors": []})"); },
                ThrowsMessage<WorkError>(HasSubstr("lacks the layer's tensor 1")));
}

}  // namespace
}  // namespace hacscale::cuda
