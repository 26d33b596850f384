#include "training/weights_layout.hpp"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

class TensorList {
public:
    void add_node(const Node& node, int index) {
        const LayerSpec& layer = node.layer;
        std::string prefix = node.name;
        // Names come from the model's stages, which a user may have named alike.
        if (!used_.insert(prefix).second) prefix = fmt::format("{}.{}", prefix, index);
        for (WeightPart& part : operator_of(layer.kind).weights(layer)) {
            tensors_.push_back(
                {fmt::format("{}.{}", prefix, part.name), std::move(part.shape), index, part.values});
        }
    }

    std::vector<WeightTensor> take() { return std::move(tensors_); }

private:
    std::vector<WeightTensor> tensors_;
    std::set<std::string> used_;
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
