#include "kernels/cuda/cudnn/conv_graph.hpp"

#include <cudnn_frontend.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <unordered_map>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "kernels/cuda/cuda_error.hpp"
#include "kernels/cuda/cudnn/cudnn_library.hpp"
#include "kernels/cuda/cudnn/engine_plans.hpp"
#include "kernels/cuda/host_tensor.hpp"

namespace cudnn_frontend {
// The frontend looks symbols up here (NV_CUDNN_FRONTEND_USE_DYNAMIC_LOADING).
void* cudnn_dlhandle = nullptr;
}  // namespace cudnn_frontend

namespace hacscale::cuda {
namespace {

namespace fe = cudnn_frontend;
using Tensor = std::shared_ptr<fe::graph::Tensor_attributes>;
using Properties = std::shared_ptr<const fe::DeviceProperties>;

// What hard_swish and hard_sigmoid are made of: x * relu6(x + 3) / 6.
constexpr float hard_shift = 3.0F;
constexpr float hard_scale = 1.0F / 6.0F;

constexpr std::size_t sure_plans = 6;  // are built however long it takes
constexpr std::size_t max_settings_of_engine = 128;

bool is_hard(Activation activation) {
    return activation == Activation::hard_swish || activation == Activation::hard_sigmoid;
}

fe::DataType_t frontend_type(DataType type) {
    switch (type) {
        case DataType::f16:
            return fe::DataType_t::HALF;
        case DataType::bf16:
            return fe::DataType_t::BFLOAT16;
        case DataType::f32:
        case DataType::tf32:
        case DataType::i8:  // no tensor here has it
            return fe::DataType_t::FLOAT;
    }
    return fe::DataType_t::FLOAT;
}

std::string first_line(const std::string& text) {
    return text.substr(0, text.find('\n'));
}

void check_cudnn(cudnnStatus_t status, const CallSite& site) {
    if (status == CUDNN_STATUS_SUCCESS) return;
    check_launch(site);  // a broken context is told as such
    throw WorkError(
        fmt::format("{} failed: cuDNN says {} ({})", site.what, fe::detail::get_error_string(status),
                    first_line(fe::detail::get_last_error_string_())),
        site.where);
}

void check_frontend(fe::error_t error, const CallSite& site) {
    if (error.is_bad()) throw WorkError(fmt::format("{}: {}", site.what, error.get_message()), site.where);
}

class Target : public CudnnTarget {
public:
    explicit Target(int device) : index(device) {
        call<cudaSetDevice>("selecting the device for cuDNN", device);
        check_cudnn(fe::detail::create_handle(&handle), "making a cuDNN handle");
    }
    explicit Target(Properties description) : properties(std::move(description)) {}
    ~Target() override {
        if (handle != nullptr) fe::detail::destroy_handle(handle);
    }
    Target(const Target&) = delete;
    Target& operator=(const Target&) = delete;

    int index = 0;
    cudnnHandle_t handle = nullptr;  // null for a device that is only described
    Properties properties;           // null for one that is here
};

using TargetPointer = std::shared_ptr<const Target>;

// A handle to plan with. Several threads plan at once, and a handle is for one thread at a time; the target's
// own is for launching. Handles are kept for the next lease and never destroyed: plans may refer to them.
class PlanningLease {
public:
    explicit PlanningLease(const Target& target) : index_(target.index) {
        if (target.handle == nullptr) return;
        call<cudaSetDevice>("selecting the device for cuDNN", index_);
        {
            const std::lock_guard lock(mutex());
            auto& idle = idle_handles()[index_];
            if (!idle.empty()) {
                handle_ = idle.back();
                idle.pop_back();
            }
        }
        if (handle_ == nullptr) check_cudnn(fe::detail::create_handle(&handle_), "making a cuDNN handle");
    }
    ~PlanningLease() {
        if (handle_ == nullptr) return;
        const std::lock_guard lock(mutex());
        idle_handles()[index_].push_back(handle_);
    }
    PlanningLease(const PlanningLease&) = delete;
    PlanningLease& operator=(const PlanningLease&) = delete;

    cudnnHandle_t handle() const { return handle_; }  // null for a device that is only described

private:
    static std::mutex& mutex() {
        static std::mutex the_mutex;
        return the_mutex;
    }
    static std::map<int, std::vector<cudnnHandle_t>>& idle_handles() {
        static auto& handles = *new std::map<int, std::vector<cudnnHandle_t>>;
        return handles;
    }

    int index_ = 0;
    cudnnHandle_t handle_ = nullptr;
};

TargetPointer own(const std::shared_ptr<const CudnnTarget>& target) {
    return std::static_pointer_cast<const Target>(target);
}

// "___eng10_k2=5_k3=-1", an underscore for each operation, without what is cuDNN's to choose: a plan that was
// restored names that, and one that was built may not.
std::string plan_name(const std::string& tag) {
    std::string name = tag.substr(std::min(tag.find_first_not_of('_'), tag.size()));
    constexpr std::string_view unset = "=-1";
    for (auto at = name.find(unset); at != std::string::npos; at = name.find(unset)) {
        const auto begin = name.rfind('_', at);
        name.erase(begin, at + unset.size() - begin);
    }
    return name;
}

class BuiltPlan : public ConvPlan {
public:
    BuiltPlan(TargetPointer target, std::shared_ptr<fe::ExecutionPlan> plan, const PlanRequest& request)
        : target_(std::move(target)), plan_(std::move(plan)) {
        info_ = parse_plan(serialized());
        info_.name = plan_name(plan_->getTag());
        info_.workspace_bytes = plan_->getWorkspaceSize();
        const bool fused = request.form == ConvForm::fused;
        bias_ = fused;
        residual_ = fused && request.layer.residual;
        hard_ = fused && is_hard(request.layer.activation);
    }

    const PlanInfo& info() const override { return info_; }
    std::string serialized() const override { return plan_->getJsonRepresentation(); }

    void launch(const ConvTensors& tensors, cudaStream_t stream) const override {
        std::vector<std::int64_t> ids;
        std::vector<void*> pointers;
        const auto add = [&](TensorId id, const void* pointer) {
            ids.push_back(id);
            pointers.push_back(const_cast<void*>(pointer));  // cuDNN's interface knows no const
        };
        add(input_id, tensors.input);
        add(weights_id, tensors.weights);
        if (bias_) add(bias_id, tensors.bias);
        if (residual_) add(residual_id, tensors.residual);
        add(output_id, tensors.output);
        if (hard_) {
            add(three_id, &hard_shift);
            add(sixth_id, &hard_scale);
        }
        fe::detail::backend_descriptor pack(CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR);
        check_cudnn(pack.get_status(), "making cuDNN's list of tensors");
        check_frontend(fe::detail::create_variant_pack(pack, pointers, ids, tensors.workspace),
                       "cuDNN does not take the tensors of plan " + info_.name);
        check_cudnn(fe::detail::set_stream(target_->handle, stream), "setting cuDNN's stream");
        check_cudnn(fe::detail::execute(target_->handle, plan_->get_raw_desc(), pack.get_ptr()),
                    "launching cuDNN plan " + info_.name);
    }

private:
    TargetPointer target_;
    std::shared_ptr<fe::ExecutionPlan> plan_;
    PlanInfo info_;
    bool bias_ = false;
    bool residual_ = false;
    bool hard_ = false;
};

// The frontend's graph, with its list of plans in reach: they are launched without it.
class ConvGraph : public fe::graph::Graph {
public:
    ConvGraph(const PlanRequest& request, const Target& target);
    using ICudnn::plans;

private:
    Tensor conv(const Tensor& input, const Tensor& weights, const LayerSpec& layer);
    Tensor transposed(const Tensor& input, const Tensor& weights, const PlanRequest& request);
    Tensor chain(Tensor value, const PlanRequest& request);
    Tensor activate(const Tensor& value, const LayerSpec& layer);
    Tensor hard_gate(const Tensor& value, bool times_value);
    Tensor scalar(TensorId id);
    Tensor pointwise_of(fe::PointwiseMode_t mode, const Tensor& a, const Tensor& b = nullptr);

    int channels_ = 0;
};

// Dimensions in cuDNN's order, NCHW, with the strides of NHWC.
fe::graph::Tensor_attributes channels_last(TensorId id, std::int64_t n, std::int64_t c, std::int64_t h,
                                           std::int64_t w) {
    return fe::graph::Tensor_attributes()
        .set_uid(id)
        .set_dim({n, c, h, w})
        .set_stride({h * w * c, 1, w * c, c});
}

template <typename Attributes>
Attributes with_window(Attributes attributes, const Window& window) {
    const auto& [top, left, bottom, right] = window.pads;
    return attributes.set_pre_padding({top, left})
        .set_post_padding({bottom, right})
        .set_stride({window.strides[0], window.strides[1]})
        .set_dilation({window.dilations[0], window.dilations[1]});
}

ConvGraph::ConvGraph(const PlanRequest& request, const Target& target)
    : channels_(request.layer.out_channels) {
    const LayerSpec& layer = request.layer;
    if (target.properties != nullptr) set_device_properties(target.properties);
    set_io_data_type(frontend_type(request.type));
    set_intermediate_data_type(fe::DataType_t::FLOAT);
    set_compute_data_type(fe::DataType_t::FLOAT);

    const Tensor input =
        tensor(channels_last(input_id, request.batch, layer.in_channels, layer.in_height, layer.in_width));
    const TensorShape shape = weight_shape(layer);
    const Tensor weights =
        tensor(channels_last(weights_id, shape.batch, shape.channels, shape.height, shape.width));
    Tensor value = layer.kind == LayerKind::transposed_conv ? transposed(input, weights, request)
                                                            : conv(input, weights, layer);
    if (request.form == ConvForm::fused) value = chain(value, request);
    value->set_output(true).set_uid(output_id).set_data_type(frontend_type(request.type));
}

Tensor ConvGraph::conv(const Tensor& input, const Tensor& weights, const LayerSpec& layer) {
    // A linear layer is a conv whose window is the whole input.
    const Window window =
        layer.kind == LayerKind::linear ? Window{.kernel = {layer.in_height, layer.in_width}} : layer.window;
    return conv_fprop(input, weights, with_window(fe::graph::Conv_fprop_attributes(), window));
}

// The gradient of a conv's input by its output, which has the form of this layer.
Tensor ConvGraph::transposed(const Tensor& input, const Tensor& weights, const PlanRequest& request) {
    const LayerSpec& layer = request.layer;
    Tensor output = conv_dgrad(input, weights, with_window(fe::graph::Conv_dgrad_attributes(), layer.window));
    // It does not follow from the other two: several sizes have gradients of one size.
    const auto shape =
        channels_last(output_id, request.batch, channels_, layer.out_height(), layer.out_width());
    output->set_dim(shape.get_dim()).set_stride(shape.get_stride());
    return output;
}

// Residual first, then bias, and never without a bias: that is what cuDNN's precompiled fused kernels are
// matched by.
Tensor ConvGraph::chain(Tensor value, const PlanRequest& request) {
    const LayerSpec& layer = request.layer;
    const bool linear = layer.kind == LayerKind::linear;
    if (layer.residual) {
        const Tensor residual =
            tensor(channels_last(residual_id, request.batch, channels_, linear ? 1 : layer.out_height(),
                                 linear ? 1 : layer.out_width()));
        value = pointwise_of(fe::PointwiseMode_t::ADD, value, residual);
    }
    const Tensor bias = tensor(channels_last(bias_id, 1, channels_, 1, 1));
    value = pointwise_of(fe::PointwiseMode_t::ADD, value, bias);
    return activate(value, layer);
}

Tensor ConvGraph::activate(const Tensor& value, const LayerSpec& layer) {
    using Mode = fe::PointwiseMode_t;
    const auto with = [&](const fe::graph::Pointwise_attributes& attributes) {
        return pointwise(value, attributes);
    };
    const auto of_mode = [](Mode mode) { return fe::graph::Pointwise_attributes().set_mode(mode); };
    const float alpha = layer.alpha.value();
    switch (layer.activation) {
        case Activation::none:
            return value;
        case Activation::relu:
            return with(of_mode(Mode::RELU_FWD));
        case Activation::relu6:
            return with(of_mode(Mode::RELU_FWD).set_relu_upper_clip(6.0F));
        case Activation::silu:
            return with(of_mode(Mode::SWISH_FWD));
        case Activation::sigmoid:
            return with(of_mode(Mode::SIGMOID_FWD));
        case Activation::hard_swish:
            return hard_gate(value, true);
        case Activation::hard_sigmoid:
            return hard_gate(value, false);
        case Activation::gelu:
            return with(of_mode(Mode::GELU_FWD));
        case Activation::gelu_tanh:
            return with(of_mode(Mode::GELU_APPROX_TANH_FWD));
        case Activation::leaky_relu:
            return with(of_mode(Mode::RELU_FWD).set_relu_lower_clip_slope(alpha));
        case Activation::elu:
            return with(of_mode(Mode::ELU_FWD).set_elu_alpha(alpha));
        case Activation::tanh:
            return with(of_mode(Mode::TANH_FWD));
        case Activation::softplus:
            return with(of_mode(Mode::SOFTPLUS_FWD).set_softplus_beta(1.0F));
        case Activation::mish: {
            const Tensor gate =
                pointwise_of(Mode::TANH_FWD, with(of_mode(Mode::SOFTPLUS_FWD).set_softplus_beta(1.0F)));
            return pointwise_of(Mode::MUL, gate, value);
        }
    }
    return value;
}

Tensor ConvGraph::hard_gate(const Tensor& value, bool times_value) {
    using Mode = fe::PointwiseMode_t;
    const Tensor shifted = pointwise_of(Mode::ADD, value, scalar(three_id));
    Tensor gate = pointwise(
        shifted, fe::graph::Pointwise_attributes().set_mode(Mode::RELU_FWD).set_relu_upper_clip(6.0F));
    if (times_value) gate = pointwise_of(Mode::MUL, gate, value);
    return pointwise_of(Mode::MUL, gate, scalar(sixth_id));
}

Tensor ConvGraph::scalar(TensorId id) {
    return tensor(
        channels_last(id, 1, 1, 1, 1).set_data_type(fe::DataType_t::FLOAT).set_is_pass_by_value(true));
}

Tensor ConvGraph::pointwise_of(fe::PointwiseMode_t mode, const Tensor& a, const Tensor& b) {
    const auto attributes = fe::graph::Pointwise_attributes().set_mode(mode);
    return b == nullptr ? pointwise(a, attributes) : pointwise(a, b, attributes);
}

// cuDNN's account of why it has no plan runs over many lines, one an engine. What matters of it:
std::string reason_of(fe::error_t error, const Target& target) {
    const std::string text = error.get_message();
    const bool no_driver = text.find("RUNTIME_PREREQUISITE_MISSING") != std::string::npos;
    if (no_driver && target.handle == nullptr) {
        return "cuDNN compiles such kernels at run time, which needs a driver, and has none ready-made";
    }
    if (no_driver) return "cuDNN compiles such kernels at run time, and cannot here: " + first_line(text);
    return "cuDNN has none: " + first_line(text);
}

bool has_plan(const std::vector<std::unique_ptr<ConvPlan>>& plans, const std::string& name) {
    return std::any_of(plans.begin(), plans.end(),
                       [&](const auto& plan) { return plan->info().name == name; });
}

// Leaves out what may not be used of the plans that the graph has so far.
void restrict_plans(ConvGraph& graph, const PlanRequest& request, std::int64_t workspace_cap) {
    graph.deselect_workspace_greater_than(workspace_cap);
    if (request.type != DataType::f32) return;
    // cuDNN 9 gives kernels that round f32 to TF32 the first note alone.
    graph.deselect_numeric_notes(
        {fe::NumericalNote_t::TENSOR_CORE, fe::NumericalNote_t::DOWN_CONVERT_INPUTS});
}

fe::error_t build_graph(ConvGraph& graph, const PlanningLease& lease) {
    fe::error_t error = graph.validate();
    if (error.is_good()) error = graph.build_operation_graph(lease.handle());
    return error;
}

fe::error_t build_plan(const TargetPointer& target, const PlanRequest& request, ConvGraph& graph,
                       std::int64_t index, std::vector<std::unique_ptr<ConvPlan>>& plans) {
    fe::error_t error = graph.build_plan_at_index(index);
    if (error.is_bad()) return error;
    auto plan = std::make_unique<BuiltPlan>(
        target, graph.plans.execution_plans[static_cast<std::size_t>(index)], request);
    if (!has_plan(plans, plan->info().name)) plans.push_back(std::move(plan));
    return error;
}

class Deadline {
public:
    explicit Deadline(double seconds) : end_us_(now_us() + 1e6 * seconds) {}
    bool is_over() const { return now_us() > end_us_; }

private:
    double end_us_;
};

// Appends what one mode of the heuristics offers and can be built, up to `most` plans. The error is the first
// that was met.
fe::error_t add_plans(const TargetPointer& target, const PlanRequest& request, fe::HeurMode_t mode,
                      std::size_t most, std::int64_t workspace_cap, const Deadline& deadline,
                      std::vector<std::unique_ptr<ConvPlan>>& plans) {
    const PlanningLease lease(*target);
    ConvGraph graph(request, *target);
    fe::error_t error = build_graph(graph, lease);
    if (error.is_good()) error = graph.create_execution_plans({mode});
    if (error.is_bad()) return error;
    restrict_plans(graph, request, workspace_cap);
    for (std::int64_t i = 0; i < graph.get_execution_plan_count() && plans.size() < most; ++i) {
        if (plans.size() >= sure_plans && deadline.is_over()) break;
        fe::error_t built = build_plan(target, request, graph, i, plans);
        if (built.is_bad() && error.is_good()) error = built;
    }
    return error;
}

// The knobs that this engine has for the graph, as settings to try; empty where the engine does not take it.
std::vector<KnobSetting> settings_of(ConvGraph& graph, std::int64_t engine) {
    std::vector<fe::Knob> knobs;
    if (graph.get_knobs_for_engine(engine, knobs).is_bad()) return {};
    std::vector<KnobRange> ranges;
    for (const fe::Knob& knob : knobs) {
        if (knob.type == fe::KnobType_t::NOT_SET) {
            continue;  // one that the frontend cannot name: cuDNN sets it
        }
        ranges.push_back({static_cast<std::int64_t>(knob.type), knob.minValue, knob.maxValue, knob.stride});
    }
    return knob_settings(ranges, max_settings_of_engine, static_cast<std::uint64_t>(engine));
}

}  // namespace

std::shared_ptr<const CudnnTarget> CudnnTarget::device(int index) {
    static std::mutex mutex;
    // Never destroyed: at the end of the process the driver may be gone before.
    static auto& targets = *new std::map<int, TargetPointer>;
    const std::lock_guard lock(mutex);
    TargetPointer& target = targets[index];
    if (target == nullptr) {
        fe::cudnn_dlhandle = cudnn().handle;
        target = std::make_shared<Target>(index);
    }
    return target;
}

std::shared_ptr<const CudnnTarget> CudnnTarget::described(const std::string& profile_json) {
    fe::cudnn_dlhandle = cudnn().handle;
    const auto properties = std::make_shared<fe::DeviceProperties>();
    fe::error_t error = properties->deserialize({profile_json.begin(), profile_json.end()});
    if (error.is_bad()) {
        throw InputError(fmt::format("cuDNN {} refuses this GPU profile: {} ({})", cudnn().version,
                                     first_line(error.get_message()),
                                     first_line(fe::detail::get_last_error_string_())));
    }
    return std::make_shared<Target>(properties);
}

PlanSearch find_plans(const std::shared_ptr<const CudnnTarget>& any_target, const PlanRequest& request,
                      std::size_t most, std::int64_t workspace_cap, double seconds) {
    const TargetPointer target = own(any_target);
    const Deadline deadline(seconds);
    PlanSearch search;
    // Mode A predicts the fastest; the fallback, with what always works, is asked only where A has too few.
    for (const fe::HeurMode_t mode : {fe::HeurMode_t::A, fe::HeurMode_t::FALLBACK}) {
        if (search.plans.size() >= std::min(most, sure_plans)) break;
        fe::error_t error = add_plans(target, request, mode, most, workspace_cap, deadline, search.plans);
        if (error.is_bad() && search.reason.empty()) search.reason = reason_of(error, *target);
    }
    if (!search.plans.empty()) search.reason.clear();
    return search;
}

PlanSearch sweep_plans(const std::shared_ptr<const CudnnTarget>& any_target, const PlanRequest& request,
                       std::size_t most, std::int64_t workspace_cap, double seconds) {
    const TargetPointer target = own(any_target);
    const Deadline deadline(seconds);
    const PlanningLease lease(*target);
    ConvGraph graph(request, *target);
    std::int64_t engines = 0;
    fe::error_t error = build_graph(graph, lease);
    if (error.is_good()) error = graph.get_engine_count(engines);
    PlanSearch search;
    if (error.is_bad()) {
        search.reason = reason_of(error, *target);
        return search;
    }
    std::vector<std::vector<KnobSetting>> settings;
    for (std::int64_t engine = 0; engine < engines; ++engine) settings.push_back(settings_of(graph, engine));
    // One setting of each engine after the other, so that little time does not all go to the first.
    for (std::size_t round = 0; round < max_settings_of_engine; ++round) {
        for (std::int64_t engine = 0; engine < engines; ++engine) {
            const auto& tried = settings[static_cast<std::size_t>(engine)];
            if (round >= tried.size()) continue;
            if (deadline.is_over() || search.plans.size() >= most) return search;
            std::unordered_map<fe::KnobType_t, std::int64_t> knobs;
            for (const auto& [knob, value] : tried[round]) knobs[static_cast<fe::KnobType_t>(knob)] = value;
            if (graph.create_execution_plan(engine, knobs).is_bad()) continue;
            restrict_plans(graph, request, workspace_cap);
            // What cannot be built is no plan; why does not matter among so many.
            static_cast<void>(
                build_plan(target, request, graph, graph.get_execution_plan_count() - 1, search.plans));
        }
    }
    return search;
}

std::unique_ptr<ConvPlan> restore_plan(const std::shared_ptr<const CudnnTarget>& any_target,
                                       const PlanRequest& request, const std::string& serialized) {
    check_plan_tensors(request, serialized);
    const TargetPointer target = own(any_target);
    const PlanningLease lease(*target);
    std::shared_ptr<fe::ExecutionPlan> plan;
    fe::error_t error = lease.handle() != nullptr
                            ? fe::detail::create_cudnn_execution_plan(plan, serialized, lease.handle())
                            : fe::detail::create_cudnn_execution_plan(plan, serialized, target->properties);
    if (error.is_bad()) {
        throw WorkError("cuDNN does not take this plan: " + first_line(error.get_message()));
    }
    return std::make_unique<BuiltPlan>(target, std::move(plan), request);
}

bool has_epilogue(const LayerSpec& layer) {
    return layer.bias || layer.residual || layer.activation != Activation::none;
}

}  // namespace hacscale::cuda
