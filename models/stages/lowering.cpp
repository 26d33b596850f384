// lower(): the rules by which blocks become layers. A batch-norm folds into the conv before it, an activation
// into the layer before it, a residual add into the last conv of its block. A projected shortcut is a conv of
// its own, run first, so that every other conv of the block finds its input just produced.
#include "models/stages/lowering.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "models/ops/operator.hpp"
#include "models/stages/model_problem.hpp"

namespace hacscale {
namespace {

// A conv as a block asks for it.
struct ConvRequest {
    int width = 0;
    int kernel = 1;
    int stride = 1;
    std::optional<int> padding = std::nullopt;  // absent: half_window()
    int dilation = 1;
    int groups = 1;
    Activation activation = Activation::none;
    bool batch_norm = true;
    bool bias = false;                                // learned, beside the batch-norm or without one
    std::optional<TensorId> residual = std::nullopt;  // added before the activation
};

// Appends nodes one after another, each reading the output of the one before unless go_to() said otherwise.
class Lowering {
public:
    explicit Lowering(const ModelSpec& model) : model_(model) {
        std::size_t nodes = model.stem.size() + model.head.size();
        for (const StageSpec& stage : model.stages) nodes += 1 + 4 * static_cast<std::size_t>(stage.depth);
        graph_.nodes.reserve(nodes);
        graph_.tensors.reserve(nodes + 1);
        here_ = graph_.add_input(model.in_channels, model.resolution, model.input_pixels_across());
    }

    Graph run() {
        plain_layers(model_.stem, ModelSection::stem, -1, "stem.");
        section_ = ModelSection::stages;
        for (index_ = 0; index_ < std::ssize(model_.stages); ++index_) stage(model_.stages[index_]);
        plain_layers(model_.head, ModelSection::head, static_cast<int>(model_.stages.size()), "head.");
        if (model_.output_stages.empty() || !model_.head.empty()) graph_.outputs.push_back(here_);
        return std::move(graph_);
    }

private:
    // `field`: the value at fault, where it is one.
    [[noreturn]] void fail(const std::string& fault, const std::string& field = {}) const {
        throw ModelProblem({section_, index_, field}, detail::words_for(model_, section_, index_), fault);
    }

    // ---- Layers ----

    // A layer of this kind that reads the current output and keeps its channels.
    LayerSpec layer_here(LayerKind kind) const {
        LayerSpec layer;
        layer.kind = kind;
        const Tensor& input = graph_.tensors[here_];
        layer.in_channels = layer.out_channels = input.channels;
        layer.in_height = input.height;
        layer.in_width = input.width;
        layer.layout = model_.layout;
        return layer;
    }

    // `learned_offsets`: biases, and a batch-norm's scales and shifts, that stand beside the layer's
    // products.
    void append(std::string_view name, LayerSpec layer, std::int64_t learned_offsets,
                std::optional<TensorId> residual = std::nullopt) {
        layer.alpha = usual_alpha(layer.activation);
        if (const auto fault = validate(layer)) fail(fmt::format("{}: {}", name, *fault));
        const Operator& op = operator_of(layer.kind);
        macs_ += op.macs(layer);  // exact: each is at most 2^40
        if (macs_ > max_layer_macs) fail("the model needs more than 2^40 MACs an image");
        Node node;
        node.layer = layer;
        node.name.reserve(prefix_.size() + name.size());
        node.name.append(prefix_).append(name);
        node.stage = stage_;
        node.block = block_;
        node.inputs.push_back(here_);
        if (residual) node.inputs.push_back(*residual);
        node.learned_params = op.product_weights(layer) + learned_offsets;
        node.batch_norm_epsilon = model_.batch_norm_epsilon;
        here_ = graph_.add_node(std::move(node));
    }

    void conv(std::string_view name, const ConvRequest& request) {
        LayerSpec layer = layer_here(LayerKind::conv);
        layer.activation = request.activation;
        layer.bias = request.batch_norm || request.bias;
        layer.residual = request.residual.has_value();
        layer.out_channels = request.width;
        const int padding = request.padding.value_or(half_window(request.kernel, request.dilation));
        layer.window = Window::square(request.kernel, request.stride, padding);
        layer.window.dilations = {request.dilation, request.dilation};
        layer.groups = request.groups;
        const std::int64_t offsets = (request.batch_norm ? 2 : 0) + (request.bias ? 1 : 0);
        append(name, layer, offsets * request.width, request.residual);
        if (request.residual) require_same_shape(name, *request.residual);
    }

    void require_same_shape(std::string_view name, TensorId residual) const {
        const Tensor& output = graph_.tensors[here_];
        const Tensor& added = graph_.tensors[residual];
        if (added.channels == output.channels && added.height == output.height &&
            added.width == output.width) {
            return;
        }
        fail(fmt::format(
                 "{}: puts out {}x{}x{}, but the residual added to it is {}x{}x{}; a block with a residual "
                 "needs an odd kernel, and the padding that keeps the map's size",
                 name, output.channels, output.height, output.width, added.channels, added.height,
                 added.width),
             "kernel");
    }

    // A residual add that no conv takes over.
    void add(TensorId residual, Activation activation) {
        require_same_shape("add", residual);
        LayerSpec layer = layer_here(LayerKind::add);
        layer.inputs = 2;
        layer.activation = activation;
        append("add", layer, 0, residual);
    }

    void max_pool(std::string_view name, const MaxPoolSpec& spec) {
        LayerSpec layer = layer_here(LayerKind::max_pool);
        layer.window = Window::square(spec.kernel, spec.stride, spec.padding);
        append(name, layer, 0);
    }

    void batch_norm(std::string_view name, Activation activation) {
        LayerSpec layer = layer_here(LayerKind::scale_shift);
        layer.activation = activation;
        append(name, layer, layer.in_channels);
    }

    void squeeze_excite(const StageSpec& stage, SqueezePlace place, int block_input_channels) {
        const std::optional<SqueezeExciteSpec>& spec = stage.squeeze_excite;
        if (!spec || spec->place != place) return;
        LayerSpec layer = layer_here(LayerKind::squeeze_excite);
        layer.activation = spec->activation;
        layer.gate = spec->gate;
        layer.squeeze_channels = squeeze_width(*spec, channels(here_), block_input_channels);
        append("squeeze_excite", layer, std::int64_t{layer.squeeze_channels} + layer.in_channels);
    }

    // ---- Stem and head ----

    void plain_layers(const std::vector<PlainLayer>& layers, ModelSection section, int stage,
                      std::string_view prefix) {
        section_ = section;
        stage_ = stage;
        block_ = 0;
        prefix_ = prefix;
        for (index_ = 0; index_ < std::ssize(layers); ++index_) {
            const std::string number = std::to_string(index_ + 1);
            std::visit([&](const auto& layer) { plain(layer, number); }, layers[index_]);
        }
    }

    void plain(const ConvSpec& spec, const std::string& number) {
        conv("conv" + number, {.width = spec.width,
                               .kernel = spec.kernel,
                               .stride = spec.stride,
                               .padding = spec.padding,
                               .dilation = spec.dilation,
                               .groups = spec.groups,
                               .activation = spec.activation,
                               .batch_norm = spec.batch_norm,
                               .bias = spec.bias});
    }

    void plain(const MaxPoolSpec& spec, const std::string& number) { max_pool("max_pool" + number, spec); }

    void plain(const GlobalAvgPoolSpec&, const std::string& number) {
        append("global_avg_pool" + number, layer_here(LayerKind::global_avg_pool), 0);
    }

    void plain(const NormSpec& spec, const std::string& number) {
        batch_norm("norm" + number, spec.activation);
    }

    void plain(const LinearSpec& spec, const std::string& number) {
        LayerSpec layer = layer_here(LayerKind::linear);
        layer.activation = spec.activation;
        layer.bias = spec.bias;
        layer.out_channels = spec.width > 0 ? spec.width : model_.classes;
        append("linear" + number, layer, spec.bias ? layer.out_channels : 0);
    }

    // ---- Stages ----

    void stage(const StageSpec& spec) {
        const std::string name = spec.name.empty() ? "stage" + std::to_string(index_ + 1) : spec.name;
        stage_ = index_;
        for (block_ = 0; block_ < spec.depth; ++block_) {
            prefix_ = name + ".block" + std::to_string(block_ + 1) + ".";
            block(spec, block_ == 0 ? spec.stride : 1);
        }
        if (spec.pool) {
            block_ = spec.depth - 1;
            prefix_ = name + ".";
            max_pool("max_pool", *spec.pool);
        }
        const std::vector<int>& outputs = model_.output_stages;
        if (std::find(outputs.begin(), outputs.end(), index_) != outputs.end()) {
            graph_.outputs.push_back(here_);
        }
    }

    void block(const StageSpec& spec, int stride) {
        switch (spec.block) {
            case BlockKind::conv: {
                ConvRequest request = spatial(spec, spec.width, stride);
                request.groups = spec.groups;
                conv("conv", request);
                break;
            }
            case BlockKind::separable:
                depthwise("depthwise", spec, spec.kernel, stride, spec.activation);
                squeeze_excite(spec, SqueezePlace::inner, channels(here_));
                conv("pointwise", pointwise(spec, spec.width, spec.activation));
                break;
            case BlockKind::basic:
                basic(spec, stride);
                break;
            case BlockKind::preact_basic:
                preact_basic(spec, stride);
                break;
            case BlockKind::bottleneck:
                bottleneck(spec, stride);
                break;
            case BlockKind::preact_bottleneck:
                preact_bottleneck(spec, stride);
                break;
            case BlockKind::inverted_residual:
                inverted_residual(spec, stride);
                break;
            case BlockKind::fused_inverted_residual:
                fused_inverted_residual(spec, stride);
                break;
            case BlockKind::universal_inverted_bottleneck:
                universal_inverted_bottleneck(spec, stride);
                break;
        }
    }

    // A conv with the stage's kernel.
    static ConvRequest spatial(const StageSpec& spec, int width, int stride) {
        ConvRequest request = pointwise(spec, width, spec.activation);
        request.kernel = spec.kernel;
        request.stride = stride;
        request.padding = spec.padding;
        request.dilation = spec.dilation;
        return request;
    }

    static ConvRequest pointwise(const StageSpec& spec, int width, Activation activation) {
        return {.width = width, .activation = activation, .batch_norm = spec.batch_norm, .bias = spec.bias};
    }

    void depthwise(std::string_view name, const StageSpec& spec, int kernel, int stride,
                   Activation activation) {
        ConvRequest request = spatial(spec, channels(here_), stride);
        request.kernel = kernel;
        request.groups = request.width;
        request.activation = activation;
        conv(name, request);
    }

    // The block's last conv and the add after it. Where a squeeze-excite is between the two, the add is a layer of its
    // own.
    void last_conv(std::string_view name, const StageSpec& spec, ConvRequest request, TensorId added,
                   int input_channels) {
        if (!spec.squeeze_excite || spec.squeeze_excite->place != SqueezePlace::output) {
            request.residual = added;
            conv(name, request);
            return;
        }
        const Activation activation = std::exchange(request.activation, Activation::none);
        conv(name, request);
        squeeze_excite(spec, SqueezePlace::output, input_channels);
        add(added, activation);
    }

    // What the block adds at its end: its input, or where the shapes differ a 1x1 conv of it.
    TensorId shortcut(const StageSpec& spec, int stride, bool batch_norm) {
        const TensorId input = here_;
        if (!changes_shape(spec, stride)) return input;
        ConvRequest request = pointwise(spec, spec.width, Activation::none);
        request.stride = stride;
        request.batch_norm = batch_norm;
        conv("shortcut", request);
        return std::exchange(here_, input);
    }

    bool changes_shape(const StageSpec& spec, int stride) const {
        return stride != 1 || channels(here_) != spec.width;
    }

    void basic(const StageSpec& spec, int stride) {
        const int input_channels = channels(here_);
        const TensorId added = shortcut(spec, stride, spec.batch_norm);
        conv("conv1", spatial(spec, inner(spec), stride));
        last_conv("conv2", spec, spatial(spec, spec.width, 1), added, input_channels);
    }

    // Norm and activation come before each conv: the first has nothing to fold into, the others fold into the conv
    // before them. The raw input is what is added, unless it must be projected; the projection reads the activated
    // input.
    TensorId preactivated(const StageSpec& spec, int stride) {
        const TensorId raw_input = here_;
        const bool projected = changes_shape(spec, stride);
        batch_norm("norm", spec.activation);
        return projected ? shortcut(spec, stride, false) : raw_input;
    }

    static ConvRequest without_norm(ConvRequest request) {
        request.batch_norm = false;
        request.activation = Activation::none;
        return request;
    }

    void preact_basic(const StageSpec& spec, int stride) {
        const int input_channels = channels(here_);
        const TensorId added = preactivated(spec, stride);
        conv("conv1", spatial(spec, inner(spec), stride));
        last_conv("conv2", spec, without_norm(spatial(spec, spec.width, 1)), added, input_channels);
    }

    void bottleneck(const StageSpec& spec, int stride) {
        const int input_channels = channels(here_);
        const TensorId added = shortcut(spec, stride, spec.batch_norm);
        bottleneck_middle(spec, stride, input_channels);
        last_conv("conv3", spec, pointwise(spec, spec.width, spec.activation), added, input_channels);
    }

    void preact_bottleneck(const StageSpec& spec, int stride) {
        const int input_channels = channels(here_);
        const TensorId added = preactivated(spec, stride);
        bottleneck_middle(spec, stride, input_channels);
        last_conv("conv3", spec, without_norm(pointwise(spec, spec.width, spec.activation)), added,
                  input_channels);
    }

    void bottleneck_middle(const StageSpec& spec, int stride, int input_channels) {
        const bool first = spec.stride_in == StrideIn::first;
        ConvRequest reduce = pointwise(spec, inner(spec), spec.activation);
        reduce.stride = first ? stride : 1;
        conv("conv1", reduce);
        ConvRequest grouped = spatial(spec, inner(spec), first ? 1 : stride);
        grouped.groups = spec.group_width > 0 ? inner(spec) / spec.group_width : spec.groups;
        conv("conv2", grouped);
        squeeze_excite(spec, SqueezePlace::inner, input_channels);
    }

    void inverted_residual(const StageSpec& spec, int stride) {
        const TensorId input = here_;
        const bool adds = !changes_shape(spec, stride);
        if (has_expansion(spec)) conv("expand", pointwise(spec, inner(spec), spec.activation));
        depthwise("depthwise", spec, spec.kernel, stride, spec.activation);
        project(spec, input, adds);
    }

    // Without an expansion it is one conv, activated before its input is added.
    void fused_inverted_residual(const StageSpec& spec, int stride) {
        const TensorId input = here_;
        const bool adds = !changes_shape(spec, stride);
        if (has_expansion(spec)) {
            conv("expand", spatial(spec, inner(spec), stride));
            project(spec, input, adds);
            return;
        }
        conv("conv", spatial(spec, spec.width, stride));
        squeeze_excite(spec, SqueezePlace::inner, channels(input));
        if (adds) add(input, Activation::none);
    }

    void universal_inverted_bottleneck(const StageSpec& spec, int stride) {
        const TensorId input = here_;
        const bool adds = !changes_shape(spec, stride);
        if (spec.start_kernel > 0) {
            depthwise("start", spec, spec.start_kernel, spec.kernel > 0 ? 1 : stride, Activation::none);
        }
        conv("expand", pointwise(spec, inner(spec), spec.activation));
        if (spec.kernel > 0) depthwise("depthwise", spec, spec.kernel, stride, spec.activation);
        project(spec, input, adds);
    }

    // How inverted residuals end.
    void project(const StageSpec& spec, TensorId input, bool adds) {
        squeeze_excite(spec, SqueezePlace::inner, channels(input));
        ConvRequest request = pointwise(spec, spec.width, Activation::none);
        if (adds) request.residual = input;
        conv("project", request);
    }

    bool has_expansion(const StageSpec& spec) const {
        return !may_lack_expansion(spec) || inner(spec) != channels(here_);
    }

    int inner(const StageSpec& spec) const { return spec.inner_widths[block_]; }

    int channels(TensorId tensor) const { return graph_.tensors[tensor].channels; }

    const ModelSpec& model_;
    Graph graph_;
    TensorId here_ = 0;  // what the next node reads
    double macs_ = 0.0;
    // Where the next node belongs.
    ModelSection section_ = ModelSection::stem;
    int index_ = 0;
    int stage_ = -1;
    int block_ = 0;
    std::string prefix_;
};

}  // namespace

Graph lower(const ModelSpec& model) {
    detail::check_fields(model);
    return Lowering(model).run();
}

// Lowering infers every shape, so a model that can be lowered is sound.
void check(const ModelSpec& model) {
    static_cast<void>(lower(model));
}

}  // namespace hacscale
