#include "kernels/cuda/cudnn/offline_plan.hpp"
#include "kernels/host/processors.hpp"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "base/error.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/cudnn/conv_graph.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/cudnn/cudnn_library.hpp"

namespace hacscale::cuda {
namespace {

using DescribedTarget = std::shared_ptr<const CudnnTarget>;

LayerPlan hand_written(const LayerSpec& layer) {
    LayerPlan plan;
    plan.implementation = fmt::format("hacscale {}", name_of(layer.kind));
    plan.engine = "hand-written";
    plan.fused = true;
    return plan;
}

LayerPlan plan_of(const ConvPlan& built, bool fused) {
    const PlanInfo& info = built.info();
    LayerPlan plan;
    plan.implementation = "cudnn " + info.name;
    plan.engine = fmt::format("eng{}", info.engine);
    plan.knobs = info.knobs;
    plan.workspace_bytes = info.workspace_bytes;
    plan.fused = fused;
    plan.library = "cudnn " + cudnn().version;
    return plan;
}

LayerPlan plan_conv(const DescribedTarget& target, PlanRequest request) {
    const bool epilogue = has_epilogue(request.layer);
    std::string why_unfused;
    if (epilogue && request.layer.kind != LayerKind::transposed_conv) {
        const PlanSearch fused = find_plans(target, request, 1, largest_workspace_bytes);
        if (!fused.plans.empty()) return plan_of(*fused.plans.front(), true);
        why_unfused = fused.reason;
    }
    request.form = ConvForm::bare;
    const PlanSearch bare = find_plans(target, request, 1, largest_workspace_bytes);
    if (bare.plans.empty()) {
        LayerPlan none;
        none.reason = bare.reason;
        return none;
    }
    LayerPlan plan = plan_of(*bare.plans.front(), !epilogue);
    if (epilogue) plan.implementation += " + hacscale epilogue";
    plan.reason = why_unfused;
    return plan;
}

LayerPlan plan_layer(const DescribedTarget& target, const LayerSpec& layer, const CompileOptions& options) {
    if (!is_product(layer)) return hand_written(layer);
    LayerPlan plan = plan_conv(target, {layer, options.batch, options.type, ConvForm::fused});
    if (!plan.implementation.empty()) return plan;
    if (layer.kind == LayerKind::transposed_conv || layer.depthwise()) return hand_written(layer);
    if (!has_uneven_pads(layer)) return plan;
    plan = plan_conv(target, {evenly_padded(layer), options.batch, options.type, ConvForm::fused});
    if (!plan.implementation.empty()) plan.implementation = "hacscale pad + " + plan.implementation;
    return plan;
}

}  // namespace

std::vector<LayerPlan> plan_without_device(const std::string& device_profile, const Graph& network,
                                           const CompileOptions& options) {
    const GpuProfile profile = parse_gpu_profile(device_profile);
    const std::string unsupported_reason = unsupported_type(profile.compute_capability, options.type);
    if (!unsupported_reason.empty())
        throw InputError(fmt::format("{}: {}", profile.name, unsupported_reason));
    const DescribedTarget target = CudnnTarget::described(device_profile);

    std::unordered_map<LayerSpec, std::size_t, LayerSpecHash> places;  // in `layers`
    std::vector<LayerSpec> layers;
    for (const Node& node : network.nodes) {
        if (places.emplace(node.layer, layers.size()).second) layers.push_back(node.layer);
    }
    std::vector<LayerPlan> known(layers.size());
    host::for_each_in_parallel(layers.size(),
                               [&](std::size_t i) { known[i] = plan_layer(target, layers[i], options); });
    std::vector<LayerPlan> plans;
    plans.reserve(network.nodes.size());
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        plans.push_back(known[places.at(network.nodes[i].layer)]);
        plans.back().node = static_cast<int>(i);
    }
    return plans;
}

}  // namespace hacscale::cuda
