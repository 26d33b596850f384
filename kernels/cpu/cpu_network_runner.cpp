#include "kernels/cpu/cpu_network_runner.hpp"

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "kernels/cpu/cpu_device.hpp"

namespace hacscale::cpu {

std::unique_ptr<CpuLayer> make_layer(const LayerContext& context) {
    switch (context.layer.kind) {
        case LayerKind::conv:
            return make_conv(context);
        case LayerKind::max_pool:
        case LayerKind::avg_pool:
            return make_pool(context);
        case LayerKind::global_avg_pool:
            return make_global_avg_pool(context);
        case LayerKind::linear:
            return make_linear(context);
        case LayerKind::squeeze_excite:
            return make_squeeze_excite(context);
        case LayerKind::scale_shift:
            return make_scale_shift(context);
    }
    throw UnsupportedLayer("this backend does not know " + context.layer.key());
}

namespace {

bool is_dense_conv(const LayerSpec& layer) {
    return layer.kind == LayerKind::conv && layer.groups == 1;
}

// How an input of the graph lies in memory: as the first layer that works on it wants it, or what only is added, as
// the sum lies. Only dense convs read every order, so the plain one is for tensors that nothing else reads.
TensorShape shape_of_input(const Graph& graph, TensorId id, int batch, int block) {
    const Node* first = nullptr;
    const Node* adds = nullptr;
    bool only_dense_convs = true;
    for (const Node& node : graph.nodes) {
        if (node.layer.residual && node.residual_input() == id) {
            if (adds == nullptr) adds = &node;
            only_dense_convs = false;
        }
        if (node.inputs.front() != id) continue;
        if (first == nullptr) first = &node;
        only_dense_convs = only_dense_convs && is_dense_conv(node.layer);
    }
    if (first != nullptr) return input_shape(first->layer, batch, block, only_dense_convs);
    if (adds != nullptr) return output_shape(adds->layer, batch, block);
    const Tensor& unread = graph.tensors[id];
    return {batch, unread.channels, unread.height, unread.width, TensorShape::Order::channels_last, block};
}

// Layers that change values alone leave the tensor's layout as it is, such as that of a pooled vector.
TensorShape shape_after(const LayerSpec& layer, const TensorShape& input) {
    const bool keeps = layer.kind == LayerKind::scale_shift || layer.kind == LayerKind::squeeze_excite;
    return keeps ? input : output_shape(layer, input.batch, input.block);
}

std::vector<TensorShape> shapes_of(const Graph& graph, int batch) {
    std::vector<TensorShape> shapes(graph.tensors.size());
    for (const TensorId id : graph.inputs) shapes[id] = shape_of_input(graph, id, batch, channel_block());
    for (const Node& node : graph.nodes) {
        shapes[node.outputs.front()] = shape_after(node.layer, shapes[node.inputs.front()]);
    }
    return shapes;
}

// Pools and convs of groups write in the order in which they read.
bool reads_its_own_order_only(const LayerSpec& layer) {
    return layer.kind == LayerKind::max_pool || layer.kind == LayerKind::avg_pool ||
           (layer.kind == LayerKind::conv && layer.groups > 1);
}

template <typename Element>
void reorder(const std::byte* from, const TensorShape& from_shape, std::byte* to,
             const TensorShape& to_shape) {
    const auto* const source = reinterpret_cast<const Element*>(from);
    auto* const target = reinterpret_cast<Element*>(to);
    for (int n = 0; n < to_shape.batch; ++n) {
        for (int c = 0; c < to_shape.padded_channels(); ++c) {
            for (int h = 0; h < to_shape.height; ++h) {
                for (int w = 0; w < to_shape.width; ++w) {
                    target[to_shape.index(n, c, h, w)] =
                        c < to_shape.channels ? source[from_shape.index(n, c, h, w)] : Element{};
                }
            }
        }
    }
}

}  // namespace

CpuNetworkRunner::CpuNetworkRunner(const Graph& network, const CompileOptions& options)
    : network_(network), batch_(options.batch), type_(options.type) {
    if (const auto fault = validate(network_)) throw InputError("the network cannot be compiled: " + *fault);
    shapes_ = shapes_of(network_, batch_);
    std::vector<std::size_t> tensor_bytes;
    for (const TensorShape& shape : shapes_) tensor_bytes.push_back(shape.bytes(type_));
    const ArenaLayout layout = lay_out_arena(network_, tensor_bytes, [this](TensorId from, TensorId to) {
        return shapes_[from].order == shapes_[to].order;
    });
    std::size_t input_bytes = 0;
    for (const TensorId id : network_.inputs) {
        inputs_.emplace_back(tensor_bytes[id]);
        input_bytes += tensor_bytes[id];
    }
    std::int64_t footprint = options.footprint_bytes;
    if (footprint == 0) {
        footprint = network_.weight_bytes(type_) + static_cast<std::int64_t>(layout.bytes + input_bytes);
    }
    make_layers(footprint <= static_cast<std::int64_t>(private_cache_bytes()));
    arena_ = Buffer(layout.bytes);
    // oneDNN writes the padding of tensors as they are bound, so the memory has to be plain numbers before.
    std::fill_n(arena_.data(), arena_.size(), std::byte{0});
    for (Buffer& input : inputs_) std::fill_n(input.data(), input.size(), std::byte{0});
    place(layout);
}

void CpuNetworkRunner::make_layers(bool weights_stay_cached) {
    std::size_t scratch = 64;
    for (const Node& node : network_.nodes) {
        Step& step = steps_.emplace_back();
        step.input = shapes_[node.inputs.front()];
        const TensorShape& output = shapes_[node.outputs.front()];
        if (reads_its_own_order_only(node.layer)) step.input.order = output.order;
        step.layer =
            make_layer({node.layer, batch_, type_, step.input, output, weights_stay_cached, &weight_pool_});
        scratch = std::max(scratch, step.layer->scratch_bytes());
    }
    scratch_ = Buffer(scratch);
}

void CpuNetworkRunner::place(const ArenaLayout& layout) {
    data_.resize(shapes_.size());
    for (std::size_t id = 0; id < data_.size(); ++id) data_[id] = arena_.data() + layout.offsets[id];
    for (std::size_t i = 0; i < inputs_.size(); ++i) data_[network_.inputs[i]] = inputs_[i].data();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const Node& node = network_.nodes[i];
        Step& step = steps_[i];
        const TensorId output = node.outputs.front();
        const TensorId read = node.inputs.front();
        std::byte* input = data_[read];
        if (step.input.order != shapes_[read].order) {
            step.reordered = Buffer(step.input.bytes(type_));
            step.copies.push_back({input, shapes_[read], step.reordered.data(), step.input});
            input = step.reordered.data();
        }
        if (node.layer.residual && !layout.in_place[i]) {
            const TensorId added = node.residual_input();
            step.copies.push_back({data_[added], shapes_[added], data_[output], shapes_[output]});
        }
        step.layer->bind(input, data_[output], scratch_.data());
    }
}

void CpuNetworkRunner::run(const Step& step) const {
    for (const Copy& copy : step.copies) {
        if (copy.from_shape.order == copy.to_shape.order) {
            std::memcpy(copy.to, copy.from, copy.to_shape.bytes(type_));
        } else if (size_of(type_) == sizeof(std::uint32_t)) {
            reorder<std::uint32_t>(copy.from, copy.from_shape, copy.to, copy.to_shape);
        } else {
            reorder<std::uint16_t>(copy.from, copy.from_shape, copy.to, copy.to_shape);
        }
    }
    step.layer->execute();
}

void CpuNetworkRunner::load(const std::vector<LayerWeights>& weights) {
    if (weights.size() != steps_.size()) {
        throw InputError("weights for another number of layers than the network has");
    }
    for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].layer->load(weights[i]);
}

void CpuNetworkRunner::set_input(std::size_t index, std::span<const float> nchw) {
    const TensorId id = network_.inputs.at(index);
    const auto expected = static_cast<std::size_t>(batch_ * network_.tensors[id].elements());
    if (nchw.size() != expected) {
        throw InputError("input " + std::to_string(index) + " has " + std::to_string(nchw.size()) +
                         " numbers, the network takes " + std::to_string(expected));
    }
    write_tensor(nchw, shapes_[id], type_, inputs_[index].data());
}

void CpuNetworkRunner::run() {
    for (const Step& step : steps_) run(step);
}

void CpuNetworkRunner::run_timed(std::span<double> node_us) {
    double before = now_us();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        run(steps_[i]);
        const double after = now_us();
        node_us[i] = after - before;
        before = after;
    }
}

double CpuNetworkRunner::time_cold() {
    evict();
    return time_runs(1);
}

void CpuNetworkRunner::evict() {
    for (const Step& step : steps_) {
        const auto weights = step.layer->weights();
        cpu::evict(weights.data(), weights.size());
        cpu::evict(step.reordered.data(), step.reordered.size());
    }
    for (const Buffer& input : inputs_) cpu::evict(input.data(), input.size());
    for (const Buffer* buffer : {&arena_, &scratch_}) cpu::evict(buffer->data(), buffer->size());
}

void CpuNetworkRunner::poison() {
    std::fill_n(arena_.data(), arena_.size(), std::byte{0xFF});
}

std::vector<float> CpuNetworkRunner::output(std::size_t index) const {
    const TensorId id = network_.outputs.at(index);
    return read_tensor(data_[id], shapes_[id], type_);
}

std::size_t CpuNetworkRunner::weight_bytes() const {
    std::size_t bytes = 0;
    for (const Step& step : steps_) bytes += step.layer->weights().size();
    return bytes;
}

}  // namespace hacscale::cpu
