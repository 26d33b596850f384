
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <string_view>
#include <vector>

#include "models/formats/formats.hpp"
#include "models/formats/pytorch_modules.hpp"
#include "models/ops/operator.hpp"
#include "models/ops/operator_text.hpp"
#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

using detail::PytorchModules;

// Something that can be called with one value; empty for none.
std::string function_name(Activation activation, Parameter alpha) {
    switch (activation) {
        case Activation::none:
            break;
        case Activation::relu:
            return "F.relu";
        case Activation::relu6:
            return "F.relu6";
        case Activation::silu:
            return "F.silu";
        case Activation::hard_swish:
            return "F.hardswish";
        case Activation::sigmoid:
            return "torch.sigmoid";
        case Activation::hard_sigmoid:
            return "F.hardsigmoid";
        case Activation::gelu:
            return "F.gelu";
        case Activation::gelu_tanh:
            return "nn.GELU(\"tanh\")";
        case Activation::leaky_relu:
            return fmt::format("nn.LeakyReLU({})", alpha.value());
        case Activation::mish:
            return "F.mish";
        case Activation::softplus:
            return "F.softplus";
        case Activation::elu:
            return fmt::format("nn.ELU({})", alpha.value());
        case Activation::tanh:
            return "torch.tanh";
    }
    return "";
}

std::string activated(std::string expression, const LayerSpec& layer) {
    const std::string function = function_name(layer.activation, layer.alpha);
    return function.empty() ? expression : fmt::format("{}({})", function, expression);
}

class CodeWriter {
public:
    explicit CodeWriter(const ModelSpec& model)
        : model_(model),
          network_(lower(model)),
          modules_(model),
          last_reader_(last_readers(network_)),  // outputs are kept to the end
          variables_{Variable{"x", last_reader_[network_.inputs.front()]}},
          variable_of_tensor_(network_.tensors.size(), 0) {}

    std::string run() {
        for (std::size_t i = 0; i < network_.nodes.size(); ++i) write(i);
        std::string code = head() + helpers();
        code += fmt::format("class {}(nn.Module):\n    def __init__(self, folded=False):\n",
                            pytorch_class_name(model_));
        code += "        super().__init__()\n" + modules_.code();
        code +=
            "\n    def load_state_dict(self, state_dict, strict=True, **options):\n"
            "        if strict:\n            require_tensors(self, state_dict)\n"
            "        return super().load_state_dict(state_dict, strict=strict, **options)\n";
        code += "\n    def forward(self, x):\n" + forward_;
        return code + fmt::format("        return {}\n", fmt::join(returned(), ", "));
    }

private:
    struct Variable {
        std::string name;
        int last_reader = 0;  // of the value that it holds
    };

    // ---- The class's parts, one node after another ----

    void write(std::size_t index) {
        const Node& node = network_.nodes[index];
        const LayerSpec& layer = node.layer;
        const std::string input = input_of(node);
        switch (layer.kind) {
            case LayerKind::conv:
                conv(node, input);
                break;
            case LayerKind::linear: {
                const bool bias = learned_offsets(node).bias;
                add(node, "",
                    fmt::format("nn.Linear({}, {}{})",
                                std::int64_t{layer.in_channels} * layer.in_height * layer.in_width,
                                layer.out_channels, bias ? "" : ", bias=False"));
                value_ = activated(fmt::format("{}({}.flatten(1))", member(node), input), layer);
                break;
            }
            case LayerKind::scale_shift:
                uses_scale_shift_ = true;
                add(node, "", fmt::format("scale_shift({}, folded)", layer.in_channels));
                value_ = activated(fmt::format("scaled({}, {})", member(node), input), layer);
                break;
            case LayerKind::squeeze_excite: {
                uses_squeeze_excite_ = true;
                add(node, "",
                    fmt::format("squeeze_excite({}, {})", layer.in_channels, layer.squeeze_channels));
                const std::string function = function_name(layer.activation, layer.alpha);
                value_ =
                    fmt::format("gated({}, {}, {}, {})", member(node), input,
                                function.empty() ? "nn.Identity()" : function, function_name(layer.gate, {}));
                break;
            }
            case LayerKind::add:
                value_ = activated(fmt::format("({} + {})", input, variable_of(node.inputs[1])), layer);
                break;
            default:
                value_ = operator_of(layer.kind).torch_expression(layer, input);
                break;
        }
        assign(index);
    }

    void conv(const Node& node, const std::string& input) {
        const LayerSpec& layer = node.layer;
        const LearnedOffsets offsets = learned_offsets(node);
        const std::string_view bias = offsets.bias         ? ""
                                      : offsets.batch_norm ? ", bias=folded"
                                                           : ", bias=False";
        const TorchPadding padding = torch_padding(input, layer.window, {max_layer_size, max_layer_size}, "");
        add(node, "",
            fmt::format("nn.Conv2d({}, {}, {}{}{}{}{}{})", layer.in_channels, layer.out_channels,
                        torch_pair(layer.window.kernel), torch_option("stride", layer.window.strides, 1),
                        padding.option, torch_option("dilation", layer.window.dilations, 1),
                        layer.groups == 1 ? "" : fmt::format(", groups={}", layer.groups), bias));
        value_ = fmt::format("{}({})", member(node), padding.input);
        if (offsets.batch_norm) {
            uses_batch_norm_ = true;
            add(node, "_bn", fmt::format("batch_norm({}, folded)", layer.out_channels));
            value_ = fmt::format("{}({})", member(node, "_bn"), value_);
        }
        if (layer.residual) value_ += " + " + variable_of(node.residual_input());
        value_ = activated(value_, layer);
    }

    void add(const Node& node, std::string_view suffix, const std::string& expression) {
        modules_.add(node.name + std::string(suffix), expression);
    }

    // How the forward pass calls a node's module. The group that holds it is looked up when it changes.
    std::string member(const Node& node, std::string_view suffix = "") {
        const PytorchModules::Place place = modules_.place(node.name + std::string(suffix));
        const std::string group = fmt::format("{}", fmt::join(place.groups, "."));
        if (group != group_) {
            forward_ += fmt::format("        m = self.get_submodule(\"{}\")\n", group);
            group_ = group;
        }
        return fmt::format("m[\"{}\"]", place.name);
    }

    // ---- Variables of the forward pass ----

    // A value is kept until its last reader has run; then its variable is free for the next one. Two are
    // alive at once in most blocks, a third where a shortcut is projected.
    void assign(std::size_t index) {
        const auto free = std::find_if(variables_.begin(), variables_.end(), [&](const Variable& variable) {
            return variable.last_reader <= static_cast<int>(index);
        });
        const std::size_t place = static_cast<std::size_t>(free - variables_.begin());
        if (free == variables_.end()) variables_.push_back({place == 1 ? "y" : fmt::format("y{}", place)});
        const TensorId output = network_.nodes[index].outputs.front();
        variables_[place].last_reader = last_reader_[output];
        forward_ += fmt::format("        {} = {}\n", variables_[place].name, value_);
        variable_of_tensor_[output] = place;
    }

    const std::string& variable_of(TensorId tensor) const {
        return variables_[variable_of_tensor_[tensor]].name;
    }

    // A linear layer's output has no height and width; what reads it as an image gets them back.
    std::string input_of(const Node& node) const {
        const std::string& variable = variable_of(node.inputs.front());
        const int producer = network_.producer_of(node);
        const bool flat = producer != no_node && network_.nodes[producer].layer.kind == LayerKind::linear;
        return flat && node.layer.kind != LayerKind::linear ? variable + "[:, :, None, None]" : variable;
    }

    // Outputs of one pixel lose their height and width, maps keep them.
    std::vector<std::string> returned() const {
        std::vector<std::string> values;
        for (const TensorId output : network_.outputs) {
            const Tensor& tensor = network_.tensors[output];
            const bool pixel = tensor.height == 1 && tensor.width == 1;
            values.push_back(variable_of(output) + (pixel ? ".flatten(1)" : ""));
        }
        return values;
    }

    // ---- What comes above the class ----

    std::string head() const {
        std::string source = model_.source;
        std::replace_if(
            source.begin(), source.end(),
            [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
        return fmt::format(
            "# {0} as PyTorch code, written by hacscale.\n#\n{1}"
            "# Input {2} x {3} x {8}, {4} params, {5} MACs an image; network {6}.\n#\n"
            "# {7}() has batch-norms, for training. {7}(folded=True) has them folded into the convs, and "
            "takes\n"
            "# the tensors of a file that \"hacscale export-weights\" wrote.\n\n"
            "import torch\nfrom torch import nn\nfrom torch.nn import functional as F\n\n\n",
            model_.name, source.empty() ? "" : "# Source: " + source + "\n", model_.in_channels,
            model_.resolution, network_.params(), network_.macs(), model_hash(model_),
            pytorch_class_name(model_), model_.input_pixels_across());
    }

    std::string helpers() const {
        std::string code =
            "# Says in one sentence what PyTorch says in a list of all tensors.\n"
            "def require_tensors(module, tensors):\n"
            "    own = module.state_dict()\n"
            "    missing = [n for n in own if n not in tensors and not n.endswith(\"num_batches_tracked\")]\n"
            "    unknown = [n for n in tensors if n not in own]\n"
            "    other = [n for n in own if n in tensors and own[n].shape != tensors[n].shape]\n"
            "    faults = []\n"
            "    if missing:\n"
            "        faults.append(f\"{len(missing)} of its {len(own)} tensors are missing, the first is "
            "{missing[0]}\")\n"
            "    if unknown:\n"
            "        faults.append(f\"{len(unknown)} are none of its tensors, the first is {unknown[0]}\")\n"
            "    if other:\n"
            "        shapes = f\"{list(tensors[other[0]].shape)}, not {list(own[other[0]].shape)}\"\n"
            "        faults.append(f\"{len(other)} have another shape, the first is {other[0]}: {shapes}\")\n"
            "    if faults:\n"
            "        raise RuntimeError(f\"these weights do not fit {type(module).__name__}: {'; "
            "'.join(faults)}\")\n\n\n";
        if (uses_batch_norm_ || uses_scale_shift_) {
            code += fmt::format(
                "def batch_norm(channels, folded=False):\n"
                "    return nn.Identity() if folded else nn.BatchNorm2d(channels{})\n\n\n",
                model_.batch_norm_epsilon == ModelSpec().batch_norm_epsilon
                    ? ""
                    : fmt::format(", eps={}", model_.batch_norm_epsilon));
        }
        if (uses_scale_shift_) {
            code +=
                "# A batch-norm that stands before its conv and cannot be folded into it.\n"
                "def scale_shift(channels, folded):\n"
                "    if not folded:\n"
                "        return batch_norm(channels)\n"
                "    return nn.ParameterDict({\n"
                "        \"scale\": nn.Parameter(torch.ones(channels)),\n"
                "        \"shift\": nn.Parameter(torch.zeros(channels)),\n"
                "    })\n\n\n"
                "def scaled(m, x):\n"
                "    if isinstance(m, nn.BatchNorm2d):\n"
                "        return m(x)\n"
                "    return x * m[\"scale\"][:, None, None] + m[\"shift\"][:, None, None]\n\n\n";
        }
        if (uses_squeeze_excite_) {
            code +=
                "def squeeze_excite(channels, squeezed):\n"
                "    return nn.ModuleDict({\n"
                "        \"squeeze\": nn.Linear(channels, squeezed),\n"
                "        \"excite\": nn.Linear(squeezed, channels),\n"
                "    })\n\n\n"
                "def gated(m, x, activation, gate):\n"
                "    y = activation(m[\"squeeze\"](x.mean((2, 3))))\n"
                "    return x * gate(m[\"excite\"](y))[:, :, None, None]\n\n\n";
        }
        return code;
    }

    const ModelSpec& model_;
    Graph network_;
    PytorchModules modules_;
    std::vector<int> last_reader_;  // of each tensor
    std::vector<Variable> variables_;
    std::vector<std::size_t> variable_of_tensor_;  // of the tensors so far
    std::string forward_;
    std::string group_;  // what `m` is at this place of the forward pass
    std::string value_;  // of the node that is being written
    bool uses_batch_norm_ = false;
    bool uses_scale_shift_ = false;
    bool uses_squeeze_excite_ = false;
};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

}  // namespace

std::string pytorch_code(const ModelSpec& model) {
    return CodeWriter(model).run();
}

std::string pytorch_class_name(const ModelSpec& model) {
    std::string name;
    bool starts_word = true;
    for (const char c : model.name) {
        const bool lower = c >= 'a' && c <= 'z';
        if (!lower && !(c >= 'A' && c <= 'Z') && !is_digit(c)) {
            starts_word = true;
            continue;
        }
        // "1.0" is 1_0 and not 10.
        if (starts_word && is_digit(c) && !name.empty() && is_digit(name.back())) name += '_';
        name += starts_word && lower ? static_cast<char>(c - 'a' + 'A') : c;
        starts_word = false;
    }
    return name.empty() || is_digit(name.front()) ? "Network" + name : name;
}

}  // namespace hacscale
