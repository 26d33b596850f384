#include "kernels/cpu/cpu_device.hpp"

#include <omp.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

#include <functional>
#include <nlohmann/json.hpp>
#include <oneapi/dnnl/dnnl.hpp>
#include <utility>
#include <vector>

#include "base/hash.hpp"
#include "kernels/backend/private_folder.hpp"
#include "kernels/cpu/detail/onednn_versions.hpp"
#include "kernels/cpu/plan_choice.hpp"
#include "kernels/host/cpu_description.hpp"
#include "kernels/host/processors.hpp"

namespace hacscale::cpu {
namespace {

// Counts up whenever a change to this backend changes timings; part of the fingerprint.
constexpr int kernel_generation = 3;

#if defined(__aarch64__)

std::string instruction_set() {
    return (getauxval(AT_HWCAP) & HWCAP_SVE) != 0 ? "sve" : "asimd";
}

#else

std::string instruction_set() {
    using dnnl::cpu_isa;
    // From the largest down: the first one that the processor has all of.
    static const std::vector<std::pair<cpu_isa, std::string> > names {
#if DNNL_VERSION_MAJOR >= 3
        {cpu_isa::avx512_core_amx_fp16, "avx512_core_amx_fp16"},
            {cpu_isa::avx512_core_amx, "avx512_core_amx"}, {cpu_isa::avx512_core_fp16, "avx512_core_fp16"},
#else
        {cpu_isa::avx512_core_amx, "avx512_core_amx"},
#endif
            {cpu_isa::avx512_core_bf16, "avx512_core_bf16"}, {cpu_isa::avx512_core_vnni, "avx512_core_vnni"},
            {cpu_isa::avx512_core, "avx512_core"},
#if DNNL_VERSION_MAJOR >= 3
            {cpu_isa::avx2_vnni_2, "avx2_vnni_2"},
#endif
            {cpu_isa::avx2_vnni, "avx2_vnni"}, {cpu_isa::avx2, "avx2"}, {cpu_isa::avx, "avx"},
            {cpu_isa::sse41, "sse41"},
    };
    for (const auto& [isa, name] : names) {
        if (onednn::processor_has(isa)) return name;
    }
    return "other";
}

#endif

BackendDevice describe() {
    const dnnl_version_t* version = dnnl::version();
    const std::string onednn = std::to_string(version->major) + '.' + std::to_string(version->minor) + '.' +
                               std::to_string(version->patch);
    nlohmann::ordered_json properties;
    const host::CpuDescription& cpu = host::this_cpu();
    properties["processor"] = cpu.processor;
    properties["cores"] = cpu.cores.size();
    // Only where a core has more than one, so that all other machines keep the fingerprint that they had.
    if (const int processors = host::logical_processors(cpu.cores);
        processors > static_cast<int>(cpu.cores.size())) {
        properties["hardware_threads"] = processors;
    }
    properties["threads"] = omp_get_max_threads();
    properties["pinned"] = omp_get_proc_bind() != omp_proc_bind_false;
    properties["caches"] = cpu.caches;
    properties["instruction_set"] = instruction_set();
    properties["onednn"] = onednn;
    properties["kernel_generation"] = kernel_generation;
    BackendDevice device;
    device.id = "cpu";
    device.threads = omp_get_max_threads();
    device.fingerprint = hex_hash(properties.dump());
    device.name = cpu.processor + " (" + std::to_string(device.threads) +
                  (device.threads == 1 ? " thread)" : " threads)");
    // Told, but not part of the fingerprint: they don't decide timings.
    properties["memory"] = cpu.memory;
    properties["compiler"] = __VERSION__;
    device.properties = properties.dump();
    device.warnings = host::cpu_warnings();
    if (const std::string obstacle = plan_cache_obstacle(plan_cache_file(device.fingerprint));
        !obstacle.empty()) {
        device.warnings.push_back(obstacle);
    }
    return device;
}

}  // namespace

const BackendDevice& cpu_device() {
    static const BackendDevice device = describe();
    return device;
}

int channel_block() {
    return onednn::processor_has(dnnl::cpu_isa::avx512_core) ? 16 : 8;
}

const WinogradKernels& winograd_kernels() {
#if defined(__x86_64__)
    if (onednn::processor_has(dnnl::cpu_isa::avx512_core)) return winograd_avx512;
    if (onednn::processor_has(dnnl::cpu_isa::avx2)) return winograd_avx2;
#endif
    return winograd_baseline;
}

double copy_bandwidth() {
    return host::copy_bandwidth([](const std::function<void(int, int)>& work) {
#pragma omp parallel
        work(omp_get_thread_num(), omp_get_num_threads());
    });
}

}  // namespace hacscale::cpu
