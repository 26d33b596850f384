// Small networks that show one stage, or the head, as they are within the whole network: a stage with just
// enough before it, one block of the stage before or the stem. Lowering these is what keeps cost tables
// cheap.
#pragma once

#include <optional>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/stages/model_spec.hpp"

namespace hacscale::detail {

// The resolution of each stage's input. Strides and pools alone decide it, so the base tells it for all
// choices.
std::vector<int> stage_input_resolutions(const ModelSpec& base, int resolution);

// A node, and what is alive while it runs (alive_activations()).
struct FragmentNode {
    Node node;
    std::int64_t alive_elements = 0;
};

class Fragment {
public:
    // `input_resolutions`: of stage_input_resolutions(), at the image resolution in question.
    static Fragment of_stage(const ModelSpec& base, std::size_t stage, int resolution,
                             const std::vector<int>& input_resolutions);
    static Fragment of_head(const ModelSpec& base, const std::vector<int>& input_resolutions);

    // The nodes in question, `block` counted from the stage's first; nothing when these values make no valid
    // model. A head's fragment has depth 1. The first stage has no width before it: the value is not looked
    // at.
    // `inner`: of the last of the blocks, 0 where it is derived.
    std::optional<std::vector<FragmentNode>> nodes(int previous_width, int width, int depth,
                                                   int inner = 0) const;

private:
    ModelSpec base_;
    int first_stage_ = 0;  // nodes of earlier stages are not in question (-1: the stem is)
};

}  // namespace hacscale::detail
