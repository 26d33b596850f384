// A network in ONNX Runtime's CUDA provider. Its inputs and outputs lie on the GPU, as our own networks' do: no pass copies them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/cuda/device_memory.hpp"
#include "kernels/onnxruntime/session.hpp"
#include "models/ops/layer_spec.hpp"

namespace hacscale::onnxruntime {

class CudaSession final : public Session {
public:
    // On the GPU of this index, which has to be current; in f32 or tf32. Throws WorkError where the runtime refuses the network,
    // OutOfDeviceMemory and DeviceLost.
    CudaSession(const runtimes::ExportedNetwork& network, int gpu, DataType type);

    void set_input(std::size_t index, std::span<const float> nchw) override;
    std::vector<float> output(std::size_t index) const override;
    void poison() override;
    // How long the kernels ran that each operation launched, from CUPTI. CUPTI has left the process afterwards, so that it slows
    // no other run.
    std::vector<std::vector<double>> profile(int passes) override;

private:
    struct Value {
        cuda::DeviceBuffer memory;
        std::size_t elements = 0;
        Owned<OrtValue> value{nullptr, nullptr};
    };
    using Bind = OrtStatus* (*)(OrtIoBinding*, const char* name, const OrtValue*);

    std::vector<Value> make_values(const std::vector<runtimes::ExportedTensor>& tensors, int gpu, Bind bind);
    void run_with(const OrtRunOptions* options) override;

    Owned<OrtIoBinding> binding_;
    std::vector<Value> inputs_;
    std::vector<Value> outputs_;
};

}  // namespace hacscale::onnxruntime
