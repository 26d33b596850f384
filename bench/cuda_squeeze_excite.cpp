// How fast are the ways to run a squeeze-excite on a GPU: in one launch by clusters of blocks, in two launches, in
// three. Each is a graph of many launches between two events, as in a network of which everything is in the L2
// cache; the ways of a layer take turns, and the median counts.
// usage: cuda_squeeze_excite [--device cuda:N] [--dtype TYPE] [--batches 1,64] [--out FILE]
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <fstream>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "base/statistics.hpp"
#include "bench/measuring_program.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/device_memory.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "kernels/cuda/stream.hpp"

using namespace hacscale;

namespace {

constexpr int launches = 50;  // of a graph
constexpr int rounds = 15;

// EfficientNet-B0's, and one each of MobileNetV3 and RegNetY.
constexpr struct {
    int channels, size, squeeze;
} shapes[] = {{32, 112, 8},  {96, 56, 4},   {144, 56, 6}, {144, 28, 6},  {240, 28, 10}, {240, 14, 10},
              {480, 14, 20}, {672, 14, 28}, {672, 7, 28}, {1152, 7, 48}, {960, 7, 240}, {896, 14, 224}};

LayerSpec squeeze_excite(int channels, int size, int squeeze) {
    LayerSpec layer;
    layer.kind = LayerKind::squeeze_excite;
    layer.in_channels = layer.out_channels = channels;
    layer.in_height = layer.in_width = size;
    layer.squeeze_channels = squeeze;
    layer.activation = Activation::silu;
    layer.gate = Activation::sigmoid;
    return layer;
}

cuda::DeviceBuffer zeros(std::size_t bytes, const cuda::Stream& stream) {
    cuda::DeviceBuffer buffer(bytes, "a layer");
    if (bytes > 0) cuda::check(cudaMemsetAsync(buffer.data(), 0, bytes, stream.get()), "clearing a layer");
    return buffer;
}

// A candidate and its graph; `why_not` where it cannot run.
struct Candidate {
    std::unique_ptr<cuda::CudaLayer> layer;
    cuda::DeviceBuffer weights, workspace;
    cuda::Event begin, end;
    cuda::CapturedGraph graph;
    std::string why_not;
    std::vector<double> us;
};

void capture(Candidate& candidate, const cuda::LayerBuffers& tensors, const cuda::Stream& stream) {
    candidate.weights = zeros(candidate.layer->weight_bytes(), stream);
    candidate.workspace = zeros(candidate.layer->workspace_bytes(), stream);
    cuda::LayerBuffers buffers = tensors;
    buffers.weights = candidate.weights.data();
    buffers.workspace = candidate.workspace.data();
    candidate.layer->launch(buffers, stream.get());
    stream.synchronize("running a layer");
    candidate.graph = cuda::CapturedGraph::capture(stream, [&] {
        candidate.begin.record_in_graph(stream);
        for (int i = 0; i < launches; ++i) candidate.layer->launch(buffers, stream.get());
        candidate.end.record_in_graph(stream);
    });
}

std::vector<Candidate> time_candidates(const cuda::LayerContext& context) {
    const cuda::Stream stream;
    const auto input = zeros(cuda::input_shape(context.layer, context.batch).bytes(context.type), stream);
    const auto output = zeros(cuda::output_shape(context.layer, context.batch).bytes(context.type), stream);
    std::vector<Candidate> candidates;
    for (auto& layer : cuda::handwritten_candidates(context)) {
        candidates.emplace_back().layer = std::move(layer);
        try {
            capture(candidates.back(), {input.data(), nullptr, output.data()}, stream);
        } catch (const DeviceLost&) {
            throw;
        } catch (const WorkError& error) {
            candidates.back().why_not = error.what();
        }
    }
    for (int round = 0; round < rounds; ++round) {
        for (Candidate& candidate : candidates) {
            if (!candidate.why_not.empty()) continue;
            candidate.graph.launch(stream);
            stream.synchronize("running a layer");
            candidate.us.push_back(cuda::elapsed_us(candidate.begin, candidate.end) / launches);
        }
    }
    return candidates;
}

bench::LayerOptions read_options(int argc, char** argv) {
    bench::LayerOptions options;
    CLI::App parser("Times every way to run a squeeze-excite on a GPU, for twelve layers of known networks");
    bench::declare(parser, options, "way");
    bench::parse_or_exit(parser, argc, argv);
    return options;
}

void measure(const bench::LayerOptions& options) {
    const cuda::DeviceTraits traits = cuda::cuda_device(options.device).traits;
    const DataType type = data_type_from_name(options.dtype);
    cuda::use_device(traits.index);
    std::ofstream out = bench::open_lines(options.out);
    for (const int batch : options.batches) {
        for (const auto& shape : shapes) {
            const LayerSpec layer = squeeze_excite(shape.channels, shape.size, shape.squeeze);
            fmt::print("{} batch {}\n", layer.key(), batch);
            for (const Candidate& candidate : time_candidates({layer, batch, type, traits})) {
                const std::string name = candidate.layer->implementation();
                const bool timed = !candidate.us.empty();
                fmt::print("{:>10}  {}\n", timed ? fmt::format("{:.2f} us", upper_median(candidate.us)) : "-",
                           timed ? name : name + ": " + candidate.why_not);
                if (!out.is_open()) continue;
                nlohmann::json line{
                    {"layer", layer.key()}, {"batch", batch}, {"dtype", options.dtype}, {"by", name}};
                line["us"] = timed ? nlohmann::json(upper_median(candidate.us)) : nullptr;
                out << line.dump() << '\n';
            }
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    return bench::exit_status_of("cuda_squeeze_excite", [&] { measure(read_options(argc, argv)); });
}
