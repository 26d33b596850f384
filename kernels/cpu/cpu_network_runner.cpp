#include "kernels/cpu/cpu_network_runner.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/network_shapes.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale::cpu {

std::unique_ptr<CpuLayer> make_layer(const LayerContext& context) {
    switch (context.layer.kind) {
        case LayerKind::conv:
            return make_conv(context);
        case LayerKind::transposed_conv:
            return make_transposed_conv(context);
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
        case LayerKind::activation:
        case LayerKind::add:
        case LayerKind::multiply:
        case LayerKind::prelu:
            return make_elementwise(context);
        case LayerKind::concat:
        case LayerKind::slice:
        case LayerKind::channel_shuffle:
        case LayerKind::pixel_shuffle:
        case LayerKind::space_to_depth:
            return make_channel_moves(context);
        case LayerKind::pad:
            return make_pad(context);
        case LayerKind::resize:
            return make_resize(context);
        case LayerKind::layer_norm:
            return make_layer_norm(context);
        case LayerKind::group_norm:
        case LayerKind::grn:
        case LayerKind::eca:
            return make_channel_statistics(context);
        case LayerKind::reshape:
        case LayerKind::permute:
            return make_rearrange(context);
        case LayerKind::matmul:
            return make_matmul(context);
        case LayerKind::softmax:
            return make_softmax(context);
        case LayerKind::map_bias:
        case LayerKind::map_scale:
            return make_broadcast(context);
    }
    throw UnsupportedLayer("this backend does not know " + context.layer.key());
}

CpuNetworkRunner::CpuNetworkRunner(const Graph& network, const CompileOptions& options)
    : CpuNetworkRunner(network, options, /*any_kernel=*/false) {}

CpuNetworkRunner::CpuNetworkRunner(const Graph& network, const CompileOptions& options, bool any_kernel)
    : network_(network),
      batch_(options.batch),
      type_(options.type),
      footprint_bytes_(options.footprint_bytes),
      calibration_(options.calibration),
      any_kernel_(any_kernel) {
    if (const auto fault = validate(network_)) throw InputError("the network cannot be compiled: " + *fault);
    // oneDNN's integer kernels know no other order, so what layers name makes no difference.
    if (type_ == DataType::i8) network_.set_layout(Layout::channels_last);
    shapes_ = shapes_of(network_, batch_);
    quantization_.stored.resize(shapes_.size());
    for (const TensorId id : network_.inputs) {
        Buffer& input = inputs_.emplace_back(bytes_of(id));
        std::fill_n(input.data(), input.size(), std::byte{0});
    }
    if (type_ == DataType::i8) compiled_in_ = options.weights;
    build(compiled_in_);
}

void CpuNetworkRunner::build(const std::vector<LayerWeights>* weights) {
    if (type_ == DataType::i8) {
        const std::vector<ValueRange> ranges =
            weights != nullptr ? calibrate(*weights)
                               : std::vector<ValueRange>(shapes_.size(), ValueRange{-1.0F, 1.0F});
        quantization_ = quantize(network_, ranges, [this](const LayerSpec& layer) {
            return computes_with_integers(layer, batch_);
        });
    }
    std::vector<std::size_t> tensor_bytes;
    for (std::size_t id = 0; id < shapes_.size(); ++id) {
        tensor_bytes.push_back(bytes_of(static_cast<TensorId>(id)));
    }
    const ArenaLayout layout = lay_out_arena(network_, tensor_bytes, [this](TensorId from, TensorId to) {
        return shapes_[from].order == shapes_[to].order &&
               quantization_.stored[from].is_integer() == quantization_.stored[to].is_integer();
    });
    std::int64_t footprint = footprint_bytes_;
    if (footprint == 0) {
        footprint = network_.weight_bytes(type_) + static_cast<std::int64_t>(layout.bytes);
        for (const Buffer& input : inputs_) footprint += static_cast<std::int64_t>(input.size());
    }
    steps_.clear();
    weight_pool_ = {};
    make_layers(footprint <= static_cast<std::int64_t>(private_cache_bytes()), weights);
    arena_ = Buffer(layout.bytes);
    // oneDNN writes the padding of tensors as they are bound, so the memory has to be plain numbers before.
    std::fill_n(arena_.data(), arena_.size(), std::byte{0});
    place(layout);
}

std::vector<ValueRange> CpuNetworkRunner::calibrate(const std::vector<LayerWeights>& weights) const {
    // One sample at a time, of which each gives many numbers a tensor.
    CpuNetworkRunner numbers(network_, {1, DataType::f32}, /*any_kernel=*/true);
    numbers.load(weights);
    std::vector<ValueRange> ranges(shapes_.size());
    const InputSamples random = calibration_ == nullptr ? random_samples(network_) : InputSamples{};
    for (const auto& sample : calibration_ == nullptr ? random : *calibration_) {
        set_inputs(numbers, sample);
        numbers.widen_by_run(ranges);
    }
    return ranges;
}

void CpuNetworkRunner::widen_by_run(std::vector<ValueRange>& ranges) {
    const auto widen = [&](TensorId id) {
        ranges[id].add(range_of(reinterpret_cast<const float*>(data_[id]), shapes_[id].elements()));
    };
    for (const TensorId id : network_.inputs) widen(id);
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        run(steps_[i]);
        widen(network_.nodes[i].outputs.front());
    }
}

DataType CpuNetworkRunner::type_of(const Stored& form) const {
    return type_ == DataType::i8 && !form.is_integer() ? DataType::f32 : type_;
}

std::size_t CpuNetworkRunner::bytes_of(TensorId tensor) const {
    return shapes_[tensor].bytes(type_of(quantization_.stored[tensor]));
}

LayerContext CpuNetworkRunner::context_of(std::size_t index, bool weights_stay_cached,
                                          const std::vector<LayerWeights>* weights) {
    const Node& node = network_.nodes[index];
    const Step& step = steps_[index];
    const TensorId output = node.outputs.front();
    LayerContext context{node.layer,      batch_,
                         type_of({}),     step.inputs.front(),
                         shapes_[output], weights_stay_cached,
                         &weight_pool_,   {step.inputs.begin() + 1, step.inputs.end()}};
    // What is made without weights is made again when they come.
    context.any_kernel = any_kernel_ || (type_ == DataType::i8 && weights == nullptr);
    if (type_ != DataType::i8 || !quantization_.integer_nodes[index]) return context;
    context.type = DataType::i8;
    context.integers = {step.input_forms.front(), quantization_.stored[output], step.residual_form};
    if (weights != nullptr) {
        context.integers.weight_scales =
            weight_scales(node.layer, (*weights)[index], context.integers.input.element);
    } else {
        context.integers.weight_scales.assign(static_cast<std::size_t>(node.layer.out_channels), 1.0F);
    }
    return context;
}

void CpuNetworkRunner::make_layers(bool weights_stay_cached, const std::vector<LayerWeights>* weights) {
    std::size_t scratch = 64;
    for (std::size_t index = 0; index < network_.nodes.size(); ++index) {
        const Node& node = network_.nodes[index];
        const bool integer = type_ == DataType::i8 && quantization_.integer_nodes[index];
        Step& step = steps_.emplace_back();
        const TensorId written = node.outputs.front();
        const TensorShape& output = shapes_[written];
        for (int i = 0; i < node.layer.inputs; ++i) {
            const TensorId read = node.inputs[i];
            TensorShape& input = step.inputs.emplace_back(shapes_[read]);
            const bool computed = network_.producer_of(node, static_cast<std::size_t>(i)) != no_node;
            input.order = order_read(node.layer, i, input, computed, output);
            step.input_forms.push_back(integer ? quantization_.integers[read] : Stored{});
        }
        if (node.layer.residual && quantization_.stored[written].is_integer()) {
            step.residual_form = quantization_.integers[node.residual_input()];
        }
        step.layer = make_layer(context_of(index, weights_stay_cached, weights));
        scratch = std::max(scratch, step.layer->scratch_bytes());
    }
    scratch_ = Buffer(scratch);
}

// Where the tensor is in this order and form, after the copies that `step` gets for it. Null as `to`: at any place.
const std::byte* CpuNetworkRunner::bring(Step& step, TensorId tensor, const TensorShape& shape,
                                         const Stored& form, std::byte* to) {
    const TensorShape& from_shape = shapes_[tensor];
    const Stored& from_form = quantization_.stored[tensor];
    const bool moves = from_shape.order != shape.order;
    const bool converts = from_form.is_integer() != form.is_integer();
    for (const SharedCopy& copy : shared_) {
        if (to != nullptr || !converts) break;
        if (copy.tensor == tensor && copy.order == shape.order && copy.form == form) return copy.at;
    }
    const auto target = [&](bool is_last) {
        if (is_last && to != nullptr) return to;
        return step.copied.emplace_back(shape.bytes(type_of(form))).data();
    };
    std::byte* at = data_[tensor];
    if (converts) {
        std::byte* const converted = target(!moves);
        step.copies.push_back({at, from_shape, from_form, converted, from_shape, form});
        at = converted;
    }
    if (moves || (to != nullptr && at != to)) {
        std::byte* const moved = target(true);
        step.copies.push_back({at, from_shape, form, moved, shape, form});
        at = moved;
    }
    if (to == nullptr && converts) shared_.push_back({tensor, shape.order, form, at});
    return at;
}

void CpuNetworkRunner::place(const ArenaLayout& layout) {
    data_.resize(shapes_.size());
    shared_.clear();
    for (std::size_t id = 0; id < data_.size(); ++id) data_[id] = arena_.data() + layout.offsets[id];
    for (std::size_t i = 0; i < inputs_.size(); ++i) data_[network_.inputs[i]] = inputs_[i].data();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const Node& node = network_.nodes[i];
        Step& step = steps_[i];
        const TensorId output = node.outputs.front();
        InputPointers inputs;
        for (int k = 0; k < node.layer.inputs; ++k) {
            inputs.push_back(bring(step, node.inputs[k], step.inputs[k], step.input_forms[k], nullptr));
        }
        if (node.layer.residual && !layout.in_place[i]) {
            bring(step, node.residual_input(), shapes_[output], step.residual_form, data_[output]);
        }
        step.layer->bind(inputs, data_[output], scratch_.data());
    }
}

void CpuNetworkRunner::run(const Step& step) const {
    for (const Copy& copy : step.copies) {
        const DataType type = type_of(copy.to_form);
        if (copy.from_form != copy.to_form) {
            convert(copy.from, copy.from_form, copy.to, copy.to_form, copy.to_shape.elements());
        } else if (copy.from_shape.order == copy.to_shape.order) {
            std::memcpy(copy.to, copy.from, copy.to_shape.bytes(type));
        } else {
            reorder_tensor(copy.from, copy.from_shape, type, copy.to, copy.to_shape);
        }
    }
    step.layer->execute();
}

void CpuNetworkRunner::load(const std::vector<LayerWeights>& weights) {
    if (weights.size() != steps_.size()) {
        throw InputError("weights for another number of layers than the network has");
    }
    if (type_ == DataType::i8 && std::exchange(compiled_in_, nullptr) != &weights) {
        try {
            build(&weights);
        } catch (const UnsupportedLayer& unsupported) {
            throw WorkError(unsupported.what());
        }
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
    write_tensor(nchw, shapes_[id], type_of({}), inputs_[index].data());
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
        for (const Buffer& buffer : step.copied) cpu::evict(buffer.data(), buffer.size());
    }
    for (const Buffer& input : inputs_) cpu::evict(input.data(), input.size());
    for (const Buffer* buffer : {&arena_, &scratch_}) cpu::evict(buffer->data(), buffer->size());
}

void CpuNetworkRunner::poison() {
    std::fill_n(arena_.data(), arena_.size(), std::byte{0xFF});
}

std::vector<float> CpuNetworkRunner::output(std::size_t index) const {
    const TensorId id = network_.outputs.at(index);
    return read_tensor(data_[id], shapes_[id], type_of({}));
}

std::size_t CpuNetworkRunner::weight_bytes() const {
    std::size_t bytes = 0;
    for (const Step& step : steps_) bytes += step.layer->weights().size();
    return bytes;
}

}  // namespace hacscale::cpu
