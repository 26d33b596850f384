#include "kernels/cuda/cudnn/plan_check.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "kernels/cuda/host_tensor.hpp"

namespace hacscale::cuda {
namespace {

const char* cudnn_type_name(DataType type) {
    switch (type) {
        case DataType::f16:
            return "CUDNN_DATA_HALF";
        case DataType::bf16:
            return "CUDNN_DATA_BFLOAT16";
        case DataType::f32:
        case DataType::tf32:
            return "CUDNN_DATA_FLOAT";
        case DataType::i8:
            break;  // no tensor here has it
    }
    return "";
}

// The object with the tensors is at different depths in cuDNN's versions.
const nlohmann::json* find_tensors(const nlohmann::json& value) {
    if (value.is_object() && value.contains("tensors") && value.at("tensors").is_array()) {
        return &value.at("tensors");
    }
    if (!value.is_structured()) return nullptr;
    for (const auto& element : value) {
        if (const auto* found = find_tensors(element)) return found;
    }
    return nullptr;
}

// Scalars are given by value, and intermediate results have no address.
bool has_address(const nlohmann::json& tensor) {
    return !tensor.value("isVirtual", false) && !tensor.value("isByValue", false);
}

// The stride of a dimension of one position is of no meaning.
bool same_strides(const std::vector<std::int64_t>& dims, const std::vector<std::int64_t>& strides) {
    const std::vector<std::int64_t> wanted = channels_last_strides(dims);
    if (strides.size() != wanted.size()) return false;
    for (std::size_t i = 0; i < dims.size(); ++i) {
        if (dims[i] > 1 && strides[i] != wanted[i]) return false;
    }
    return true;
}

void check_tensor(const nlohmann::json& tensor, std::vector<PlanTensor>& wanted, const char* type) {
    const std::string name = tensor.at("name");
    const auto dims = tensor.at("dim").get<std::vector<std::int64_t>>();
    const auto place = std::find_if(wanted.begin(), wanted.end(),
                                    [&](const PlanTensor& one) { return std::to_string(one.id) == name; });
    if (place == wanted.end()) {
        throw WorkError(fmt::format("a stored plan has a tensor {} that the layer has not", name));
    }
    if (dims != place->dims) {
        throw WorkError(fmt::format("a stored plan's tensor {} has the dimensions {}, and the layer's has {}",
                                    name, fmt::join(dims, "x"), fmt::join(place->dims, "x")));
    }
    if (tensor.at("dataType") != type) {
        throw WorkError(fmt::format("a stored plan's tensor {} holds {}, and the layer's {}", name,
                                    tensor.at("dataType").get<std::string>(), type));
    }
    if (!same_strides(dims, tensor.at("stride").get<std::vector<std::int64_t>>()) ||
        tensor.value("vectCount", 1) != 1) {
        throw WorkError(
            fmt::format("a stored plan's tensor {} lies otherwise in memory than the layer's", name));
    }
    wanted.erase(place);
}

}  // namespace

std::vector<std::int64_t> channels_last_strides(const std::vector<std::int64_t>& dims) {
    return {dims[1] * dims[2] * dims[3], 1, dims[1] * dims[3], dims[1]};
}

bool has_uneven_pads(const LayerSpec& layer) {
    const auto& [top, left, bottom, right] = layer.window.pads;
    return layer.kind == LayerKind::conv && (top != bottom || left != right);
}

LayerSpec evenly_padded(const LayerSpec& layer) {
    LayerSpec even = layer;
    const LayerSpec pad = surplus_pad(layer);
    even.in_height = pad.out_height();
    even.in_width = pad.out_width();
    for (std::size_t side = 0; side < even.window.pads.size(); ++side) {
        even.window.pads[side] -= pad.window.pads[side];
    }
    return even;
}

LayerSpec surplus_pad(const LayerSpec& layer) {
    LayerSpec pad;
    pad.kind = LayerKind::pad;
    pad.in_channels = pad.out_channels = layer.in_channels;
    pad.in_height = layer.in_height;
    pad.in_width = layer.in_width;
    const auto& pads = layer.window.pads;
    for (std::size_t side = 0; side < pads.size(); ++side) {
        pad.window.pads[side] = pads[side] - std::min(pads[side], pads[(side + 2) % 4]);
    }
    return pad;
}

std::vector<PlanTensor> plan_tensors(const PlanRequest& request) {
    const LayerSpec& layer = request.layer;
    const bool linear = layer.kind == LayerKind::linear;
    const std::int64_t out_height = linear ? 1 : layer.out_height();
    const std::int64_t out_width = linear ? 1 : layer.out_width();
    const TensorShape weights = weight_shape(layer);
    const std::vector<std::int64_t> output{request.batch, layer.out_channels, out_height, out_width};
    std::vector<PlanTensor> tensors{
        {input_id, {request.batch, layer.in_channels, layer.in_height, layer.in_width}},
        {weights_id, {weights.batch, weights.channels, weights.height, weights.width}},
        {output_id, output}};
    if (request.form == ConvForm::bare) return tensors;
    tensors.push_back({bias_id, {1, layer.out_channels, 1, 1}});
    if (layer.residual) tensors.push_back({residual_id, output});
    return tensors;
}

void check_plan_tensors(const PlanRequest& request, const std::string& plan_json) {
    const auto json = nlohmann::json::parse(plan_json, nullptr, false);
    const nlohmann::json* tensors = json.is_discarded() ? nullptr : find_tensors(json);
    if (tensors == nullptr) throw WorkError("a stored plan names no tensors");
    std::vector<PlanTensor> wanted = plan_tensors(request);
    try {
        for (const nlohmann::json& tensor : *tensors) {
            if (has_address(tensor)) check_tensor(tensor, wanted, cudnn_type_name(request.type));
        }
    } catch (const nlohmann::json::exception& error) {
        throw WorkError(fmt::format("a stored plan's tensors cannot be read: {}", error.what()));
    }
    if (!wanted.empty()) {
        throw WorkError(
            fmt::format("a stored plan lacks the layer's tensor {}", std::to_string(wanted.front().id)));
    }
}

}  // namespace hacscale::cuda
