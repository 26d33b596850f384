// New channels for every conv of a network, next to the ones it has, which growth importance asks about. Each
// conv gets a few channels with random incoming weights; whatever reads them does so with weights of zero, so
// that the network computes what it did, and what those zero weights have as gradient is what one step of
// training would make of the channels (docs/method.md, "Importance").
#pragma once

#include <ATen/ATen.h>

#include <cstdint>
#include <vector>

#include "training/torch/network.hpp"

namespace hacscale::training {

// That a conv is asked with; figures are means over them.
inline constexpr std::int64_t new_channels_each = 8;

// Whether a layer can have more channels than it has: convs of one group. A depthwise or grouped conv has the
// channels of what it reads, and counts with the layer before it.
bool can_grow(const LayerSpec& layer);

class NewChannels {
public:
    // `seed` decides the incoming weights.
    NewChannels(TorchNetwork& network, std::uint64_t seed);

    // The network's logits, which are those without the new channels.
    at::Tensor forward(const at::Tensor& images);
    // After a backward pass: for each node, the squared norm of the gradients of the weights that read one of
    // its new channels, in the mean over these. 0 for nodes that cannot grow.
    std::vector<double> squared_gradients() const;

private:
    // New channels in one node's output, [N][origins x new_channels_each][H][W], and whose they are.
    struct Added {
        at::Tensor maps;
        std::vector<std::size_t> origins;
    };
    struct Reader {
        at::Tensor weights;  // zero; [O][channels][k][k] of a conv, [O][channels x H x W] of a linear layer
        std::vector<std::size_t> origins;
    };

    void read(NodeModule& node, const Added& input);
    Added added_by(std::size_t index, const at::Tensor& input, const Added& from_input,
                   const Added& from_residual);
    Added passed_on(const NodeModule& node, const Added& input) const;

    TorchNetwork& network_;
    std::vector<at::Tensor> incoming_;  // of each node's new channels; undefined where it cannot grow
    std::vector<Reader> readers_;
};

}  // namespace hacscale::training
