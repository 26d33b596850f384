// ONNX Runtime on this machine's CPU, as people deploy it: all its optimizations on, everything else as it comes.
#include "kernels/backend/backend.hpp"
#include "kernels/onnxruntime/cpu_session.hpp"
#include "kernels/runtimes/this_cpu.hpp"

namespace hacscale::onnxruntime {
namespace {

std::string unsupported_reason(DataType type) {
    if (type == DataType::f32 || type == DataType::i8) return {};
    return "ONNX Runtime computes in f32 and i8 on CPUs, not in " + std::string(name_of(type));
}

std::unique_ptr<runtimes::LoadedNetwork> load(const std::string&, const runtimes::ExportedNetwork& network,
                                              DataType) {
    return std::make_unique<CpuSession>(network);
}

std::unique_ptr<Backend> create() {
    const std::string backend = "onnxruntime";
    return runtimes::make_backend({backend, "ONNX Runtime", unsupported_reason, load},
                                  runtimes::this_cpu(backend, Api::get().version()));
}

}  // namespace
}  // namespace hacscale::onnxruntime

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "onnxruntime",
                                                hacscale::onnxruntime::create};
    return &module;
}
