#include "models/weights/channel_document.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <set>

#include "models/ops/operator.hpp"
#include "models/weights/detail/channel_sources.hpp"

namespace hacscale {
namespace {

using Json = nlohmann::ordered_json;

using detail::at;

// Nothing where each channel is the base's in its place.
void add_sources(Json& module, const char* key, const std::vector<int>& sources, int base_channels) {
    bool same = static_cast<int>(sources.size()) == base_channels;
    for (std::size_t i = 0; i < sources.size(); ++i) same = same && sources[i] == static_cast<int>(i);
    if (!same) module[key] = sources;
}

class Document {
public:
    Document(const Network& base, const std::vector<ChannelGroup>& groups, const std::vector<Repeat>& repeats,
             const ScaledNetwork& scaled)
        : base_(base),
          groups_(groups),
          repeats_(repeats),
          scaled_(scaled),
          sources_(detail::channel_sources(base.graph, groups, scaled.units)) {}

    std::string text() {
        Json json;
        json["format"] = 1;
        json["name"] = base_.name;
        json["base"] = network_hash(base_);
        json["network"] = network_hash(scaled_.network);
        json["same_function"] = scaled_.same_function();
        json["inexact"] = scaled_.inexact;
        json["tensors"] = Json::object();
        json["modules"] = Json::object();
        for (std::size_t n = 0; n < scaled_.origins.size(); ++n) add_node(json, n);
        add_removed(json);
        json["kept"] = Json::object();
        for (std::size_t g = 0; g < groups_.size(); ++g) json["kept"][groups_[g].name] = scaled_.units[g];
        json["repeats"] = Json::object();
        for (std::size_t r = 0; r < repeats_.size(); ++r) {
            json["repeats"][repeats_[r].name] = {{"count", {repeats_[r].count, scaled_.blocks[r].size()}},
                                                 {"blocks", scaled_.blocks[r]},
                                                 {"modules", modules_of(repeats_[r])}};
        }
        return json.dump(1) + "\n";
    }

private:
    // Of each of the base's blocks, its layers with weights.
    Json modules_of(const Repeat& repeat) const {
        Json blocks = Json::array();
        for (int block = 0; block < repeat.count; ++block) {
            Json names = Json::array();
            for (int i = 0; i < repeat.block_nodes; ++i) {
                const Node& node = base_.graph.nodes[at(repeat.first_node + block * repeat.block_nodes + i)];
                if (!operator_of(node.layer.kind).weights(node.layer).empty()) names.push_back(node.name);
            }
            blocks.push_back(std::move(names));
        }
        return blocks;
    }

    void add_node(Json& json, std::size_t n) {
        const Node& node = scaled_.network.graph.nodes[n];
        const LayerSpec& layer = node.layer;
        const std::vector<WeightPart> parts = operator_of(layer.kind).weights(layer);
        const bool sliced = layer.kind == LayerKind::slice;
        if (parts.empty() && !sliced) return;
        const int origin = scaled_.origins[n].node;
        const Node* const base = origin == no_node ? nullptr : &base_.graph.nodes[at(origin)];
        const auto both = [&](int LayerSpec::*size) {
            return Json::array({base == nullptr ? Json() : Json(base->layer.*size), layer.*size});
        };
        Json module;
        module["kind"] = name_of(layer.kind);
        if (base == nullptr || scaled_.origins[n].copy > 0) module["new"] = true;
        if (base != nullptr && base->name != node.name) module["from"] = base->name;
        const auto is_one_of = [&](const std::vector<int>& nodes) {
            return std::find(nodes.begin(), nodes.end(), static_cast<int>(n)) != nodes.end();
        };
        if (is_one_of(scaled_.zeroed)) module["starts_as"] = "zero";
        if (is_one_of(scaled_.copying)) module["starts_as"] = "identity";
        module["in_channels"] = both(&LayerSpec::in_channels);
        module["out_channels"] = both(&LayerSpec::out_channels);
        if (layer.groups > 1 || (base != nullptr && base->layer.groups > 1))
            module["groups"] = both(&LayerSpec::groups);
        if (layer.kind == LayerKind::squeeze_excite)
            module["squeeze_channels"] = both(&LayerSpec::squeeze_channels);
        if (sliced) module["first_channel"] = both(&LayerSpec::first_channel);
        if (base != nullptr) {
            const TensorId input = base->inputs.front();
            const TensorId output = base->outputs.front();
            add_sources(module, "in_from", sources_[at(input)], base_.graph.tensors[at(input)].channels);
            add_sources(module, "out_from", sources_[at(output)], base_.graph.tensors[at(output)].channels);
        }
        if (origin != no_node && at(origin) < base_.parameter_names.size()) {
            // Those that have another module's name, as the scale of a whole block.
            std::vector<std::string> others = base_.parameter_names[at(origin)];
            std::erase_if(others,
                          [&](const std::string& name) { return name.starts_with(base->name + "."); });
            if (!others.empty()) module["parameters"] = std::move(others);
        }
        json["modules"][node.name] = std::move(module);
        std::vector<WeightPart> before;
        if (base != nullptr) before = operator_of(base->layer.kind).weights(base->layer);
        for (std::size_t p = 0; p < parts.size(); ++p) {
            json["tensors"][node.name + "." + std::string(parts[p].name)] = {
                p < before.size() ? Json(before[p].shape) : Json(), parts[p].shape};
        }
    }

    void add_removed(Json& json) {
        std::set<int> kept;
        for (const NodeOrigin& origin : scaled_.origins) kept.insert(origin.node);
        json["removed"] = Json::array();
        for (int n = 0; n < static_cast<int>(base_.graph.nodes.size()); ++n) {
            if (!kept.contains(n)) json["removed"].push_back(base_.graph.nodes[at(n)].name);
        }
    }

    const Network& base_;
    const std::vector<ChannelGroup>& groups_;
    const std::vector<Repeat>& repeats_;
    const ScaledNetwork& scaled_;
    detail::ChannelSources sources_;
};

}  // namespace

std::string channel_document(const Network& base, const std::vector<ChannelGroup>& groups,
                             const std::vector<Repeat>& repeats, const ScaledNetwork& scaled) {
    return Document(base, groups, repeats, scaled).text();
}

}  // namespace hacscale
