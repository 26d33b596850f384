#include "kernels/cuda/cuda_network_runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/stream.hpp"
#include "models/graph/graph.hpp"

namespace hacscale::cuda {
namespace {

// A graph with fewer layers than this is started as several networks at once: the host needs a few
// microseconds for each start, and the device may need less for a layer.
constexpr int layers_a_start = 64;

constexpr double cold_work_us = 100.0;  // between the events of a cold run
constexpr int max_cold_copies = 32;
constexpr std::size_t cold_memory_share = 4;  // of the free device memory

}  // namespace

CudaNetworkRunner::Memory::Memory(const MemoryLayout& layout)
    : weights(layout.weight_bytes, "the network's weights"),
      activations(layout.activation_bytes, "the network's activations") {}

CudaNetworkRunner::CudaNetworkRunner(const Graph& network, const CompileOptions& options,
                                     const DeviceTraits& device, const ChooseLayer& choose,
                                     std::shared_ptr<const DeviceBuffer> flush)
    : network_(network),
      batch_(options.batch),
      type_(options.type),
      device_(device),
      flush_(std::move(flush)) {
    if (const auto fault = validate(network_)) throw InputError("the network cannot be compiled: " + *fault);
    use_device(device_.index);
    std::vector<std::size_t> weight_bytes;
    std::size_t workspace_bytes = 0;
    for (const Node& node : network_.nodes) {
        layers_.push_back(choose({node.layer, batch_, type_, device_}));
        range_names_.push_back(fmt::format("{} {}", node.name, node.layer.key()));
        weight_bytes.push_back(layers_.back()->weight_bytes());
        workspace_bytes = std::max(workspace_bytes, layers_.back()->workspace_bytes());
    }
    layout_ = lay_out(network_, batch_, type_, weight_bytes, workspace_bytes);
    memory_.emplace(layout_);
    stream_.emplace();
    begin_.emplace();
    end_.emplace();
    for (const DeviceBuffer* block : {&memory_->weights, &memory_->activations}) {
        if (block->size() == 0) continue;
        check(cudaMemsetAsync(block->data(), 0, block->size(), stream_->get()), "clearing device memory");
    }
    // Kernels are loaded when they first run, and loading is not allowed while a graph is captured.
    enqueue(*memory_);
    wait();
    plain_ = CapturedGraph::capture(*stream_, [this] { enqueue(*memory_); });
    opening_ = CapturedGraph::capture(*stream_, [this] {
        begin_->record_in_graph(*stream_);
        enqueue(*memory_);
    });
    single_ = CapturedGraph::capture(*stream_, [this] {
        begin_->record_in_graph(*stream_);
        enqueue(*memory_);
        end_->record_in_graph(*stream_);
    });
    const int layers = static_cast<int>(layers_.size());
    repetitions_ = (layers_a_start + layers - 1) / layers;
    if (repetitions_ > 1) {
        repeated_ = CapturedGraph::capture(*stream_, [this] {
            for (int i = 0; i < repetitions_; ++i) enqueue(*memory_);
        });
    }
    wait();
}

// Members free memory and graphs of the device that is current.
CudaNetworkRunner::~CudaNetworkRunner() {
    if (cudaSetDevice(device_.index) != cudaSuccess) cudaGetLastError();
}

LayerBuffers CudaNetworkRunner::buffers_of(int node, const Memory& memory) const {
    std::byte* const base = memory.activations.data();
    const Node& described = network_.nodes[node];
    LayerBuffers buffers;
    buffers.input = base + layout_.tensors[described.inputs.front()];
    if (described.layer.residual) buffers.residual = base + layout_.tensors[described.residual_input()];
    buffers.output = base + layout_.tensors[described.outputs.front()];
    if (memory.weights.data() != nullptr) buffers.weights = memory.weights.data() + layout_.weights[node];
    buffers.workspace = base + layout_.workspace;
    if (described.layer.inputs == 1) return buffers;
    for (std::size_t i = 0; i < described.layer.inputs; ++i) {
        const TensorId id = described.inputs[i];
        buffers.inputs.push_back({base + layout_.tensors[id], network_.tensors[id].channels});
    }
    return buffers;
}

void CudaNetworkRunner::enqueue(const Memory& memory) const {
    for (int i = 0; i < static_cast<int>(layers_.size()); ++i) {
        launch(i, memory);
    }
}

void CudaNetworkRunner::launch(int node, const Memory& memory) const {
    const LayerRange range(range_names_[static_cast<std::size_t>(node)]);
    layers_.at(node)->launch(buffers_of(node, memory), stream_->get());
}

void CudaNetworkRunner::upload(std::span<const std::byte> from, std::byte* to, std::string_view what) const {
    if (from.empty()) return;
    check(cudaMemcpyAsync(to, from.data(), from.size(), cudaMemcpyHostToDevice, stream_->get()), what);
    stream_->synchronize(what);
}

void CudaNetworkRunner::load(const std::vector<LayerWeights>& weights) {
    if (weights.size() != layers_.size()) {
        throw InputError("weights for another number of layers than the network has");
    }
    use_device(device_.index);
    std::vector<std::byte> packed(layout_.weight_bytes);
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        layers_[i]->pack_weights(weights[i],
                                 std::span(packed).subspan(layout_.weights[i], layers_[i]->weight_bytes()));
    }
    upload(packed, memory_->weights.data(), "copying the weights to the device");
    if (cold_) cold_->up_to_date = false;
}

void CudaNetworkRunner::set_input(std::size_t index, std::span<const float> nchw) {
    const TensorId id = network_.inputs.at(index);
    const TensorShape shape = shape_of(network_.tensors[id], batch_);
    if (nchw.size() != shape.elements()) {
        throw InputError(fmt::format("input {} has {} numbers, the network takes {}", index, nchw.size(),
                                     shape.elements()));
    }
    use_device(device_.index);
    std::vector<std::byte> converted(shape.bytes(type_));
    to_nhwc(nchw, shape, type_, converted);
    upload(converted, memory_->activations.data() + layout_.tensors[id], "copying an input to the device");
    if (cold_) cold_->up_to_date = false;
}

void CudaNetworkRunner::run() {
    use_device(device_.index);
    if (ranges_are_seen()) {
        // Kernels of a graph belong to no range: a tool that listens is shown the layers one by one.
        enqueue(*memory_);
    } else {
        plain_.launch(*stream_);
    }
    stream_->synchronize("running the network");
}

double CudaNetworkRunner::time_runs(int runs) {
    if (runs < 1) return 0.0;
    start_runs(runs);
    return finish_runs(runs);
}

void CudaNetworkRunner::start_runs(int runs) {
    use_device(device_.index);
    if (runs == 1) {
        single_.launch(*stream_);
    } else {
        opening_.launch(*stream_);
        int left = runs - 1;
        for (; repetitions_ > 1 && left >= repetitions_; left -= repetitions_) repeated_.launch(*stream_);
        for (; left > 0; --left) plain_.launch(*stream_);
        end_->record(*stream_);
    }
}

double CudaNetworkRunner::finish_runs(int /*runs*/) {
    stream_->synchronize("running the network");
    return elapsed_us(*begin_, *end_);
}

CudaNetworkRunner::Stopwatch CudaNetworkRunner::make_stopwatch() {
    Stopwatch stopwatch;
    stopwatch.events = std::vector<Event>(layers_.size() + 1);
    stopwatch.graph = CapturedGraph::capture(*stream_, [&] {
        stopwatch.events.front().record_in_graph(*stream_);
        for (std::size_t i = 0; i < layers_.size(); ++i) {
            layers_[i]->launch(buffers_of(static_cast<int>(i), *memory_), stream_->get());
            stopwatch.events[i + 1].record_in_graph(*stream_);
        }
    });
    return stopwatch;
}

void CudaNetworkRunner::run_timed(std::span<double> node_us) {
    if (node_us.size() != layers_.size()) {
        throw InputError("times for another number of layers than the network has");
    }
    use_device(device_.index);
    if (!stopwatch_) stopwatch_ = make_stopwatch();
    stopwatch_->graph.launch(*stream_);
    stream_->synchronize("running the network with a clock between layers");
    for (std::size_t i = 0; i < layers_.size(); ++i) {
        node_us[i] = elapsed_us(stopwatch_->events[i], stopwatch_->events[i + 1]);
    }
}

void CudaNetworkRunner::time_prefixes(std::span<double> prefix_us) {
    if (prefix_us.size() != layers_.size()) {
        throw InputError("times for another number of layers than the network has");
    }
    use_device(device_.index);
    if (!prefixes_) {
        prefixes_.emplace(*stream_, layers_.size(), [this](std::size_t node) {
            layers_[node]->launch(buffers_of(static_cast<int>(node), *memory_), stream_->get());
        });
        // A graph's first launch uploads it.
        prefixes_->time(*stream_, plain_, prefix_us);
    }
    prefixes_->time(*stream_, plain_, prefix_us);
}

CudaNetworkRunner::ColdRuns CudaNetworkRunner::make_cold_runs() {
    time_runs(1);
    const double once_us = std::max(time_runs(3) / 3.0, 0.1);
    const int wanted = std::clamp(static_cast<int>(std::ceil(cold_work_us / once_us)), 1, max_cold_copies);
    const std::size_t bytes = layout_.weight_bytes + layout_.activation_bytes;
    const std::size_t affordable = free_device_bytes() / cold_memory_share / bytes;
    const int extra = static_cast<int>(std::min(static_cast<std::size_t>(wanted - 1), affordable));
    ColdRuns cold;
    try {
        for (int i = 0; i < extra; ++i) cold.copies.emplace_back(layout_);
    } catch (const OutOfDeviceMemory&) {
        // Fewer copies only make the time a little coarser.
    }
    cold.graph = CapturedGraph::capture(*stream_, [&] {
        launch_touch(flush_->data(), flush_->size(), stream_->get());
        cold.begin.record_in_graph(*stream_);
        enqueue(*memory_);
        for (const Memory& copy : cold.copies) enqueue(copy);
        cold.end.record_in_graph(*stream_);
    });
    return cold;
}

void CudaNetworkRunner::update(ColdRuns& cold) const {
    for (const Memory& copy : cold.copies) {
        for (const auto& [from, to] : {std::pair(&memory_->weights, &copy.weights),
                                       std::pair(&memory_->activations, &copy.activations)}) {
            if (from->size() == 0) continue;
            check(cudaMemcpyAsync(to->data(), from->data(), from->size(), cudaMemcpyDeviceToDevice,
                                  stream_->get()),
                  "copying the network for cold runs");
        }
    }
    stream_->synchronize("copying the network for cold runs");
    cold.up_to_date = true;
}

double CudaNetworkRunner::time_cold() {
    use_device(device_.index);
    if (!cold_) cold_ = make_cold_runs();
    if (!cold_->up_to_date) update(*cold_);
    cold_->graph.launch(*stream_);
    stream_->synchronize("running the network cold");
    return elapsed_us(cold_->begin, cold_->end) / static_cast<double>(cold_->copies.size() + 1);
}

void CudaNetworkRunner::start_layer(int node) {
    use_device(device_.index);
    launch(node, *memory_);
}

void CudaNetworkRunner::wait() {
    stream_->synchronize("running layers");
}

void CudaNetworkRunner::poison() {
    use_device(device_.index);
    check(cudaMemsetAsync(memory_->activations.data() + layout_.written, 0xFF,
                          layout_.activation_bytes - layout_.written, stream_->get()),
          "overwriting the outputs");
    stream_->synchronize("overwriting the outputs");
}

std::vector<float> CudaNetworkRunner::output(std::size_t index) const {
    use_device(device_.index);
    const TensorId id = network_.outputs.at(index);
    const TensorShape shape = shape_of(network_.tensors[id], batch_);
    std::vector<std::byte> raw(shape.bytes(type_));
    check(cudaMemcpyAsync(raw.data(), memory_->activations.data() + layout_.tensors[id], raw.size(),
                          cudaMemcpyDeviceToHost, stream_->get()),
          "copying the output from the device");
    stream_->synchronize("copying the output from the device");
    return to_nchw(raw, shape, type_);
}

std::size_t CudaNetworkRunner::weight_bytes() const {
    std::size_t bytes = 0;
    for (const auto& layer : layers_) bytes += layer->weight_bytes();
    return bytes;
}

}  // namespace hacscale::cuda
