#include "kernels/onnxruntime/session.hpp"

#include <filesystem>
#include <nlohmann/json.hpp>
#include <protozero/pbf_reader.hpp>
#include <unordered_map>

#include "base/error.hpp"
#include "base/text/read_file.hpp"
#include "kernels/runtimes/this_cpu.hpp"

namespace hacscale::onnxruntime {
namespace {

namespace fs = std::filesystem;

constexpr int log_fatal = 4;  // onnxruntime_c_api.h

// A profiler's event of one operation is named after it.
constexpr std::string_view kernel_event = "_kernel_time";

const OrtEnv* environment(const Api& api) {
    static OrtEnv* const shared = [&api] {
        OrtEnv* env = nullptr;
        api.check(api.create_env(log_fatal, "hacscale", &env), "to start");
        return env;
    }();
    return shared;
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

Session::Session(const runtimes::ExportedNetwork& network,
                 const std::function<void(OrtSessionOptions*)>& add_provider)
    : api_(Api::get()), session_(nullptr, nullptr), profiled_(nullptr, nullptr) {
    const fs::path optimized = scratch_.path() / "optimized.onnx";
    const OrtEnv* const env = environment(api_);
    OrtSessionOptions* made = nullptr;
    api_.check(api_.create_session_options(&made), "to make options");
    const Owned<OrtSessionOptions> options(made, api_.release_session_options);
    api_.check(api_.set_intra_op_threads(made, runtimes::measuring_threads()), "to set its threads");
    api_.check(api_.set_optimized_model_file(made, optimized.c_str()), "to name a file");
    if (add_provider) add_provider(made);
    OrtSession* session = nullptr;
    api_.check(
        api_.create_session_from_bytes(env, network.bytes.data(), network.bytes.size(), made, &session),
        "to load the network");
    session_ = {session, api_.release_session};
    operations_ = operations_in(read_if_there(optimized));
    fs::remove(optimized);
    OrtRunOptions* profiled = nullptr;
    api_.check(api_.create_run_options(&profiled), "to make options");
    profiled_ = {profiled, api_.release_run_options};
    api_.check(api_.enable_profiling(profiled, (scratch_.path() / "run").c_str()), "to start its profiler");
}

std::vector<OperationEvent> Session::profiled_run() {
    run_with(profiled_.get());
    std::unordered_map<std::string, OperationEvent> by_name;
    for (const auto& entry : fs::directory_iterator(scratch_.path())) {
        const auto events = nlohmann::json::parse(read_if_there(entry.path()), nullptr, false);
        fs::remove(entry.path());
        if (!events.is_array()) throw WorkError("ONNX Runtime wrote a profile that is no JSON");
        for (const auto& event : events) {
            const std::string name = event.value("name", "");
            if (!name.ends_with(kernel_event)) continue;
            OperationEvent& operation = by_name[name.substr(0, name.size() - kernel_event.size())];
            if (operation.us == 0.0) operation.start_us = event.value("ts", 0.0);
            // Whole microseconds, cut off: half of one is lacking in the mean.
            operation.us += event.value("dur", 0.0) + 0.5;
        }
    }
    std::vector<OperationEvent> in_order;
    for (const runtimes::Operation& operation : operations_) {
        const auto found = by_name.extract(operation.name);
        in_order.push_back(found.empty() ? OperationEvent{} : found.mapped());
    }
    return in_order;
}

Owned<OrtMemoryInfo> name_memory(const Api& api, const char* provider, int device) {
    // Constants of onnxruntime_c_api.h.
    constexpr int device_allocator = 0;
    constexpr int default_memory = 0;
    OrtMemoryInfo* made = nullptr;
    api.check(api.create_memory_info(provider, device_allocator, device, default_memory, &made),
              "to name its memory");
    return {made, api.release_memory_info};
}

Owned<OrtValue> make_tensor(const Api& api, const OrtMemoryInfo* memory, void* data,
                            const runtimes::ExportedTensor& tensor) {
    constexpr int float_elements = 1;  // onnxruntime_c_api.h
    OrtValue* handle = nullptr;
    api.check(api.create_tensor(memory, data, tensor.elements * sizeof(float), tensor.sizes.data(),
                                tensor.sizes.size(), float_elements, &handle),
              "to make a tensor");
    return {handle, api.release_value};
}

}  // namespace hacscale::onnxruntime
