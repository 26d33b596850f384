#include "kernels/onnxruntime/cuda/cuda_session.hpp"

#include <cuda_runtime_api.h>

#include <array>

#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cupti/activity_trace.hpp"
#include "kernels/onnxruntime/cuda/launch_owners.hpp"

namespace hacscale::onnxruntime {
namespace {

// Everything else as it comes.
void add_cuda(const Api& api, OrtSessionOptions* session_options, int gpu, DataType type) {
    OrtCUDAProviderOptionsV2* made = nullptr;
    api.check(api.create_cuda_options(&made), "to make options of its CUDA provider");
    const Owned<OrtCUDAProviderOptionsV2> options(made, api.release_cuda_options);
    const std::string index = std::to_string(gpu);
    const std::array keys{"device_id", "use_tf32"};
    const std::array values{index.c_str(), type == DataType::tf32 ? "1" : "0"};
    api.check(api.update_cuda_options(made, keys.data(), values.data(), keys.size()),
              "to choose the GPU of its CUDA provider");
    api.check(api.append_cuda(session_options, made), "to open its CUDA provider");
}

Owned<OrtIoBinding> make_binding(const Api& api, OrtSession* session) {
    OrtIoBinding* made = nullptr;
    api.check(api.create_io_binding(session, &made), "to bind inputs and outputs");
    return {made, api.release_io_binding};
}

}  // namespace

CudaSession::CudaSession(const runtimes::ExportedNetwork& network, int gpu, DataType type)
    : Session(network, [&](OrtSessionOptions* options) { add_cuda(Api::get(), options, gpu, type); }),
      binding_(make_binding(api(), handle())),
      inputs_(make_values(network.inputs, gpu, api().bind_input)),
      outputs_(make_values(network.outputs, gpu, api().bind_output)) {}

std::vector<CudaSession::Value> CudaSession::make_values(const std::vector<runtimes::ExportedTensor>& tensors,
                                                         int gpu, Bind bind) {
    const Owned<OrtMemoryInfo> memory = name_memory(api(), "Cuda", gpu);
    std::vector<Value> values;
    for (const runtimes::ExportedTensor& tensor : tensors) {
        Value& value = values.emplace_back();
        value.memory = cuda::DeviceBuffer(tensor.elements * sizeof(float), "a network's input or output");
        value.elements = tensor.elements;
        value.value = make_tensor(api(), memory.get(), value.memory.data(), tensor);
        api().check(bind(binding_.get(), tensor.name.c_str(), value.value.get()), "to bind a tensor");
    }
    return values;
}

void CudaSession::run_with(const OrtRunOptions* options) {
    try {
        api().check(api().run_with_binding(handle(), options, binding_.get()), "to run the network");
    } catch (const WorkError&) {
        cuda::check_device_works();
        throw;
    }
}

void CudaSession::set_input(std::size_t index, std::span<const float> nchw) {
    cuda::call<cudaMemcpy>("copying an input", inputs_.at(index).memory.data(), nchw.data(),
                           nchw.size_bytes(), cudaMemcpyHostToDevice);
}

std::vector<float> CudaSession::output(std::size_t index) const {
    const Value& output = outputs_.at(index);
    std::vector<float> numbers(output.elements);
    cuda::call<cudaMemcpy>("copying an output", numbers.data(), output.memory.data(), output.memory.size(),
                           cudaMemcpyDeviceToHost);
    return numbers;
}

void CudaSession::poison() {
    constexpr int all_ones = 0xFF;  // in every byte: not a number
    for (const Value& output : outputs_) {
        cuda::call<cudaMemset>("poisoning an output", output.memory.data(), all_ones, output.memory.size());
    }
}

std::vector<std::vector<double>> CudaSession::profile(int passes) {
    const struct Detached {
        ~Detached() { cupti::detach(cupti::cupti()); }
    } at_the_end;
    std::vector<std::vector<double>> passes_us;
    try {
        for (int pass = 0; pass < passes; ++pass) {
            cupti::ActivityTrace trace(cupti::cupti());
            trace.start();
            const std::vector<OperationEvent> events = profiled_run();
            trace.stop();
            passes_us.push_back(kernel_us(events, trace.launches()));
        }
    } catch (const cupti::CuptiFailure& failure) {
        throw WorkError(failure.what());
    }
    return passes_us;
}

}  // namespace hacscale::onnxruntime
