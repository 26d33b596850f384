// OpenVINO on this machine's CPU, with its settings for latency.
#include <algorithm>

#include "kernels/backend/backend.hpp"
#include "kernels/host/cpu_description.hpp"
#include "kernels/openvino/compiled_network.hpp"
#include "kernels/runtimes/runtime.hpp"
#include "kernels/runtimes/this_cpu.hpp"

namespace hacscale::openvino {
namespace {

std::string unsupported_reason(DataType type) {
    if (type == DataType::f32 || type == DataType::i8) return {};
    if (type != DataType::bf16) {
        return "OpenVINO computes in f32, bf16 and i8 on CPUs, not in " + std::string(name_of(type));
    }
    const std::vector<std::string> flags = host::cpu_flags();
    const bool there = std::find(flags.begin(), flags.end(), "avx512_bf16") != flags.end();
    return there ? "" : "this processor has no bf16 arithmetic (AVX512-BF16 or AMX); use f32";
}

std::unique_ptr<runtimes::LoadedNetwork> load(const std::string&, const runtimes::ExportedNetwork& network,
                                              DataType type) {
    return std::make_unique<TwiceCompiled>(network, type);
}

std::unique_ptr<Backend> create() {
    const std::string backend = "openvino";
    return runtimes::make_backend({backend, "OpenVINO", unsupported_reason, load},
                                  runtimes::this_cpu(backend, Api::get().version()));
}

}  // namespace
}  // namespace hacscale::openvino

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "openvino",
                                                hacscale::openvino::create};
    return &module;
}
