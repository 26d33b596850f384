// What the blocks of a stage cost and use: single layers, whose latency is looked up once, and one block at very many
// widths, from few lowered networks.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "models/graph/graph.hpp"
#include "models/graph/latency_source.hpp"
#include "models/ops/layer_spec.hpp"
#include "models/stages/model_spec.hpp"
#include "scaling/cost_model.hpp"
#include "scaling/planner/chain_problem.hpp"

namespace hacscale::detail {

// ---- Fragments ----
//
// Small networks that show one stage, or the head, as they are within the whole network: a stage with just
// enough before it, one block of the stage before or the stem. Lowering these is what keeps cost tables
// cheap.

// Height and width of each stage's input. Strides and pools alone decide them, so the base tells them for all
// choices.
using InputSize = std::array<int, 2>;
std::vector<InputSize> stage_input_sizes(const ModelSpec& base, int resolution);

// A node, and what is alive while it runs (alive_activations()).
struct FragmentNode {
    Node node;
    std::int64_t alive_elements = 0;
};

class Fragment {
public:
    // `input_sizes`: of stage_input_sizes(), at the image resolution in question.
    static Fragment of_stage(const ModelSpec& base, std::size_t stage, int resolution,
                             const std::vector<InputSize>& input_sizes);
    static Fragment of_head(const ModelSpec& base, const std::vector<InputSize>& input_sizes);

    // The nodes in question, `block` counted from the stage's first; nothing when these values make no valid
    // model. A head's fragment has depth 1. The first stage has no width before it: the value is not looked
    // at.
    // `inner`: of the last of the blocks, 0 where it is derived.
    std::optional<std::vector<FragmentNode>> nodes(int previous_width, int width, int depth,
                                                   int inner = 0) const;

private:
    ModelSpec base_;
    int first_stage_ = 0;               // nodes of earlier stages are not in question (-1: the stem is)
    std::int64_t earlier_outputs_ = 0;  // elements of the network's outputs that are alive beside these nodes
};

// ---- Costs ----

class LayerCosts {
public:
    // All three must outlive this; `coverage` counts the layers looked up.
    LayerCosts(const LatencySource& source, const CostSettings& settings, CostCoverage& coverage)
        : source_(source), settings_(settings), coverage_(coverage) {}

    // One layer as an option of its own, without its activations; infeasible when its latency is not known.
    BlockOption of(const LayerSpec& layer, std::int64_t learned_params);
    std::int64_t activation_bytes(std::int64_t elements) const;

private:
    std::optional<std::int64_t> look_up(const LayerSpec& layer);

    const LatencySource& source_;
    const CostSettings& settings_;
    CostCoverage& coverage_;
    std::unordered_map<LayerSpec, std::optional<std::int64_t>, LayerSpecHash> known_;
};

// Adds costs and usage; infeasible when either part is.
void join(BlockOption& option, const BlockOption& part);

// The cost and the resource usage of one block at very many widths, from few lowered networks.
//
// Which layers a block has depends only on which of its widths are equal (an input that differs from the
// block's width is projected, an inner width that equals the input is not expanded). Each size of a layer
// (its channels, groups, learned numbers, what is alive while it runs) is a sum with one term for each of the
// widths, and mostly is one of them. So one lowering for each value of each width, with the other widths held
// at values that equal none, tells the layers of all combinations. Each layer depends on two of the widths at
// most: its cost is looked up once for each pair of them, and an option is the sum over its layers.
struct BlockWidths {
    int input = 0;
    int inner = 0;  // 0: the block has none that could be chosen
    int width = 0;
};

// The nodes of the block at these widths; nothing when they make no valid model.
using LowerBlock = std::function<std::optional<std::vector<FragmentNode>>(const BlockWidths&)>;

// Used in this order: note() all widths that will be asked for, learn(), option().
class BlockOptions {
public:
    // `costs` must outlive this. `grid`: inner widths are multiples of it.
    BlockOptions(LowerBlock lower, int grid, LayerCosts& costs);
    ~BlockOptions();
    BlockOptions(const BlockOptions&) = delete;
    BlockOptions& operator=(const BlockOptions&) = delete;

    void note(const BlockWidths& widths);
    void learn();
    // Infeasible where there is no valid model or no latency.
    BlockOption option(const BlockWidths& widths);

private:
    class Family;  // of all combinations that have the same widths equal

    LowerBlock lower_;
    int grid_;
    LayerCosts& costs_;
    int max_width_ = 0;
    std::vector<std::unique_ptr<Family>> families_;
};

// The same for one combination, by lowering it.
BlockOption lowered_option(const BlockWidths& widths, const LowerBlock& lower, LayerCosts& costs);

}  // namespace hacscale::detail
