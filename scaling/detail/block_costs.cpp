#include "scaling/detail/block_costs.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "base/error.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/lowering.hpp"
#include "models/stages/scaled_model.hpp"

namespace hacscale::detail {
BlockOption LayerCosts::of(const LayerSpec& layer, std::int64_t learned_params) {
    const LayerCost cost = cost_of(layer, 1, DataType::f32);
    BlockOption option;
    option.usage = {learned_params, cost.macs,
                    cost.params * static_cast<std::int64_t>(size_of(settings_.type)), 0};
    if (settings_.model == CostModel::macs) {
        option.cost = cost.macs;
        return option;
    }
    if (settings_.model == CostModel::params) {
        option.cost = learned_params;
        return option;
    }
    const auto [entry, is_new] = known_.try_emplace(layer);
    if (is_new) entry->second = look_up(layer);
    option.cost = entry->second.value_or(infeasible_cost);
    return option;
}

std::int64_t LayerCosts::activation_bytes(std::int64_t elements) const {
    return elements * settings_.batch * static_cast<std::int64_t>(size_of(settings_.type));
}

std::optional<std::int64_t> LayerCosts::look_up(const LayerSpec& layer) {
    const LatencyEstimate estimate = source_.estimate(layer);
    ++coverage_.distinct_layers;
    if (estimate.kind == EstimateKind::interpolated) ++coverage_.interpolated_layers;
    if (estimate.kind != EstimateKind::missing) return picoseconds(estimate.latency_us);
    if (coverage_.missing_layers++ == 0) coverage_.first_missing = layer.key();
    return std::nullopt;
}

void join(BlockOption& option, const BlockOption& part) {
    option.cost = option.feasible() && part.feasible() ? option.cost + part.cost : infeasible_cost;
    option.usage.add(part.usage);
}

// ---- One block at many widths ----

namespace {

constexpr std::size_t max_widths = 3;
using Values = std::array<int, max_widths>;
constexpr std::size_t max_table_entries = std::size_t{1} << 22;

// Which of a block's widths are equal. Widths that are equal share a slot; those in different slots differ.
struct Ties {
    std::array<int, max_widths> slot{-1, -1, -1};  // of input, inner and block width; -1: there is none
    std::size_t slots = 0;

    explicit Ties(const Values& widths) {
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (widths[i] == 0) continue;
            for (std::size_t j = 0; j < i; ++j) {
                if (widths[j] == widths[i]) slot[i] = slot[j];
            }
            if (slot[i] < 0) slot[i] = static_cast<int>(slots++);
        }
    }
    // Different for different ties.
    std::size_t index() const {
        std::size_t index = 0;
        for (const int s : slot) index = index * (max_widths + 1) + static_cast<std::size_t>(s + 1);
        return index;
    }
    static constexpr std::size_t count = (max_widths + 1) * (max_widths + 1) * (max_widths + 1);
};

Values values_of(const BlockWidths& widths) {
    return {widths.input, widths.inner, widths.width};
}

// The sizes of a node that widths change.
struct Sizes {
    std::int64_t in_channels = 0;
    std::int64_t out_channels = 0;
    std::int64_t groups = 0;
    std::int64_t squeeze_channels = 0;
    std::int64_t learned_offsets = 0;  // learned numbers besides the layer's products
    std::int64_t alive_elements = 0;

    static Sizes of(const FragmentNode& node) {
        const LayerSpec& layer = node.node.layer;
        return {layer.in_channels,
                layer.out_channels,
                layer.groups,
                layer.squeeze_channels,
                node.node.learned_params - product_weights(layer),
                node.alive_elements};
    }
    void add(const Sizes& other, std::int64_t sign) {
        in_channels += sign * other.in_channels;
        out_channels += sign * other.out_channels;
        groups += sign * other.groups;
        squeeze_channels += sign * other.squeeze_channels;
        learned_offsets += sign * other.learned_offsets;
        alive_elements += sign * other.alive_elements;
    }
    auto operator<=>(const Sizes&) const = default;
};

// One width of a family: its values, and what each of them makes of each node.
struct Slot {
    std::vector<int> values;
    std::vector<int> place_of;                     // by value, of `values`
    std::vector<bool> valid;                       // by place: some valid model has it
    std::vector<std::vector<std::size_t>> kind;    // by node, by place: equal for values with equal layers
    std::vector<std::vector<Sizes>> sizes;         // by node, by kind: against the reference
    std::vector<std::vector<std::int64_t>> alive;  // by place, by node: against the reference
};

// Widths with the same ties, all above `most` and multiples of the grid.
Values reference_above(int max_width, int grid, const Ties& ties) {
    Values reference{};
    for (std::size_t i = 0; i < reference.size(); ++i) {
        if (ties.slot[i] >= 0) reference[i] = (max_width / grid + 1 + ties.slot[i]) * grid;
    }
    return reference;
}

}  // namespace

BlockOption lowered_option(const BlockWidths& widths, const LowerBlock& lower, LayerCosts& costs) {
    const auto nodes = lower(widths);
    if (!nodes) return {};
    BlockOption option;
    option.cost = 0;
    for (const FragmentNode& node : *nodes) {
        BlockOption part = costs.of(node.node.layer, node.node.learned_params);
        part.usage.peak_bytes = costs.activation_bytes(node.alive_elements);
        join(option, part);
    }
    return option;
}

class BlockOptions::Family {
public:
    Family(const Ties& ties, const LowerBlock& lower, LayerCosts& costs)
        : ties_(ties), lower_(lower), costs_(costs), slots_(ties.slots) {}

    void note(const Values& widths) {
        ++combinations_;
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (ties_.slot[i] < 0) continue;
            std::vector<int>& place_of = slots_[static_cast<std::size_t>(ties_.slot[i])].place_of;
            const auto value = static_cast<std::size_t>(widths[i]);
            if (place_of.size() <= value) place_of.resize(value + 1, -1);
            place_of[value] = 0;
        }
    }

    // `most`: no width of any family is above this.
    void learn(int max_width, int grid) {
        const Values reference = reference_above(max_width, grid, ties_);
        std::size_t values = 1;
        for (Slot& slot : slots_) {
            for (std::size_t value = 0; value < slot.place_of.size(); ++value) {
                if (slot.place_of[value] < 0) continue;
                slot.place_of[value] = static_cast<int>(slot.values.size());
                slot.values.push_back(static_cast<int>(value));
            }
            values += slot.values.size();
        }
        if (values >= combinations_) return;
        const auto nodes = lowered(reference);
        if (!nodes) return;
        for (const FragmentNode& node : *nodes) {
            reference_.push_back(Sizes::of(node));
            layers_.push_back(node.node.layer);
        }
        for (std::size_t s = 0; s < slots_.size(); ++s) {
            if (!learn_slot(s, reference)) return;
        }
        make_tables();
    }

    BlockOption option(const Values& widths) {
        if (!learned_) return lowered_option({widths[0], widths[1], widths[2]}, lower_, costs_);
        std::array<std::size_t, max_widths> place{};
        for (std::size_t i = 0; i < widths.size(); ++i) {
            if (ties_.slot[i] < 0) continue;
            const auto s = static_cast<std::size_t>(ties_.slot[i]);
            place[s] = static_cast<std::size_t>(slots_[s].place_of[static_cast<std::size_t>(widths[i])]);
            if (!slots_[s].valid[place[s]]) return {};
        }
        BlockOption option;
        option.cost = 0;
        std::int64_t peak = 0;
        for (std::size_t n = 0; n < layers_.size(); ++n) {
            std::size_t entry = 0;
            std::int64_t alive = reference_[n].alive_elements;
            for (std::size_t s = 0; s < slots_.size(); ++s) {
                entry = entry * slots_[s].sizes[n].size() + slots_[s].kind[n][place[s]];
                alive += slots_[s].alive[place[s]][n];
            }
            BlockOption& part = tables_[n][entry];
            if (part.usage.peak_bytes == not_known) part = part_of(n, place);
            join(option, part);
            peak = std::max(peak, alive);
        }
        option.usage.peak_bytes = costs_.activation_bytes(peak);
        return option;
    }

private:
    static constexpr std::int64_t not_known = -1;

    std::optional<std::vector<FragmentNode>> lowered(const Values& widths) const {
        return lower_({widths[0], widths[1], widths[2]});
    }

    // False when the layers are not as the ties say.
    bool learn_slot(std::size_t s, const Values& reference) {
        Slot& slot = slots_[s];
        slot.kind.resize(layers_.size());
        slot.sizes.resize(layers_.size());
        std::vector<std::map<Sizes, std::size_t>> kinds(layers_.size());
        for (const int value : slot.values) {
            Values widths = reference;
            for (std::size_t i = 0; i < widths.size(); ++i) {
                if (ties_.slot[i] == static_cast<int>(s)) widths[i] = value;
            }
            const auto nodes = lowered(widths);
            if (nodes && nodes->size() != layers_.size()) return false;
            slot.valid.push_back(nodes.has_value());
            std::vector<std::int64_t>& alive = slot.alive.emplace_back(layers_.size(), 0);
            for (std::size_t n = 0; n < layers_.size(); ++n) {
                Sizes sizes = nodes ? Sizes::of((*nodes)[n]) : reference_[n];
                sizes.add(reference_[n], -1);
                alive[n] = std::exchange(sizes.alive_elements, 0);
                const auto [known, is_new] = kinds[n].try_emplace(sizes, slot.sizes[n].size());
                if (is_new) slot.sizes[n].push_back(sizes);
                slot.kind[n].push_back(known->second);
            }
        }
        return true;
    }

    void make_tables() {
        BlockOption unknown;
        unknown.usage.peak_bytes = not_known;
        for (std::size_t n = 0; n < layers_.size(); ++n) {
            std::size_t entries = 1;
            for (const Slot& slot : slots_) entries *= slot.sizes[n].size();
            if (entries > max_table_entries) return;
            tables_.emplace_back(entries, unknown);
        }
        learned_ = true;
    }

    BlockOption part_of(std::size_t n, const std::array<std::size_t, max_widths>& place) const {
        Sizes sizes = reference_[n];
        for (std::size_t s = 0; s < slots_.size(); ++s) {
            sizes.add(slots_[s].sizes[n][slots_[s].kind[n][place[s]]], 1);
        }
        LayerSpec layer = layers_[n];
        layer.in_channels = static_cast<int>(sizes.in_channels);
        layer.out_channels = static_cast<int>(sizes.out_channels);
        layer.groups = static_cast<int>(sizes.groups);
        layer.squeeze_channels = static_cast<int>(sizes.squeeze_channels);
        return costs_.of(layer, product_weights(layer) + sizes.learned_offsets);
    }

    Ties ties_;
    const LowerBlock& lower_;
    LayerCosts& costs_;
    std::size_t combinations_ = 0;
    std::vector<Slot> slots_;
    std::vector<Sizes> reference_;                  // by node
    std::vector<LayerSpec> layers_;                 // by node, at the reference
    std::vector<std::vector<BlockOption>> tables_;  // by node, by the kinds of its widths
    bool learned_ = false;                          // else every combination is lowered
};

BlockOptions::BlockOptions(LowerBlock lower, int grid, LayerCosts& costs)
    : lower_(std::move(lower)), grid_(grid), costs_(costs), families_(Ties::count) {}

BlockOptions::~BlockOptions() = default;

void BlockOptions::note(const BlockWidths& widths) {
    const Values values = values_of(widths);
    const Ties ties(values);
    std::unique_ptr<Family>& family = families_[ties.index()];
    if (!family) family = std::make_unique<Family>(ties, lower_, costs_);
    family->note(values);
    max_width_ = std::max(max_width_, *std::max_element(values.begin(), values.end()));
}

void BlockOptions::learn() {
    for (const std::unique_ptr<Family>& family : families_) {
        if (family) family->learn(max_width_, grid_);
    }
}

BlockOption BlockOptions::option(const BlockWidths& widths) {
    const Values values = values_of(widths);
    return families_[Ties(values).index()]->option(values);
}

std::vector<InputSize> stage_input_sizes(const ModelSpec& base, int resolution) {
    ScalingChoice choice = choice_of(base);
    choice.resolution = resolution;
    std::vector<InputSize> inputs(base.stages.size(), InputSize{0, 0});
    for (const Node& node : lower(scaled(base, choice)).nodes) {
        if (node.stage < 0 || node.stage >= static_cast<int>(inputs.size())) continue;
        InputSize& input = inputs[static_cast<std::size_t>(node.stage)];
        if (input[0] == 0) input = {node.layer.in_height, node.layer.in_width};
    }
    return inputs;
}

namespace {

InputSize input_of(const ModelSpec& base, int resolution) {
    ScalingChoice choice = choice_of(base);
    choice.resolution = resolution;
    const ModelSpec model = scaled(base, choice);
    return {model.resolution, model.input_pixels_across()};
}

void set_input(ModelSpec& model, const InputSize& size) {
    model.resolution = size[0];
    model.resolution_width = size[1];
}

// Whether the output of a stage is one of the network's, apart from what its last layer puts out.
bool is_output(const ModelSpec& model, std::size_t stage) {
    const std::vector<int>& outputs = model.output_stages;
    return std::find(outputs.begin(), outputs.end(), static_cast<int>(stage)) != outputs.end();
}

// Of the outputs of stages before this one, which are alive to the end: their widths never change.
std::int64_t elements_of_outputs(const ModelSpec& base, std::size_t stage,
                                 const std::vector<InputSize>& input_sizes) {
    std::int64_t elements = 0;
    for (std::size_t i = 0; i < stage; ++i) {
        const InputSize& size = input_sizes[i + 1];
        if (is_output(base, i)) elements += std::int64_t{base.stages[i].width} * size[0] * size[1];
    }
    return elements;
}

}  // namespace

Fragment Fragment::of_stage(const ModelSpec& base, std::size_t stage, int resolution,
                            const std::vector<InputSize>& input_sizes) {
    Fragment fragment;
    fragment.base_ = base;
    fragment.base_.head.clear();
    fragment.base_.output_stages.clear();
    if (stage == 0) {
        set_input(fragment.base_, input_of(base, resolution));
        fragment.base_.stages = {base.stages.front()};
        fragment.first_stage_ = -1;
        return fragment;
    }
    fragment.base_.in_channels = stage_input_width(base, static_cast<int>(stage) - 1);
    set_input(fragment.base_, input_sizes[stage - 1]);
    fragment.base_.stem.clear();
    fragment.base_.stages = {base.stages[stage - 1], base.stages[stage]};
    if (is_output(base, stage - 1)) fragment.base_.output_stages = {0, 1};
    fragment.earlier_outputs_ = elements_of_outputs(base, stage - 1, input_sizes);
    fragment.first_stage_ = 1;
    return fragment;
}

Fragment Fragment::of_head(const ModelSpec& base, const std::vector<InputSize>& input_sizes) {
    Fragment fragment;
    fragment.base_ = base;
    fragment.base_.output_stages.clear();
    fragment.base_.in_channels = stage_input_width(base, static_cast<int>(base.stages.size()) - 1);
    set_input(fragment.base_, input_sizes.back());
    fragment.base_.stem.clear();
    fragment.base_.stages = {base.stages.back()};
    if (is_output(base, base.stages.size() - 1)) fragment.base_.output_stages = {0};
    fragment.earlier_outputs_ = elements_of_outputs(base, base.stages.size() - 1, input_sizes);
    fragment.first_stage_ = 1;
    return fragment;
}

std::optional<std::vector<FragmentNode>> Fragment::nodes(int previous_width, int width, int depth,
                                                         int inner) const {
    ScalingChoice choice{{width}, {depth}, base_.resolution};
    if (base_.stages.size() == 2) choice = {{previous_width, width}, {1, depth}, base_.resolution};
    try {
        ModelSpec model = scaled_part(base_, choice);
        if (inner > 0) model.stages.back().inner_widths.back() = inner;
        Graph network = lower(model);
        const std::vector<std::int64_t> alive = alive_activations(network);
        std::vector<FragmentNode> nodes;
        for (std::size_t i = 0; i < network.nodes.size(); ++i) {
            if (network.nodes[i].stage >= first_stage_) {
                nodes.push_back({std::move(network.nodes[i]), alive[i] + earlier_outputs_});
            }
        }
        return nodes;
    } catch (const InputError&) {
        return std::nullopt;
    }
}

}  // namespace hacscale::detail
