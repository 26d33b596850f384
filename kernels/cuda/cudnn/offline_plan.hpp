// What cuDNN would choose for each layer of a network on a GPU that need not be here.
#pragma once

#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"

namespace hacscale::cuda {

// BackendModule::plan. The plan of a conv or linear layer is the first that cuDNN's heuristics offer and that
// can be built without a driver: kernels that cuDNN compiles at run time are not among them, and a layer for
// which it has no others fused is planned as conv and epilogue. The project's own kernels are named as
// "hand-written". Depthwise convs get cuDNN's plan, although the backend may choose its own kernel on the
// device. Throws InputError for a profile that is none, or a data type that the GPU cannot compute in;
// MissingError without cuDNN.
std::vector<LayerPlan> plan_without_device(const std::string& device_profile, const Graph& network,
                                           const CompileOptions& options);

// A GPU as a JSON file describes it. The fields are those that cuDNN takes (docs/formats.md, "GPU profiles").
struct GpuProfile {
    std::string name;
    int compute_capability = 0;  // 90 for 9.0
};

// Throws InputError, in words that can follow a file's name, when the text is no JSON object, lacks fields
// (it names them) or has values that no GPU has.
GpuProfile parse_gpu_profile(const std::string& text);

}  // namespace hacscale::cuda
