// What the tests of profile() share: networks to profile, and the rows that they lead to.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "models/stages/lowering.hpp"
#include "profiler/profile.hpp"
#include "profiler/row_values.hpp"
#include "tests/profiler/fake_backend.hpp"
#include "tests/profiler/table_support.hpp"

namespace hacscale::testing {

// Every row that the network state of these host networks consists of.
inline std::set<RowKey> network_keys(const std::vector<Network>& host_networks,
                                     const MeasureSettings& settings) {
    std::set<RowKey> keys;
    for (const Network& model : host_networks) {
        const Graph network = model.graph;
        for (const Node& node : network.nodes) {
            keys.insert(row_key(node.layer, network, settings, CacheState::network));
        }
    }
    return keys;
}

// Three groups of networks, each with layers of its own.
inline std::vector<Network> many_chains() {
    std::vector<Network> models;
    for (int i = 0; i < 20; ++i) {
        models.push_back(chain("chain" + std::to_string(i), {16 + 4 * i, 18 + 4 * i}));
    }
    return models;
}

}  // namespace hacscale::testing
