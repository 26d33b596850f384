#include "kernels/cuda/candidate_timing.hpp"

#include <algorithm>

#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/host_tensor.hpp"
#include "kernels/cuda/stream.hpp"

namespace hacscale::cuda {
namespace {

// Reading it takes longer than the host needs to enqueue what comes after, so that the device does not wait
// for the host between the events.
constexpr std::size_t min_flush_bytes = std::size_t{128} << 20;

constexpr int pattern_elements = 1 << 18;

struct Bench {
    Bench(const LayerContext& context, const LayerList& layers,
          std::shared_ptr<const DeviceBuffer> flush_buffer)
        : candidates(layers), state(context.l2), flush(std::move(flush_buffer)) {
        const std::size_t output_bytes = output_shape(context.layer, context.batch).bytes(context.type);
        std::size_t weight_bytes = 0;
        std::size_t workspace_bytes = 0;
        for (const auto& layer : candidates) {
            weight_bytes = std::max(weight_bytes, layer->weight_bytes());
            workspace_bytes = std::max(workspace_bytes, layer->workspace_bytes());
        }
        for (int i = 0; i < context.layer.inputs; ++i) {
            const TensorShape shape = input_shape(context.layer, context.batch, i);
            inputs.emplace_back(shape.bytes(context.type), "a layer's input");
            data_inputs.push_back({inputs.back().data(), shape.channels});
        }
        output = DeviceBuffer(output_bytes, "a layer's output");
        if (context.layer.residual) residual = DeviceBuffer(output_bytes, "a layer's residual");
        weights = DeviceBuffer(weight_bytes, "a layer's weights");
        workspace = DeviceBuffer(workspace_bytes, "a layer's workspace");
        // Zeros would be multiplied with less power, and so at higher clocks, than a network's numbers.
        const TensorShape shape{1, pattern_elements, 1, 1};
        std::vector<std::byte> pattern(shape.bytes(context.type));
        to_nhwc(random_values(shape.elements(), 1), shape, context.type, pattern);
        for (const DeviceBuffer* buffer : {&residual, &weights}) fill(*buffer, pattern);
        for (const DeviceBuffer& input : inputs) fill(input, pattern);
    }

    void fill(const DeviceBuffer& buffer, const std::vector<std::byte>& pattern) const {
        for (std::size_t at = 0; at < buffer.size(); at += pattern.size()) {
            call<cudaMemcpyAsync>("filling a layer's buffers", buffer.data() + at, pattern.data(),
                                  std::min(pattern.size(), buffer.size() - at), cudaMemcpyHostToDevice,
                                  stream.get());
        }
        stream.synchronize("filling a layer's buffers");
    }

    // Weights are read before the tensors, as the layers before this one would leave them.
    void make_ready() const {
        const auto read = [this](const DeviceBuffer& buffer) {
            if (buffer.size() > 0) launch_touch(buffer.data(), buffer.size(), stream.get());
        };
        read(*flush);
        if (state == L2State::hot) read(weights);
        if (state == L2State::cold) return;
        read(residual);
        for (const DeviceBuffer& input : inputs) read(input);
    }

    double time(std::size_t candidate) const {
        make_ready();
        begin.record(stream);
        try {
            candidates[candidate]->launch({inputs.front().data(), residual.data(), output.data(),
                                           weights.data(), workspace.data(), data_inputs},
                                          stream.get());
        } catch (...) {
            // What is enqueued already has to end before the next candidate is timed.
            stream.synchronize("timing kernels for a layer");
            throw;
        }
        end.record(stream);
        stream.synchronize("timing kernels for a layer");
        return elapsed_us(begin, end);
    }

    const LayerList& candidates;
    L2State state;
    std::shared_ptr<const DeviceBuffer> flush;
    Stream stream;
    Event begin;
    Event end;
    std::vector<DeviceBuffer> inputs;
    std::vector<DataInput> data_inputs;
    DeviceBuffer residual;
    DeviceBuffer output;
    DeviceBuffer weights;
    DeviceBuffer workspace;
};

}  // namespace

L2State l2_state(std::int64_t footprint_bytes, std::size_t l2_bytes) {
    const auto bytes = static_cast<std::int64_t>(l2_bytes);
    // Large caches are two partitions, and each may keep a copy of what the other one owns.
    if (footprint_bytes < bytes / 2) return L2State::hot;
    return footprint_bytes <= bytes ? L2State::input_hot : L2State::cold;
}

std::shared_ptr<const DeviceBuffer> make_flush_buffer(const DeviceTraits& device) {
    return std::make_shared<const DeviceBuffer>(std::max(min_flush_bytes, 4 * device.l2_bytes),
                                                "a buffer that clears the caches");
}

std::function<double(std::size_t)> make_candidate_timer(const LayerContext& context,
                                                        const LayerList& candidates,
                                                        std::shared_ptr<const DeviceBuffer> flush) {
    use_device(context.device.index);
    auto bench = std::make_shared<const Bench>(context, candidates, std::move(flush));
    return [bench](std::size_t candidate) { return bench->time(candidate); };
}

}  // namespace hacscale::cuda
