// The CPU backend and what its module exports.
#include <omp.h>

#include "base/error.hpp"
#include "kernels/backend/backend.hpp"
#include "kernels/backend/dense_conv.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/cpu_network_runner.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "kernels/cpu/plan_choice.hpp"

namespace hacscale::cpu {
namespace {

class CpuBackend final : public Backend {
public:
    std::string name() const override { return "cpu"; }
    std::vector<BackendDevice> devices() const override { return {cpu_device()}; }

    std::string unsupported_reason(const std::string&, DataType type) const override {
        if (type == DataType::f32) return {};
        if (type == DataType::i8) {
            if (onednn::processor_has(dnnl::cpu_isa::avx2)) return {};
            return "this processor has no integer arithmetic on wide vectors (AVX2); use f32";
        }
        if (type != DataType::bf16) {
            return "the cpu backend computes in f32, bf16 and i8, not in " + std::string(name_of(type));
        }
        if (onednn::processor_has(dnnl::cpu_isa::avx512_core_bf16)) return {};
        return "this processor has no bf16 arithmetic (AVX512-BF16 or AMX); use f32";
    }

    Layout preferred_layout(const Graph& network, const CompileOptions& options) const override {
        return fastest_layout(network, options);
    }

    Compiled compile(const std::string& device, const Graph& network,
                     const CompileOptions& options) override {
        if (options.batch < 1 || options.batch > 4096) {
            throw InputError("batch " + std::to_string(options.batch) +
                             " is out of range, expected 1 to 4096");
        }
        if (const std::string reason = unsupported_reason(device, options.type); !reason.empty()) {
            return {nullptr, reason, NoRunner::unsupported};
        }
        try {
            return {std::make_unique<CpuNetworkRunner>(network, options), {}};
        } catch (const UnsupportedLayer& unsupported) {
            return {nullptr, unsupported.what(), NoRunner::unsupported};
        } catch (const std::bad_alloc&) {
            return {nullptr, "out of memory", NoRunner::no_memory};
        }
    }

    std::vector<LayerSpec> peak_layers(DataType type) const override {
        std::vector<LayerSpec> layers;
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            if (type == DataType::i8 && layout == Layout::blocked) continue;
            for (const int kernel : {1, 3}) {
                layers.push_back(dense_conv(256, kernel == 1 ? 56 : 28, kernel));
                layers.back().layout = layout;
            }
        }
        return layers;
    }

    // Waiting threads spin for minutes (OMP_WAIT_POLICY=active).
    void rest() override { omp_pause_resource_all(omp_pause_hard); }

    double copy_bandwidth(const std::string&) const override { return cpu::copy_bandwidth(); }
};

std::unique_ptr<Backend> create() {
    return std::make_unique<CpuBackend>();
}

}  // namespace
}  // namespace hacscale::cpu

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "cpu", hacscale::cpu::create};
    return &module;
}
