// Reorderings of channels that exporters write as Reshape, Transpose, Reshape: channel shuffle (Zhang et al. 2018), pixel shuffle (Shi
// et al. 2016) and its inverse.
#include "models/formats/onnx/detail/network.hpp"

namespace hacscale::onnx::detail {

namespace {

// x in this shape, its axes in this order, then in the shape of the output.
struct Reordering {
    std::string x;
    Ints dims, split, order, result;
    std::vector<const Node*> nodes;
};

std::optional<Reordering> reordering_of(const Edges& edges, const Node& last) {
    const Node* transpose = edges.only_producer(last.inputs.front(), "Transpose");
    const Node* first =
        transpose == nullptr ? nullptr : edges.only_producer(transpose->inputs.front(), "Reshape");
    if (first == nullptr) {
        return std::nullopt;
    }
    const std::string& x = first->inputs.front();
    Reordering found{x,
                     edges.dims(x),
                     edges.dims(first->outputs.front()),
                     transpose->integers("perm", {}),
                     edges.dims(last.outputs.front()),
                     {first, transpose}};
    return found.dims.size() == 4 && found.result.size() == 4 ? std::optional(found) : std::nullopt;
}

// N g c H W -> N c g H W, as one shape or with H and W joined.
bool recognise_channel_shuffle(const Reordering& found, Node& last) {
    const Ints& split = found.split;
    if (split.size() < 4 || found.result != found.dims || split[0] != found.dims[0] ||
        split[1] * split[2] != found.dims[1]) {
        return false;
    }
    const Ints order = split.size() == 5 ? Ints{0, 2, 1, 3, 4} : Ints{0, 2, 1, 3};
    if (found.order != order ||
        (split.size() == 5 && (split[3] != found.dims[2] || split[4] != found.dims[3]))) {
        return false;
    }
    Edges::become(last, "ChannelShuffle", {found.x}, {{"groups", split[1]}}, found.nodes);
    return true;
}

// N c r r H W -> N c H r W r.
void recognise_pixel_shuffle(const Reordering& found, Node& last) {
    const Ints& dims = found.dims;
    const std::int64_t block = found.split[2];
    if (found.order != Ints{0, 1, 4, 2, 5, 3} || block == 0 ||
        found.split != Ints{dims[0], found.result[1], block, block, dims[2], dims[3]} ||
        found.result != Ints{dims[0], dims[1] / (block * block), dims[2] * block, dims[3] * block}) {
        return;
    }
    Edges::become(last, "DepthToSpace", {found.x}, {{"blocksize", block}, {"mode", std::string("CRD")}},
                  found.nodes);
    last.domain.clear();
}

// N C h r w r -> N C r r h w (channels before blocks) or N r r C h w (ONNX's SpaceToDepth).
void recognise_space_to_depth(const Reordering& found, Node& last) {
    const Ints& dims = found.dims;
    const std::int64_t block = found.split[3];
    if (block == 0 || found.split != Ints{dims[0], dims[1], dims[2] / block, block, dims[3] / block, block} ||
        found.result != Ints{dims[0], dims[1] * block * block, dims[2] / block, dims[3] / block}) {
        return;
    }
    if (found.order == Ints{0, 1, 3, 5, 2, 4}) {
        Edges::become(last, "SpaceToDepth", {found.x}, {{"blocksize", block}}, found.nodes);
    } else if (found.order == Ints{0, 3, 5, 1, 2, 4}) {
        Edges::become(last, "SpaceToDepth", {found.x}, {{"blocksize", block}}, found.nodes);
        last.domain.clear();
    }
}

}  // namespace

void recognise_shuffles(Network& network) {
    const Edges edges(network);
    for (Node& node : network.nodes) {
        const auto found = node.op_type == "Reshape" ? reordering_of(edges, node) : std::nullopt;
        if (!found || recognise_channel_shuffle(*found, node) || found->split.size() != 6) {
            continue;
        }
        recognise_pixel_shuffle(*found, node);
        if (node.op_type == "Reshape") {
            recognise_space_to_depth(*found, node);
        }
    }
}

}  // namespace hacscale::onnx::detail
