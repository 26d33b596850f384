// A network compiled for a GPU: its layers, one block of weights, one of activations, and the CUDA graphs
// that replay it.
//
// Times are the device's own: events that stand in the graphs or between them.
//   run, time_runs   one graph of the whole network, started again and again. While a tool listens to NVTX,
//                    run() starts the layers one by one, so that it can tell which is which.
//   run_timed        a second graph with an event between every two layers. Events take time themselves, and
//                    keep a kernel from starting while the one before drains: readings are longer than layers.
//   time_prefixes    a graph for each of the network's prefixes (kernels/cuda/captured.hpp), with no event inside.
//   time_cold        a third graph that reads four times the L2 cache, and then runs several copies of the
//                    network, each with weights and activations of its own, between two events. With one copy
//                    alone, the events' own cost would be a large share of a short layer's time.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "kernels/backend/backend.hpp"
#include "kernels/cuda/cuda_layer.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "kernels/cuda/memory_layout.hpp"
#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {

// The layer that runs a shape on this device. Layers own no memory, so nodes of one shape share one. Throws
// UnsupportedLayer.
using ChooseLayer = std::function<std::shared_ptr<CudaLayer>(const LayerContext&)>;

class CudaNetworkRunner final : public NetworkRunner {
public:
    // `flush` is a buffer of at least twice the L2 cache. Throws UnsupportedLayer naming the layer,
    // OutOfDeviceMemory, and as cuda_error.hpp.
    CudaNetworkRunner(const Graph& network, const CompileOptions& options, const DeviceTraits& device,
                      const ChooseLayer& choose, std::shared_ptr<const DeviceBuffer> flush);
    ~CudaNetworkRunner() override;

    void load(const std::vector<LayerWeights>& weights) override;
    void set_input(std::size_t index, std::span<const float> nchw) override;
    void run() override;
    double time_runs(int runs) override;
    void start_runs(int runs) override;
    double finish_runs(int runs) override;
    double time_cold() override;
    void run_timed(std::span<double> node_us) override;
    bool clock_takes_time() const override { return true; }
    bool kernels_overlap() const override {
        return device_.compute_capability >= 90 && programmatic_launches_wanted();
    }
    bool times_prefixes() const override { return true; }
    void time_prefixes(std::span<double> prefix_us) override;
    void start_layer(int node) override;
    void wait() override;
    void poison() override;
    std::vector<float> output(std::size_t index) const override;
    std::string implementation(int node) const override { return layers_.at(node)->implementation(); }
    std::size_t weight_bytes() const override;
    std::size_t activation_bytes() const override { return layout_.output_bytes; }

private:
    // Everything that one copy of the network reads and writes.
    struct Memory {
        Memory(const MemoryLayout& layout);
        DeviceBuffer weights;
        DeviceBuffer activations;
    };
    // The graph that times each layer: event i before layer i, one more after the last.
    struct Stopwatch {
        std::vector<Event> events;
        CapturedGraph graph;
    };
    struct ColdRuns {
        std::vector<Memory> copies;  // beside the network's own memory, which is run first
        Event begin;
        Event end;
        CapturedGraph graph;
        bool up_to_date = false;  // weights and inputs are those of the network
    };

    LayerBuffers buffers_of(int node, const Memory& memory) const;
    void enqueue(const Memory& memory) const;
    void launch(int node, const Memory& memory) const;  // in the layer's range
    void upload(std::span<const std::byte> from, std::byte* to, std::string_view what) const;
    Stopwatch make_stopwatch();
    ColdRuns make_cold_runs();
    void update(ColdRuns& cold) const;

    Graph network_;
    int batch_;
    DataType type_;
    DeviceTraits device_;
    std::shared_ptr<const DeviceBuffer> flush_;
    std::vector<std::shared_ptr<CudaLayer>> layers_;
    std::vector<std::string> range_names_;  // one a node, for tools that listen
    MemoryLayout layout_;
    std::optional<Memory> memory_;
    std::optional<Stream> stream_;
    CapturedGraph plain_;
    CapturedGraph opening_;   // records begin_, then runs the network: no gap between the clock and the work
    CapturedGraph single_;    // the same, and records end_
    CapturedGraph repeated_;  // the network several times, where starting a graph takes as long as running it
    int repetitions_ = 1;
    std::optional<Event> begin_;
    std::optional<Event> end_;
    std::optional<Stopwatch> stopwatch_;
    std::optional<PrefixGraphs> prefixes_;
    std::optional<ColdRuns> cold_;
};

}  // namespace hacscale::cuda
