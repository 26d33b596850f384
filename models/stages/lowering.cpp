// lower(): the rules by which blocks become layers. A batch-norm folds into the conv before it, an activation
// into the layer before it, a residual add into the last conv of its block. A projected shortcut is a conv of
// its own, run first, so that every other conv of the block finds its input just produced.
#include "models/stages/lowering.hpp"

#include <fmt/format.h>

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
        here_ = graph_.add_input(model.in_channels, model.resolution, model.resolution);
    }

    Graph run() {
        plain_layers(model_.stem, ModelSection::stem, -1, "stem.");
        section_ = ModelSection::stages;
        for (index_ = 0; index_ < std::ssize(model_.stages); ++index_) stage(model_.stages[index_]);
        plain_layers(model_.head, ModelSection::head, static_cast<int>(model_.stages.size()), "head.");
        graph_.outputs = {here_};
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
        here_ = graph_.add_node(std::move(node));
    }

    void conv(std::string_view name, const ConvRequest& request) {
        LayerSpec layer = layer_here(LayerKind::conv);
        layer.activation = request.activation;
        layer.bias = request.batch_norm || request.bias;
        layer.residual = request.residual.has_value();
        layer.out_channels = request.width;
        layer.window = Window::square(request.kernel, request.stride, request.kernel / 2);
        layer.groups = request.groups;
        const std::int64_t offsets = (request.batch_norm ? 2 : 0) + (request.bias ? 1 : 0);
        append(name, layer, offsets * request.width, request.residual);
        if (request.residual) {
            const Tensor& output = graph_.tensors[here_];
            const Tensor& added = graph_.tensors[*request.residual];
            if (added.channels != output.channels || added.height != output.height ||
                added.width != output.width) {
                fail(fmt::format("{}: puts out {}x{}x{}, but the residual added to it is {}x{}x{}; "
                                 "a block with a residual needs an odd kernel",
                                 name, output.channels, output.height, output.width, added.channels,
                                 added.height, added.width),
                     "kernel");
            }
        }
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

    void squeeze_excite(const std::optional<SqueezeExciteSpec>& spec, int block_input_channels) {
        if (!spec) return;
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
    }

    void block(const StageSpec& spec, int stride) {
        switch (spec.block) {
            case BlockKind::conv:
                conv("conv", {.width = spec.width,
                              .kernel = spec.kernel,
                              .stride = stride,
                              .activation = spec.activation,
                              .bias = spec.bias});
                break;
            case BlockKind::separable:
                separable(spec, stride);
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
            case BlockKind::inverted_residual:
            case BlockKind::fused_inverted_residual:
                inverted_residual(spec, stride);
                break;
        }
    }

    void separable(const StageSpec& spec, int stride) {
        depthwise(spec, stride);
        conv("pointwise", {.width = spec.width, .activation = spec.activation, .bias = spec.bias});
    }

    void depthwise(const StageSpec& spec, int stride) {
        conv("depthwise", {.width = channels(here_),
                           .kernel = spec.kernel,
                           .stride = stride,
                           .groups = channels(here_),
                           .activation = spec.activation,
                           .bias = spec.bias});
    }

    // What the block adds at its end: its input, or where the shapes differ a 1x1 conv of it.
    TensorId shortcut(const StageSpec& spec, int stride, bool batch_norm) {
        const TensorId input = here_;
        if (!changes_shape(spec, stride)) return input;
        conv("shortcut",
             {.width = spec.width, .stride = stride, .batch_norm = batch_norm, .bias = spec.bias});
        return std::exchange(here_, input);
    }

    bool changes_shape(const StageSpec& spec, int stride) const {
        return stride != 1 || channels(here_) != spec.width;
    }

    // The first of the two convs of basic blocks.
    void inner_conv(const StageSpec& spec, int stride) {
        conv("conv1", {.width = inner(spec),
                       .kernel = spec.kernel,
                       .stride = stride,
                       .activation = spec.activation,
                       .bias = spec.bias});
    }

    void basic(const StageSpec& spec, int stride) {
        const TensorId added = shortcut(spec, stride, true);
        inner_conv(spec, stride);
        conv("conv2", {.width = spec.width,
                       .kernel = spec.kernel,
                       .activation = spec.activation,
                       .bias = spec.bias,
                       .residual = added});
    }

    // Norm and activation come before each conv: the first has nothing to fold into, the second folds into
    // conv1. The raw input is what is added, unless it must be projected; the projection reads the activated
    // input.
    void preact_basic(const StageSpec& spec, int stride) {
        const TensorId raw_input = here_;
        const bool projected = changes_shape(spec, stride);
        batch_norm("norm", spec.activation);
        const TensorId added = projected ? shortcut(spec, stride, false) : raw_input;
        inner_conv(spec, stride);
        conv("conv2", {.width = spec.width,
                       .kernel = spec.kernel,
                       .batch_norm = false,
                       .bias = spec.bias,
                       .residual = added});
    }

    void bottleneck(const StageSpec& spec, int stride) {
        const int input_channels = channels(here_);
        const TensorId added = shortcut(spec, stride, true);
        conv("conv1", {.width = inner(spec), .activation = spec.activation, .bias = spec.bias});
        conv("conv2", {.width = inner(spec),
                       .kernel = spec.kernel,
                       .stride = stride,
                       .groups = spec.group_width > 0 ? inner(spec) / spec.group_width : 1,
                       .activation = spec.activation,
                       .bias = spec.bias});
        squeeze_excite(spec.squeeze_excite, input_channels);
        conv("conv3",
             {.width = spec.width, .activation = spec.activation, .bias = spec.bias, .residual = added});
    }

    void inverted_residual(const StageSpec& spec, int stride) {
        const TensorId input = here_;
        const bool same_shape = !changes_shape(spec, stride);
        if (spec.block == BlockKind::fused_inverted_residual) {
            conv("expand", {.width = inner(spec),
                            .kernel = spec.kernel,
                            .stride = stride,
                            .activation = spec.activation,
                            .bias = spec.bias});
        } else {
            if (inner(spec) != channels(input)) {
                conv("expand", {.width = inner(spec), .activation = spec.activation, .bias = spec.bias});
            }
            depthwise(spec, stride);
        }
        squeeze_excite(spec.squeeze_excite, channels(input));
        conv("project", {.width = spec.width,
                         .bias = spec.bias,
                         .residual = same_shape ? std::optional(input) : std::nullopt});
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
