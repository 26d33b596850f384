// A network in ONNX Runtime, whatever it computes on.
#pragma once

#include <functional>
#include <string_view>
#include <vector>

#include "base/scratch_folder.hpp"
#include "kernels/onnxruntime/api.hpp"
#include "kernels/runtimes/exported_network.hpp"
#include "kernels/runtimes/regions.hpp"
#include "kernels/runtimes/runtime.hpp"

namespace hacscale::onnxruntime {

// When the host was at work on an operation, by the profiler's clock; zeros where it never was.
struct OperationEvent {
    double start_us = 0.0;
    double us = 0.0;
};

class Session : public runtimes::LoadedNetwork {
public:
    void run() final { run_with(nullptr); }
    const std::vector<runtimes::Operation>& operations() const final { return operations_; }

protected:
    // `add_provider` may name what the network runs on instead of the CPU. Throws WorkError where the runtime refuses the network.
    explicit Session(const runtimes::ExportedNetwork& network,
                     const std::function<void(OrtSessionOptions*)>& add_provider = nullptr);

    // Runs once and waits for the end.
    virtual void run_with(const OrtRunOptions* options) = 0;
    // Runs once under the runtime's profiler: one entry an operation.
    std::vector<OperationEvent> profiled_run();

    const Api& api() const { return api_; }
    OrtSession* handle() const { return session_.get(); }

private:
    const Api& api_;
    ScratchFolder scratch_;
    Owned<OrtSession> session_;
    Owned<OrtRunOptions> profiled_;
    std::vector<runtimes::Operation> operations_;
};

// A provider's memory, "Cpu" or "Cuda", on its device of this index.
Owned<OrtMemoryInfo> name_memory(const Api& api, const char* provider, int device);

// A tensor of f32 over memory of the caller's.
Owned<OrtValue> make_tensor(const Api& api, const OrtMemoryInfo* memory, void* data,
                            const runtimes::ExportedTensor& tensor);

// The operations of a model that the runtime optimized, from the bytes of its file, in the file's order.
std::vector<runtimes::Operation> operations_in(std::string_view model);

}  // namespace hacscale::onnxruntime
