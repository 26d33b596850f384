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
    virtual std::span<float> output(std::size_t index) = 0;
    virtual void run() = 0;
    // What the runtime made of the network.
    virtual const std::vector<Operation>& operations() const = 0;
    // Runs this many passes under the runtime's profiler. Of each pass, or of all together as NetworkRunner::profile() says it:
    // microseconds of each operation, in their order.
    virtual std::vector<std::vector<double>> profile(int passes) = 0;
};

struct Runtime {
    std::string backend;  // "onnxruntime"
    std::string name;     // "ONNX Runtime"
    std::string version;
    // As Backend::unsupported_reason().
    std::function<std::string(DataType)> unsupported_reason;
    // Throws WorkError where the runtime refuses the network.
    std::function<std::unique_ptr<LoadedNetwork>(const ExportedNetwork&, DataType)> load;
};

// On this machine's CPU, as "BACKEND@cpu".
std::unique_ptr<Backend> make_backend(Runtime runtime);

}  // namespace hacscale::runtimes
