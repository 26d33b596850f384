// A conv or linear layer as a cuDNN graph, and the execution plans that cuDNN offers for it. All of
// cudnn-frontend stays behind this header, in one file, because its headers take long to compile.
//
// Order of calls: cudnn() opens the library; a CudnnTarget names what plans are for, a device that is here
// (it owns the cuDNN handle) or one that is only described; find_plans() builds a graph, asks the heuristics
// and builds the first plans that cuDNN can. A plan is launched through cuDNN's backend interface directly:
// the frontend's own way looks for a shared CUDA runtime, which need not be installed. A handle serves one
// thread at a time.
//
// Tensors are NHWC. A linear layer is a conv whose window is the whole input. Weights are KRSC in the data
// type; the bias has the data type, too.
#pragma once

#include <cuda_runtime_api.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/cudnn/engine_plans.hpp"
#include "kernels/cuda/cudnn/plan_check.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::cuda {

class CudnnTarget {
public:
    // One a device, made at the first call. Throws MissingError without cuDNN, WorkError when the device
    // cannot be used.
    static std::shared_ptr<const CudnnTarget> device(int index);
    // From a GPU profile's text (offline_plan.hpp). Throws InputError with cuDNN's reason when it refuses it.
    static std::shared_ptr<const CudnnTarget> described(const std::string& profile_json);
    virtual ~CudnnTarget() = default;
};

// Null where the plan's form has no such tensor.
struct ConvTensors {
    const void* input = nullptr;
    const void* weights = nullptr;
    const void* bias = nullptr;
    const void* residual = nullptr;
    void* output = nullptr;
    void* workspace = nullptr;
};

class ConvPlan {
public:
    virtual ~ConvPlan() = default;
    virtual const PlanInfo& info() const = 0;
    virtual std::string serialized() const = 0;  // cuDNN's JSON, for restore_plan()
    // Only for a target that is a device. Throws as cuda_error.hpp's check(), WorkError for cuDNN's errors.
    virtual void launch(const ConvTensors& tensors, cudaStream_t stream) const = 0;
};

struct PlanSearch {
    std::vector<std::unique_ptr<ConvPlan>> plans;  // those expected to be fastest first
    std::string reason;                            // when there are none
};

constexpr std::size_t all_plans = std::numeric_limits<std::size_t>::max();
constexpr double unlimited_seconds = 1e9;

// The first `most` plans that the heuristics name, that can be built and need no more than `workspace_cap` bytes.
// Beyond the first six, plans are built as long as `seconds` last: plans that cuDNN compiles at run time take up to
// a second each. For f32, plans that use matrix units, which round f32 to TF32, or round their inputs otherwise are
// left out; tf32 allows them.
PlanSearch find_plans(const std::shared_ptr<const CudnnTarget>& target, const PlanRequest& request,
                      std::size_t most, std::int64_t workspace_cap, double seconds = unlimited_seconds);

// Plans of all engines that take the layer, with settings of their knobs that the heuristics may not name, until
// `seconds` are over or there are `most`. Otherwise as find_plans().
PlanSearch sweep_plans(const std::shared_ptr<const CudnnTarget>& target, const PlanRequest& request,
                       std::size_t most, std::int64_t workspace_cap, double seconds);

// Throws WorkError when the plan is for other tensors (plan_check.hpp), or this cuDNN, on this target, does not take
// it.
std::unique_ptr<ConvPlan> restore_plan(const std::shared_ptr<const CudnnTarget>& target,
                                       const PlanRequest& request, const std::string& serialized);

// Has the layer anything beside the conv that a fused plan would do?
bool has_epilogue(const LayerSpec& layer);

}  // namespace hacscale::cuda
