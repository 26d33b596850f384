// Importance of a network's layers (training/importance.hpp), measured with libtorch.
#pragma once

#include <optional>
#include <vector>

#include "training/images.hpp"
#include "training/importance.hpp"
#include "training/torch/network.hpp"

namespace hacscale::training {

// One batch: the figures of each of measured_nodes(). The network is in evaluation mode; its parameters need no
// gradients. Images and labels are where the network is.
std::vector<LayerFigures> importance_of_batch(TorchNetwork& network, ImportanceMeasure measure,
                                              std::uint64_t seed, const at::Tensor& images,
                                              const at::Tensor& labels);

// Nodes that the measure is defined for, in running order.
std::vector<std::size_t> measured_nodes(const TorchNetwork& network, ImportanceMeasure measure);

// Over the batches of a request. Each worker has a copy of `network`, which is in evaluation mode, and one
// thread: so a batch's figures do not depend on who computes them.
std::optional<std::vector<LayerImportance>> measured_importance(TorchNetwork& network, const ImageSet& images,
                                                                const Normalization& normalization,
                                                                const ImportanceRequest& request,
                                                                const ImportanceEvents& events);

}  // namespace hacscale::training
