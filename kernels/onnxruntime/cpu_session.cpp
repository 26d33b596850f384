#include "kernels/onnxruntime/cpu_session.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "base/clock.hpp"
#include "base/statistics.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnxruntime {
namespace {

// The least that is left of a reading.
constexpr double least_share = 0.25;

}  // namespace

CpuSession::CpuSession(const runtimes::ExportedNetwork& network)
    : Session(network), inputs_(make_values(network.inputs)), outputs_(make_values(network.outputs)) {
    for (const Value& value : inputs_) {
        input_names_.push_back(value.name.c_str());
        input_values_.push_back(value.value.get());
    }
    for (const Value& value : outputs_) {
        output_names_.push_back(value.name.c_str());
        output_values_.push_back(value.value.get());
    }
}

std::vector<CpuSession::Value> CpuSession::make_values(
    const std::vector<runtimes::ExportedTensor>& tensors) const {
    const Owned<OrtMemoryInfo> memory = name_memory(api(), "Cpu", 0);
    std::vector<Value> values;
    for (const runtimes::ExportedTensor& tensor : tensors) {
        Value value{tensor.name, std::vector<float>(tensor.elements), {nullptr, nullptr}};
        value.value = make_tensor(api(), memory.get(), value.data.data(), tensor);
        values.push_back(std::move(value));
    }
    return values;
}

void CpuSession::run_with(const OrtRunOptions* options) {
    api().check(api().run(handle(), options, input_names_.data(), input_values_.data(), input_values_.size(),
                          output_names_.data(), output_values_.size(), output_values_.data()),
                "to run the network");
}

void CpuSession::set_input(std::size_t index, std::span<const float> nchw) {
    std::copy(nchw.begin(), nchw.end(), inputs_.at(index).data.begin());
}

void CpuSession::poison() {
    for (Value& output : outputs_) {
        std::fill(output.data.begin(), output.data.end(), std::numeric_limits<float>::quiet_NaN());
    }
}

std::vector<std::vector<double>> CpuSession::profile(int passes) {
    static const double profiler = profiler_us();
    std::vector<std::vector<double>> passes_us = readings(passes);
    for (std::vector<double>& pass : passes_us) {
        for (double& reading : pass) reading = std::max(reading - profiler, least_share * reading);
    }
    return passes_us;
}

std::vector<std::vector<double>> CpuSession::readings(int passes) {
    std::vector<std::vector<double>> passes_us;
    for (int pass = 0; pass < passes; ++pass) {
        run();
        std::vector<double>& pass_us = passes_us.emplace_back();
        for (const OperationEvent& event : profiled_run()) pass_us.push_back(event.us);
    }
    return passes_us;
}

double CpuSession::profiler_us() {
    constexpr int operations = 32;
    constexpr int passes = 100;
    onnx::Model model;
    model.opsets[""] = 17;
    model.graph.name = "nothing";
    model.graph.inputs = {onnx::value_info("x0", onnx::DataType::float32, {1, 8})};
    for (int i = 0; i < operations; ++i) {
        onnx::Node& node = model.graph.nodes.emplace_back();
        node.op_type = "Sigmoid";
        node.name = "nothing" + std::to_string(i);
        node.inputs = {"x" + std::to_string(i)};
        node.outputs = {"x" + std::to_string(i + 1)};
    }
    const std::string last = "x" + std::to_string(operations);
    model.graph.outputs = {onnx::value_info(last, onnx::DataType::float32, {1, 8})};
    runtimes::ExportedNetwork network;
    network.bytes = onnx::to_bytes(model);
    network.inputs = {{"x0", {1, 8}, 8}};
    network.outputs = {{last, {1, 8}, 8}};
    CpuSession session(network);
    session.readings(passes / 10);
    std::vector<double> profiled;
    std::vector<double> plain;
    for (const std::vector<double>& pass : session.readings(passes)) {
        profiled.push_back(std::accumulate(pass.begin(), pass.end(), 0.0) / operations);
        const double start = now_us();
        session.run();
        plain.push_back((now_us() - start) / operations);
    }
    return std::max(0.0, upper_median(profiled) - upper_median(plain));
}

}  // namespace hacscale::onnxruntime
