// cuDNN's side of kernels/cuda/cudnn/conv_graph.hpp for the simulated device. Two engines: one that starts
// quickly, and one that computes faster and takes scratch memory; so which of them wins depends on the layer. A
// third one, which only a sweep finds, starts more quickly still.
// Nothing fuses hard_swish, so that such layers run unfused, and nothing takes pads that differ on the two sides of an axis. What computes is plain_conv.hpp.
#include <fmt/format.h>

#include <cstring>

#include "base/error.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/conv_graph.hpp"
#include "kernels/cuda/cudnn/cudnn_library.hpp"
#include "models/ops/layer_spec.hpp"
#include "tests/gpu/simulated/device.hpp"
#include "tests/gpu/simulated/plain_conv.hpp"

namespace hacscale::cuda {
namespace {

struct Engine {
    double start_us;
    double macs_per_us;
    std::int64_t workspace_bytes;
};
constexpr Engine engines[] = {{1.5, 1e6, 0}, {4.0, 4e6, 4096}, {0.75, 1e6, 0}};
constexpr int swept_engine = 2;  // the heuristics do not name it
constexpr double depthwise_slowdown = 16.0;

class Plan final : public ConvPlan {
public:
    Plan(PlanRequest request, int engine) : request_(std::move(request)), engine_(engines[engine]) {
        info_.engine = engine;
        info_.knobs["tile_size"] = 1 + engine;
        info_.name = fmt::format("eng{}_k2={}", engine, 1 + engine);
        info_.workspace_bytes = engine_.workspace_bytes;
    }
    const PlanInfo& info() const override { return info_; }
    std::string serialized() const override {
        return fmt::format("simulated {} {}", info_.name,
                           request_.form == ConvForm::fused ? "fused" : "bare");
    }
    void launch(const ConvTensors& tensors, cudaStream_t stream) const override {
        const double macs = static_cast<double>(cost_of(request_.layer, request_.batch, request_.type).macs);
        const double slowdown = request_.layer.depthwise() ? depthwise_slowdown : 1.0;
        const auto compute = [request = request_, tensors, scratch = engine_.workspace_bytes] {
            if (scratch > 0) std::memset(tensors.workspace, 0xFF, static_cast<std::size_t>(scratch));
            testing::plain_conv(request, tensors);
        };
        simulated::Device::instance().launch(stream, engine_.start_us + slowdown * macs / engine_.macs_per_us,
                                             compute);
        check_launch("launching a simulated cuDNN plan");
    }

private:
    PlanRequest request_;
    Engine engine_;
    PlanInfo info_;
};

}  // namespace

std::shared_ptr<const CudnnTarget> CudnnTarget::device(int) {
    return std::make_shared<CudnnTarget>();
}

std::shared_ptr<const CudnnTarget> CudnnTarget::described(const std::string&) {
    return std::make_shared<CudnnTarget>();
}

PlanSearch find_plans(const std::shared_ptr<const CudnnTarget>&, const PlanRequest& request, std::size_t most,
                      std::int64_t workspace_cap, double) {
    PlanSearch search;
    search.reason = simulated::Device::instance().no_plans;
    if (!search.reason.empty()) return search;
    if (request.form == ConvForm::fused && request.layer.activation == Activation::hard_swish) {
        search.reason = "cuDNN has none: the simulation fuses no hard_swish";
        return search;
    }
    const auto& [top, left, bottom, right] = request.layer.window.pads;
    if (top != bottom || left != right) {
        search.reason = "cuDNN has none: the simulation has no uneven pads";
        return search;
    }
    for (int i = 0; i < swept_engine && search.plans.size() < most; ++i) {
        if (engines[i].workspace_bytes <= workspace_cap) {
            search.plans.push_back(std::make_unique<Plan>(request, i));
        }
    }
    return search;
}

PlanSearch sweep_plans(const std::shared_ptr<const CudnnTarget>& target, const PlanRequest& request,
                       std::size_t most, std::int64_t workspace_cap, double seconds) {
    PlanSearch search = find_plans(target, request, most, workspace_cap, seconds);
    if (search.reason.empty()) search.plans.push_back(std::make_unique<Plan>(request, swept_engine));
    return search;
}

std::unique_ptr<ConvPlan> restore_plan(const std::shared_ptr<const CudnnTarget>&, const PlanRequest& request,
                                       const std::string& serialized) {
    for (int i = 0; i < static_cast<int>(std::size(engines)); ++i) {
        auto plan = std::make_unique<Plan>(request, i);
        if (plan->serialized() == serialized) return plan;
    }
    throw WorkError("cuDNN does not take this plan: '" + serialized + "'");
}

bool has_epilogue(const LayerSpec& layer) {
    return layer.bias || layer.residual || layer.activation != Activation::none;
}

const CudnnLibrary& cudnn() {
    static const CudnnLibrary library{nullptr, {}, 91900, "simulated", 13000};
    return library;
}

int require_driver() {
    return 13000;
}

// By the bus numbers in cuda_runtime.cpp: another process has the second GPU.
DeviceUsage device_usage(const std::string& pci_bus_id) {
    if (pci_bus_id == "00000000:3c:00.0") return {std::int64_t{1} << 30, std::vector<unsigned>{4711}, ""};
    return {0, std::vector<unsigned>{}, ""};
}

}  // namespace hacscale::cuda
