#include "kernels/openvino/compiled_network.hpp"

#include <algorithm>
#include <limits>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "kernels/runtimes/this_cpu.hpp"

namespace hacscale::openvino {
namespace {

constexpr int warm_up_runs = 2;

// Of a process; all networks share it.
const ov_core* shared_core(const Api& api) {
    static ov_core* const shared = [&api] {
        ov_core* core = nullptr;
        api.check(api.core_create(&core), "to start");
        return core;
    }();
    return shared;
}

Owned<ov_compiled_model> compile(const Api& api, const std::string& bytes, DataType type, bool profiled) {
    const ov_core* const core = shared_core(api);
    ov_model* read = nullptr;
    api.check(api.core_read_model_from_memory_buffer(core, bytes.data(), bytes.size(), nullptr, &read),
              "to read the network");
    const Owned<ov_model> model(read, api.model_free);
    const std::string threads = std::to_string(runtimes::measuring_threads());
    ov_compiled_model* compiled = nullptr;
    api.check(api.core_compile_model(core, read, "CPU", 10, &compiled, "PERFORMANCE_HINT", "LATENCY",
                                     "NUM_STREAMS", "1", "INFERENCE_NUM_THREADS", threads.c_str(),
                                     "INFERENCE_PRECISION_HINT", type == DataType::bf16 ? "bf16" : "f32",
                                     "PERF_COUNT", profiled ? "YES" : "NO"),
              "to compile the network");
    return {compiled, api.compiled_model_free};
}

}  // namespace

CompiledNetwork::CompiledNetwork(const runtimes::ExportedNetwork& network, DataType type, bool profiled)
    : api_(Api::get()), compiled_(compile(api_, network.bytes, type, profiled)), request_(nullptr, nullptr) {
    ov_infer_request* request = nullptr;
    api_.check(api_.compiled_model_create_infer_request(compiled_.get(), &request), "to make a request");
    request_ = {request, api_.infer_request_free};
    for (std::size_t i = 0; i < network.inputs.size(); ++i) {
        ov_tensor* tensor = nullptr;
        api_.check(api_.infer_request_get_input_tensor_by_index(request, i, &tensor), "to give an input");
        inputs_.push_back(numbers(tensor));
    }
    for (std::size_t i = 0; i < network.outputs.size(); ++i) {
        ov_tensor* tensor = nullptr;
        api_.check(api_.infer_request_get_output_tensor_by_index(request, i, &tensor), "to give an output");
        outputs_.push_back(numbers(tensor));
        if (outputs_.back().size() != network.outputs[i].elements) {
            throw WorkError("OpenVINO made an output of another size than the network's");
        }
    }
}

std::span<float> CompiledNetwork::numbers(ov_tensor* tensor) {
    tensors_.emplace_back(tensor, api_.tensor_free);
    void* data = nullptr;
    std::size_t bytes = 0;
    api_.check(api_.tensor_data(tensor, &data), "to give a tensor's memory");
    api_.check(api_.tensor_get_byte_size(tensor, &bytes), "to give a tensor's size");
    return {static_cast<float*>(data), bytes / sizeof(float)};
}

void CompiledNetwork::run() {
    api_.check(api_.infer_request_infer(request_.get()), "to run the network");
}

std::vector<CompiledNetwork::Counter> CompiledNetwork::counters() const {
    ProfilingInfoList list{};
    api_.check(api_.infer_request_get_profiling_info(request_.get(), &list), "to give its counters");
    std::vector<Counter> counters;
    for (std::size_t i = 0; i < list.size; ++i) {
        const ProfilingInfo& info = list.infos[i];
        // Fused into the one before, or an input: nothing runs. What takes less than a microsecond has the status of those, but has
        // the name of a kernel.
        const std::string_view kernel = info.exec_type;
        if (kernel.starts_with("undef") || kernel.starts_with("unknown")) continue;
        Counter counter;
        counter.operation.name = info.node_name;
        counter.operation.kind = std::string(info.node_type) + " (" + info.exec_type + ")";
        counter.operation.prepares_input = std::string(info.node_type) == "Reorder";
        // Each run's time is cut off to whole microseconds, and so is their mean: one is lacking on the average.
        counter.mean_us = info.real_time_us == 0 ? 0.5 : static_cast<double>(info.real_time_us) + 1.0;
        counters.push_back(std::move(counter));
    }
    api_.profiling_info_list_free(&list);
    return counters;
}

TwiceCompiled::TwiceCompiled(const runtimes::ExportedNetwork& network, DataType type)
    : plain_(network, type, false), profiled_(network, type, true), profiled_runs_(warm_up_runs) {
    for (int i = 0; i < warm_up_runs; ++i) profiled_.run();
    for (CompiledNetwork::Counter& counter : profiled_.counters()) {
        operations_.push_back(std::move(counter.operation));
        warm_up_us_.push_back(warm_up_runs * counter.mean_us);
    }
}

void TwiceCompiled::set_input(std::size_t index, std::span<const float> nchw) {
    std::copy(nchw.begin(), nchw.end(), plain_.input(index).begin());
    std::copy(nchw.begin(), nchw.end(), profiled_.input(index).begin());
}

std::vector<float> TwiceCompiled::output(std::size_t index) const {
    const std::span<const float> numbers = plain_.outputs().at(index);
    return {numbers.begin(), numbers.end()};
}

void TwiceCompiled::poison() {
    for (const std::span<float> numbers : plain_.outputs()) {
        std::fill(numbers.begin(), numbers.end(), std::numeric_limits<float>::quiet_NaN());
    }
}

std::vector<std::vector<double>> TwiceCompiled::profile(int passes) {
    for (int pass = 0; pass < passes; ++pass) profiled_.run();
    profiled_runs_ += passes;
    const std::vector<CompiledNetwork::Counter> counters = profiled_.counters();
    if (counters.size() != operations_.size()) throw WorkError("OpenVINO ran other operations than before");
    std::vector<double> operation_us;
    for (std::size_t i = 0; i < counters.size(); ++i) {
        const double sum_us = profiled_runs_ * counters[i].mean_us - warm_up_us_[i];
        operation_us.push_back(std::max(0.0, sum_us / (profiled_runs_ - warm_up_runs)));
    }
    return {operation_us};
}

}  // namespace hacscale::openvino
