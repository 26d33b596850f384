// A network in ONNX Runtime on this machine's CPU.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "kernels/onnxruntime/session.hpp"

namespace hacscale::onnxruntime {

class CpuSession final : public Session {
public:
    explicit CpuSession(const runtimes::ExportedNetwork& network);

    void set_input(std::size_t index, std::span<const float> nchw) override;
    std::vector<float> output(std::size_t index) const override { return outputs_.at(index).data; }
    void poison() override;
    // A plain run before each profiled one, as writing its profile leaves the caches full of other things. Without what the profiler
    // itself takes within each operation's time.
    std::vector<std::vector<double>> profile(int passes) override;

private:
    struct Value {
        std::string name;
        std::vector<float> data;
        Owned<OrtValue> value{nullptr, nullptr};
    };

    std::vector<Value> make_values(const std::vector<runtimes::ExportedTensor>& tensors) const;
    void run_with(const OrtRunOptions* options) override;
    // As profile(), with what the profiler takes.
    std::vector<std::vector<double>> readings(int passes);
    // What the profiler takes within an operation's time, from a network of operations that do nothing; of this process, measured
    // when it is first asked.
    static double profiler_us();

    std::vector<Value> inputs_;
    std::vector<Value> outputs_;
    // As run_with() takes them.
    std::vector<const char*> input_names_;
    std::vector<const char*> output_names_;
    std::vector<const OrtValue*> input_values_;
    std::vector<OrtValue*> output_values_;
};

}  // namespace hacscale::onnxruntime
