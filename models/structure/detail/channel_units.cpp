#include "models/structure/detail/channel_units.hpp"

#include <fmt/format.h>

#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <utility>

#include "base/error.hpp"
#include "models/ops/operator.hpp"

namespace hacscale::detail {

ChannelUnits::ChannelUnits(const Graph& graph, const GroupRules& rules) : graph_(graph), rules_(rules) {
    int channels = 0;
    for (const Tensor& tensor : graph.tensors) {
        first_.push_back(channels);
        channels += tensor.channels;
    }
    parent_.resize(static_cast<std::size_t>(channels));
    std::iota(parent_.begin(), parent_.end(), 0);
    cut_.assign(parent_.size(), false);
    for (const TensorId tensor : graph.inputs) give(tensor);
    for (const TensorId tensor : graph.outputs) give(tensor);
    for (const Node& node : graph.nodes) tie(node);
    tie_shared_modules();
    if (rules_.equal_slices) tie_equal_slices();
    find_runs();
}

int ChannelUnits::root(int channel) {
    while (parent_[static_cast<std::size_t>(channel)] != channel) {
        int& parent = parent_[static_cast<std::size_t>(channel)];
        parent = parent_[static_cast<std::size_t>(parent)];
        channel = parent;
    }
    return channel;
}

void ChannelUnits::merge_channels(TensorId a, TensorId b) {
    for (int c = 0; c < channels_of(a); ++c) merge(at(a, c), at(b, c));
}

// The tensor is in `parts` parts that change alike: the same channels of all of them are one unit.
void ChannelUnits::merge_parts(TensorId tensor, int parts) {
    const int share = channels_of(tensor) / parts;
    for (int part = 1; part < parts; ++part) {
        cut_before(tensor, part * share);
        for (int c = 0; c < share; ++c) merge(at(tensor, c), at(tensor, part * share + c));
    }
}

void ChannelUnits::cut_before(TensorId tensor, int channel) {
    if (channel < channels_of(tensor)) cut_[static_cast<std::size_t>(at(tensor, channel))] = true;
}

void ChannelUnits::tie(const Node& node) {
    const LayerSpec& layer = node.layer;
    const TensorId output = node.outputs.front();
    switch (operator_of(layer.kind).channel_tie(layer)) {
        case ChannelTie::one_to_one:
            for (std::size_t i = 0; i < layer.inputs; ++i) {
                if (channels_of(node.inputs[i]) == layer.out_channels) {
                    merge_channels(node.inputs[i], output);
                } else {
                    give(node.inputs[i]);
                }
            }
            break;
        case ChannelTie::grouped:
            tie_groups(node);
            break;
        case ChannelTie::moved:
            tie_moved(node);
            break;
        case ChannelTie::fixed:
            for (const TensorId input : node.inputs) give(input);
            give(output);
            break;
        case ChannelTie::free:
            break;
    }
    if (layer.residual) merge_channels(node.residual_input(), output);
}

void ChannelUnits::tie_groups(const Node& node) {
    const LayerSpec& layer = node.layer;
    const TensorId input = node.inputs.front();
    const TensorId output = node.outputs.front();
    if (keeps_group_count(layer, rules_.grouped_convs)) {
        merge_parts(input, layer.groups);
        merge_parts(output, layer.groups);
        if (!operator_of(layer.kind).own_output_channels) merge_channels(input, output);
        return;
    }
    const int in_share = layer.in_channels / layer.groups;
    const int out_share = layer.out_channels / layer.groups;
    for (int group = 0; group < layer.groups; ++group) {
        const int from = at(input, group * in_share);
        const int to = at(output, group * out_share);
        for (int c = 0; c < in_share; ++c) merge(from, from + c);
        for (int c = 0; c < out_share; ++c) merge(from, to + c);
    }
}

void ChannelUnits::tie_moved(const Node& node) {
    const LayerSpec& layer = node.layer;
    const TensorId output = node.outputs.front();
    const Operator& op = operator_of(layer.kind);
    std::vector<int> joined;  // channels of all inputs, among all
    for (std::size_t i = 0; i < layer.inputs; ++i) {
        cut_before(output, static_cast<int>(joined.size()));
        for (int c = 0; c < channels_of(node.inputs[i]); ++c) joined.push_back(at(node.inputs[i], c));
    }
    for (int c = 0; c < layer.out_channels; ++c) {
        merge(joined[static_cast<std::size_t>(op.source_channel(layer, c))], at(output, c));
    }
    if (layer.kind == LayerKind::slice) {
        cut_before(node.inputs.front(), layer.first_channel);
        cut_before(node.inputs.front(), layer.first_channel + layer.out_channels);
    }
    if (layer.kind == LayerKind::channel_shuffle) merge_parts(node.inputs.front(), layer.groups);
}

// Layers of an imported file that have one module's weights ("head.conv", "head.conv#2") read and write the same channels.
void ChannelUnits::tie_shared_modules() {
    std::map<std::string_view, const Node*> modules;
    for (const Node& node : graph_.nodes) {
        if (operator_of(node.layer.kind).weights(node.layer).empty()) continue;
        const std::string_view module = std::string_view(node.name).substr(0, node.name.find('#'));
        const auto [known, is_new] = modules.try_emplace(module, &node);
        const LayerSpec& first = known->second->layer;
        if (is_new || module == node.name || first.in_channels != node.layer.in_channels ||
            first.out_channels != node.layer.out_channels) {
            continue;
        }
        merge_channels(known->second->inputs.front(), node.inputs.front());
        merge_channels(known->second->outputs.front(), node.outputs.front());
    }
}

void ChannelUnits::tie_equal_slices() {
    std::map<TensorId, std::set<std::pair<int, int>>>
        slices;  // of each tensor: first channel and their number
    for (const Node& node : graph_.nodes) {
        if (node.layer.kind != LayerKind::slice) continue;
        slices[node.inputs.front()].emplace(node.layer.first_channel, node.layer.out_channels);
    }
    for (const auto& [tensor, parts] : slices) {
        int next = 0;
        for (const auto& [first, channels] : parts) {
            if (first != next || channels != parts.begin()->second) break;
            next += channels;
        }
        if (next == channels_of(tensor)) merge_parts(tensor, static_cast<int>(parts.size()));
    }
}

void ChannelUnits::find_runs() {
    given_.assign(parent_.size(), false);
    for (const TensorId tensor : given_tensors_) {
        for (int c = 0; c < channels_of(tensor); ++c)
            given_[static_cast<std::size_t>(unit_of(tensor, c))] = true;
    }
    for (TensorId tensor = 0; tensor < static_cast<TensorId>(graph_.tensors.size()); ++tensor) {
        std::vector<UnitRun>& runs = runs_.emplace_back();
        for (int c = 0; c < channels_of(tensor); ++c) {
            const int unit = unit_of(tensor, c);
            if (runs.empty() || runs.back().unit != unit) {
                runs.push_back({unit, c, 1});
                continue;
            }
            ++runs.back().channels;
            if (cut_[static_cast<std::size_t>(at(tensor, c))]) given_[static_cast<std::size_t>(unit)] = true;
        }
    }
}

bool keeps_group_count(const LayerSpec& layer, GroupedConvs grouped_convs) {
    return grouped_convs == GroupedConvs::keep_count && layer.groups > 1 &&
           operator_of(layer.kind).channel_tie(layer) == ChannelTie::grouped &&
           layer.in_channels > layer.groups && layer.out_channels > layer.groups;
}

void fit_to_tensors(Node& node, const Graph& graph, GroupedConvs grouped_convs, const std::string& where) {
    LayerSpec& layer = node.layer;
    const Operator& op = operator_of(layer.kind);
    // Beyond the folded layer's: a batch-norm's scales.
    const std::int64_t unfolded = node.learned_params - cost_of(layer, 1, DataType::f32).params;
    // Another layer has the same weights, and counts them; what this one counts, if anything, is its bias.
    const bool shares_weights = node.learned_params < product_weights(layer);
    const int out_channels = layer.out_channels;
    int in_channels = 0;
    for (int i = 0; i < (op.shares_channels ? layer.inputs : 1); ++i)
        in_channels += graph.input_of(node, i).channels;
    if (layer.groups > 1 && op.channel_tie(layer) != ChannelTie::moved &&
        !keeps_group_count(layer, grouped_convs)) {
        layer.groups = static_cast<int>(std::int64_t{layer.groups} * in_channels / layer.in_channels);
    }
    layer.in_channels = in_channels;
    layer.out_channels = graph.tensors[static_cast<std::size_t>(node.outputs.front())].channels;
    if (const auto fault = validate(layer)) {
        throw InputError(fmt::format("{}: {} cannot run: {}", where, node.name, *fault));
    }
    node.learned_params = shares_weights ? node.learned_params * layer.out_channels / out_channels
                                         : cost_of(layer, 1, DataType::f32).params +
                                               unfolded * layer.out_channels / out_channels;
}

}  // namespace hacscale::detail
