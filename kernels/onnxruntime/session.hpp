// A network in ONNX Runtime.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/scratch_folder.hpp"
#include "kernels/onnxruntime/api.hpp"
#include "kernels/runtimes/exported_network.hpp"
#include "kernels/runtimes/regions.hpp"
#include "kernels/runtimes/runtime.hpp"

namespace hacscale::onnxruntime {

class Session final : public runtimes::LoadedNetwork {
public:
    // Throws WorkError where the runtime refuses the network.
    explicit Session(const runtimes::ExportedNetwork& network);

    void set_input(std::size_t index, std::span<const float> nchw) override;
    std::span<float> output(std::size_t index) override { return outputs_.at(index).data; }
    void run() override;
    const std::vector<runtimes::Operation>& operations() const override { return operations_; }
    // A plain run before each profiled one, as writing its profile leaves the caches full of other things. Without what the profiler
    // itself takes within each operation's time.
    std::vector<std::vector<double>> profile(int passes) override;

private:
    struct Value {
        std::string name;
        std::vector<float> data;
        Owned<OrtValue> value{nullptr, nullptr};
    };

    void make_values(const std::vector<runtimes::ExportedTensor>& tensors, std::vector<Value>& values);
    void run_with(const OrtRunOptions* options);
    // As profile(), with what the profiler takes.
    std::vector<std::vector<double>> readings(int passes);
    // Of each operation, in a pass that was just profiled.
    std::vector<double> take_profile();
    // What the profiler takes within an operation's time, from a network of operations that do nothing; of this process, measured
    // when it is first asked.
    static double profiler_us();

    const Api& api_;
    ScratchFolder scratch_;
    Owned<OrtSession> session_;
    Owned<OrtRunOptions> profiled_;
    std::vector<Value> inputs_;
    std::vector<Value> outputs_;
    // As run() takes them.
    std::vector<const char*> input_names_;
    std::vector<const char*> output_names_;
    std::vector<const OrtValue*> input_values_;
    std::vector<OrtValue*> output_values_;
    std::vector<runtimes::Operation> operations_;
};

// The operations of a model that the runtime optimized, from the bytes of its file, in the file's order.
std::vector<runtimes::Operation> operations_in(std::string_view model);

}  // namespace hacscale::onnxruntime
