#include "models/weights/state_dict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <set>
#include <string>

#include "base/error.hpp"
#include "models/formats/safetensors.hpp"
#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

// y = scale x + shift.
struct Affine {
    std::vector<double> scale;
    std::vector<double> shift;
};

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

    std::vector<LayerWeights> run() {
        std::vector<LayerWeights> weights;
        for (const Node& node : graph_.nodes) weights.push_back(of(node));
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
        return weights;
    }

private:
    std::vector<float> read(const std::string& name, const std::vector<std::int64_t>& shape) {
        read_.insert(name);
        return file_.read(name, shape);
    }

    std::optional<Affine> batch_norm(const std::string& module, std::int64_t channels, double epsilon) {
        for (const char* const part : {".weight", ".bias", ".running_mean", ".running_var"}) {
            if (!file_.has(module + part)) return std::nullopt;
        }
        const std::vector<float> weight = read(module + ".weight", {channels});
        const std::vector<float> bias = read(module + ".bias", {channels});
        const std::vector<float> mean = read(module + ".running_mean", {channels});
        const std::vector<float> variance = read(module + ".running_var", {channels});
        Affine affine;
        for (std::size_t c = 0; c < weight.size(); ++c) {
            if (variance[c] < 0.0F) {
                throw InputError(fmt::format("{}: {}.running_var has {}, expected numbers from 0 on",
                                             file_.path().string(), module, variance[c]));
            }
            const double scale = weight[c] / std::sqrt(static_cast<double>(variance[c]) + epsilon);
            affine.scale.push_back(scale);
            affine.shift.push_back(bias[c] - mean[c] * scale);
        }
        return affine;
    }

    LayerWeights of(const Node& node) {
        const std::string module = node.name.substr(0, node.name.find('#'));
        const LayerSpec& layer = node.layer;
        LayerWeights result;
        if (layer.kind == LayerKind::scale_shift && !file_.has(module + ".scale")) {
            if (const auto norm = batch_norm(module, layer.in_channels, node.batch_norm_epsilon)) {
                result.weights.assign(norm->scale.begin(), norm->scale.end());
                result.bias.assign(norm->shift.begin(), norm->shift.end());
                return result;
            }
        }
        std::optional<Affine> norm;
        if (is_joining(layer.kind) && layer.bias) {
            for (const std::string& name : names_of_norm(module)) {
                if (norm || taken_.contains(name)) continue;
                norm = batch_norm(name, layer.out_channels, node.batch_norm_epsilon);
                if (norm && module == node.name) taken_.insert(name);
            }
        }
        for (const WeightPart& part : operator_of(layer.kind).weights(layer)) {
            const std::string name = fmt::format("{}.{}", module, part.name);
            const bool folded_only = norm && part.name == "bias" && !file_.has(name);
            result.*part.values = folded_only
                                      ? std::vector<float>(static_cast<std::size_t>(layer.out_channels), 0.0F)
                                      : read(name, part.shape);
        }
        if (norm) fold(layer, *norm, result);
        return result;
    }

    static void fold(const LayerSpec& layer, const Affine& norm, LayerWeights& weights) {
        const std::size_t filter = weights.weights.size() / norm.scale.size();
        const auto taps = static_cast<std::size_t>(layer.window.taps());
        const auto share = static_cast<std::size_t>(layer.out_channels / layer.groups);
        const auto in_share = static_cast<std::size_t>(layer.in_channels / layer.groups);
        for (std::size_t i = 0; i < weights.weights.size(); ++i) {
            std::size_t channel = i / filter;
            if (layer.kind == LayerKind::transposed_conv) {  // by input channel first
                channel = i / taps / share / in_share * share + i / taps % share;
            }
            weights.weights[i] = static_cast<float>(weights.weights[i] * norm.scale[channel]);
        }
        for (std::size_t c = 0; c < weights.bias.size(); ++c) {
            weights.bias[c] = static_cast<float>(weights.bias[c] * norm.scale[c] + norm.shift[c]);
        }
    }

    SafetensorsFile file_;
    const Graph& graph_;
    std::set<std::string> read_;   // tensors
    std::set<std::string> taken_;  // batch-norms that a layer has
};

}  // namespace

std::vector<LayerWeights> read_state_dict(const std::filesystem::path& file, const Graph& graph) {
    return StateDict(file, graph).run();
}

}  // namespace hacscale
