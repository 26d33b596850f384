// The CUDA backend and what its module exports.
#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <map>

#include "base/error.hpp"
#include "kernels/backend/backend.hpp"
#include "kernels/cuda/candidate_timing.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cuda_network_runner.hpp"
#include "kernels/cuda/cudnn/conv_layer.hpp"
#include "kernels/cuda/cudnn/offline_plan.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/layer_choice.hpp"

namespace hacscale::cuda {
namespace {

constexpr int largest_batch = 4096;
constexpr int oldest_compute_capability = 75;  // that code is made for

// What all networks on one device share.
struct Workshop {
    // For the current device.
    explicit Workshop(const CudaDevice& device)
        : traits(device.traits),
          chooser(parts(), PlanCache::instance(device.description.fingerprint), sweep_seconds()) {
        flush = make_flush_buffer(traits);
    }

    ChoiceParts parts() {
        return {layer_candidates, cudnn_sweep, restore_layer,
                [this](const LayerContext& context, const LayerList& candidates) {
                    return make_candidate_timer(context, candidates, flush);
                },
                serialized_plan};
    }

    DeviceTraits traits;
    std::shared_ptr<const DeviceBuffer> flush;
    LayerChooser chooser;
};

class CudaBackend final : public Backend {
public:
    CudaBackend() { cuda_devices(); }

    std::string name() const override { return "cuda"; }

    std::vector<BackendDevice> devices() const override {
        std::vector<BackendDevice> devices;
        for (const CudaDevice& device : cuda_devices()) devices.push_back(device.description);
        return devices;
    }

    std::string unsupported_reason(const std::string& device, DataType type) const override {
        const int capability = cuda_device(device).traits.compute_capability;
        if (capability < oldest_compute_capability) {
            return fmt::format("{} has compute capability {}.{}, and this program needs 7.5 or newer", device,
                               capability / 10, capability % 10);
        }
        return unsupported_type(capability, type);
    }

    Layout preferred_layout(const Graph&, const CompileOptions&) const override {
        return Layout::channels_last;
    }

    Compiled compile(const std::string& device, const Graph& network,
                     const CompileOptions& options) override {
        if (options.batch < 1 || options.batch > largest_batch) {
            throw InputError(
                fmt::format("batch {} is out of range, expected 1 to {}", options.batch, largest_batch));
        }
        if (const std::string reason = unsupported_reason(device, options.type); !reason.empty()) {
            return {nullptr, reason, NoRunner::unsupported};
        }
        for (const Node& node : network.nodes) {
            if (node.layer.layout == Layout::channels_last) continue;
            return {
                nullptr,
                node.layer.key() + ": the blocked layout is for CPUs; on GPUs the layout is channels_last",
                NoRunner::unsupported};
        }
        try {
            use_device(cuda_device(device).traits.index);
            Workshop& workshop = workshop_of(device);
            const std::int64_t footprint =
                options.footprint_bytes != 0 ? options.footprint_bytes
                                             : network.weight_bytes(options.type) +
                                                   network.peak_activation_bytes(options.batch, options.type);
            const L2State l2 = l2_state(footprint, workshop.traits.l2_bytes);
            std::vector<LayerContext> contexts;
            for (const Node& node : network.nodes) {
                contexts.push_back({node.layer, options.batch, options.type, workshop.traits, l2});
            }
            workshop.chooser.prepare(contexts);
            const auto choose = [&](LayerContext context) {
                context.l2 = l2;
                return workshop.chooser.choose(context);
            };
            return {std::make_unique<CudaNetworkRunner>(network, options, workshop.traits, choose,
                                                        workshop.flush),
                    {}};
        } catch (const UnsupportedLayer& unsupported) {
            check_device_works();
            return {nullptr, unsupported.what(), NoRunner::unsupported};
        } catch (const OutOfDeviceMemory& out_of_memory) {
            return {nullptr, out_of_memory.what(), NoRunner::no_memory};
        } catch (const DeviceLost&) {
            throw;
        } catch (const WorkError& failure) {
            check_device_works();
            return {nullptr, failure.what(), NoRunner::failed};
        }
    }

    std::vector<LayerSpec> peak_layers(DataType) const override { return dense_layers(); }

    double copy_bandwidth(const std::string& device) const override {
        const CopyBandwidth measured = measure_copy_bandwidth(cuda_device(device).traits);
        spdlog::debug("{}: {} copies fastest, {:.0f} GB/s read plus written", device, measured.by,
                      measured.bytes_per_second / 1e9);
        return measured.bytes_per_second;
    }

private:
    Workshop& workshop_of(const std::string& device) {
        auto& workshop = workshops_[device];
        if (workshop == nullptr) workshop = std::make_unique<Workshop>(cuda_device(device));
        return *workshop;
    }

    std::map<std::string, std::unique_ptr<Workshop>> workshops_;
};

std::unique_ptr<Backend> create() {
    return std::make_unique<CudaBackend>();
}

}  // namespace
}  // namespace hacscale::cuda

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "cuda", hacscale::cuda::create,
                                                hacscale::cuda::plan_without_device};
    return &module;
}
