// Convolution, depthwise included, with bias, residual add and activation fused. Among the plans that there
// are for the layer (conv_plans.hpp) the fastest one measured here is taken; see plan_choice.hpp.
#include <algorithm>

#include "base/error.hpp"
#include "kernels/cpu/conv_plans.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/plan_choice.hpp"
#include "kernels/cpu/quantization.hpp"

namespace hacscale::cpu {
namespace {

// Random numbers, as a tensor of the layer has them.
Buffer trial_tensor(const LayerContext& context, const TensorShape& shape, const Stored& form) {
    const bool integers = context.type == DataType::i8;
    const DataType type = integers ? DataType::f32 : context.type;
    const auto count = static_cast<std::size_t>(shape.batch) * shape.channels * shape.height * shape.width;
    Buffer numbers(shape.bytes(type));
    write_tensor(random_values(count, 1), shape, type, numbers.data());
    if (!integers || !form.is_integer()) return numbers;
    Buffer result(shape.elements());
    convert(numbers.data(), {}, result.data(), form, shape.elements());
    return result;
}

// Buffers with plausible contents, for timing candidates.
class Trial {
public:
    Trial(const LayerContext& context, const ConvPlan& plan)
        : layer_(plan.build(with_pool(context))),
          input_(trial_tensor(context, context.input, context.integers.input)),
          output_(trial_tensor(context, context.output, context.integers.residual)),
          scratch_(std::max<std::size_t>(layer_->scratch_bytes(), 1)) {
        layer_->load(random_weights(context.layer, 1));
        layer_->bind({input_.data()}, output_.data(), scratch_.data());
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

std::string form_name(const Stored& form) {
    if (!form.is_integer()) return "f32";
    return form.element == Element::u8 ? "u8" : "s8";
}

std::string plan_key(const LayerContext& context) {
    std::string key =
        context.layer.key() + " n" + std::to_string(context.batch) + ' ' + std::string(name_of(context.type));
    if (context.input.order == TensorShape::Order::plain) key += " plain";
    if (context.type == DataType::i8) {
        const IntegerForms& forms = context.integers;
        key += ' ' + form_name(forms.input) + '>' + form_name(forms.output);
        if (context.layer.residual) key += '+' + form_name(forms.residual);
    }
    key += context.weights_stay_cached ? " near" : " far";
    return key;
}

ConvPlan first_built(const LayerContext& context, const ConvPlans& plans) {
    for (const auto* list : {&plans.good, &plans.last_resorts}) {
        for (const ConvPlan& plan : *list) {
            try {
                WeightPool pool;
                LayerContext trial = context;
                trial.pool = &pool;
                plan.build(trial);
                return plan;
            } catch (const dnnl::error&) {
                continue;
            }
        }
    }
    throw UnsupportedLayer("none of oneDNN's kernels can be built for " + context.layer.key());
}

// The plan to use. Some plans that oneDNN offers cannot be built; they drop out here.
ConvPlan choose(const LayerContext& context) {
    const ConvPlans plans = conv_plans(context);
    if (context.any_kernel) return first_built(context, plans);
    PlanCache& cache = PlanCache::instance(cpu_device().fingerprint);
    const std::string key = plan_key(context);
    if (const auto name = cache.find(key)) {
        for (const ConvPlan& plan : plans.good.empty() ? plans.last_resorts : plans.good) {
            if (plan.name == *name) return plan;
        }
    }
    std::vector<std::unique_ptr<Trial>> trials;
    std::vector<PlanCandidate> candidates;
    std::vector<ConvPlan> built;
    for (const auto* list : {&plans.good, &plans.last_resorts}) {
        if (!built.empty()) break;
        for (const ConvPlan& plan : *list) {
            try {
                trials.push_back(std::make_unique<Trial>(context, plan));
            } catch (const dnnl::error&) {
                continue;
            }
            Trial* trial = trials.back().get();
            const auto nothing = [] {};
            const auto leave = [trial] { trial->leave_weights(); };
            candidates.push_back({plan.name,
                                  context.weights_stay_cached ? std::function<void()>(nothing) : leave,
                                  [trial] { trial->run(); }});
            built.push_back(plan);
        }
    }
    if (built.empty()) {
        throw UnsupportedLayer("none of oneDNN's kernels can be built for " + context.layer.key());
    }
    const std::size_t chosen = fastest(candidates);
    cache.remember(key, candidates[chosen].name);
    return built[chosen];
}

}  // namespace

std::unique_ptr<CpuLayer> make_conv(const LayerContext& context) {
    return checked("compiling " + context.layer.key(), [&] { return choose(context).build(context); });
}

}  // namespace hacscale::cpu
