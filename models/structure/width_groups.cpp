#include "models/structure/structure.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <numeric>
#include <utility>
#include <variant>

#include "models/stages/lowering.hpp"

namespace hacscale {
namespace {

using WidthPlace = WidthParameter::Place;

// What sets the channels of a plain layer's output; null where it keeps those it reads.
int* width_of(PlainLayer& layer) {
    if (auto* conv = std::get_if<ConvSpec>(&layer)) return &conv->width;
    if (auto* linear = std::get_if<LinearSpec>(&layer)) return &linear->width;
    return nullptr;
}

int& width_at(ModelSpec& model, const WidthParameter& parameter) {
    const auto index = static_cast<std::size_t>(parameter.index);
    switch (parameter.place) {
        case WidthPlace::stem:
            return *width_of(model.stem[index]);
        case WidthPlace::head:
            return *width_of(model.head[index]);
        case WidthPlace::inner:
            return model.stages[index].inner_widths[static_cast<std::size_t>(parameter.block)];
        case WidthPlace::stage:
            break;
    }
    return model.stages[index].width;
}

std::string name_of(const ModelSpec& model, const WidthParameter& parameter) {
    const std::string number = std::to_string(parameter.index + 1);
    const auto index = static_cast<std::size_t>(parameter.index);
    const auto plain = [&](const PlainLayer& layer) {
        return (std::holds_alternative<ConvSpec>(layer) ? "conv" : "linear") + number;
    };
    if (parameter.place == WidthPlace::stem) return "stem." + plain(model.stem[index]);
    if (parameter.place == WidthPlace::head) return "head." + plain(model.head[index]);
    const std::string& own_name = model.stages[index].name;
    std::string stage = own_name.empty() ? "stage" + number : own_name;
    if (parameter.place == WidthPlace::stage) return stage;
    return stage + ".block" + std::to_string(parameter.block + 1) + " inner";
}

// A width, and the channel groups whose channels it sets: indices, or `no_group` for channels that no width sets.
struct Setting {
    WidthParameter parameter;
    std::vector<int> groups;
};

constexpr int no_group = 0;  // channel groups count from 1 here

// Of the base's lowered network, what each width sets.
class Settings {
public:
    explicit Settings(const ModelSpec& base)
        : base_(base), graph_(lower(base)), groups_(channel_groups(graph_)) {
        group_of_.resize(graph_.tensors.size(), no_group);
        for (std::size_t g = 0; g < groups_.size(); ++g) {
            for (const TensorId tensor : groups_[g].tensors) group_of_[at(tensor)] = static_cast<int>(g) + 1;
        }
    }

    const std::vector<ChannelGroup>& groups() const { return groups_; }

    // In the order of the network: a stage's width, then the inner widths of its blocks.
    std::vector<Setting> find() const {
        std::vector<Setting> found;
        plain_layers(WidthPlace::stem, base_.stem, 0, found);
        int node = static_cast<int>(base_.stem.size());
        for (std::size_t s = 0; s < base_.stages.size(); ++s) stage(static_cast<int>(s), node, found);
        plain_layers(WidthPlace::head, base_.head, node, found);
        return found;
    }

private:
    static std::size_t at(int index) { return static_cast<std::size_t>(index); }

    int written(int node) const { return group_of_[at(graph_.nodes[at(node)].outputs.front())]; }
    int read(int node) const { return group_of_[at(graph_.nodes[at(node)].inputs.front())]; }

    // Each is one node, from `node` on.
    void plain_layers(WidthPlace place, std::vector<PlainLayer> layers, int node,
                      std::vector<Setting>& found) const {
        for (int i = 0; i < static_cast<int>(layers.size()); ++i) {
            if (width_of(layers[at(i)]) != nullptr) found.push_back({{place, i, 0}, {written(node + i)}});
        }
    }

    // `node`: the stage's first one; moved past its last.
    void stage(int index, int& node, std::vector<Setting>& found) const {
        const StageSpec& spec = base_.stages[at(index)];
        Setting own{{WidthPlace::stage, index, 0}, {}};
        std::vector<Setting> inner;
        for (int block = 0; block < spec.depth; ++block) {
            const int first = node;
            while (in_block(node, index, block)) ++node;
            own.groups.push_back(written(node - 1));
            if (!spec.inner_widths.empty()) {
                inner.push_back({{WidthPlace::inner, index, block}, inner_groups(first, node)});
            }
        }
        found.push_back(std::move(own));
        std::move(inner.begin(), inner.end(), std::back_inserter(found));
    }

    bool in_block(int node, int stage, int block) const {
        return node < static_cast<int>(graph_.nodes.size()) && graph_.nodes[at(node)].stage == stage &&
               graph_.nodes[at(node)].block == block;
    }

    // What a block of nodes [first, end) makes on its way to its output; where that is nothing of its own, the block works
    // on what it reads.
    std::vector<int> inner_groups(int first, int end) const {
        std::vector<int> groups;
        for (int node = first; node < end; ++node) {
            if (written(node) != read(node) && written(node) != written(end - 1))
                groups.push_back(written(node));
        }
        if (groups.empty()) groups.push_back(read(first));
        return groups;
    }

    const ModelSpec& base_;
    Graph graph_;
    std::vector<ChannelGroup> groups_;
    std::vector<int> group_of_;  // by tensor
};

}  // namespace

std::vector<WidthGroup> width_groups(const ModelSpec& base) {
    const Settings settings(base);
    const std::vector<Setting> found = settings.find();
    // Channel groups that one width sets change together.
    std::vector<int> tied(settings.groups().size() + 1);
    std::iota(tied.begin(), tied.end(), 0);
    for (const Setting& setting : found) {
        for (const int group : setting.groups) {
            const int from = tied[static_cast<std::size_t>(group)];
            std::replace(tied.begin(), tied.end(), from,
                         tied[static_cast<std::size_t>(setting.groups.front())]);
        }
    }
    const auto tied_to = [&](int group) { return tied[static_cast<std::size_t>(group)]; };
    std::vector<WidthGroup> groups;
    std::map<int, std::size_t> place;  // in `groups`
    for (const Setting& setting : found) {
        const int key = tied_to(setting.groups.front());
        if (key == tied_to(no_group)) continue;
        const auto [known, is_new] = place.try_emplace(key, groups.size());
        if (is_new) {
            ModelSpec model = base;
            groups.emplace_back().base_width = width_at(model, setting.parameter);
        }
        WidthGroup& group = groups[known->second];
        group.parameters.push_back(setting.parameter);
        group.name += (group.name.empty() ? "" : " + ") + name_of(base, setting.parameter);
        for (const int channels : setting.groups) {
            const int multiple = settings.groups()[static_cast<std::size_t>(channels) - 1].multiple;
            group.multiple = std::lcm(group.multiple, multiple);
        }
    }
    return groups;
}

ModelSpec widened(const ModelSpec& base, const WidthGroup& group, int width) {
    ModelSpec model = base;
    for (const WidthParameter& parameter : group.parameters) width_at(model, parameter) = width;
    return model;
}

}  // namespace hacscale
