// ONNX Runtime on this machine's CPU, as people deploy it: all its optimizations on, everything else as it comes.
#include "kernels/backend/backend.hpp"
#include "kernels/onnxruntime/session.hpp"
#include "kernels/runtimes/runtime.hpp"

namespace hacscale::onnxruntime {
namespace {

std::string unsupported_reason(DataType type) {
    if (type == DataType::f32 || type == DataType::i8) return {};
    return "ONNX Runtime computes in f32 and i8 on CPUs, not in " + std::string(name_of(type));
}

std::unique_ptr<runtimes::LoadedNetwork> load(const runtimes::ExportedNetwork& network, DataType) {
    return std::make_unique<Session>(network);
}

std::unique_ptr<Backend> create() {
    return runtimes::make_backend(
        {"onnxruntime", "ONNX Runtime", Api::get().version(), unsupported_reason, load});
}

}  // namespace
}  // namespace hacscale::onnxruntime

extern "C" const hacscale::BackendModule* hacscale_backend_module() {
    static const hacscale::BackendModule module{hacscale::backend_abi_version, "onnxruntime",
                                                hacscale::onnxruntime::create};
    return &module;
}
