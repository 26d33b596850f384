#include "kernels/cuda/cudnn/conv_layer.hpp"

#include <fmt/format.h>

#include <functional>
#include <nlohmann/json.hpp>

#include "base/error.hpp"
#include "kernels/cuda/cuda_device.hpp"
#include "kernels/cuda/device/handwritten.hpp"
#include "kernels/cuda/host_tensor.hpp"

namespace hacscale::cuda {
namespace {

constexpr double seconds_a_form = 3.0;       // of planning, beyond the plans that cuDNN expects to be fastest
constexpr std::size_t max_swept_plans = 96;  // plans of a form: more take longer to time than to find
constexpr int plan_schema = 2;

// The step that adds what one side of an axis has more of padding than the other. Null where its tensor is too large.
std::unique_ptr<CudaLayer> pad_before(const LayerContext& context) {
    LayerContext pad = context;
    pad.layer = surplus_pad(context.layer);
    LayerList layers = handwritten_candidates(pad);
    return layers.empty() ? nullptr : std::move(layers.front());
}

class CudnnConvLayer : public CudaLayer {
public:
    // `why_unfused` is for a bare conv whose epilogue runs apart. A request for the evenly padded layer makes a step before it
    // that adds the rest.
    CudnnConvLayer(const LayerContext& context, const PlanRequest& request, std::unique_ptr<ConvPlan> plan,
                   std::string why_unfused)
        : context_(context),
          form_(request.form),
          plan_(std::move(plan)),
          why_unfused_(std::move(why_unfused)) {
        if (request.layer != context.layer) {
            pad_ = pad_before(context);
            const LayerSpec& even = request.layer;
            padded_bytes_ = TensorShape{context.batch, even.in_channels, even.in_height, even.in_width}.bytes(
                context.type);
        }
        if (has_epilogue(context.layer)) {
            bias_ = form_ == ConvForm::fused ? BiasType::as_data
                    : context.layer.bias     ? BiasType::f32
                                             : BiasType::none;
        }
        layout_ = weight_layout(context.layer, context.type, bias_);
    }

    std::string implementation() const override {
        std::string text = pad_ ? pad_->implementation() + " + " : "";
        text += "cudnn " + plan_->info().name;
        if (own_epilogue()) text += " + hacscale epilogue (" + why_unfused_ + ")";
        return text;
    }

    std::size_t weight_bytes() const override { return layout_.bytes; }

    void pack_weights(const LayerWeights& weights, std::span<std::byte> packed) const override {
        pack_conv_weights(context_.layer, context_.type, bias_, weights, packed);
    }

    std::size_t workspace_bytes() const override {
        return padded_bytes_for_plan() + static_cast<std::size_t>(plan_->info().workspace_bytes);
    }

    void launch(const LayerBuffers& buffers, cudaStream_t stream) override {
        const void* bias = static_cast<const std::byte*>(buffers.weights) + layout_.bias_offset;
        ConvTensors tensors;
        tensors.input = buffers.input;
        tensors.weights = buffers.weights;
        tensors.bias = bias;
        tensors.residual = buffers.residual;
        tensors.output = buffers.output;
        tensors.workspace = buffers.workspace;
        if (pad_) {
            LayerBuffers pad;
            pad.input = buffers.input;
            pad.output = buffers.workspace;
            pad_->launch(pad, stream);
            tensors.input = buffers.workspace;
            tensors.workspace = static_cast<std::byte*>(buffers.workspace) + padded_bytes_for_plan();
        }
        plan_->launch(tensors, stream);
        if (!own_epilogue()) return;

        const LayerSpec& layer = context_.layer;
        EpilogueParams epilogue;
        epilogue.x = buffers.output;
        epilogue.bias = layer.bias ? static_cast<const float*>(bias) : nullptr;
        epilogue.residual = layer.residual ? buffers.residual : nullptr;
        epilogue.y = buffers.output;
        epilogue.positions =
            static_cast<std::int64_t>(context_.batch) * layer.out_height() * layer.out_width();
        epilogue.channels = layer.out_channels;
        epilogue.activation = layer.activation;
        epilogue.alpha = layer.alpha.value();
        launch_epilogue(epilogue, context_.type, stream);
    }

    std::string serialized() const {
        return nlohmann::json{{"schema", plan_schema},
                              {"layer", context_.layer.key()},
                              {"batch", context_.batch},
                              {"dtype", name_of(context_.type)},
                              {"form", form_ == ConvForm::fused ? "fused" : "bare"},
                              {"why_unfused", why_unfused_},
                              {"evenly_padded", pad_ != nullptr},
                              {"plan", plan_->serialized()}}
            .dump();
    }

private:
    // So that the plan's workspace behind the padded input is aligned.
    std::size_t padded_bytes_for_plan() const {
        constexpr std::size_t alignment = 256;
        return (padded_bytes_ + alignment - 1) / alignment * alignment;
    }
    bool own_epilogue() const { return form_ == ConvForm::bare && has_epilogue(context_.layer); }

    LayerContext context_;
    ConvForm form_;
    std::unique_ptr<ConvPlan> plan_;
    std::string why_unfused_;
    std::unique_ptr<CudaLayer> pad_;  // null: cuDNN does all of the padding
    std::size_t padded_bytes_ = 0;
    BiasType bias_ = BiasType::none;
    ConvWeightLayout layout_;
};

using Search = std::function<PlanSearch(const PlanRequest&)>;

// Fused plans, and bare ones whose epilogue runs apart: a bare kernel may have what the fused ones lack, such as
// slices over K.
std::vector<std::unique_ptr<CudaLayer>> layers_as(const LayerSpec& planned, const LayerContext& context,
                                                  const Search& search, std::string* reason) {
    std::vector<std::unique_ptr<CudaLayer>> layers;
    PlanRequest request{planned, context.batch, context.type, ConvForm::fused};
    std::string why = "it may be faster than the fused plan";
    if (planned.kind == LayerKind::transposed_conv) {
        why = "unfused: a transposed conv is planned alone";
    } else if (has_epilogue(planned)) {
        PlanSearch fused = search(request);
        for (auto& plan : fused.plans) {
            layers.push_back(std::make_unique<CudnnConvLayer>(context, request, std::move(plan), ""));
        }
        if (layers.empty()) why = "unfused: " + fused.reason;
    }
    request.form = ConvForm::bare;
    PlanSearch bare = search(request);
    for (auto& plan : bare.plans) {
        layers.push_back(std::make_unique<CudnnConvLayer>(context, request, std::move(plan), why));
    }
    if (layers.empty() && reason != nullptr) *reason = bare.reason;
    return layers;
}

// Few engines take pads that differ on the two sides of an axis.
std::vector<std::unique_ptr<CudaLayer>> layers_of(const LayerContext& context, const Search& search,
                                                  std::string* reason) {
    auto layers = layers_as(context.layer, context, search, reason);
    if (!layers.empty() || !has_uneven_pads(context.layer) || pad_before(context) == nullptr) return layers;
    return layers_as(evenly_padded(context.layer), context, search, reason);
}

// Why cuDNN cannot run the layer on the context's device, whatever its shape.
std::string unsupported_reason(const LayerContext& context) {
    if (!is_product(context.layer)) {
        return fmt::format("cuDNN runs convolutions here, not {}", name_of(context.layer.kind));
    }
    return unsupported_type(context.device.compute_capability, context.type);
}

}  // namespace

std::vector<std::unique_ptr<CudaLayer>> conv_candidates(const std::shared_ptr<const CudnnTarget>& target,
                                                        const LayerContext& context, std::size_t most,
                                                        std::string* reason) {
    return layers_of(
        context,
        [&](const PlanRequest& request) {
            return find_plans(target, request, most, largest_workspace_bytes, seconds_a_form);
        },
        reason);
}

std::vector<std::unique_ptr<CudaLayer>> conv_sweep(const std::shared_ptr<const CudnnTarget>& target,
                                                   const LayerContext& context, double seconds) {
    const double share = has_epilogue(context.layer) ? 0.5 : 1.0;
    const auto search = [&](const PlanRequest& request) {
        return sweep_plans(target, request, max_swept_plans, largest_workspace_bytes, share * seconds);
    };
    return layers_of(context, search, nullptr);
}

std::vector<std::unique_ptr<CudaLayer>> cudnn_candidates(const LayerContext& context, std::size_t most,
                                                         std::string* reason) {
    if (const std::string why_not = unsupported_reason(context); !why_not.empty()) {
        if (reason != nullptr) *reason = why_not;
        return {};
    }
    return conv_candidates(CudnnTarget::device(context.device.index), context, most, reason);
}

std::vector<std::unique_ptr<CudaLayer>> cudnn_sweep(const LayerContext& context, double seconds) {
    if (!unsupported_reason(context).empty()) return {};
    return conv_sweep(CudnnTarget::device(context.device.index), context, seconds);
}

std::string serialized_plan(const CudaLayer& layer) {
    const auto* conv = dynamic_cast<const CudnnConvLayer*>(&layer);
    return conv != nullptr ? conv->serialized() : std::string();
}

std::unique_ptr<CudaLayer> conv_layer_from_plan(const std::shared_ptr<const CudnnTarget>& target,
                                                const LayerContext& context, const std::string& serialized) {
    const auto json = nlohmann::json::parse(serialized, nullptr, false);
    ConvForm form = ConvForm::fused;
    std::string why_unfused;
    std::string plan;
    bool even = false;
    try {
        if (json.at("schema") != plan_schema) throw WorkError("a stored plan has another schema");
        if (json.at("layer") != context.layer.key() || json.at("batch") != context.batch ||
            json.at("dtype") != name_of(context.type)) {
            throw WorkError("a stored plan is another layer's: " + json.at("layer").get<std::string>());
        }
        form = json.at("form") == "fused" ? ConvForm::fused : ConvForm::bare;
        why_unfused = json.at("why_unfused").get<std::string>();
        even = json.at("evenly_padded").get<bool>();
        plan = json.at("plan").get<std::string>();
    } catch (const nlohmann::json::exception&) {
        throw WorkError("a stored plan is damaged");
    }
    if (even && !has_uneven_pads(context.layer))
        throw WorkError("a stored plan is for a layer of other pads");
    const PlanRequest request{even ? evenly_padded(context.layer) : context.layer, context.batch,
                              context.type, form};
    return std::make_unique<CudnnConvLayer>(context, request, restore_plan(target, request, plan),
                                            why_unfused);
}

std::unique_ptr<CudaLayer> cudnn_layer_from_plan(const LayerContext& context, const std::string& serialized) {
    return conv_layer_from_plan(CudnnTarget::device(context.device.index), context, serialized);
}

}  // namespace hacscale::cuda
