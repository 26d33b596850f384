#include "models/graph/memory_plan.hpp"

#include <algorithm>
#include <numeric>

namespace hacscale {
namespace {

constexpr std::size_t alignment = 64;

struct Region {
    std::size_t begin = 0;
    std::size_t end = 0;
};

// The node whose output this one may write over, if nobody reads it later; negative when there is none.
int overwritten_node(const NetworkNode& node) {
    if (node.layer.kind == LayerKind::squeeze_excite) return node.input;
    return node.layer.residual && node.residual != node.input ? node.residual : network_input;
}

}  // namespace

MemoryPlan plan_memory(const Network& network, const std::vector<std::size_t>& output_bytes,
                       InPlace in_place) {
    const int count = static_cast<int>(network.nodes.size());
    std::vector<int> last_use(count);
    std::iota(last_use.begin(), last_use.end(), 0);
    for (int i = 0; i < count; ++i) {
        const NetworkNode& node = network.nodes[i];
        if (node.input >= 0) last_use[node.input] = i;
        if (node.layer.residual && node.residual >= 0) last_use[node.residual] = i;
    }
    if (count > 0) last_use[count - 1] = count;  // the result outlives the run

    MemoryPlan plan;
    plan.offsets.resize(count);
    plan.in_place.resize(count, false);
    std::vector<int> owner(count);  // the node whose region a node's output lies in
    std::iota(owner.begin(), owner.end(), 0);
    for (int i = 0; i < count; ++i) {
        const NetworkNode& node = network.nodes[i];
        const int from = in_place == InPlace::allowed ? overwritten_node(node) : network_input;
        if (from < 0 || last_use[from] != i || output_bytes[from] != output_bytes[i]) continue;
        plan.in_place[i] = true;
        owner[i] = owner[from];
        last_use[owner[i]] = std::max(last_use[owner[i]], last_use[i]);
    }
    std::vector<int> placed;
    for (int i = 0; i < count; ++i) {
        if (owner[i] != i) {
            plan.offsets[i] = plan.offsets[owner[i]];
            continue;
        }
        // First fit among the regions that are alive now.
        std::vector<Region> alive;
        for (const int other : placed) {
            if (last_use[other] >= i) {
                alive.push_back({plan.offsets[other], plan.offsets[other] + output_bytes[other]});
            }
        }
        std::sort(alive.begin(), alive.end(),
                  [](const Region& a, const Region& b) { return a.begin < b.begin; });
        std::size_t offset = 0;
        for (const Region& region : alive) {
            if (offset + output_bytes[i] <= region.begin) break;
            offset = std::max(offset, (region.end + alignment - 1) / alignment * alignment);
        }
        plan.offsets[i] = offset;
        plan.bytes = std::max(plan.bytes, offset + output_bytes[i]);
        placed.push_back(i);
    }
    return plan;
}

}  // namespace hacscale
