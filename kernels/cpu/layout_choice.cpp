#include "kernels/cpu/plan_choice.hpp"

#include <algorithm>

#include "base/hash.hpp"
#include "kernels/cpu/conv_plans.hpp"
#include "kernels/cpu/cpu_device.hpp"
#include "kernels/cpu/cpu_network_runner.hpp"
#include "models/graph/graph_values.hpp"

namespace hacscale::cpu {
namespace {

Graph in_layout(Graph network, Layout layout) {
    for (Node& node : network.nodes) node.layer.layout = layout;
    return network;
}

std::string choice_key(const Graph& network, const CompileOptions& options) {
    std::string layers;
    for (const Node& node : network.nodes) {
        layers += node.layer.key() + ' ' + std::to_string(network.source_of(node)) + ' ' +
                  std::to_string(node.inputs.size() > 1 ? network.source_of(node, 1) : -1);
        for (std::size_t i = 2; i < node.inputs.size(); ++i) {
            layers += ' ' + std::to_string(network.source_of(node, i));
        }
        layers += '\n';
    }
    // A network that ends with its last node says nothing more: the choices that are remembered rest on that.
    if (network.outputs.size() > 1 || network.outputs.front() != network.nodes.back().outputs.front()) {
        for (const TensorId id : network.outputs) {
            layers += "output " + std::to_string(network.tensors[id].producer) + '\n';
        }
    }
    return "layout of " + hex_hash(layers) + " n" + std::to_string(options.batch) + ' ' +
           std::string(name_of(options.type));
}

// oneDNN's kernels for blocked tensors want groups of a conv that fill whole blocks, or have one channel.
bool has_blocked_kernel(const LayerSpec& layer) {
    if (layer.kind != LayerKind::conv || layer.groups == 1 || layer.depthwise()) return true;
    return layer.in_channels / layer.groups % channel_block() == 0 &&
           layer.out_channels / layer.groups % channel_block() == 0;
}

// How many layers of the network oneDNN's reference kernel runs.
int references_in(const NetworkRunner& runner, const Graph& network) {
    int references = 0;
    for (int node = 0; node < static_cast<int>(network.nodes.size()); ++node) {
        const bool conv = network.nodes[static_cast<std::size_t>(node)].layer.kind == LayerKind::conv;
        references += conv && is_reference_kernel(runner.implementation(node)) ? 1 : 0;
    }
    return references;
}

std::unique_ptr<NetworkRunner> ready(const Graph& network, const CompileOptions& options) {
    try {
        auto runner = std::make_unique<CpuNetworkRunner>(network, options);
        runner->load(random_weights(network, 1));
        return runner;
    } catch (const UnsupportedLayer&) {
        return nullptr;
    }
}

}  // namespace

bool may_be_blocked(const Graph& network) {
    return std::all_of(network.nodes.begin(), network.nodes.end(),
                       [](const Node& node) { return has_blocked_kernel(node.layer); });
}

Layout fastest_layout(const Graph& given, const CompileOptions& options) {
    const Graph last = in_layout(given, Layout::channels_last);
    // oneDNN's kernels for integers know no other.
    if (options.type == DataType::i8 || !may_be_blocked(given)) return Layout::channels_last;
    PlanCache& cache = PlanCache::instance(cpu_device().fingerprint);
    const std::string key = choice_key(last, options);
    if (const auto name = cache.find(key)) {
        for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
            if (*name == name_of(layout)) return layout;
        }
    }
    struct Tried {
        Layout layout;
        std::unique_ptr<NetworkRunner> runner;
        int references;
    };
    std::vector<Tried> tried;
    for (const Layout layout : {Layout::channels_last, Layout::blocked}) {
        std::unique_ptr<NetworkRunner> runner = ready(in_layout(given, layout), options);
        if (!runner) continue;
        const int references = references_in(*runner, given);
        tried.push_back({layout, std::move(runner), references});
    }
    // A single layer of a segmentation network may take seconds by the reference kernel, so such a layout is not even timed.
    const auto fewer = [](const Tried& a, const Tried& b) { return a.references < b.references; };
    const auto fewest = std::min_element(tried.begin(), tried.end(), fewer);
    std::vector<Layout> layouts;
    std::vector<PlanCandidate> candidates;
    for (const Tried& one : tried) {
        if (one.references > fewest->references) continue;
        candidates.push_back(
            {std::string(name_of(one.layout)), [] {}, [run = one.runner.get()] { run->run(); }});
        layouts.push_back(one.layout);
    }
    if (layouts.empty()) return Layout::channels_last;  // compiling it says why
    const Layout chosen = layouts[fastest(candidates)];
    cache.remember(key, std::string(name_of(chosen)));
    return chosen;
}

}  // namespace hacscale::cpu
