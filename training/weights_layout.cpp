#include "training/weights_layout.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace hacscale {
namespace {

using Shape = std::vector<std::int64_t>;

class TensorList {
public:
    void add_node(const Node& node, int index) {
        const LayerSpec& layer = node.layer;
        prefix_ = node.name;
        // Names come from the model's stages, which a user may have named alike.
        if (!used_.insert(prefix_).second) {
            prefix_ = fmt::format("{}.{}", prefix_, index);
        }
        node_ = index;
        switch (layer.kind) {
            case LayerKind::conv:
                add("weight",
                    {layer.out_channels, layer.in_channels / layer.groups, layer.kernel(), layer.kernel()},
                    &LayerWeights::weights);
                if (layer.bias) add("bias", {layer.out_channels}, &LayerWeights::bias);
                break;
            case LayerKind::linear:
                add("weight",
                    {layer.out_channels, std::int64_t{layer.in_channels} * layer.in_height * layer.in_width},
                    &LayerWeights::weights);
                if (layer.bias) add("bias", {layer.out_channels}, &LayerWeights::bias);
                break;
            case LayerKind::squeeze_excite:
                add("squeeze.weight", {layer.squeeze_channels, layer.in_channels}, &LayerWeights::weights);
                add("squeeze.bias", {layer.squeeze_channels}, &LayerWeights::bias);
                add("excite.weight", {layer.in_channels, layer.squeeze_channels}, &LayerWeights::weights2);
                add("excite.bias", {layer.in_channels}, &LayerWeights::bias2);
                break;
            case LayerKind::scale_shift:
                add("scale", {layer.in_channels}, &LayerWeights::weights);
                add("shift", {layer.in_channels}, &LayerWeights::bias);
                break;
            case LayerKind::max_pool:
            case LayerKind::global_avg_pool:
                break;
        }
    }

    std::vector<WeightTensor> take() { return std::move(tensors_); }

private:
    void add(const char* part, Shape shape, std::vector<float> LayerWeights::*values) {
        tensors_.push_back({fmt::format("{}.{}", prefix_, part), std::move(shape), node_, values});
    }

    std::vector<WeightTensor> tensors_;
    std::set<std::string> used_;
    std::string prefix_;
    int node_ = 0;
};

}  // namespace

std::int64_t WeightTensor::elements() const {
    std::int64_t product = 1;
    for (const std::int64_t size : shape) product *= size;
    return product;
}

std::vector<WeightTensor> weight_tensors(const Graph& network) {
    TensorList list;
    for (std::size_t i = 0; i < network.nodes.size(); ++i) {
        list.add_node(network.nodes[i], static_cast<int>(i));
    }
    return list.take();
}

}  // namespace hacscale
