// What a plan is asked for, and whether a stored plan is one for these tensors: cuDNN takes a serialized plan with
// the dimensions that stand in it, and what it is then given are bare addresses: the plan of a larger layer would
// write past their ends.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "models/ops/layer_spec.hpp"

namespace hacscale::cuda {

enum class ConvForm {
    fused,  // conv, residual add, bias and activation in one kernel; a layer without a bias has one of zeros. Not of
            // transposed convs
    bare,  // the conv alone
};

// What cuDNN computes: convs, transposed convs and linear layers.
constexpr bool is_product(const LayerSpec& layer) {
    return layer.kind == LayerKind::conv || layer.kind == LayerKind::transposed_conv ||
           layer.kind == LayerKind::linear;
}

// Of a conv: whether an axis has more padding on one side than on the other; the same conv over an input to which that surplus
// was added before; and the pad layer that adds it.
bool has_uneven_pads(const LayerSpec& layer);
LayerSpec evenly_padded(const LayerSpec& layer);
LayerSpec surplus_pad(const LayerSpec& layer);

struct PlanRequest {
    LayerSpec layer;  // is_product()
    int batch = 1;
    DataType type = DataType::f32;
    ConvForm form = ConvForm::fused;
};

// Numbers of the tensors in cuDNN's graphs and in what is launched.
enum TensorId : std::int64_t {
    input_id = 1,
    weights_id,
    bias_id,
    residual_id,
    output_id,
    three_id,
    sixth_id
};

// A tensor in device memory, as a plan for the request has it. Dimensions are in cuDNN's order, NCHW, with the
// strides of NHWC.
struct PlanTensor {
    TensorId id = input_id;
    std::vector<std::int64_t> dims;
    bool operator==(const PlanTensor&) const = default;
};
std::vector<std::int64_t> channels_last_strides(const std::vector<std::int64_t>& dims);

std::vector<PlanTensor> plan_tensors(const PlanRequest& request);

// `plan_json` is cuDNN's text of a plan. Throws WorkError, saying which tensor differs and how, unless it has
// exactly the request's tensors, by number, dimensions, strides and data type.
void check_plan_tensors(const PlanRequest& request, const std::string& plan_json);

}  // namespace hacscale::cuda
