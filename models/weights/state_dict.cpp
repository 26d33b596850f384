#include "models/weights/state_dict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <string>
#include <utility>

#include "base/error.hpp"
#include "models/formats/safetensors.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

bool is_joining(LayerKind kind) {
    return kind == LayerKind::conv || kind == LayerKind::linear || kind == LayerKind::transposed_conv;
}

// Names that the batch-norm behind a module may have, the likeliest first.
std::vector<std::string> names_of_norm(const std::string& module) {
    const std::size_t dot = module.rfind('.');
    const std::string group = dot == std::string::npos ? "" : module.substr(0, dot + 1);
    const std::string own = module.substr(group.size());
    std::vector<std::string> names{module + "_bn"};
    if (const std::size_t place = own.find("conv"); place != std::string::npos) {
        for (const char* const norm : {"bn", "norm"}) {
            std::string name = own;
            names.push_back(group + name.replace(place, 4, norm));
        }
    }
    int number = 0;
    const auto [end, error] = std::from_chars(own.data(), own.data() + own.size(), number);
    if (error == std::errc() && end == own.data() + own.size())
        names.push_back(fmt::format("{}{}", group, number + 1));
    return names;
}

class StateDict {
public:
    StateDict(const std::filesystem::path& file, const Graph& graph) : file_(file), graph_(graph) {}

    std::vector<TrainedLayer> run() {
        std::vector<TrainedLayer> layers;
        for (const Node& node : graph_.nodes) layers.push_back(of(node));
        std::vector<std::string> unknown;
        for (const auto& [name, entry] : file_.entries()) {
            if (!read_.contains(name) && !name.ends_with("num_batches_tracked")) unknown.push_back(name);
        }
        if (!unknown.empty()) {
            throw InputError(fmt::format(
                "{}: {} tensors belong to no layer, the first is {:.200}: these are the weights of another "
                "network",
                file_.path().string(), unknown.size(), unknown.front()));
        }
        return layers;
    }

private:
    std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) {
        read_.insert(name);
        return file_.read(name, shape);
    }

    // Nothing where the file has no such batch-norm.
    BatchNormNumbers batch_norm(const std::string& module, std::int64_t channels) {
        for (const char* const part : {".weight", ".bias", ".running_mean", ".running_var"}) {
            if (!file_.has(module + part)) return {};
        }
        BatchNormNumbers norm{read(module + ".weight", {channels}), read(module + ".bias", {channels}),
                              read(module + ".running_mean", {channels}),
                              read(module + ".running_var", {channels})};
        for (const float variance : norm.variance) {
            if (variance >= 0.0F) continue;
            throw InputError(fmt::format("{}: {}.running_var has {}, expected numbers from 0 on",
                                         file_.path().string(), module, variance));
        }
        return norm;
    }

    TrainedLayer of(const Node& node) {
        const std::string module = node.name.substr(0, node.name.find('#'));
        const LayerSpec& layer = node.layer;
        TrainedLayer result;
        if (layer.kind == LayerKind::scale_shift && !file_.has(module + ".scale")) {
            result.norm = batch_norm(module, layer.in_channels);
            if (result.norm.there()) return result;
        }
        if (is_joining(layer.kind) && layer.bias) {
            for (const std::string& name : names_of_norm(module)) {
                if (result.norm.there() || taken_.contains(name)) continue;
                result.norm = batch_norm(name, layer.out_channels);
                if (result.norm.there() && module == node.name) taken_.insert(name);
            }
        }
        for (const WeightPart& part : operator_of(layer.kind).weights(layer)) {
            const std::string name = fmt::format("{}.{}", module, part.name);
            if (result.norm.there() && part.name == "bias" && !file_.has(name)) continue;
            result.products.*part.values = read(name, part.shape);
        }
        return result;
    }

    SafetensorsFile file_;
    const Graph& graph_;
    std::set<std::string> read_;   // tensors
    std::set<std::string> taken_;  // batch-norms that a layer has
};

}  // namespace

std::vector<TrainedLayer> read_trained_layers(const std::filesystem::path& file, const Graph& graph) {
    return StateDict(file, graph).run();
}

std::vector<LayerWeights> read_state_dict(const std::filesystem::path& file, const Graph& graph) {
    return folded(graph, read_trained_layers(file, graph));
}

void write_state_dict(const std::filesystem::path& file, const Graph& graph,
                      const std::vector<TrainedLayer>& layers) {
    std::vector<NamedTensor> tensors;
    for (std::size_t n = 0; n < graph.nodes.size(); ++n) {
        const Node& node = graph.nodes[n];
        const TrainedLayer& layer = layers[n];
        for (WeightPart& part : operator_of(node.layer.kind).weights(node.layer)) {
            const std::vector<float>& values = layer.products.*part.values;
            if (values.empty()) continue;  // the batch-norm has it
            tensors.push_back({fmt::format("{}.{}", node.name, part.name), std::move(part.shape), &values});
        }
        if (!layer.norm.there()) continue;
        const std::string module = node.name + (node.layer.kind == LayerKind::scale_shift ? "" : "_bn");
        const std::vector<std::int64_t> shape{static_cast<std::int64_t>(layer.norm.scale.size())};
        tensors.push_back({module + ".weight", shape, &layer.norm.scale});
        tensors.push_back({module + ".bias", shape, &layer.norm.shift});
        tensors.push_back({module + ".running_mean", shape, &layer.norm.mean});
        tensors.push_back({module + ".running_var", shape, &layer.norm.variance});
    }
    write_safetensors(file, {{"format", "pt"}}, tensors);
}

}  // namespace hacscale
