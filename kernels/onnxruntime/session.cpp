#include "kernels/onnxruntime/session.hpp"

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>
#include <protozero/pbf_reader.hpp>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/statistics.hpp"
#include "base/text/read_file.hpp"
#include "kernels/runtimes/runtime_device.hpp"
#include "models/formats/onnx/onnx.hpp"

namespace hacscale::onnxruntime {
namespace {

namespace fs = std::filesystem;

// Constants of onnxruntime_c_api.h.
constexpr int log_fatal = 4;
constexpr int device_allocator = 0;
constexpr int default_memory = 0;
constexpr int float_elements = 1;

// The least that is left of a reading.
constexpr double least_share = 0.25;
// A profiler's event of one operation is named after it.
constexpr std::string_view kernel_event = "_kernel_time";

// Of a process; all networks share it.
const OrtEnv* environment(const Api& api) {
    static OrtEnv* const shared = [&api] {
        OrtEnv* env = nullptr;
        api.check(api.create_env(log_fatal, "hacscale", &env), "to start");
        return env;
    }();
    return shared;
}

Owned<OrtSession> make_session(const Api& api, const std::string& model, const fs::path& optimized) {
    OrtSessionOptions* made = nullptr;
    api.check(api.create_session_options(&made), "to make options");
    const Owned<OrtSessionOptions> options(made, api.release_session_options);
    api.check(api.set_intra_op_threads(made, runtimes::measuring_threads()), "to set its threads");
    api.check(api.set_optimized_model_file(made, optimized.c_str()), "to name a file");
    OrtSession* session = nullptr;
    api.check(api.create_session_from_bytes(environment(api), model.data(), model.size(), made, &session),
              "to load the network");
    return {session, api.release_session};
}

runtimes::Operation read_operation(protozero::pbf_reader node) {
    // Of NodeProto (onnx.proto).
    enum : protozero::pbf_tag_type { input = 1, output = 2, name = 3, op_type = 4, domain = 7 };
    runtimes::Operation operation;
    std::string domain_text;
    while (node.next()) {
        switch (node.tag()) {
            case input:
                operation.inputs.push_back(node.get_string());
                break;
            case output:
                operation.outputs.push_back(node.get_string());
                break;
            case name:
                operation.name = node.get_string();
                break;
            case op_type:
                operation.kind = node.get_string();
                break;
            case domain:
                domain_text = node.get_string();
                break;
            default:
                node.skip();
        }
    }
    operation.prepares_input = operation.kind == "ReorderInput";
    const bool blocked = domain_text == "com.microsoft.nchwc" && !operation.kind.starts_with("Reorder");
    if (blocked) operation.kind += " (blocked)";
    return operation;
}

}  // namespace

std::vector<runtimes::Operation> operations_in(std::string_view model) {
    // Of ModelProto and GraphProto.
    constexpr protozero::pbf_tag_type graph_field = 7;
    constexpr protozero::pbf_tag_type node_field = 1;
    std::vector<runtimes::Operation> operations;
    protozero::pbf_reader fields(model.data(), model.size());
    while (fields.next(graph_field)) {
        protozero::pbf_reader graph = fields.get_message();
        while (graph.next(node_field)) operations.push_back(read_operation(graph.get_message()));
    }
    return operations;
}

Session::Session(const runtimes::ExportedNetwork& network)
    : api_(Api::get()), session_(nullptr, nullptr), profiled_(nullptr, nullptr) {
    const fs::path optimized = scratch_.path() / "optimized.onnx";
    session_ = make_session(api_, network.bytes, optimized);
    operations_ = operations_in(read_if_there(optimized));
    fs::remove(optimized);
    OrtRunOptions* options = nullptr;
    api_.check(api_.create_run_options(&options), "to make options");
    profiled_ = {options, api_.release_run_options};
    api_.check(api_.enable_profiling(options, (scratch_.path() / "run").c_str()), "to start its profiler");
    make_values(network.inputs, inputs_);
    make_values(network.outputs, outputs_);
    for (const Value& value : inputs_) {
        input_names_.push_back(value.name.c_str());
        input_values_.push_back(value.value.get());
    }
    for (const Value& value : outputs_) {
        output_names_.push_back(value.name.c_str());
        output_values_.push_back(value.value.get());
    }
}

void Session::make_values(const std::vector<runtimes::ExportedTensor>& tensors, std::vector<Value>& values) {
    OrtMemoryInfo* made = nullptr;
    api_.check(api_.create_cpu_memory_info(device_allocator, default_memory, &made), "to name its memory");
    const Owned<OrtMemoryInfo> memory(made, api_.release_memory_info);
    for (const runtimes::ExportedTensor& tensor : tensors) {
        Value value{tensor.name, std::vector<float>(tensor.elements), {nullptr, api_.release_value}};
        OrtValue* handle = nullptr;
        api_.check(api_.create_tensor(memory.get(), value.data.data(), value.data.size() * sizeof(float),
                                      tensor.sizes.data(), tensor.sizes.size(), float_elements, &handle),
                   "to make a tensor");
        value.value.reset(handle);
        values.push_back(std::move(value));
    }
}

void Session::run_with(const OrtRunOptions* options) {
    api_.check(
        api_.run(session_.get(), options, input_names_.data(), input_values_.data(), input_values_.size(),
                 output_names_.data(), output_values_.size(), output_values_.data()),
        "to run the network");
}

void Session::run() {
    run_with(nullptr);
}

void Session::set_input(std::size_t index, std::span<const float> nchw) {
    std::copy(nchw.begin(), nchw.end(), inputs_.at(index).data.begin());
}

std::vector<std::vector<double>> Session::profile(int passes) {
    static const double profiler = profiler_us();
    std::vector<std::vector<double>> passes_us = readings(passes);
    for (std::vector<double>& pass : passes_us) {
        for (double& reading : pass) reading = std::max(reading - profiler, least_share * reading);
    }
    return passes_us;
}

std::vector<std::vector<double>> Session::readings(int passes) {
    std::vector<std::vector<double>> passes_us;
    for (int pass = 0; pass < passes; ++pass) {
        run_with(nullptr);
        run_with(profiled_.get());
        passes_us.push_back(take_profile());
    }
    return passes_us;
}

std::vector<double> Session::take_profile() {
    std::unordered_map<std::string, double> event_us;
    std::vector<double> in_order;
    for (const auto& entry : fs::directory_iterator(scratch_.path())) {
        const auto events = nlohmann::json::parse(read_if_there(entry.path()), nullptr, false);
        fs::remove(entry.path());
        if (!events.is_array()) throw WorkError("ONNX Runtime wrote a profile that is no JSON");
        for (const auto& event : events) {
            const std::string name = event.value("name", "");
            if (!name.ends_with(kernel_event)) continue;
            // Whole microseconds, cut off: half of one is lacking in the mean.
            event_us[name.substr(0, name.size() - kernel_event.size())] += event.value("dur", 0.0) + 0.5;
        }
    }
    for (const runtimes::Operation& operation : operations_) {
        const auto found = event_us.extract(operation.name);
        in_order.push_back(found.empty() ? 0.0 : found.mapped());
    }
    return in_order;
}

double Session::profiler_us() {
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
    Session session(network);
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
