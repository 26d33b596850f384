#include "kernels/cpu/cpu_network_runner.hpp"

#include <algorithm>
#include <cstring>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "models/graph/single_layer.hpp"

namespace hacscale::cpu {

std::unique_ptr<CpuLayer> make_layer(const LayerContext& context) {
    switch (context.layer.kind) {
        case LayerKind::conv:
            return make_conv(context);
        case LayerKind::max_pool:
            return make_max_pool(context);
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

// Only dense convs read every layout; a residual add copies the input as it lies.
bool only_dense_convs_read_input(const Network& network) {
    return std::none_of(network.nodes.begin(), network.nodes.end(), [](const NetworkNode& node) {
        if (node.layer.residual && node.residual == network_input) return true;
        return node.input == network_input && (node.layer.kind != LayerKind::conv || node.layer.groups > 1);
    });
}

// Layers that change values alone leave the tensor's layout as it is, such as that of a pooled vector.
TensorShape shape_after(const LayerSpec& layer, const TensorShape& input) {
    const bool keeps = layer.kind == LayerKind::scale_shift || layer.kind == LayerKind::squeeze_excite;
    return keeps ? input : output_shape(layer, input.batch, input.block);
}

}  // namespace

CpuNetworkRunner::CpuNetworkRunner(const Network& network, const CompileOptions& options)
    : network_(network), batch_(options.batch), type_(options.type) {
    if (network_.nodes.empty()) throw InputError("a network without layers cannot be compiled");
    input_shape_ = input_shape(network_.nodes.front().layer, batch_, channel_block(),
                               only_dense_convs_read_input(network_));
    input_ = Buffer(input_shape_.bytes(type_));

    std::vector<std::size_t> output_bytes;
    for (const NetworkNode& node : network_.nodes) {
        Step& step = steps_.emplace_back();
        step.output = shape_after(node.layer, shape_of(node.input));
        output_bytes.push_back(step.output.bytes(type_));
    }
    const MemoryPlan plan = plan_memory(network_, output_bytes);
    std::int64_t footprint = options.footprint_bytes;
    if (footprint == 0) {
        footprint = network_.weight_bytes(type_) + static_cast<std::int64_t>(plan.bytes + input_.size());
    }
    const bool stay_cached = footprint <= static_cast<std::int64_t>(private_cache_bytes());
    std::size_t scratch = 64;
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const NetworkNode& node = network_.nodes[i];
        Step& step = steps_[i];
        step.layer = make_layer(
            {node.layer, batch_, type_, shape_of(node.input), step.output, stay_cached, &weight_pool_});
        scratch = std::max(scratch, step.layer->scratch_bytes());
    }
    arena_ = Buffer(plan.bytes);
    scratch_ = Buffer(scratch);
    // oneDNN writes the padding of tensors as they are bound, so the memory has to be plain numbers before.
    std::fill_n(arena_.data(), arena_.size(), std::byte{0});
    std::fill_n(input_.data(), input_.size(), std::byte{0});
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        const NetworkNode& node = network_.nodes[i];
        Step& step = steps_[i];
        step.output_data = arena_.data() + plan.offsets[i];
        const std::byte* input = node.input < 0 ? input_.data() : steps_[node.input].output_data;
        if (node.layer.residual && !plan.in_place[i]) {
            step.residual_bytes = output_bytes[i];
            if (node.residual == external_residual) {
                external_residual_ = Buffer(output_bytes[i]);
                std::fill_n(external_residual_.data(), external_residual_.size(), std::byte{0});
                step.residual = external_residual_.data();
            } else {
                step.residual = node.residual < 0 ? input_.data() : steps_[node.residual].output_data;
            }
        }
        step.layer->bind(input, step.output_data, scratch_.data());
    }
}

TensorShape CpuNetworkRunner::shape_of(int node) const {
    return node < 0 ? input_shape_ : steps_[node].output;
}

void CpuNetworkRunner::Step::run() const {
    if (residual != nullptr) std::memcpy(output_data, residual, residual_bytes);
    layer->execute();
}

void CpuNetworkRunner::load(const std::vector<LayerWeights>& weights) {
    if (weights.size() != steps_.size()) {
        throw InputError("weights for another number of layers than the network has");
    }
    for (std::size_t i = 0; i < steps_.size(); ++i) steps_[i].layer->load(weights[i]);
}

void CpuNetworkRunner::set_input(std::span<const float> nchw) {
    const auto expected =
        static_cast<std::size_t>(batch_) * input_shape_.channels * input_shape_.height * input_shape_.width;
    if (nchw.size() != expected) {
        throw InputError("the input has " + std::to_string(nchw.size()) + " numbers, the network takes " +
                         std::to_string(expected));
    }
    write_tensor(nchw, input_shape_, type_, input_.data());
}

void CpuNetworkRunner::set_residual(std::span<const float> nchw) {
    if (external_residual_.size() > 0) {
        write_tensor(nchw, steps_.back().output, type_, external_residual_.data());
    }
}

void CpuNetworkRunner::run() {
    for (const Step& step : steps_) step.run();
}

void CpuNetworkRunner::run_timed(std::span<double> node_us) {
    double before = now_us();
    for (std::size_t i = 0; i < steps_.size(); ++i) {
        steps_[i].run();
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
    }
    for (const Buffer* buffer : {&input_, &external_residual_, &arena_, &scratch_}) {
        cpu::evict(buffer->data(), buffer->size());
    }
}

void CpuNetworkRunner::poison() {
    std::fill_n(arena_.data(), arena_.size(), std::byte{0xFF});
}

std::vector<float> CpuNetworkRunner::output() const {
    return read_tensor(steps_.back().output_data, steps_.back().output, type_);
}

std::size_t CpuNetworkRunner::weight_bytes() const {
    std::size_t bytes = 0;
    for (const Step& step : steps_) bytes += step.layer->weights().size();
    return bytes;
}

}  // namespace hacscale::cpu
