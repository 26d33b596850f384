// Convolution, depthwise included, with bias, residual add and activation fused: one oneDNN primitive. Among
// oneDNN's kernels for the layer (direct, brgemm, Winograd) the fastest one measured here is taken; see
// plan_choice.hpp.
#include <algorithm>

#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/cpu_layer.hpp"
#include "kernels/cpu/detail/onednn.hpp"
#include "kernels/cpu/detail/primitive_layer.hpp"
#include "kernels/cpu/plan_choice.hpp"

namespace hacscale::cpu {
namespace {

using dnnl::convolution_forward;
using dnnl::memory;
using PrimitiveDesc = convolution_forward::primitive_desc;

constexpr std::size_t most_candidates = 4;

memory::dims weight_dims(const LayerSpec& layer) {
    const memory::dim g = layer.groups;
    const memory::dim out = layer.out_channels;
    const memory::dim in = layer.in_channels;
    if (g == 1) return {out, in, layer.kernel, layer.kernel};
    return {g, out / g, in / g, layer.kernel, layer.kernel};
}

// oneDNN lists, after its optimised kernels, slow general ones and those of older instruction sets.
bool last_resort(const std::string& name) {
    return name.find("ref") != std::string::npos || name.find("gemm:") != std::string::npos ||
           name.find("sse41") != std::string::npos;
}

std::unique_ptr<CpuLayer> build(const LayerContext& context, const PrimitiveDesc& plan) {
    const LayerSpec& layer = context.layer;
    const auto plain = layer.groups == 1 ? memory::format_tag::oihw : memory::format_tag::goihw;
    PrimitiveLayer::Weights weights{
        plan.weights_desc(), {weight_dims(layer), memory::data_type::f32, plain}, {}};
    if (layer.bias) weights.bias = plan.bias_desc();
    return PrimitiveLayer::make<convolution_forward>(context, plan, std::move(weights));
}

// Every kernel that oneDNN offers for the layer with one algorithm, in its order.
void append_plans(const LayerContext& context, dnnl::algorithm algorithm, std::vector<PrimitiveDesc>& plans) {
    const LayerSpec& layer = context.layer;
    const memory::desc weights(weight_dims(layer), dnnl_type(context.type), memory::format_tag::any);
    const memory::desc bias({layer.out_channels}, memory::data_type::f32, memory::format_tag::a);
    const memory::desc no_bias;
    const memory::dims strides{layer.stride, layer.stride};
    const memory::dims padding{layer.padding, layer.padding};
    // The far side is padded no further than the last window reaches, as oneDNN checks the sizes exactly.
    const auto far = [&](int in, int out) {
        return memory::dim{(out - 1) * layer.stride + layer.kernel - in - layer.padding};
    };
    const memory::dims far_padding{far(layer.in_height, layer.out_height()),
                                   far(layer.in_width, layer.out_width())};

    dnnl::post_ops post_ops;
    if (layer.residual) post_ops.append_sum(1.0F);
    append_activation(post_ops, layer.activation);
    dnnl::primitive_attr attributes;
    attributes.set_post_ops(post_ops);
    attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
    try {
        const convolution_forward::desc description(
            dnnl::prop_kind::forward_inference, algorithm, dnnl_desc(context.input, context.type), weights,
            layer.bias ? bias : no_bias, dnnl_desc(context.output, context.type), strides, padding,
            far_padding);
        PrimitiveDesc plan(description, attributes, engine(), /*allow_empty=*/true);
        if (!plan) return;
        do {
            plans.push_back(plan);
        } while (plan.next_impl());
    } catch (const dnnl::error& error) {
        // A combination that the algorithm does not have at all; the other one may have it.
        if (error.status != dnnl_unimplemented && error.status != dnnl_invalid_arguments) throw;
    }
}

struct Plans {
    std::vector<PrimitiveDesc> good;
    std::vector<PrimitiveDesc> last_resorts;
};

Plans candidate_plans(const LayerContext& context) {
    const LayerSpec& layer = context.layer;
    std::vector<PrimitiveDesc> plans;
    append_plans(context, dnnl::algorithm::convolution_direct, plans);
    // Depthwise and first-layer shapes gain nothing from Winograd, and its bf16 form loses digits.
    if (layer.kernel == 3 && layer.stride == 1 && layer.groups == 1 && layer.in_channels >= block_channels &&
        context.type == DataType::f32) {
        append_plans(context, dnnl::algorithm::convolution_winograd, plans);
    }
    if (plans.empty()) throw UnsupportedLayer("oneDNN has no convolution for " + layer.key());
    Plans sorted;
    std::vector<PrimitiveDesc>& good = sorted.good;
    for (const PrimitiveDesc& plan : plans) {
        (last_resort(plan.impl_info_str()) ? sorted.last_resorts : good).push_back(plan);
    }
    const auto winograd = std::find_if(good.begin(), good.end(), [](const PrimitiveDesc& plan) {
        return std::string(plan.impl_info_str()).find("wino") != std::string::npos;
    });
    // Of the direct kernels only the first few are worth timing: the list goes from the newest instruction
    // set down.
    const auto direct = static_cast<std::size_t>(winograd - good.begin());
    if (direct > most_candidates) good.erase(good.begin() + most_candidates, winograd);
    return sorted;
}

// Buffers with plausible contents, for timing candidates.
class Trial {
public:
    Trial(const LayerContext& context, const PrimitiveDesc& plan)
        : layer_(build(with_pool(context), plan)),
          input_(context.input.bytes(context.type)),
          output_(context.output.bytes(context.type)),
          scratch_(std::max<std::size_t>(layer_->scratch_bytes(), 1)) {
        const auto values = [](const TensorShape& shape) {
            return random_values(
                static_cast<std::size_t>(shape.batch) * shape.channels * shape.height * shape.width, 1);
        };
        layer_->load(random_weights(context.layer, 1));
        write_tensor(values(context.input), context.input, context.type, input_.data());
        write_tensor(values(context.output), context.output, context.type, output_.data());
        layer_->bind(input_.data(), output_.data(), scratch_.data());
    }
    void run() { layer_->execute(); }
    // The weights further away, the input just produced.
    void leave_weights() {
        evict(layer_->weights().data(), layer_->weights().size());
        touch(input_.data(), input_.size());
    }

private:
    LayerContext with_pool(LayerContext context) {
        context.pool = &pool_;
        return context;
    }

    WeightPool pool_;
    std::unique_ptr<CpuLayer> layer_;
    Buffer input_, output_, scratch_;
};

std::string plan_key(const LayerContext& context) {
    std::string key =
        context.layer.key() + " n" + std::to_string(context.batch) + ' ' + std::string(name_of(context.type));
    if (context.input.order == TensorShape::Order::plain) key += " plain";
    key += context.weights_stay_cached ? " near" : " far";
    return key;
}

// The plan to use. Some plans that oneDNN offers cannot be built; they drop out here.
PrimitiveDesc choose(const LayerContext& context) {
    const Plans plans = candidate_plans(context);
    PlanCache& cache = PlanCache::instance(cpu_device().fingerprint);
    const std::string key = plan_key(context);
    if (const auto name = cache.find(key)) {
        for (const auto* list : {&plans.good, &plans.last_resorts}) {
            for (const PrimitiveDesc& plan : *list) {
                if (plan.impl_info_str() == *name) return plan;
            }
        }
    }
    std::vector<std::unique_ptr<Trial>> trials;
    std::vector<PlanCandidate> candidates;
    std::vector<PrimitiveDesc> built;
    for (const auto* list : {&plans.good, &plans.last_resorts}) {
        if (!built.empty()) break;
        for (const PrimitiveDesc& plan : *list) {
            try {
                trials.push_back(std::make_unique<Trial>(context, plan));
            } catch (const dnnl::error&) {
                continue;
            }
            Trial* trial = trials.back().get();
            const auto nothing = [] {};
            const auto leave = [trial] { trial->leave_weights(); };
            candidates.push_back({plan.impl_info_str(),
                                  context.weights_stay_cached ? std::function<void()>(nothing) : leave,
                                  [trial] { trial->run(); }});
            built.push_back(plan);
        }
    }
    if (built.empty())
        throw UnsupportedLayer("none of oneDNN's kernels can be built for " + context.layer.key());
    const std::size_t chosen = fastest(candidates);
    cache.remember(key, candidates[chosen].name);
    return built[chosen];
}

}  // namespace

std::unique_ptr<CpuLayer> make_conv(const LayerContext& context) {
    return checked("compiling " + context.layer.key(), [&] { return build(context, choose(context)); });
}

}  // namespace hacscale::cpu
