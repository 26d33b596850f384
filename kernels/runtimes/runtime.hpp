// A runtime of others as a backend: what is the same for each of them. A runtime itself says how it loads and runs a network.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "kernels/runtimes/exported_network.hpp"
#include "kernels/runtimes/regions.hpp"

namespace hacscale::runtimes {

// A network that a runtime has loaded. Inputs and outputs are f32, in the order of the graph's.
class LoadedNetwork {
public:
    virtual ~LoadedNetwork() = default;
    virtual void set_input(std::size_t index, std::span<const float> nchw) = 0;
    virtual void run() = 0;
    // What the last run left, or poison().
    virtual std::vector<float> output(std::size_t index) const = 0;
    // Makes every output not-a-numbers.
    virtual void poison() = 0;
    // What the runtime made of the network.
    virtual const std::vector<Operation>& operations() const = 0;
    // Runs this many passes under the runtime's profiler. Of each pass, or of all together as NetworkRunner::profile() says it:
    // microseconds of each operation, in their order.
    virtual std::vector<std::vector<double>> profile(int passes) = 0;
};

// What a runtime does on one kind of device.
struct Runtime {
    std::string backend;  // as its module is called: "onnxruntime", "onnxruntime_cuda"
    std::string name;     // "ONNX Runtime"
    // As Backend::unsupported_reason().
    std::function<std::string(DataType)> unsupported_reason;
    // Throws WorkError where the runtime refuses the network.
    std::function<std::unique_ptr<LoadedNetwork>(const std::string& device, const ExportedNetwork&, DataType)>
        load;
};

// A kind of devices, whatever runtime works on them.
struct DeviceKind {
    std::vector<BackendDevice> devices;
    std::vector<LayerSpec> peak_layers;  // as Backend::peak_layers()
    std::function<double(const std::string& device)> copy_bandwidth;
    // Reads more than the device's caches hold, so that nothing else is left in them.
    std::function<void(const std::string& device)> fill_caches;
};

std::unique_ptr<Backend> make_backend(Runtime runtime, DeviceKind kind);

}  // namespace hacscale::runtimes
