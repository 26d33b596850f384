#include "models/graph/memory_layout.hpp"

#include <algorithm>
#include <numeric>

#include "models/ops/operator.hpp"

namespace hacscale {
namespace {

constexpr std::size_t alignment = 64;

struct Region {
    std::size_t begin = 0;
    std::size_t end = 0;
};

}  // namespace

TensorIds overwritable_inputs(const Graph& graph, const Node& node) {
    TensorIds found;
    const auto add = [&](TensorId input) {
        if (graph.tensors[input].producer == no_node) return;
        // A layer reads its other inputs while it writes.
        if (std::count(node.inputs.begin(), node.inputs.end(), input) == 1) found.push_back(input);
    };
    if (node.layer.residual) {
        add(node.residual_input());
    } else if (operator_of(node.layer.kind).overwrites_input) {
        for (const TensorId input : node.inputs) add(input);
    }
    return found;
}

ArenaLayout lay_out_arena(const Graph& graph, const std::vector<std::size_t>& tensor_bytes,
                          const MayOverwrite& may_overwrite) {
    const int count = static_cast<int>(graph.nodes.size());
    std::vector<int> last_use = last_readers(graph);
    ArenaLayout layout;
    layout.offsets.resize(graph.tensors.size());
    layout.in_place.resize(graph.nodes.size(), false);
    std::vector<TensorId> owner(graph.tensors.size());  // the tensor whose region a tensor is in
    std::iota(owner.begin(), owner.end(), 0);
    for (int i = 0; i < count; ++i) {
        const Node& node = graph.nodes[i];
        const TensorId to = node.outputs.front();
        for (const TensorId from : overwritable_inputs(graph, node)) {
            if (last_use[from] != i || tensor_bytes[from] != tensor_bytes[to]) continue;
            if (!may_overwrite(from, to)) continue;
            layout.in_place[i] = true;
            owner[to] = owner[from];
            break;
        }
    }
    // A region is needed as long as any of the tensors that are in it.
    for (std::size_t id = 0; id < owner.size(); ++id) {
        last_use[owner[id]] = std::max(last_use[owner[id]], last_use[id]);
    }
    std::vector<TensorId> placed;
    for (int i = 0; i < count; ++i) {
        for (const TensorId id : graph.nodes[i].outputs) {
            if (owner[id] != id) {
                layout.offsets[id] = layout.offsets[owner[id]];
                continue;
            }
            // First fit among the regions that are alive now.
            std::vector<Region> alive;
            for (const TensorId other : placed) {
                if (last_use[other] >= i) {
                    alive.push_back({layout.offsets[other], layout.offsets[other] + tensor_bytes[other]});
                }
            }
            std::sort(alive.begin(), alive.end(),
                      [](const Region& a, const Region& b) { return a.begin < b.begin; });
            std::size_t offset = 0;
            for (const Region& region : alive) {
                if (offset + tensor_bytes[id] <= region.begin) break;
                offset = std::max(offset, (region.end + alignment - 1) / alignment * alignment);
            }
            layout.offsets[id] = offset;
            layout.bytes = std::max(layout.bytes, offset + tensor_bytes[id]);
            placed.push_back(id);
        }
    }
    return layout;
}

}  // namespace hacscale
